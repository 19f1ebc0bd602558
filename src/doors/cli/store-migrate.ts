// `granary store migrate`: the layout brought up to date; with --to, the store moved into a bucket or back.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { clearLine, interrupted, showLine } from "./fetching.ts";
import type { CliContext, CliIo, MoveRequest, MoveView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";
import { readSize } from "./units.ts";

export const migrateCommand: CommandSpec = {
  name: "migrate",
  about: "command.store.migrate",
  example: "granary store migrate --to s3 --s3 builds/granary --dry-run",
  settings: ["store", "postgres.url", "s3.bucket", "s3.endpoint", "sumlog.key"],
  flags: [
    { flag: "--to PLACE", about: "flag.move-to" },
    { flag: "--rate SIZE", about: "flag.move-rate" },
    { flag: "--jobs N", about: "flag.move-jobs" },
    { flag: "--no-verify", about: "flag.move-no-verify" },
    { flag: "--deep", about: "flag.move-deep" },
    { flag: "--hand-over", about: "flag.move-hand-over" },
    { flag: "--dry-run", about: "flag.dry-run" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const to = textOption(call, "to");
    if (to === undefined) return await raise(call, context);
    if (to !== "s3" && to !== "disk")
      throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--to", value: to, accepted: "s3, disk" });
    return await move(to, call, context);
  },
};

async function raise({ options, settings }: Call, context: CliContext): Promise<number> {
  const { io } = context;
  const report = await context.services.storeMigrate(options["dryRun"] === true, settings, (done) => {
    showLine(io, say(io.lang, "migrate.running", { done: count(done) }));
  });
  clearLine(io);
  if (options["json"] === true) printJson(context, "granary.store.migrate/1", report);
  else io.stdout(`${say(io.lang, "migrate.done", report)}\n`);
  return exit.ok;
}

async function move(to: MoveRequest["to"], { options, settings }: Call, context: CliContext): Promise<number> {
  const { io } = context;
  const rate = textOption({ options }, "rate");
  const request: MoveRequest = {
    to,
    verify: options["deep"] === true ? "all" : options["verify"] === false ? "none" : "written",
    isDry: options["dryRun"] === true,
    bytesPerSecond: rate === undefined ? undefined : readRate(rate),
    jobs: jobsOf(options["jobs"]),
    handsOver: options["handOver"] === true,
  };
  if (request.handsOver && to === "disk")
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: "only a directory can be handed over to a bucket",
      usage: "granary store migrate --to s3 --hand-over",
    });
  const view = await context.services.storeMove(request, settings, ({ copiedFiles, copiedBytes, same }, versions) => {
    const fields = {
      versions: count(versions),
      files: count(copiedFiles),
      bytes: bytes(copiedBytes),
      same: count(same),
    };
    showLine(io, say(io.lang, "move.running", fields));
  });
  clearLine(io);
  if (options["json"] === true) printJson(context, "granary.store.move/1", view);
  else io.stdout(inWords(view, io));
  if (view.wasInterrupted) return interrupted;
  return findingsOf(view) === 0 ? exit.ok : exit.findings;
}

/** Throws GRANARY_BAD_FLAG. */
function readRate(text: string): number {
  const wanted = readSize("--rate", text);
  if (wanted > 0) return wanted;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--rate", value: text, accepted: "5MB, 500KiB" });
}

const defaultJobs = 8;
/** More only wait for one another: for the disk, or for the service. */
const maxJobs = 64;

/** Throws GRANARY_BAD_FLAG. */
function jobsOf(value: unknown): number {
  if (typeof value !== "string") return defaultJobs;
  const wanted = /^\d{1,2}$/.test(value) ? Number(value) : 0;
  if (wanted >= 1 && wanted <= maxJobs) return wanted;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--jobs", value, accepted: `1 … ${maxJobs}` });
}

function isWell({ verdict }: MoveView["logs"][number]): boolean {
  return verdict.is === "restore" || verdict.is === "kept";
}

function findingsOf({ found, more, logs }: MoveView): number {
  return found.length + more + logs.filter((log) => !isWell(log)).length;
}

function inWords(view: MoveView, io: CliIo): string {
  const { lang } = io;
  const { found, more, counts, logs, isDry } = view;
  const rows = found.map(({ what, is, problem }) => [what, say(lang, "move.finding", { is }), problem].map(harmless));
  const facts = say(lang, "move.done", {
    from: harmless(view.from),
    to: harmless(view.to),
    versions: count(view.versions),
    files: count(counts.copiedFiles),
    bytes: bytes(counts.copiedBytes),
    same: count(counts.same),
    verified: `${count(counts.verifiedFiles)}, ${bytes(counts.verifiedBytes)}`,
    time: duration(view.ms),
    isDry,
    wasInterrupted: view.wasInterrupted,
  });
  const ofLogs = logs.map(({ name, verdict }) =>
    say(lang, "move.log", {
      name: harmless(name),
      is: verdict.is,
      size: "size" in verdict ? count(verdict.size) : "",
      kept: "kept" in verdict ? count(verdict.kept) : "",
      reason: "reason" in verdict ? harmless(verdict.reason) : "",
    }),
  );
  const findings = findingsOf(view);
  return [
    table(rows),
    more === 0 ? "" : `${say(lang, "list.more", { more: count(more) })}\n`,
    `${[facts, ...ofLogs].join("\n")}\n`,
    view.isHandedOver ? `${say(lang, "move.handed-over", { dir: harmless(view.from), to: harmless(view.to) })}\n` : "",
    findings === 0 ? "" : `${say(lang, "move.findings", { findings: count(findings) })}\n`,
  ].join("");
}
