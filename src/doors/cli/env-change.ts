// What `env apply`, `env init` and `--undo` have in common: show, ask, write, show what is.

import { diffLines } from "#services/environment/line-diff.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { printJson } from "./command.ts";
import type { Call } from "./command.ts";
import type { ChangeRow, EnvApplied, EnvPlan, EnvScope, EnvSetup, FileChange } from "./env-setup-types.ts";
import { findingJson, findingsText } from "./findings.ts";
import type { CliContext, CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table, terminalColumns, wrap } from "./text.ts";

export type Change = {
  readonly plan: EnvPlan;
  readonly setup: EnvSetup;
  readonly call: Call;
  /** Sentences that explain the values. */
  readonly notes: readonly string[];
};

/** Shows a plan, asks, carries it out, and shows what is then. Resolves to the exit code. */
export async function carryOut({ plan, setup, call, notes }: Change, context: CliContext): Promise<number> {
  const { io } = context;
  const isDryRun = call.options["dryRun"] === true;
  const isJson = call.options["json"] === true;
  if (!isJson) io.stdout(planText(plan, notes, io));
  if (plan.how.kind === "root" || isDryRun || changesNothing(plan)) {
    const done = plan.how.kind === "root" ? "root" : isDryRun ? "dry-run" : "nothing";
    if (isJson) printJson(context, "granary.env-apply/1", planJson(plan, done));
    else io.stdout(`\n${say(io.lang, "env-apply.not-done", { why: done })}\n`);
    return plan.how.kind === "root" ? exit.findings : exit.ok;
  }
  if (!(await agreed(call, setup, io))) {
    io.stderr(`${say(io.lang, "env-apply.not-done", { why: "refused" })}\n`);
    return exit.findings;
  }
  const applied = await setup.apply(plan);
  if (isJson) printJson(context, "granary.env-apply/1", { ...planJson(plan, "done"), ...appliedJson(applied, io) });
  else io.stdout(appliedText(applied, scopeOf(plan), io));
  return applied.findings.length === 0 ? exit.ok : exit.findings;
}

/** Puts the newest change of a scope back, after it was shown. */
export async function undoNewest(
  { scope, dir, setup, call }: Omit<Change, "plan" | "notes"> & { readonly scope: EnvScope; readonly dir: string },
  context: CliContext,
): Promise<number> {
  const { io } = context;
  const plan = await setup.planUndo(scope, dir);
  if (plan === undefined) {
    io.stderr(`${say(io.lang, "env-undo.none", { scope })}\n`);
    return exit.findings;
  }
  const isJson = call.options["json"] === true;
  const { entry, files } = plan;
  if (!isJson) {
    io.stdout(`${harmless(say(io.lang, "env-undo.plan", { what: entry.what, at: entry.at }))}\n`);
    for (const { file, diff } of files) io.stdout(diffText(file, diff, io));
  }
  const isDryRun = call.options["dryRun"] === true;
  if (!isDryRun && !(await agreed(call, setup, io))) {
    io.stderr(`${say(io.lang, "env-apply.not-done", { why: "refused" })}\n`);
    return exit.findings;
  }
  if (!isDryRun) await setup.undo(plan);
  const done = { what: entry.what, at: entry.at, files: files.map(({ file }) => file), undone: !isDryRun };
  if (isJson) printJson(context, "granary.env-undo/1", done);
  else io.stdout(`\n${say(io.lang, isDryRun ? "env-apply.not-done" : "env-undo.done", { why: "dry-run" })}\n`);
  return exit.ok;
}

/** `--yes`, or a yes of somebody who is there. Throws GRANARY_BAD_USAGE when nobody is. */
async function agreed({ options }: Call, setup: EnvSetup, io: CliIo): Promise<boolean> {
  if (options["yes"] === true) return true;
  if (!setup.canAsk)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "env-apply.needs-yes"),
      usage: "granary env … --yes, or --dry-run",
    });
  return await setup.ask(say(io.lang, "env-apply.ask"));
}

function changesNothing({ how }: EnvPlan): boolean {
  if (how.kind === "go-env") return how.isSame;
  return how.kind === "files" && how.changes.every(({ before, after }) => before === after);
}

function planText(plan: EnvPlan, notes: readonly string[], io: CliIo): string {
  const said = notes.map((note) => `${wrap(note, terminalColumns).join("\n")}\n`);
  return [...(plan.rows.length === 0 ? [] : [rowsText(plan.rows, io)]), ...said, whereText(plan, io)].join("\n");
}

function whereText({ how }: EnvPlan, io: CliIo): string {
  switch (how.kind) {
    case "print":
      return "";
    case "go-env":
      return `${harmless(say(io.lang, "env-apply.with-go", { file: how.file }))}\n`;
    case "files":
    case "root":
      return how.changes.map(({ file, before, after }) => diffText(file, diffLines(before ?? "", after), io)).join("");
  }
}

function diffText(file: string, diff: readonly string[], io: CliIo): string {
  const lines = diff.length === 0 ? [say(io.lang, "env-apply.same")] : diff;
  return [file, ...lines.map((line) => `  ${withoutCredentials(line)}`)].map((line) => `${harmless(line)}\n`).join("");
}

/** Before and after, each on a line of its own: two lists of URLs are wider than a terminal. */
function rowsText(rows: readonly ChangeRow[], io: CliIo): string {
  const [before = "", after = ""] = say(io.lang, "env-apply.columns").split("\t");
  const text = (value: string): string => (value === "" ? "-" : withoutCredentials(value));
  return table(
    rows
      .flatMap((row) =>
        row.before === row.after
          ? [[row.name, "=", text(row.after)]]
          : [
              [row.name, before, text(row.before)],
              ["", after, text(row.after)],
            ],
      )
      .map((cells) => cells.map(harmless)),
  );
}

function scopeOf({ how }: EnvPlan): EnvScope {
  return how.kind === "go-env" ? "user" : how.kind === "files" ? how.scope : "session";
}

function appliedText({ rows, files, findings }: EnvApplied, scope: EnvScope, io: CliIo): string {
  const wrote = files.map((file) => `${harmless(say(io.lang, "env-apply.wrote", { file }))}\n`).join("");
  const now = rows.length === 0 ? "" : rowsText(rows, io);
  return `\n${wrote}${now}${findings.length === 0 ? "" : `\n${findingsText(findings, io)}`}${say(io.lang, "env-apply.back", { scope })}\n`;
}

function planJson({ what, values, rows, how }: EnvPlan, state: string): object {
  const hidden = (row: ChangeRow): ChangeRow => ({
    name: row.name,
    before: withoutCredentials(row.before),
    after: withoutCredentials(row.after),
  });
  const shown = Object.entries(values).map(([name, value]) => [name, withoutCredentials(value)]);
  const files = how.kind === "files" || how.kind === "root" ? how.changes : [];
  return {
    what,
    state,
    values: Object.fromEntries(shown) as Readonly<Record<string, string>>,
    rows: rows.map(hidden),
    how: how.kind,
    files: [...files.map(fileJson), ...(how.kind === "go-env" ? [{ file: how.file }] : [])],
  };
}

function fileJson({ file, before, after }: FileChange): object {
  return { file, diff: diffLines(before ?? "", after).map(withoutCredentials) };
}

function appliedJson({ rows, findings }: EnvApplied, io: CliIo): object {
  return {
    now: Object.fromEntries(rows.map(({ name, after }) => [name, withoutCredentials(after)])) as object,
    findings: findings.map((finding) => findingJson(finding, io)),
  };
}
