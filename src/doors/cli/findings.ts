// Findings as people read them: what, the evidence, why, what to do, where to read on. And as JSON.

import { say } from "#services/errors/say.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { byWeight, wordsOf } from "#services/findings/finding.ts";
import type { Evidence, Finding, Severity } from "#services/findings/finding.ts";
import { fixLines } from "#services/findings/fix.ts";
import type { CliIo } from "./services.ts";
import { columnsOf, harmless, mark, padEnd, terminalColumns, wrap } from "./text.ts";

const markOf = { fail: "fail", warn: "warn", info: "skip" } as const satisfies Readonly<Record<Severity, string>>;

/** Every finding with its evidence, the weightiest first. Empty for none. */
export function findingsText(findings: readonly Finding[], io: Pick<CliIo, "lang" | "isUtf8" | "shell">): string {
  return byWeight(findings)
    .map((finding) => findingText(finding, io))
    .join("");
}

/** One finding: a headline with its mark, and below it what was seen, why, what to do. */
export function findingText(
  finding: Finding,
  { lang, isUtf8, shell }: Pick<CliIo, "lang" | "isUtf8" | "shell">,
): string {
  const { title, why, advice } = wordsOf(finding, lang);
  const sign = finding.severity === "info" ? (isUtf8 ? "·" : "info") : mark(markOf[finding.severity], isUtf8);
  const unsure = finding.confidence === "certain" ? "" : ` (${say(lang, `finding.${finding.confidence}`)})`;
  const fixes = finding.fixes.flatMap((fix) => fixLines(fix, shell));
  const rows: [string, readonly string[]][] = [
    ...finding.evidence.map((evidence): [string, readonly string[]] => [
      labelOf(evidence, lang),
      evidenceLines(evidence),
    ]),
    [say(lang, "finding.why"), wrap(why, terminalColumns - indent - labelColumns)],
    ...(advice === undefined
      ? []
      : [
          [say(lang, "finding.advice"), wrap(advice, terminalColumns - indent - labelColumns)] satisfies [
            string,
            string[],
          ],
        ]),
    ...(fixes.length === 0 ? [] : [[say(lang, "finding.fix"), fixes] satisfies [string, readonly string[]]]),
    ...(finding.checks.length === 0
      ? []
      : [[say(lang, "finding.check"), finding.checks] satisfies [string, readonly string[]]]),
    [say(lang, "finding.more"), moreLines(finding)],
  ];
  const lines = rows.flatMap(([label, texts]) =>
    texts.map((text, i) => `${" ".repeat(indent)}${padEnd(i === 0 ? label : "", labelColumns)}${harmless(text)}`),
  );
  const headline = wrap(`${harmless(title)}${unsure}`, terminalColumns - titleIndent).join(
    `\n${" ".repeat(titleIndent)}`,
  );
  return `${[`${sign} ${headline}`, ...lines].join("\n")}\n`;
}

/** Where to read on, on one line if there is room. */
function moreLines({ kind, code }: Finding): readonly string[] {
  const parts = [`docs/${kind.page}`, `granary explain ${code}`];
  const line = parts.join(" · ");
  return columnsOf(line) > terminalColumns - indent - labelColumns ? parts : [line];
}

/** Columns before a label, and of a label. */
const indent = 4;
/** A mark and a blank. */
const titleIndent = 2;
const labelColumns = 8;

/** What is copied from the screen stays in one piece. */
const whole: ReadonlySet<Evidence["kind"]> = new Set(["value", "place", "hash"]);

/** A line of a log is longer than a terminal is wide. */
function evidenceLines({ kind, text }: Evidence): readonly string[] {
  const columns = terminalColumns - indent - labelColumns;
  return !whole.has(kind) && columnsOf(text) > columns ? wrap(text, columns) : [text];
}

function labelOf({ kind }: Evidence, lang: Lang): string {
  return say(lang, `finding.${kind}`);
}

/** `granary.finding/1`: what scripts read; the same data as the text. */
export function findingJson(finding: Finding, { lang, shell }: Pick<CliIo, "lang" | "shell">): object {
  const { title, why, advice } = wordsOf(finding, lang);
  const { code, severity, confidence, fields, evidence } = finding;
  return {
    code,
    severity,
    confidence,
    title,
    fields,
    evidence,
    why,
    ...(advice !== undefined && { advice }),
    fixes: finding.fixes.map((fix) => ({ ...fix, lines: fixLines(fix, shell) })),
    checks: finding.checks,
    page: `docs/${finding.kind.page}`,
  };
}
