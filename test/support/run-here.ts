// One command line in this process: a test with many of them would else start many processes.
import { main } from "../../src/app/main.ts";

export type Ran = { code: number; stdout: string; stderr: string };

/** @param verifyEntry what checks zips in a thread of its own; a bundle has its own */
export async function runHere(
  argv: readonly string[],
  verifyEntry: URL = new URL("../../bin/granary.ts", import.meta.url),
): Promise<Ran> {
  const out = { code: -1, stdout: "", stderr: "" };
  out.code = await main(argv, {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    isTerminal: false,
    onStop: () => () => undefined,
    verifyEntry,
    machine: {
      env: { LANG: "en_US.UTF-8", GOENV: "off" },
      platform: "linux",
      home: "/nonexistent",
      readFile: () => Promise.resolve(undefined),
    },
  });
  return out;
}
