// `granary env scopes|check|apply|init|shell`: the machine's files, its go and its terminal, put together.

import { join, resolve } from "node:path";
import { makeRunGo } from "#adapters/system/go-run.ts";
import { runOnTerminal } from "#adapters/system/own-shell.ts";
import { readTextFile, removeTextFile, writeTextFile } from "#adapters/system/text-files.ts";
import type { EnvSetup, ScopesView, ShellPlan, ShellRequest } from "#doors/cli/env-setup-types.ts";
import type { Values } from "#services/environment/profiles.ts";
import { projectEnv, shellStart } from "#services/environment/project-env.ts";
import { findScopeTrouble } from "#services/environment/scope-findings.ts";
import { scopeKinds, scopeRows } from "#services/environment/scopes.ts";
import { readShell } from "#services/environment/shell-file.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { applyPlan, planApply, planInit } from "./env-apply.ts";
import type { SetupUse } from "./env-apply.ts";
import { checkProject, projectTexts } from "./env-check.ts";
import { collectScopes } from "./env-scope-files.ts";
import type { ScopePlaces } from "./env-scope-files.ts";
import { stateDir } from "./env-state.ts";
import { planUndo, undoPlan } from "./env-undo.ts";
import type { Machine } from "./go-env.ts";
import { askYes } from "./question.ts";

/** @param given what tests replace of the machine */
export function envSetup(machine: Machine, given: Partial<SetupUse> = {}): EnvSetup {
  const use: SetupUse = {
    machine,
    runGo: makeRunGo(),
    root: "/",
    isRoot: process.getuid?.() === 0,
    now: () => new Date(),
    signal: new AbortController().signal,
    ...given,
  };
  return {
    scopes: (request) => scopesOf(machine, { root: use.root, ...request }),
    check: (dir) => checkProject(dir, use),
    planApply: (request) => planApply(request, use),
    planInit: (request) => planInit(request, use),
    apply: (plan) => applyPlan(plan, use),
    planUndo: (scope, dir) => planUndo(scope, dir, machine),
    undo: (plan) => undoPlan(plan, machine),
    planShell: (request) => planShell(request, machine),
    shell: (plan) => startShell(plan, machine),
    canAsk: process.stdin.isTTY,
    ask: askYes,
  };
}

/** What `env scopes` shows, and what step 5 of the doctor judges. Throws GRANARY_INPUT_UNREADABLE for a unit that is not there. */
export async function scopesOf(machine: Machine, places: ScopePlaces): Promise<ScopesView> {
  const { files, unread } = await collectScopes(machine, { ...places, dir: resolve(places.dir) });
  const rows = scopeRows(files);
  const set = new Set(files.map(({ scope }) => scope));
  return {
    kinds: scopeKinds.filter((scope) => set.has(scope)),
    rows,
    files: files.map(({ scope, file }) => ({ scope, file })),
    unread,
    findings: findScopeTrouble(files),
  };
}

async function planShell({ dir, command, shell }: ShellRequest, machine: Machine): Promise<ShellPlan> {
  const project = projectEnv(await projectTexts(resolve(dir)), machine.env);
  const file = join(stateDir(machine), `shell-${process.pid}.bashrc`);
  const start = shellStart(shell ?? ownShell(machine), project.values, file);
  const isCommand = command.length > 0;
  return {
    ...project,
    command: isCommand ? command : start.command,
    rc: isCommand || start.rc === undefined ? undefined : { file, text: start.rc },
    overridden: isCommand || start.isLast ? [] : await setAgain(project.values, machine),
  };
}

/** ~/.zshrc is read after the environment is there, and nothing of ours after it. */
async function setAgain(values: Values, { home }: Machine): Promise<ShellPlan["overridden"]> {
  const text = (await readTextFile(join(home, ".zshrc")).catch(() => undefined)) ?? "";
  return readShell(text)
    .assignments.filter(({ name, kind, value }) => kind === "exported" && name in values && values[name] !== value)
    .map(({ name, line }) => ({ name, place: `~/.zshrc:${line}` }));
}

function ownShell({ env, platform }: Machine): string {
  return platform === "win32" ? (env["ComSpec"] ?? "cmd.exe") : (env["SHELL"] ?? "/bin/sh");
}

/** Throws GRANARY_INPUT_UNREADABLE for a program that cannot be started. */
async function startShell({ values, command, rc }: ShellPlan, machine: Machine): Promise<number> {
  // The terminal's Ctrl-C is for what runs in it, not for us.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  try {
    if (rc !== undefined) await writeTextFile(rc.file, rc.text, { mode: 0o600 });
    return await runOnTerminal(command, { env: { ...machine.env, ...values }, cwd: process.cwd() });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: command[0] ?? "", reason }, { cause: error });
  } finally {
    process.off("SIGINT", ignore);
    if (rc !== undefined) await removeTextFile(rc.file);
  }
}
