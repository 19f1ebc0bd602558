// `granary store import`: what was found and what became of it, and every name that is not kept with its reason.

import { describe } from "#services/errors/catalogue.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { bytes, count, duration } from "#services/errors/sentences.ts";
import type { ImportProgress, Left } from "#services/store/import.ts";
import { layouts } from "#services/store/source-layout.ts";
import type { Layout } from "#services/store/source-layout.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { clearLine, interrupted, showLine } from "./fetching.ts";
import type { CliIo, ImportView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark } from "./text.ts";

export const importCommand: CommandSpec = {
  name: "import",
  about: "command.store.import",
  example: 'granary store import "$(go env GOMODCACHE)"',
  args: ["DIR"],
  settings: [...whichStore, "upstream", "private", "sumdb"],
  flags: [
    { flag: "--layout LAYOUT", about: "flag.import-layout" },
    { flag: "--dry-run", about: "flag.import-dry-run" },
    jsonFlag,
  ],
  run: async ({ args, options, settings }, context) => {
    const { io, services } = context;
    const request = { dir: args[0] ?? "", layout: layoutOf(options["layout"]), isDryRun: options["dryRun"] === true };
    let hinted = false;
    const report = await services.storeImport(request, settings, (progress) => {
      if (!hinted && io.isTerminal) io.stderr(`${say(io.lang, "import.stop-hint")}\n`);
      hinted = true;
      showLine(io, progressLine(progress, io));
    });
    clearLine(io);
    if (options["json"] === true) printJson(context, "granary.store.import/1", asData(report));
    else io.stdout(inWords(report, io));
    if (report.wasInterrupted) return interrupted;
    return report.unproven + report.rejected > 0 ? exit.findings : exit.ok;
  },
};

/** Throws GRANARY_BAD_FLAG. */
function layoutOf(text: unknown): Layout | undefined {
  const known = layouts.find((layout) => layout === text);
  if (typeof text === "string" && known === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--layout", value: text, accepted: layouts.join(" | ") });
  return known;
}

function progressLine(progress: ImportProgress, { lang }: CliIo): string {
  const { done, total, ms } = progress;
  return say(lang, "import.working", {
    done: count(done),
    total: count(total),
    bytes: bytes(progress.bytes),
    rejected: count(progress.rejected),
    left: done === 0 ? "-" : duration(((total - done) * ms) / done),
  });
}

function inWords(report: ImportView, io: CliIo): string {
  const { lang } = io;
  const { isDryRun: dryRun } = report;
  const counts = {
    found: count(report.found),
    imported: count(report.imported),
    bytes: bytes(report.bytes),
    kept: count(report.kept),
    unproven: count(report.unproven),
    rejected: count(report.rejected),
    time: duration(report.ms),
    dryRun,
  };
  const { dir, layout, store } = report;
  const lines = [
    say(lang, "import.head", { dir: harmless(dir), layout, store: harmless(store), dryRun }),
    say(lang, "import.counts", counts),
    ...(report.wasInterrupted ? [say(lang, "import.interrupted")] : []),
  ];
  if (report.unproven > 0)
    lines.push(say(lang, "import.unproven", { count: count(report.unproven) }), ...listed(report, "unproven", io));
  if (report.rejected > 0)
    lines.push(say(lang, "import.rejected", { count: count(report.rejected) }), ...listed(report, "rejected", io));
  return `${lines.join("\n")}\n`;
}

function listed(report: ImportView, kind: "unproven" | "rejected", io: CliIo): string[] {
  const list = kind === "unproven" ? report.unprovenList : report.rejectedList;
  const sign = mark(kind === "unproven" ? "warn" : "fail", io.isUtf8);
  const lines = list.map((left) => `  ${sign} ${harmless(left.what)}\n${reasonOf(left, io, "      ")}`);
  const more = report[kind] - list.length;
  return more > 0 ? [...lines, `  ${say(io.lang, "import.more", { count: count(more) })}`] : lines;
}

function reasonOf(left: Left, { lang }: CliIo, indent: string): string {
  if (left.why !== "failed") {
    const reason = "reason" in left ? left.reason : "";
    return indent + harmless(say(lang, "import.why", { why: left.why, reason }));
  }
  const { error } = left;
  return [error.code, ...describe(error, lang)].map((line) => indent + harmless(line)).join("\n");
}

/** Codes are for programs, reasons for people who read what a program has logged. */
function asData(report: ImportView): object {
  const { unprovenList, rejectedList, ...rest } = report;
  const plain = (left: Left): object =>
    left.why === "failed"
      ? { what: left.what, why: left.why, code: left.error.code, reason: describe(left.error, "en").join(" ") }
      : { what: left.what, why: left.why, reason: say("en", "import.why", { why: left.why, reason: reasonIn(left) }) };
  return { ...rest, unprovenList: unprovenList.map(plain), rejectedList: rejectedList.map(plain) };
}

function reasonIn(left: Left): string {
  return "reason" in left ? left.reason : "";
}
