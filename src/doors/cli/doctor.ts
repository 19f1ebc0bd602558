// `granary doctor`: the checks as they finish, and a verdict last.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { checkIds, groups, numberOf } from "#services/doctor/check.ts";
import type { Check, CheckId, Checked } from "#services/doctor/check.ts";
import { planFixes } from "#services/doctor/mend.ts";
import type { DoctorFacts, DoctorReport } from "#services/doctor/report.ts";
import { reportedOf, verdictOf } from "#services/doctor/verdict.ts";
import { redact } from "#services/findings/redact.ts";
import type { Secret } from "#services/findings/redact.ts";
import type { Call, CommandSpec } from "./command.ts";
import { textOption } from "./command.ts";
import { formatReport, reportFormats } from "./doctor-formats.ts";
import type { ReportFormat } from "./doctor-formats.ts";
import { checkLine, headLine, verdictText } from "./doctor-text.ts";
import { mend } from "./doctor-mend.ts";
import { readAge } from "./units.ts";
import type { CliContext, CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { table } from "./text.ts";

type Listed = Omit<Check, "run">;

export const doctorCommand: CommandSpec = {
  name: "doctor",
  about: "command.doctor",
  example: "granary doctor",
  args: ["[CHECK|GROUP...]"],
  flags: [
    { flag: "--quick", about: "flag.doctor-quick" },
    { flag: "--only CHECK", about: "flag.doctor-only", isList: true },
    { flag: "--skip CHECK", about: "flag.doctor-skip", isList: true },
    { flag: "--module MODULE@VERSION", about: "flag.doctor-module" },
    { flag: "--offline", about: "flag.doctor-offline" },
    { flag: "--timeout DURATION", about: "flag.doctor-timeout" },
    { flag: "--fail-on LEVEL", about: "flag.doctor-fail-on" },
    { flag: "--fix", about: "flag.doctor-fix" },
    { flag: "--yes", about: "flag.yes" },
    { flag: "--share", about: "flag.doctor-share" },
    { flag: "--format FORMAT", about: "flag.doctor-format" },
    { flag: "--list-checks", about: "flag.doctor-list" },
    { flag: "-v, --verbose", about: "flag.doctor-verbose" },
    { flag: "--json", about: "flag.json" },
  ],
  run: async (call, context) => {
    const desk = await context.services.doctor();
    if (call.options["listChecks"] === true) return listChecks(desk.checks(), context);
    const format = formatOf(call);
    const chosen = choose(desk.checks(), call);
    const level = failLevelOf(call);
    const budgetMs = readAge("--timeout", textOption(call, "timeout") ?? "20s");
    if (budgetMs > maxBudgetMs)
      throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--timeout", value: `${budgetMs} ms`, accepted: "1s … 1h" });
    const shown = new Shown(context.io, {
      isVerbose: call.options["verbose"] === true,
      isQuiet: format !== "text",
      isShared: call.options["share"] === true,
    });
    const report = await desk.examine(
      {
        checks: chosen,
        budgetMs,
        isOffline: call.options["offline"] === true,
        module: textOption(call, "module"),
      },
      {
        onFacts: (facts, secrets) => shown.head(facts, secrets, chosen.length),
        onDone: (checked) => shown.add(checked, chosen),
      },
    );
    if (format === "text") shown.print(`\n${verdictText(report, context.io)}`);
    else context.io.stdout(shown.fitReport(formatReport(report, format, context.io), format));
    const steps = planFixes(reportedOf(report.checks));
    if (call.options["fix"] === true) {
      // A report for programs stays alone on standard output.
      const print = (text: string): void =>
        format === "text" ? shown.print(text) : context.io.stderr(shown.fit(text));
      await mend(steps, { context, isSure: call.options["yes"] === true, print });
    }
    return exitOf(report, level);
  },
};

/** Nobody waits longer, and timers hold no more than 24 days. */
const maxBudgetMs = 3_600_000;

/** From which weight on a finding means exit code 1. */
const failLevels = ["fail", "warn", "never"] as const;
type FailLevel = (typeof failLevels)[number];

type ShownOptions = {
  readonly isVerbose: boolean;
  /** Nothing is printed: the report comes whole, in another form. */
  readonly isQuiet: boolean;
  readonly isShared: boolean;
};

/** Lines in the order of the checks' numbers, whatever finishes first, each as soon as it can stand there. */
class Shown {
  readonly #io: CliIo;
  readonly #options: ShownOptions;
  readonly #done = new Map<CheckId, Checked>();
  #secrets: readonly Secret[] = [];
  #next = 0;

  constructor(io: CliIo, options: ShownOptions) {
    this.#io = io;
    this.#options = options;
  }

  head(facts: DoctorFacts, secrets: readonly Secret[], count: number): void {
    this.#secrets = secrets;
    this.print(`${headLine(facts, count, this.#io.lang)}\n\n`);
  }

  add(checked: Checked, chosen: readonly Listed[]): void {
    this.#done.set(checked.check.id, checked);
    this.#clear();
    for (;;) {
      const next = chosen[this.#next];
      const done = next === undefined ? undefined : this.#done.get(next.id);
      if (done === undefined) break;
      this.print(checkLine(done, this.#io, this.#options.isVerbose));
      this.#next++;
    }
    this.#progress(chosen);
  }

  /** To standard output, without what strangers must not read when the report is for them. */
  print(text: string): void {
    if (!this.#options.isQuiet) this.#io.stdout(this.fit(text));
  }

  fit(text: string): string {
    return this.#options.isShared ? redact(text, this.#secrets) : text;
  }

  /** Of JSON only what stands in its strings is anybody's secret; keys and the names of schemas are not. */
  fitReport(text: string, format: ReportFormat): string {
    if (!this.#options.isShared || (format !== "json" && format !== "sarif")) return this.fit(text);
    const hide = (key: string, value: unknown): unknown =>
      typeof value === "string" && !/^\$?schema$|^code$|^ruleId$|^id$/.test(key) ? this.fit(value) : value;
    return `${JSON.stringify(JSON.parse(text, hide), undefined, 2)}\n`;
  }

  #progress(chosen: readonly Listed[]): void {
    const open = chosen.filter(({ id }) => !this.#done.has(id)).map(({ id }) => String(numberOf(id)));
    if (this.#isSeen() && open.length > 0)
      this.#io.stderr(say(this.#io.lang, "doctor.progress", { checks: open.join(", ") }));
  }

  #clear(): void {
    if (this.#isSeen()) this.#io.stderr("\r\u001b[K");
  }

  #isSeen(): boolean {
    return this.#io.isTerminal && !this.#options.isQuiet;
  }
}

function formatOf(call: Call): ReportFormat {
  const named = textOption(call, "format");
  if (call.options["json"] === true) return "json";
  if (named === undefined) return "text";
  const format = reportFormats.find((each) => each === named);
  if (format === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--format", value: named, accepted: reportFormats.join(", ") });
  return format;
}

function failLevelOf(call: Call): FailLevel {
  const named = textOption(call, "failOn") ?? "fail";
  const level = failLevels.find((each) => each === named);
  if (level === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--fail-on", value: named, accepted: failLevels.join(", ") });
  return level;
}

/** Which checks the command line means. */
function choose(checks: readonly Listed[], call: Call): readonly Listed[] {
  const only = [
    ...namesOf(call.args, "CHECK"),
    ...namesOf((call.options["only"] ?? []) as readonly string[], "--only"),
  ];
  const skip = namesOf((call.options["skip"] ?? []) as readonly string[], "--skip");
  const isMeant = (check: Listed): boolean => {
    if (only.length > 0) return matches(check, only);
    return call.options["quick"] === true ? check.isQuick : check.isFull;
  };
  return checks.filter((check) => isMeant(check) && !matches(check, skip));
}

function matches({ id, group }: Listed, names: readonly string[]): boolean {
  return names.some((name) => name === id || name === group || name === String(numberOf(id)));
}

function namesOf(names: readonly string[], flag: string): readonly string[] {
  const known: readonly string[] = [...checkIds, ...groups, ...checkIds.map((id) => String(numberOf(id)))];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag,
      value: unknown,
      accepted: [...groups, ...checkIds].join(", "),
    });
  return names;
}

function listChecks(checks: readonly Listed[], { io }: CliContext): number {
  const rows = checks.map((check) => [String(numberOf(check.id)), check.id, check.group, check.title[io.lang]]);
  io.stdout(table(rows));
  return exit.ok;
}

function exitOf(report: DoctorReport, level: FailLevel): number {
  const { state, failures, warnings } = verdictOf(report.checks);
  if (state === "unknown") return exit.failed;
  if (level === "never") return exit.ok;
  return failures > 0 || (level === "warn" && warnings > 0) ? exit.findings : exit.ok;
}
