// What the commands that look at and change settings are handed: `env scopes|check|apply|init|shell`.

import type { Lang } from "#services/errors/sentences.ts";
import type { ScopeKind, ScopeRow } from "#services/environment/scopes.ts";
import type { Given, ProfileName, Values } from "#services/environment/profiles.ts";
import type { JournalEntry, UndoState } from "#services/environment/undo-journal.ts";
import type { Wish } from "#services/environment/wishes.ts";
import type { Finding } from "#services/findings/finding.ts";

export type ScopesRequest = { readonly dir: string; readonly units: readonly string[] };

export type ScopesView = {
  /** Contexts of which something was read. */
  readonly kinds: readonly ScopeKind[];
  readonly rows: readonly ScopeRow[];
  readonly files: readonly { readonly scope: ScopeKind; readonly file: string }[];
  readonly unread: readonly { readonly file: string; readonly reason: string }[];
  readonly findings: readonly Finding[];
};

export type CheckRow = {
  /** `go`, or a variable. */
  readonly name: string;
  readonly wish: string;
  /** Undefined when nobody can tell: there is no go. */
  readonly actual: string | undefined;
  readonly isMet: boolean;
  readonly place: string;
};

export type CheckView = {
  readonly dir: string;
  readonly rows: readonly CheckRow[];
  /** Asked for in a way that only a shell can tell. */
  readonly unknown: readonly Wish[];
  readonly goroot: string | undefined;
  readonly findings: readonly Finding[];
};

export type EnvScope = "session" | "user" | "project" | "system";

export type ApplyRequest = {
  readonly profile: ProfileName;
  readonly given: Given;
  readonly scope: EnvScope;
  readonly dir: string;
};

export type InitRequest = {
  readonly dir: string;
  /** Without one no version is asked for. */
  readonly go: string | undefined;
  readonly values: Values;
  readonly isForDirenv: boolean;
};

/** A file as it is and as it will be; `before` is undefined for one that is not there. */
export type FileChange = { readonly file: string; readonly before: string | undefined; readonly after: string };

export type ChangeRow = { readonly name: string; readonly before: string; readonly after: string };

export type EnvPlan = {
  /** The command's own words, for the journal. */
  readonly what: string;
  readonly values: Values;
  /** What go says now, and what it is to say. */
  readonly rows: readonly ChangeRow[];
  readonly why: Readonly<Record<Lang, string>> | undefined;
  readonly how:
    /** Lines for the terminal; nothing is kept. */
    | { readonly kind: "print" }
    /** `go env -w` writes this file. */
    | { readonly kind: "go-env"; readonly file: string; /** The file says so already. */ readonly isSame: boolean }
    | { readonly kind: "files"; readonly scope: "project" | "system"; readonly changes: readonly FileChange[] }
    /** Only root may write it. */
    | { readonly kind: "root"; readonly changes: readonly FileChange[] };
};

/** `rows`: read again, with what was before. */
export type EnvApplied = {
  readonly rows: readonly ChangeRow[];
  readonly files: readonly string[];
  readonly findings: readonly Finding[];
};

export type UndoPlan = {
  readonly entry: JournalEntry;
  readonly files: readonly {
    readonly file: string;
    readonly state: UndoState;
    readonly diff: readonly string[];
    readonly backup: string | undefined;
  }[];
};

export type ShellRequest = {
  readonly dir: string;
  /** Empty for a shell. */
  readonly command: readonly string[];
  /** The shell; undefined for the user's own. */
  readonly shell: string | undefined;
};

export type ShellPlan = {
  readonly values: Values;
  readonly unknown: readonly Wish[];
  readonly command: readonly string[];
  /** A file that the shell reads in place of its own, which it sources; there while the shell runs. */
  readonly rc: { readonly file: string; readonly text: string } | undefined;
  /** What the shell's own file sets again, and will win. */
  readonly overridden: readonly { readonly name: string; readonly place: string }[];
};

export type EnvSetup = {
  readonly scopes: (request: ScopesRequest) => Promise<ScopesView>;
  readonly check: (dir: string) => Promise<CheckView>;
  /** Throws GRANARY_ENV_NOT_WRITTEN where it cannot be done; changes nothing. */
  readonly planApply: (request: ApplyRequest) => Promise<EnvPlan>;
  readonly planInit: (request: InitRequest) => Promise<EnvPlan>;
  /** Keeps copies, writes, reads again. Throws GRANARY_ENV_NOT_WRITTEN. */
  readonly apply: (plan: EnvPlan) => Promise<EnvApplied>;
  /** The newest change of that scope (of a project: in this folder); undefined when there is none. */
  readonly planUndo: (scope: EnvScope, dir: string) => Promise<UndoPlan | undefined>;
  /** Puts every byte back. Throws GRANARY_ENV_NOT_WRITTEN when a file was changed since. */
  readonly undo: (plan: UndoPlan) => Promise<void>;
  readonly planShell: (request: ShellRequest) => Promise<ShellPlan>;
  /** Runs it on this terminal to its end; resolves to its exit code. */
  readonly shell: (plan: ShellPlan) => Promise<number>;
  /** Whether somebody is there to answer. */
  readonly canAsk: boolean;
  readonly ask: (question: string) => Promise<boolean>;
};
