import { say } from "#services/errors/say.ts";
import { bytes, count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, textOption, whichIndex, whichStore } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { hashesCommand } from "./hashes.ts";
import { quarantineCommand } from "./quarantine.ts";
import { exit } from "./services.ts";
import type { CliContext } from "./services.ts";
import { tendingCommands } from "./tending.ts";
import { checkCommand } from "./store-check.ts";
import { exportCommand } from "./store-export.ts";
import { importCommand } from "./store-import.ts";
import { migrateCommand } from "./store-migrate.ts";
import { snapshotCommands } from "./store-snapshot.ts";
import { harmless, table } from "./text.ts";

const stats: CommandSpec = {
  name: "stats",
  about: "command.store.stats",
  example: "granary store stats",
  settings: whichIndex,
  flags: [{ flag: "--hot N", about: "flag.hot" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const limit = textOption({ options }, "hot");
    if (limit !== undefined) return await hot(limit, { options, settings }, context);
    const found = await context.services.storeStats(settings);
    if (options["json"] === true) printJson(context, "granary.store.stats/1", found);
    else {
      const { modules, versions, zips, records, evicted } = found;
      const counts = {
        modules: count(modules),
        versions: count(versions),
        zips: count(zips),
        records: count(records),
        evicted: evicted === 0 ? undefined : count(evicted),
      };
      context.io.stdout(
        `${say(context.io.lang, "store.stats", { ...counts, dir: found.dir, bytes: bytes(found.bytes) })}\n`,
      );
    }
    return exit.ok;
  },
};

/** Longest list of hot modules. */
const maxHot = 10_000;

async function hot(text: string, { options, settings }: Omit<Call, "args">, context: CliContext): Promise<number> {
  const { io } = context;
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxHot)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--hot", value: text, accepted: `1 … ${maxHot}` });
  const versions = await context.services.storeHot(limit, settings);
  if (options["json"] === true) printJson(context, "granary.store.hot/1", { versions });
  else if (versions.length === 0) io.stdout(`${say(io.lang, "hot.none")}\n`);
  else {
    const rows = versions.map(({ module, version, uses, bytes: size, usedMs }) => [
      harmless(`${module}@${version}`),
      count(uses),
      bytes(size),
      new Date(usedMs).toISOString().slice(0, 16),
    ]);
    io.stdout(table([say(io.lang, "hot.columns").split("\t"), ...rows]));
  }
  return exit.ok;
}

const verify: CommandSpec = {
  name: "verify",
  about: "command.store.verify",
  example: "granary store verify",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io } = context;
    const progress = (checked: number, read: number): void => {
      if (io.isTerminal)
        io.stderr(`\r${say(io.lang, "store.verifying", { checked: count(checked), bytes: bytes(read) })}\u001b[K`);
    };
    const report = await context.services.storeVerify(settings, progress);
    if (io.isTerminal) io.stderr("\r\u001b[K");
    const checked = count(report.checked);
    if (options["json"] === true) printJson(context, "granary.store.verify/1", report);
    else if (report.findings.length === 0)
      io.stdout(`${say(io.lang, "store.sound", { checked, bytes: bytes(report.bytes) })}\n`);
    else {
      io.stdout(table(report.findings.map(({ key, problem }) => [harmless(key), harmless(problem)])));
      io.stdout(`${say(io.lang, "store.damaged", { checked, findings: count(report.findings.length) })}\n`);
    }
    return report.findings.length === 0 ? exit.ok : exit.findings;
  },
};

export const storeCommand: CommandSpec = {
  name: "store",
  about: "command.store",
  example: "granary store stats",
  commands: [
    stats,
    verify,
    checkCommand,
    ...tendingCommands,
    migrateCommand,
    importCommand,
    exportCommand,
    ...snapshotCommands,
    quarantineCommand,
    hashesCommand,
  ],
};
