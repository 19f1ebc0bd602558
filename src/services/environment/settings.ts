// One value for each variable, where it comes from, and what it hides. Order: process environment (an empty variable
// counts as unset), what `go env -w` wrote, $GOROOT/go.env (Go 1.21 and newer), what is built in.
// Source: cmd/go/internal/cfg Getenv, EnvOrAndChanged.

import { goDefaultProxyList, sumdbName } from "#protocol/official.ts";
import { parseGoEnvFile, valuesOf } from "./go-env-file.ts";
import type { EnvLine } from "./go-env-file.ts";
import { knows, newestKnownGo } from "./go-versions.ts";
import type { FileSeen, Surroundings } from "./surroundings.ts";
import { variables } from "./variables.ts";
import type { Variable, VariableName } from "./variables.ts";

export type Place =
  /** `name`: the spelling that was read. */
  | { readonly kind: "process"; readonly name: string }
  | { readonly kind: "user-file" | "goroot-file"; readonly path: string; readonly line: number }
  /** It follows another variable: GONOPROXY is GOPRIVATE when nobody set it. */
  | { readonly kind: "follows"; readonly name: VariableName }
  | { readonly kind: "given" }
  | { readonly kind: "built-in" }
  /** The go command in question does not know the variable. */
  | { readonly kind: "unknown-yet" };

export type Placed = { readonly value: string; readonly place: Place };

export type Setting = Placed & {
  readonly name: VariableName;
  /** What would count without the value that does, nearest first. */
  readonly shadowed: readonly Placed[];
};

export type Settings = {
  /** Of the go command in question. */
  readonly version: string;
  /** `asked`: by the caller. `installed`: the one on PATH. `assumed`: there is none, the newest we know. */
  readonly versionFrom: "asked" | "installed" | "assumed";
  readonly all: Readonly<Record<VariableName, Setting>>;
};

/** @param asked a Go version; without it that of the installed go */
export function settingsOf(from: Surroundings, asked?: string): Settings {
  const installed = from.go?.version;
  const version = asked ?? installed ?? newestKnownGo;
  const versionFrom = asked !== undefined ? "asked" : installed !== undefined ? "installed" : "assumed";
  const sources = sourcesOf(from, version);
  const all = Object.fromEntries(variables.map((variable) => [variable.name, settingOf(variable, sources)]));
  return { version, versionFrom, all: withFollowers(all as Settings["all"], version) };
}

/** Values alone, for decisions. */
export function valueOf(settings: Settings, name: VariableName): string {
  return settings.all[name].value;
}

type Sources = {
  readonly from: Surroundings;
  readonly version: string;
  readonly user: ReadonlyMap<string, EnvLine>;
  readonly goroot: ReadonlyMap<string, EnvLine>;
};

function sourcesOf(from: Surroundings, version: string): Sources {
  const user = knows(version, "lists") ? linesOf(from.userFile) : new Map<string, EnvLine>();
  const goroot = knows(version, "toolchain") ? linesOf(from.go?.file) : new Map<string, EnvLine>();
  return { from, version, user, goroot };
}

function linesOf(file: FileSeen | undefined): ReadonlyMap<string, EnvLine> {
  return file?.kind === "text" ? valuesOf(parseGoEnvFile(file.text)) : new Map<string, EnvLine>();
}

function settingOf(variable: Variable, sources: Sources): Setting {
  const name = variable.name as VariableName;
  if (variable.since !== undefined && !knows(sources.version, variable.since))
    return { name, value: "", place: { kind: "unknown-yet" }, shadowed: [] };
  const [first, ...shadowed] = candidatesOf(variable, sources);
  return { name, ...(first ?? { value: "", place: { kind: "built-in" } }), shadowed };
}

/** Everything that says something about a variable, the one that counts first. */
function candidatesOf({ name, alias, processOnly }: Variable, sources: Sources): Placed[] {
  const { from, user, goroot } = sources;
  const said: Placed[] = [name, ...(alias === undefined ? [] : [alias])].flatMap((spelling) => {
    const value = from.process[spelling] ?? "";
    const place: Place = from.isGiven === true ? { kind: "given" } : { kind: "process", name: spelling };
    return value === "" ? [] : [{ value, place }];
  });
  if (processOnly !== true) {
    said.push(...placed("user-file", user.get(name), from.userFile));
    said.push(...placed("goroot-file", goroot.get(name), from.go?.file));
  }
  // An empty line of the user's file hides the one in go.env, but not what is built into the program.
  const counted = hasProgramDefault(name, sources.version) ? said.filter(({ value }) => value !== "") : said;
  const builtIn = builtInOf(name, sources);
  return builtIn === undefined ? counted : [...counted, { value: builtIn, place: { kind: "built-in" } }];
}

function placed(kind: "user-file" | "goroot-file", line: EnvLine | undefined, file: FileSeen | undefined): Placed[] {
  if (line === undefined || file?.kind !== "text") return [];
  return [{ value: line.value, place: { kind, path: file.path, line: line.line } }];
}

function hasProgramDefault(name: string, version: string): boolean {
  return name === "GOAUTH" || !knows(version, "toolchain");
}

/**
 * What the program itself falls back to. From 1.21 on GOPROXY, GOSUMDB and GOTOOLCHAIN stand in $GOROOT/go.env and
 * nowhere else; where that file is out of sight, the one of the official distribution is assumed.
 */
function builtInOf(name: string, { from, version }: Sources): string | undefined {
  const distribution = (value: string): string | undefined =>
    knows(version, "toolchain") && from.go?.file.kind === "text" ? undefined : value;
  switch (name) {
    case "GOPROXY":
      return knows(version, "lists") ? distribution(goDefaultProxyList) : "direct";
    case "GOSUMDB":
      return distribution(sumdbName);
    case "GOTOOLCHAIN":
      return distribution("auto");
    case "GOAUTH":
      return "netrc";
    default:
      return undefined;
  }
}

function withFollowers(all: Settings["all"], version: string): Settings["all"] {
  if (!knows(version, "lists")) return all;
  const follow = (name: "GONOPROXY" | "GONOSUMDB"): Setting => {
    const own = all[name];
    if (own.value !== "" || all.GOPRIVATE.value === "") return own;
    const followed = { kind: "follows", name: "GOPRIVATE" } as const;
    return { ...own, value: all.GOPRIVATE.value, place: followed };
  };
  return { ...all, GONOPROXY: follow("GONOPROXY"), GONOSUMDB: follow("GONOSUMDB") };
}
