// The report as a person reads it.

import { say } from "#services/errors/say.ts";
import { count, duration } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { numberOf } from "#services/doctor/check.ts";
import type { Checked } from "#services/doctor/check.ts";
import { planFixes } from "#services/doctor/mend.ts";
import type { DoctorReport } from "#services/doctor/report.ts";
import { reportedOf, verdictOf } from "#services/doctor/verdict.ts";
import { wordsOf } from "#services/findings/finding.ts";
import { findingsText } from "./findings.ts";
import type { CliIo } from "./services.ts";
import { harmless, mark, padEnd, terminalColumns, wrap } from "./text.ts";

/** `Go 1.26.8 linux/amd64 · module github.com/acme/shop · 12 checks` */
export function headLine({ go, platform, module }: DoctorReport["facts"], checks: number, lang: Lang): string {
  const parts = [
    go === undefined ? say(lang, "doctor.no-go", { platform }) : `Go ${go} ${platform}`,
    ...(module === undefined ? [] : [say(lang, "doctor.module", { module })]),
    say(lang, "doctor.checks", { checks: count(checks) }),
  ];
  return harmless(parts.join(" · "));
}

/** Columns of a check's title; the longest of both languages fits. */
const titleColumns = 22;

/** One line for a check, and below it what it found; with `isVerbose` also what it asked. */
export function checkLine(checked: Checked, io: Pick<CliIo, "lang" | "isUtf8" | "shell">, isVerbose: boolean): string {
  const { check, state, examined, announced } = checked;
  const number = String(numberOf(check.id)).padStart(2);
  const head = `${mark(state, io.isUtf8)} ${number} ${padEnd(check.title[io.lang], titleColumns)}`;
  const lines = [`${head} ${harmless(summaryOf(checked, io.lang))}`.trimEnd()];
  const shown = isVerbose ? examined.findings : examined.findings.filter(({ severity }) => severity !== "info");
  const findings = findingsText(shown, io).replace(/^(?=.)/gm, "     ");
  const asked = isVerbose ? announced.map((what) => `       ${say(io.lang, "doctor.asked")}  ${harmless(what)}`) : [];
  return `${[...lines, ...asked].join("\n")}\n${findings}`;
}

function summaryOf({ examined, skipped, reason, ms }: Checked, lang: Lang): string {
  if (skipped === "nothing") return examined.nothing?.[lang] ?? "";
  if (skipped === "broken") return say(lang, "doctor.broken", { reason: reason ?? "" });
  if (skipped !== undefined) return say(lang, `doctor.skip-${skipped}`);
  return examined.summary ?? (ms >= 100 ? duration(ms) : "");
}

/** The last lines: what it all means, and what to do next. */
export function verdictText(report: DoctorReport, { lang }: Pick<CliIo, "lang">): string {
  return wrap(verdictSentence(report, lang), terminalColumns)
    .map((line) => `${line}\n`)
    .join("");
}

export function verdictSentence(report: DoctorReport, lang: Lang): string {
  const { state, cause, failures, warnings, notLookedAt } = verdictOf(report.checks);
  const time = duration(report.ms);
  const rest = notLookedAt === 0 ? "" : ` ${say(lang, "doctor.not-looked-at", { checks: count(notLookedAt) })}`;
  const repairs = planFixes(reportedOf(report.checks)).length;
  const fix = repairs === 0 ? "" : ` ${say(lang, "doctor.repairs", { repairs: count(repairs) })}`;
  const title = cause === undefined ? "" : harmless(wordsOf(cause.finding, lang).title);
  const fields = {
    failures: count(failures),
    warnings: count(warnings),
    time,
    title,
    check: String(cause?.number ?? 0),
  };
  return `${say(lang, state === "broken" ? "doctor.broken-verdict" : `doctor.${state}`, fields)}${rest}${fix}`;
}
