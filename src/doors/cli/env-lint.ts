// `granary env lint`, once it runs.

import { lint, onlyValues } from "#services/environment/lint.ts";
import { wordsOf } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { printJson } from "./command.ts";
import type { Call } from "./command.ts";
import { badFlag, goOption, wordOption } from "./env-options.ts";
import { envTexts } from "./env-texts.ts";
import { findingJson, findingsText } from "./findings.ts";
import { exit } from "./services.ts";
import type { CliContext, CliIo } from "./services.ts";
import { harmless, terminalColumns, wrap } from "./text.ts";

const classes = ["prod", "ci", "dev"] as const;

export async function runLint(call: Call, context: CliContext): Promise<number> {
  const { io } = context;
  const { surroundings } = await context.services.environment();
  const from = call.args.length === 0 ? surroundings : onlyValues(valuesOf(call.args), surroundings);
  const kind = wordOption(call, "class", classes) ?? "dev";
  const findings = lint(from, { isStrict: call.options["strict"] === true, kind, go: goOption(call) });
  const count = (severity: string): number => findings.filter((finding) => finding.severity === severity).length;
  const [fail, warn, info] = [count("fail"), count("warn"), count("info")];
  if (call.options["json"] === true) {
    const shown = findings.map((finding) => findingJson(finding, io));
    printJson(context, "granary.env-lint/1", { fail, warn, info, findings: shown });
  } else {
    const texts = envTexts[io.lang];
    const verdict = fail + warn === 0 ? texts.clean : texts.lintVerdict(fail, warn, info);
    io.stdout(`${lintText(findings, io)}${verdict}\n`);
  }
  return fail + warn === 0 ? exit.ok : exit.findings;
}

/** What is wrong unfolds; what is good to know is a line with its code. */
function lintText(findings: readonly Finding[], io: CliIo): string {
  const isToKnow = ({ severity }: Finding): boolean => severity === "info";
  const lines = findings
    .filter(isToKnow)
    .map((finding) => `${io.isUtf8 ? "·" : "info"} ${harmless(wordsOf(finding, io.lang).title)} (${finding.code})`)
    .flatMap((line) => wrap(line, terminalColumns - indent).map((part, at) => `${at === 0 ? "" : "  "}${part}\n`));
  return findingsText(
    findings.filter((finding) => !isToKnow(finding)),
    io,
  ).concat(...lines);
}

/** Columns that the rest of a wrapped line is moved in by. */
const indent = 2;

/** `NAME=VALUE` each; the value is everything behind the first `=`. */
function valuesOf(args: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    args.map((text) => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([^]*)$/.exec(text) ?? [];
      if (name === undefined || value === undefined)
        throw badFlag("NAME=VALUE", text, "GOPROXY=https://goproxy.cn,direct");
      return [name, value];
    }),
  );
}
