// `granary store export`: what lies in the tree now, what was left out and why, and how to use it.

import { say } from "#services/errors/say.ts";
import { bytes, count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { clearLine, interrupted, showLine } from "./fetching.ts";
import type { CliIo, ExportView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark } from "./text.ts";

export const exportCommand: CommandSpec = {
  name: "export",
  about: "command.store.export",
  example: "granary store export /media/stick --from go.sum",
  args: ["DIR", "[MODULE@VERSION|PATTERN...]"],
  settings: [...whichStore, "sumdb"],
  flags: [{ flag: "--from GOSUM", about: "flag.export-from", isList: true }, jsonFlag],
  run: async ({ args, options, settings }, context) => {
    const { io, services } = context;
    const [dir = "", ...what] = args;
    const from = Array.isArray(options["from"]) ? (options["from"] as string[]) : [];
    const report = await services.storeExport({ dir, what, from }, settings, (versions, written) => {
      showLine(io, say(io.lang, "export.working", { versions: count(versions), bytes: bytes(written) }));
    });
    clearLine(io);
    if (options["json"] === true) printJson(context, "granary.store.export/1", report);
    else io.stdout(inWords(report, io));
    if (report.wasInterrupted) return interrupted;
    return report.leftOut.length + report.missing.length > 0 ? exit.findings : exit.ok;
  },
};

function inWords(report: ExportView, io: CliIo): string {
  const { lang } = io;
  const { leftOut, missing, url } = report;
  const sign = mark("fail", io.isUtf8);
  const lines = [
    say(lang, "export.done", {
      dir: harmless(report.dir),
      versions: count(report.versions),
      zips: count(report.zips),
      written: count(report.written),
      bytes: bytes(report.bytes),
      same: count(report.same),
      url: harmless(url),
      interrupted: report.wasInterrupted,
    }),
  ];
  if (leftOut.length > 0) lines.push(say(lang, "export.left-out", { count: count(leftOut.length) }));
  for (const { what, why, reason } of leftOut)
    lines.push(`  ${sign} ${harmless(what)}\n      ${harmless(say(lang, "export.why", { why, reason }))}`);
  if (missing.length > 0) lines.push(say(lang, "export.missing", { count: count(missing.length) }));
  return `${[...lines, ...missing.map((what) => `  ${sign} ${harmless(what)}`)].join("\n")}\n`;
}
