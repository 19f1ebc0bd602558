// One variable in many places: what each context sets, as a matrix of variables and contexts. Pure: files come read.

import type { Assignment, Reading } from "./assignment.ts";
import { isGoVariable } from "./assignment.ts";

/** Where a variable can be set, the nearest first. */
export const scopeKinds = [
  /** This process: what the terminal has now. */
  "terminal",
  /** A shell's file for interactive shells: ~/.bashrc, ~/.zshrc, config.fish. */
  "rc",
  /** A shell's file for logins: ~/.profile, /etc/profile.d. */
  "login",
  /** The user's go env file, which `go env -w` writes. */
  "user",
  /** /etc/environment, environment.d. */
  "system",
  /** $GOROOT/go.env: what came with Go. */
  "goroot",
  /** A systemd unit. */
  "unit",
  /** A CI file of the project. */
  "ci",
  /** A Dockerfile or a Compose file of the project. */
  "image",
  /** .envrc, .env of the project. */
  "project",
] as const;
export type ScopeKind = (typeof scopeKinds)[number];

/** One file that was read. */
export type ScopeFile = {
  readonly scope: ScopeKind;
  /** As people read it; empty for this process. */
  readonly file: string;
  readonly reading: Reading;
  readonly unit?: UnitFacts;
};

/** What a unit says beside its variables, drop-ins and environment files read. */
export type UnitFacts = {
  readonly name: string;
  readonly user: string | undefined;
  readonly hasDynamicUser: boolean;
  readonly hasHome: boolean;
  /** A unit of the user's own manager, which hands HOME down. */
  readonly isOfUser: boolean;
  /** Environment files that could not be read: they may set anything. */
  readonly unread: readonly string[];
};

/** An assignment and where it stands. */
export type Placed = Assignment & { readonly scope: ScopeKind; readonly file: string };

export type ScopeValue = {
  readonly value: string;
  /** `A`, `B` …: the same letter is the same value. */
  readonly letter: string;
  readonly places: readonly Placed[];
};

export type ScopeRow = { readonly name: string; readonly values: readonly ScopeValue[] };

/** Every go variable that some context sets, with its values in the order of the contexts. */
export function scopeRows(files: readonly ScopeFile[]): readonly ScopeRow[] {
  const placed = placedOf(files);
  const names = [...new Set(placed.map(({ name }) => name))].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return names.map((name) => {
    const mine = placed.filter((each) => each.name === name);
    const values = [...new Set(mine.map(({ value }) => value))];
    return {
      name,
      values: values.map((value, i) => ({
        value,
        letter: letterOf(i),
        places: mine.filter((each) => each.value === value),
      })),
    };
  });
}

/** Variables that decide most come first; the others by name. */
const first = ["GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOFLAGS", "GOTOOLCHAIN"];
function rank(name: string): number {
  const at = first.indexOf(name);
  return at < 0 ? first.length : at;
}

/** A … Z, then A2, B2 …: a letter stands for one value only. */
function letterOf(i: number): string {
  const letter = String.fromCharCode(65 + (i % 26));
  return i < 26 ? letter : `${letter}${Math.floor(i / 26) + 1}`;
}

/** What a context sets of a row: `A`, `A,B` for two jobs, `B?` for what may not happen, empty for nothing. */
export function cellOf({ values }: ScopeRow, scope: ScopeKind): string {
  return values
    .flatMap(({ letter, places }) => {
      const mine = places.filter((place) => place.scope === scope);
      return mine.length === 0 ? [] : [mine.every(({ isMaybe }) => isMaybe) ? `${letter}?` : letter];
    })
    .join(",");
}

/** What lasts, of go's variables: within a file and part the last one wins, and what may happen stays beside it. */
export function placedOf(files: readonly ScopeFile[]): readonly Placed[] {
  const ordered = files.toSorted((a, b) => scopeKinds.indexOf(a.scope) - scopeKinds.indexOf(b.scope));
  return ordered.flatMap(({ scope, file, reading }) =>
    lasting(reading.assignments.filter(({ name }) => isGoVariable(name))).map((each) => ({ ...each, scope, file })),
  );
}

function lasting(assignments: readonly Assignment[]): readonly Assignment[] {
  const last = new Map<string, Assignment[]>();
  for (const each of assignments) {
    if (each.kind === "once" || each.kind === "local") continue;
    const key = `${each.part}\0${each.name}`;
    const before = last.get(key) ?? [];
    if (each.isMaybe) last.set(key, each.kind === "taken" ? before : [...before, each]);
    else last.set(key, each.kind === "taken" ? [] : [each]);
  }
  return [...last.values()].flat();
}
