// The report for programs: JSON, SARIF 2.1.0, JUnit's XML, GitHub's workflow commands. The same data as the text.

import type { Lang } from "#services/errors/sentences.ts";
import { numberOf } from "#services/doctor/check.ts";
import type { Checked } from "#services/doctor/check.ts";
import type { DoctorReport } from "#services/doctor/report.ts";
import { reportedOf, verdictOf } from "#services/doctor/verdict.ts";
import type { Reported } from "#services/doctor/verdict.ts";
import { wordsOf } from "#services/findings/finding.ts";
import type { Finding, Severity } from "#services/findings/finding.ts";
import { fixLines } from "#services/findings/fix.ts";
import { verdictSentence } from "./doctor-text.ts";
import { findingJson } from "./findings.ts";
import { escapeXml } from "./junit.ts";
import type { CliIo } from "./services.ts";

export const reportFormats = ["text", "json", "sarif", "junit", "github"] as const;
export type ReportFormat = (typeof reportFormats)[number];
type Terminal = Pick<CliIo, "lang" | "shell">;

export function formatReport(report: DoctorReport, format: Exclude<ReportFormat, "text">, io: Terminal): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(reportJson(report, io), undefined, 2)}\n`;
    case "sarif":
      return `${JSON.stringify(sarif(report, io), undefined, 2)}\n`;
    case "junit":
      return junit(report, io);
    case "github":
      return github(report, io);
  }
}

function reportJson(report: DoctorReport, io: Terminal): object {
  const { state, cause, failures, warnings, notLookedAt } = verdictOf(report.checks);
  return {
    schema: "granary.doctor/1",
    ...report.facts,
    checks: report.checks.map((checked) => checkJson(checked, io.lang)),
    findings: reportedOf(report.checks).map(({ finding, number }) => ({ check: number, ...findingJson(finding, io) })),
    verdict: {
      state,
      cause: cause?.finding.code ?? null,
      failures,
      warnings,
      notLookedAt,
      ms: Math.round(report.ms),
      text: verdictSentence(report, io.lang),
    },
  };
}

function checkJson({ check, state, examined, announced, ms, skipped, reason }: Checked, lang: Lang): object {
  return {
    number: numberOf(check.id),
    id: check.id,
    title: check.title[lang],
    state,
    ms: Math.round(ms),
    ...(examined.summary !== undefined && { summary: examined.summary }),
    ...(skipped !== undefined && { skipped }),
    ...(reason !== undefined && { reason }),
    announced,
    findings: examined.findings.map(({ code }) => code),
  };
}

const sarifLevels = { fail: "error", warn: "warning", info: "note" } as const satisfies Readonly<
  Record<Severity, string>
>;

/** SARIF 2.1.0 (OASIS): a rule for each code, a result for each finding. */
function sarif(report: DoctorReport, { lang, shell }: Terminal): object {
  const reported = reportedOf(report.checks);
  const codes = new Map(reported.map(({ finding }) => [finding.code, finding]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "granary doctor",
            rules: [...codes.values()].map((finding) => ({
              id: finding.code,
              shortDescription: { text: wordsOf(finding, lang).why },
              defaultConfiguration: { level: sarifLevels[finding.kind.severity] },
            })),
          },
        },
        results: reported.map(({ finding }) => ({
          ruleId: finding.code,
          level: sarifLevels[finding.severity],
          message: { text: messageOf(finding, { lang, shell }) },
          locations: [locationOf(finding)],
        })),
      },
    ],
  };
}

/** A finding about a line of a file is shown there; others at the go.mod, since code hosts want a place. */
function locationOf({ evidence }: Finding): object {
  // `value   file:line (part)`: three blanks stand before the place.
  const place = evidence
    .find(({ kind }) => kind === "place")
    ?.text.replace(/^.* {3}/, "")
    .replace(/ \([^)]*\)$/, "");
  const [, file = "go.mod", line = "1"] = /^(.+?):(\d+)(?:: .*)?$/.exec(place ?? "") ?? [];
  const uri = encodeURI(file.replaceAll("\\", "/"));
  return { physicalLocation: { artifactLocation: { uri }, region: { startLine: Math.max(1, Number(line)) } } };
}

function messageOf(finding: Finding, { lang, shell }: Terminal): string {
  const { title, why, advice } = wordsOf(finding, lang);
  const seen = finding.evidence.map(({ text }) => text);
  const fixes = finding.fixes.flatMap((fix) => fixLines(fix, shell));
  return [title, ...seen, why, ...(advice === undefined ? [] : [advice]), ...fixes].join("\n");
}

/** A suite with a case for each check; warnings are no failures for a CI server. */
function junit({ checks }: DoctorReport, io: Terminal): string {
  const failed = checks.filter(({ state }) => state === "fail").length;
  const skipped = checks.filter(({ state }) => state === "skip").length;
  const cases = checks.map((checked) => {
    const open = `    <testcase classname="granary doctor" name="${escapeXml(`${numberOf(checked.check.id)} ${checked.check.title[io.lang]}`)}" time="${(checked.ms / 1000).toFixed(3)}"`;
    const inside = caseOf(checked, io);
    return inside === "" ? `${open}/>\n` : `${open}>${inside}</testcase>\n`;
  });
  return [
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="granary doctor">\n`,
    `  <testsuite name="granary doctor" tests="${checks.length}" failures="${failed}" skipped="${skipped}">\n`,
    ...cases,
    "  </testsuite>\n</testsuites>\n",
  ].join("");
}

function caseOf({ state, examined, skipped }: Checked, io: Terminal): string {
  if (state === "skip") return `<skipped message="${skipped ?? ""}"/>`;
  const [first] = examined.findings.filter(({ severity }) => severity === "fail");
  const all = examined.findings.map((finding) => `${finding.code}\n${messageOf(finding, io)}`).join("\n\n");
  if (first === undefined) return all === "" ? "" : `<system-out>${escapeXml(all)}</system-out>`;
  return `<failure type="${first.code}" message="${escapeXml(wordsOf(first, io.lang).title)}">${escapeXml(all)}</failure>`;
}

/** Workflow commands: `::error title=CODE::message`; what would end a command early is escaped as the runner wants it. */
function github(report: DoctorReport, io: Terminal): string {
  const lines = reportedOf(report.checks).map(({ finding }: Reported) => {
    const level = { fail: "error", warn: "warning", info: "notice" }[finding.severity];
    return `::${level} title=${finding.code}::${escapeCommand(messageOf(finding, io))}\n`;
  });
  return `${lines.join("")}${verdictSentence(report, io.lang)}\n`;
}

function escapeCommand(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
