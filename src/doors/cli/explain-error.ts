// `granary explain-error FILE`: what a log of go means. The cause unfolds; what only follows from it is one line.

import { say } from "#services/errors/say.ts";
import { count, duration } from "#services/errors/sentences.ts";
import type { ExplainedError } from "#services/analysers/error-groups.ts";
import type { ErrorReport } from "#services/analysers/error-report.ts";
import { wordsOf } from "#services/findings/finding.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { findingJson, findingText } from "./findings.ts";
import type { CliContext, CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table, terminalColumns, wrap } from "./text.ts";

export const explainErrorCommand: CommandSpec = {
  name: "explain-error",
  about: "command.explain-error",
  example: "granary explain-error go.log",
  args: ["[FILE|-]"],
  flags: [jsonFlag],
  run: async ({ args, options }, context) => {
    const { io, services } = context;
    const [file = "-"] = args;
    if (file === "-" && io.isTerminal) io.stderr(`${say(io.lang, "errors.reading")}\n`);
    const report = await (await services.trouble()).explainLog(file);
    if (options["json"] === true) printJson(context, "granary.errors/1", reportJson(report, context));
    else io.stdout(reportText(report, io));
    return report.causes.length + report.follows.length + report.unknown.count > 0 ? exit.findings : exit.ok;
  },
};

function reportJson(report: ErrorReport, { io }: CliContext): object {
  const inJson = (all: readonly ExplainedError[]): object[] =>
    all.map(({ finding, class: of, count: lines }) => ({ ...findingJson(finding, io), class: of, lines }));
  return {
    ...report,
    causes: inJson(report.causes),
    follows: inJson(report.follows),
    notices: inJson(report.notices),
  };
}

function reportText(report: ErrorReport, io: CliIo): string {
  const { causes, unknown } = report;
  const { lang } = io;
  const lines = count(report.lines);
  const head =
    causes.length === 0
      ? say(lang, "errors.none", { lines })
      : say(lang, "errors.head", { causes: causes.length, lines });
  return [
    `${head}\n`,
    ...causes.map(({ finding }) => `\n${findingText(finding, io)}`),
    listed(say(lang, "errors.follows"), report.follows, io),
    // Where nothing failed, they are all there is to say.
    ...(causes.length === 0
      ? report.notices.map(({ finding }) => `\n${findingText(finding, io)}`)
      : [listed(say(lang, "errors.notices"), report.notices, io)]),
    requestsText(report, io),
    ...(unknown.count === 0
      ? []
      : [
          `\n${say(lang, "errors.unknown", { count: count(unknown.count) })}\n`,
          ...unknown.texts.map((text) => `  ${hanging(text, 2)}\n`),
        ]),
    ...(causes.length === 0 ? [`\n${say(lang, "errors.collect")}\n`] : []),
  ].join("");
}

function listed(title: string, all: readonly ExplainedError[], { lang, isUtf8 }: CliIo): string {
  if (all.length === 0) return "";
  const lines = all.map(({ finding, count: times }) => {
    const words = `${wordsOf(finding, lang).title}${say(lang, "errors.lines", { count: times })} · ${finding.code}`;
    return `  ${mark("skip", isUtf8)} ${hanging(words, 4)}\n`;
  });
  return `\n${title}\n${lines.join("")}`;
}

/** Wrapped, with every line but the first behind so many blanks. */
function hanging(text: string, indent: number): string {
  return wrap(harmless(text), terminalColumns - indent).join(`\n${" ".repeat(indent)}`);
}

function requestsText({ requests }: ErrorReport, { lang, isUtf8 }: CliIo): string {
  if (requests.length === 0) return "";
  const rows = requests.map(({ host, requests: asked, unansweredCount, slowestMs, outcomes }) => [
    harmless(host),
    count(asked),
    unansweredCount === 0 ? mark("skip", isUtf8) : count(unansweredCount),
    slowestMs === 0 ? mark("skip", isUtf8) : duration(slowestMs),
    Object.entries(outcomes)
      .map(([outcome, times]) => `${harmless(outcome)} ×${times}`)
      .join(", "),
  ]);
  return `\n${say(lang, "errors.requests")}\n${table([say(lang, "errors.request-columns").split("\t"), ...rows])}`;
}
