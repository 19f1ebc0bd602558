import { say } from "#services/errors/say.ts";
import { bytes, count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { hashesCommand } from "./hashes.ts";
import { quarantineCommand } from "./quarantine.ts";
import { exit } from "./services.ts";
import { snapshotCommands } from "./store-snapshot.ts";
import { harmless, table } from "./text.ts";

const stats: CommandSpec = {
  name: "stats",
  about: "command.store.stats",
  example: "granary store stats",
  settings: ["store"],
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const found = await context.services.storeStats(settings);
    if (options["json"] === true) printJson(context, "granary.store.stats/1", found);
    else {
      const { modules, versions, zips, records } = found;
      const counts = { modules: count(modules), versions: count(versions), zips: count(zips), records: count(records) };
      context.io.stdout(
        `${say(context.io.lang, "store.stats", { ...counts, dir: found.dir, bytes: bytes(found.bytes) })}\n`,
      );
    }
    return exit.ok;
  },
};

const verify: CommandSpec = {
  name: "verify",
  about: "command.store.verify",
  example: "granary store verify",
  settings: ["store"],
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
  commands: [stats, verify, ...snapshotCommands, quarantineCommand, hashesCommand],
};
