// The commands of an own checksum database.

import { writeFile } from "node:fs/promises";
import type { CliServices, SettingFlags } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { formatVerifierKey, generateKey } from "#protocol/note.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { checkLog } from "#services/sumlog/fsck.ts";
import type { Config } from "./config.ts";
import { formatHostPort } from "./config-kinds.ts";
import { storeAsItIs } from "./open-store.ts";
import { readSignerKey } from "./own-log.ts";

export type SumlogCommands = Pick<CliServices, "sumdbKeygen" | "sumdbClientConfig" | "sumdbFsck">;

export function sumlogCommands(use: { readonly load: (flags: SettingFlags) => Promise<Config> }): SumlogCommands {
  return {
    sumdbKeygen: async ({ name, out }) => {
      const { signerKey, verifierKey } = makeKey(name);
      try {
        // Never over an existing key: its database would be lost.
        await writeFile(out, `${signerKey}\n`, { flag: "wx", mode: 0o600 });
      } catch (error) {
        const reason =
          (error as NodeJS.ErrnoException).code === "EEXIST" ? "it exists; keys are never replaced" : String(error);
        throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: out, reason }, { cause: error });
      }
      return { name, verifierKey, file: out };
    },
    sumdbClientConfig: async (url, flags) => {
      const { values } = await use.load(flags);
      const { verifier } = await readSignerKey(keyOf(values["sumlog.key"], "client-config"));
      return {
        name: verifier.name,
        verifierKey: formatVerifierKey(verifier),
        proxy: url ?? `http://${formatHostPort(values.listen)}`,
        patterns: values.private,
      };
    },
    sumdbFsck: async (flags) => {
      const config = await use.load(flags);
      const { values } = config;
      const { verifier } = await readSignerKey(keyOf(values["sumlog.key"], "fsck"));
      const report = await checkLog({ verifier, storage: await storeAsItIs(config) });
      return { name: verifier.name, ...report };
    },
  };
}

/** Narrower than Go, which takes nearly anything: the name is a path below `/sumdb/` and must end where that one does. */
const databaseName =
  /^[A-Za-z0-9._-]+(:[0-9]+)?(\/(?!(?:supported|latest|lookup|tile|checkpoint)(?:\/|$))[A-Za-z0-9._~-]+)*$/;

function makeKey(name: string): ReturnType<typeof generateKey> {
  try {
    if (!databaseName.test(name)) throw new ProtocolError("BAD_KEY", "not a database's name");
    const keys = generateKey(name);
    parseGosumdb(keys.verifierKey);
    return keys;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const accepted = "HOST[:PORT][/PATH], as in sum.corp.example";
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--name", value: name, accepted }, { cause: error });
  }
}

function keyOf(file: string, command: string): string {
  if (file !== "") return file;
  throw new GranaryError("GRANARY_BAD_USAGE", {
    reason: "sumlog.key is not set",
    usage: `granary sumdb ${command} --sumlog-key FILE`,
  });
}
