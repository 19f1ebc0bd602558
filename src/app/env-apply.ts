// `granary env apply` and `env init`: what will be written, then the writing, with a copy of everything before it.

import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import { readTextFile, removeTextFile, writeTextFile } from "#adapters/system/text-files.ts";
import type {
  ApplyRequest,
  ChangeRow,
  EnvApplied,
  EnvPlan,
  FileChange,
  InitRequest,
} from "#doors/cli/env-setup-types.ts";
import { maxFileChars } from "#services/environment/assignment.ts";
import { readGoEnvFile } from "#services/environment/env-lines.ts";
import type { RunGo } from "#services/environment/go-port.ts";
import { envrcLines, withBlock } from "#services/environment/own-block.ts";
import { profiles } from "#services/environment/profiles.ts";
import type { Values } from "#services/environment/profiles.ts";
import type { JournalEntry, JournalFile } from "#services/environment/undo-journal.ts";
import { variablesOf } from "#services/environment/wishes.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { environmentFindings } from "#services/findings/environment.ts";
import { found } from "#services/findings/finding.ts";
import { exportLine } from "#services/findings/fix.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { keepCopy, removeEntry, sha256, writeEntry } from "./env-state.ts";
import { readGoEnv } from "./go-env.ts";
import type { Machine } from "./go-env.ts";

export type SetupUse = {
  readonly machine: Machine;
  readonly runGo: RunGo;
  /** The folder that stands for `/`; another one in tests. */
  readonly root: string;
  readonly isRoot: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
};

/** `go env` answers in some milliseconds; a cold disk on a loaded machine takes seconds. */
const goEnvMs = 30_000;
/** Every login shell reads what lies there (profile(5) of the distributions). */
const systemFile = "etc/profile.d/granary-go.sh";

export async function planApply(request: ApplyRequest, use: SetupUse): Promise<EnvPlan> {
  const { profile, given, scope, dir } = request;
  const { values: valuesOf, why } = profiles[profile];
  const values = valuesOf(given);
  const shared = { what: `env apply --profile ${profile} --scope ${scope}`, values, why };
  const rows = rowsOf(values, await goValues(values, use));
  switch (scope) {
    case "session":
      return { ...shared, rows, how: { kind: "print" } };
    case "user":
      return { ...shared, rows, how: await goEnvFileOf(values, use) };
    case "project": {
      const change = await envrcChange(dir, envrcLines(values));
      return { ...shared, rows, how: { kind: "files", scope, changes: [change] } };
    }
    case "system": {
      const file = join(use.root, systemFile);
      const lines = Object.entries(values).map(([name, value]) => exportLine(name, value, "bash"));
      const before = await readTextFile(file);
      const after = withBlock(before ?? "", lines);
      if (after === undefined) throw notWritten(file, "marks");
      const changes = [{ file, before, after }];
      return { ...shared, rows, how: use.isRoot ? { kind: "files", scope, changes } : { kind: "root", changes } };
    }
  }
}

/** `.go-version` for goenv and its like, `.envrc` for direnv. */
export async function planInit({ dir, go, values, isForDirenv }: InitRequest, use: SetupUse): Promise<EnvPlan> {
  const changes: FileChange[] = [];
  if (isForDirenv) changes.push(await envrcChange(dir, envrcLines(values, go)));
  if (go !== undefined) {
    const file = resolve(dir, ".go-version");
    changes.push({ file, before: await readTextFile(file), after: `${go}\n` });
  }
  const rows = isForDirenv ? rowsOf(values, await goValues(values, use)) : [];
  return { what: "env init", values, rows, why: undefined, how: { kind: "files", scope: "project", changes } };
}

/** Keeps copies, writes the journal, then the files, then the journal again with what they became. */
export async function applyPlan(plan: EnvPlan, use: SetupUse): Promise<EnvApplied> {
  const { how } = plan;
  if (how.kind === "print" || how.kind === "root") return { rows: plan.rows, files: [], findings: [] };
  if (how.kind === "go-env") return await applyWithGo(plan, how.file, use);
  const changes = how.changes.filter(({ before, after }) => before !== after);
  const entry = await beginEntry(plan, how.scope, changes, use);
  await writeAll(changes).catch(async (error: unknown) => {
    await removeEntry(entry, use.machine);
    throw error;
  });
  await finishEntry(entry, use);
  const first = how.changes.find(({ file }) => file.endsWith(".envrc") || file.endsWith(".sh"));
  const now = first === undefined ? {} : await valuesIn(first.file);
  const rows = plan.rows.map((row) => ({ ...row, after: now[row.name] ?? "" }));
  return { rows, files: changes.map(({ file }) => file), findings: [] };
}

async function applyWithGo(plan: EnvPlan, file: string, use: SetupUse): Promise<EnvApplied> {
  const before = await readTextFile(file);
  const entry = await beginEntry(plan, "user", [{ file, before, after: "" }], use);
  const set = Object.entries(plan.values).map(([name, value]) => `${name}=${value}`);
  const end = await use.runGo(["env", "-w", ...set], goOptions(use));
  if (end.kind !== "ended" || end.code !== 0) {
    await removeEntry(entry, use.machine);
    throw notWritten(file, "refused", withoutCredentials(end.stderr.trim()).slice(0, 400));
  }
  await finishEntry(entry, use);
  const after = await goValues(plan.values, use);
  const rows = plan.rows.map((row) => ({ ...row, after: after[row.name] ?? "" }));
  const hidden = rows.filter(({ name, after: now }) => now !== plan.values[name]);
  const findings = hidden.map(({ name, after: now }) =>
    found(
      environmentFindings,
      "SCOPE_SHADOWED",
      { name, file },
      {
        evidence: [{ kind: "value", text: withoutCredentials(now) }],
        fixes: [{ kind: "export", values: { [name]: "" } }],
      },
    ),
  );
  return { rows, files: [file], findings };
}

async function beginEntry(
  { what }: EnvPlan,
  scope: JournalEntry["scope"],
  changes: readonly FileChange[],
  { machine, now }: SetupUse,
): Promise<JournalEntry> {
  const id = randomUUID();
  const files: JournalFile[] = [];
  for (const [at, { file, before }] of changes.entries()) {
    // What cannot be put back to the byte is not touched.
    if (before?.includes("\ufffd") === true || (before ?? "").length >= maxFileChars)
      throw notWritten(file, "unwritable", "not UTF-8 text of less than 1 MiB");
    const backup = before === undefined ? undefined : await keepCopy(id, at, before, machine);
    files.push({ file, backup, beforeSha256: sha256(before), afterSha256: undefined });
  }
  const entry: JournalEntry = { id, at: now().toISOString(), scope, what, files };
  await writeEntry(entry, machine);
  return entry;
}

async function finishEntry(entry: JournalEntry, { machine }: SetupUse): Promise<void> {
  const files: JournalFile[] = [];
  for (const each of entry.files) files.push({ ...each, afterSha256: sha256(await readTextFile(each.file)) });
  await writeEntry({ ...entry, files }, machine);
}

async function envrcChange(dir: string, lines: readonly string[]): Promise<FileChange> {
  const file = resolve(dir, ".envrc");
  const before = await readTextFile(file);
  const after = withBlock(before ?? "", lines);
  if (after === undefined) throw notWritten(file, "marks");
  return { file, before, after };
}

/** What the file sets now, read as direnv and login shells do. */
async function valuesIn(file: string): Promise<Values> {
  const variables = variablesOf({ envrc: (await readTextFile(file)) ?? "" });
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

/** All of them or none: what was written before one fails is put back. */
async function writeAll(changes: readonly FileChange[]): Promise<void> {
  const written: FileChange[] = [];
  for (const change of changes)
    try {
      await writeTextFile(change.file, change.after, { mode: 0o644 });
      written.push(change);
    } catch (error) {
      for (const { file, before } of written.reverse())
        await (before === undefined ? removeTextFile(file) : writeTextFile(file, before, { mode: 0o644 }));
      throw notWritten(change.file, "unwritable", error instanceof Error ? error.message : String(error));
    }
}

export type NotWritten = "no-go" | "refused" | "off" | "nowhere" | "marks" | "changed" | "unwritable";

export function notWritten(what: string, because: NotWritten, detail = ""): GranaryError {
  return new GranaryError("GRANARY_ENV_NOT_WRITTEN", { what, because, detail });
}

async function goEnvFileOf(values: Values, use: SetupUse): Promise<EnvPlan["how"]> {
  const file = await goEnvPath(use);
  const kept = new Map(
    readGoEnvFile((await readTextFile(file)) ?? "").assignments.map(({ name, value }) => [name, value] as const),
  );
  return { kind: "go-env", file, isSame: Object.entries(values).every(([name, value]) => kept.get(name) === value) };
}

/** Where `go env -w` writes: nobody knows better than go. */
async function goEnvPath(use: SetupUse): Promise<string> {
  const end = await use.runGo(["env", "GOENV"], goOptions(use));
  if (end.kind === "missing") throw notWritten("go env", "no-go");
  const path = end.stdout.trim();
  if (end.kind !== "ended" || end.code !== 0) throw notWritten("go env", "refused", end.stderr.trim().slice(0, 400));
  // Some versions print nothing for it.
  if (path === "off" || use.machine.env["GOENV"] === "off") throw notWritten("go env", "off");
  if (path === "") throw notWritten("go env", "nowhere");
  return path;
}

/** What go says of the variables, or without go what its files say. */
export async function goValues(values: Values, use: SetupUse): Promise<Values> {
  const names = Object.keys(values);
  const end = await use.runGo(["env", "-json", ...names], goOptions(use));
  const said = end.kind === "ended" && end.code === 0 ? (JSON.parse(end.stdout) as Record<string, string>) : {};
  const entries = names.map(async (name) => {
    // This one we set ourselves, so that no other Go is fetched for the question.
    if (name !== "GOTOOLCHAIN" && said[name] !== undefined) return [name, said[name]] as const;
    return [name, (await readGoEnv(name, use.machine))?.value ?? ""] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Never another toolchain: finding one may download it. */
export function goOptions({ machine, signal }: SetupUse): Parameters<RunGo>[1] {
  return { env: { ...machine.env, GOTOOLCHAIN: "local" }, cwd: "/", timeoutMs: goEnvMs, signal };
}

function rowsOf(values: Values, before: Values): ChangeRow[] {
  return Object.entries(values).map(([name, after]) => ({ name, before: before[name] ?? "", after }));
}
