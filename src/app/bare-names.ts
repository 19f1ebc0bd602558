// The tools by the names that the guides give them: a link to this program that is named `sumweb` is `granary sumweb`.

import { basename } from "node:path";

const implied: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  sumweb: () => ["sumweb"],
  sumgopher: () => ["sumgopher"],
  sumverify: () => ["sumverify"],
  "granary-agent": () => ["agent"],
  // The guides know `sumdb` as what fills a folder: flags, and no verb.
  sumdb: ([first = ""]) => (/^--?(db|mirror|range|from)(=|$)/.test(first) ? ["sumdb", "preload"] : ["sumdb"]),
};

/** @param script as it was called: a link's own name; its ending does not count */
export function withImpliedCommand(script: string, args: readonly string[]): readonly string[] {
  const name = basename(script).replace(/\.(mjs|cjs|js|ts|exe|cmd)$/i, "");
  const command = Object.hasOwn(implied, name) ? implied[name] : undefined;
  return command === undefined ? args : [...command(args), ...args];
}
