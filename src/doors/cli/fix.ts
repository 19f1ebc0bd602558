// `granary fix timeout`: which of the seven remedies is in place, which is missing, and what sets it.

import type { Step } from "#services/doctor/mend.ts";
import type { Remedy, TimeoutAdvice } from "#services/doctor/timeout.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { fixLines } from "#services/findings/fix.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { mend } from "./doctor-mend.ts";
import { fixTexts } from "./fix-texts.ts";
import type { CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, terminalColumns, wrap } from "./text.ts";

const timeout: CommandSpec = {
  name: "timeout",
  about: "command.fix.timeout",
  example: "granary fix timeout stderr.log",
  args: ["[LOG|-]"],
  flags: [{ flag: "--apply", about: "flag.fix-apply" }, { flag: "--yes", about: "flag.yes" }, jsonFlag],
  run: async ({ args, options }, context) => {
    const { io, services } = context;
    const desk = await services.doctor();
    const advice = await desk.adviseTimeout(args[0]);
    if (options["json"] === true) printJson(context, "granary.fix-timeout/1", advice);
    else io.stdout(adviceText(advice, io));
    if (options["apply"] === true)
      await mend(stepsOf(advice), { context, isSure: options["yes"] === true, print: io.stdout });
    return advice.remedies.some(({ helps, state }) => helps && state === "missing") ? exit.findings : exit.ok;
  },
};

export const fixCommand: CommandSpec = {
  name: "fix",
  about: "command.fix",
  example: "granary fix timeout",
  commands: [timeout],
};

/** What is missing and helps, or where nothing is known, all that is missing: each remedy's first fix. */
function stepsOf({ remedies }: TimeoutAdvice): readonly Step[] {
  const missing = remedies.filter(({ state, fixes }) => state === "missing" && fixes.length > 0);
  const chosen = missing.some(({ helps }) => helps) ? missing.filter(({ helps }) => helps) : missing;
  const [set] = chosen.filter(({ fixes }) => fixes[0]?.kind === "set");
  // One change at a time, and none of a placeholder: the first setting is applied, everything else is shown.
  return chosen.flatMap(({ id, fixes }) => {
    const [fix] = fixes;
    return fix === undefined
      ? []
      : [{ fix, code: `REMEDY_${id.toUpperCase()}`, byHand: fix.kind !== "set" || id !== set?.id }];
  });
}

const indent = 9;

function adviceText({ leaf, evidence, checks, remedies }: TimeoutAdvice, io: CliIo): string {
  const texts = fixTexts[io.lang];
  const head = wrap(texts.leaf[leaf], terminalColumns);
  const seen = evidence.map((text) => `  ${harmless(withoutCredentials(text))}`);
  const more = ["", texts.check, ...checks.map((line) => `  ${line}`)];
  return `${[...head, ...seen, "", ...remedies.flatMap((remedy) => remedyLines(remedy, io)), ...more].join("\n")}\n`;
}

function remedyLines({ id, number, state, seen, fixes, helps }: Remedy, io: CliIo): readonly string[] {
  const texts = fixTexts[io.lang];
  const { title, why } = texts.remedy[id];
  const sign = mark(state === "in-place" ? "ok" : state === "missing" ? (helps ? "fail" : "warn") : "skip", io.isUtf8);
  const facts = [
    texts.state[state],
    ...(seen === undefined ? [] : [harmless(withoutCredentials(seen))]),
    ...(helps ? [texts.helps] : []),
  ];
  const pad = " ".repeat(indent);
  return [
    `${sign} ${number}  ${title}: ${facts.join(" · ")}`,
    ...wrap(why, terminalColumns - indent).map((line) => pad + line),
    ...fixes.flatMap((fix) => fixLines(fix, io.shell)).map((line) => `${pad}${harmless(line)}`),
  ];
}
