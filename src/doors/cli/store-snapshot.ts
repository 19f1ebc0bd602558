// Snapshots of a store, putting one back, and removing what only takes space.

import { describe } from "#services/errors/catalogue.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { clearLine, showLine } from "./fetching.ts";
import type { CliIo, DefragView, RestoredLog, RestoreView, SnapshotView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const snapshot: CommandSpec = {
  name: "snapshot",
  about: "command.store.snapshot",
  example: "granary store snapshot /mnt/backup/granary --keep 30",
  args: ["DIR"],
  settings: whichStore,
  flags: [{ flag: "--deep", about: "flag.snapshot-deep" }, { flag: "--keep N", about: "flag.snapshot-keep" }, jsonFlag],
  run: async ({ args, options, settings }, context) => {
    const { io, services } = context;
    const request = { dir: args[0] ?? "", isDeep: options["deep"] === true, keep: keepOf(options["keep"]) };
    const taken = await services.storeSnapshot(request, settings, ({ readFiles, readBytes, unchanged }) => {
      const progress = { files: count(readFiles), bytes: bytes(readBytes), unchanged: count(unchanged) };
      showLine(io, say(io.lang, "snapshot.copying", progress));
    });
    clearLine(io);
    if (options["json"] === true) printJson(context, "granary.store.snapshot/1", taken);
    else io.stdout(snapshotInWords(taken, io));
    return taken.found.length === 0 && taken.pruned?.problem === undefined ? exit.ok : exit.findings;
  },
};

/** Far more than anybody looks through. */
const maxKeep = 10_000;

/** Throws GRANARY_BAD_FLAG. */
function keepOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const wanted = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (wanted >= 1 && wanted <= maxKeep) return wanted;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--keep", value, accepted: `1 … ${maxKeep}` });
}

function snapshotInWords(taken: SnapshotView, io: CliIo): string {
  const { lang } = io;
  const { found, pruned, counts, logs } = taken;
  const files = (number: number, size: number): string =>
    say(lang, "defrag.heap", { count: count(number), bytes: bytes(size) });
  const facts = say(lang, "snapshot.taken", {
    id: taken.id,
    dir: taken.dir,
    versions: count(taken.versions),
    files: count(taken.files),
    bytes: bytes(taken.bytes),
    read: files(counts.readFiles, counts.readBytes),
    written: files(counts.writtenFiles, counts.writtenBytes),
    unchanged: count(counts.unchanged),
    time: duration(taken.ms),
    logs: logs.map(({ name, size }) => ({ name: harmless(name), size: count(size) })),
  });
  const rows = found.map(({ what, is, problem }) =>
    [what, say(lang, "snapshot.finding", { is }), problem].map(harmless),
  );
  return [
    table(rows),
    `${facts}\n`,
    pruned === undefined ? "" : `${say(lang, "snapshot.pruned", prunedFields(pruned))}\n`,
    pruned?.problem === undefined ? "" : `${say(lang, "snapshot.unpruned", { problem: pruned.problem })}\n`,
    found.length === 0 ? "" : `${say(lang, "snapshot.findings", { findings: count(found.length) })}\n`,
  ].join("");
}

function prunedFields({ snapshots, objects, bytes: size }: NonNullable<SnapshotView["pruned"]>) {
  return { snapshots: count(snapshots.length), objects: count(objects), bytes: bytes(size) };
}

const snapshots: CommandSpec = {
  name: "snapshots",
  about: "command.store.snapshots",
  example: "granary store snapshots /mnt/backup/granary",
  args: ["DIR"],
  flags: [jsonFlag],
  run: async ({ args, options }, context) => {
    const { io, services } = context;
    const dir = args[0] ?? "";
    const listed = await services.storeSnapshots(dir);
    const damaged = listed.filter((each) => "problem" in each);
    if (options["json"] === true) printJson(context, "granary.store.snapshots/1", { dir, snapshots: listed });
    else if (listed.length === 0) io.stdout(`${say(io.lang, "snapshots.none", { dir })}\n`);
    else {
      const rows = listed.map((each) =>
        "problem" in each
          ? [each.id, say(io.lang, "snapshots.damaged", { problem: harmless(each.problem) })]
          : [
              each.id,
              each.at.slice(0, 19).replace("T", " "),
              count(each.versions),
              count(each.files),
              bytes(each.bytes),
              count(each.findings),
            ],
      );
      io.stdout(table([say(io.lang, "snapshots.columns").split("\t"), ...rows]));
    }
    return damaged.length === 0 ? exit.ok : exit.findings;
  },
};

const restore: CommandSpec = {
  name: "restore",
  about: "command.store.restore",
  example: "granary store restore /mnt/backup/granary --dry-run",
  args: ["DIR"],
  settings: [...whichStore, "sumlog.key"],
  flags: [
    { flag: "--snapshot ID", about: "flag.restore-snapshot" },
    { flag: "--dry-run", about: "flag.restore-dry" },
    { flag: "--replace-state", about: "flag.restore-state" },
    jsonFlag,
  ],
  run: async ({ args, options, settings }, context) => {
    const { io, services } = context;
    const id = options["snapshot"];
    const request = {
      dir: args[0] ?? "",
      id: typeof id === "string" ? id : undefined,
      isDry: options["dryRun"] === true,
      replacesState: options["replaceState"] === true,
    };
    const restored = await services.storeRestore(request, settings, ({ restoredFiles, restoredBytes, same }) => {
      const progress = { files: count(restoredFiles), bytes: bytes(restoredBytes), same: count(same) };
      showLine(io, say(io.lang, "restore.writing", progress));
    });
    clearLine(io);
    if (options["json"] === true) printJson(context, "granary.store.restore/1", forJson(restored));
    else io.stdout(restoreInWords(restored, io));
    return findingsOf(restored) === 0 ? exit.ok : exit.findings;
  },
};

function findingsOf({ found, logs }: RestoreView): number {
  return found.length + logs.filter(({ failure }) => failure !== undefined).length;
}

function forJson(restored: RestoreView): object {
  const logs = restored.logs.map(({ failure, ...log }) => ({ ...log, ...(failure && { code: failure.code }) }));
  return { ...restored, logs };
}

function restoreInWords(restored: RestoreView, io: CliIo): string {
  const { lang } = io;
  const { found, counts, logs, isDry } = restored;
  const facts = say(lang, "restore.done", {
    id: restored.snapshot.id,
    store: restored.store,
    versions: count(restored.snapshot.versions),
    files: count(counts.restoredFiles),
    bytes: bytes(counts.restoredBytes),
    same: count(counts.same),
    time: duration(restored.ms),
    isDry,
  });
  const rows = found.map(({ what, is, problem }) =>
    [what, say(lang, "restore.finding", { is }), problem].map(harmless),
  );
  return [
    table(rows),
    `${facts}\n`,
    ...logs.map((log) => logInWords(log, isDry, io)),
    found.length === 0 ? "" : `${say(lang, "restore.findings", { findings: count(found.length) })}\n`,
    isDry ? "" : `${say(lang, "restore.next")}\n`,
  ].join("");
}

function logInWords({ name, is, size, isForgotten, failure }: RestoredLog, isDry: boolean, { lang }: CliIo): string {
  const shown = { name: harmless(name), size: count(size) };
  const fate = failure !== undefined ? "failed" : is === "kept" ? "kept" : "restore";
  const lines = [say(lang, "restore.log", { ...shown, is: fate, isDry })];
  if (isForgotten) lines.push(say(lang, "restore.forgotten", shown));
  if (failure !== undefined) lines.push(...describe(failure, lang).map((line) => `  ${line}`), `  ${failure.code}`);
  return `${lines.join("\n")}\n`;
}

const defrag: CommandSpec = {
  name: "defrag",
  about: "command.store.defrag",
  example: "granary store defrag --dry-run",
  settings: whichStore,
  flags: [{ flag: "--dry-run", about: "flag.defrag-dry" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const report = await context.services.storeDefrag(options["dryRun"] === true, settings);
    if (options["json"] === true) printJson(context, "granary.store.defrag/1", report);
    else context.io.stdout(defragInWords(report, context.io));
    return exit.ok;
  },
};

function defragInWords({ store, isDry, uncommitted, waiting, temps, folders, index }: DefragView, io: CliIo): string {
  const { lang } = io;
  const heap = (of: DefragView["temps"]) => ({ count: count(of.count), bytes: bytes(of.bytes) });
  const facts = say(lang, "defrag.done", {
    store,
    isDry,
    uncommitted: say(lang, "defrag.heap", heap(uncommitted)),
    temps: say(lang, "defrag.heap", heap(temps)),
    folders: count(folders),
    index:
      index === undefined ? "-" : "problem" in index ? index.problem : `${bytes(index.before)} → ${bytes(index.after)}`,
  });
  return `${facts}\n${waiting.count === 0 ? "" : `${say(lang, "defrag.waiting", heap(waiting))}\n`}`;
}

export const snapshotCommands: readonly CommandSpec[] = [snapshot, snapshots, restore, defrag];
