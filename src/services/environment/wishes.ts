// What a project asks for: the Go version of .go-version, .tool-versions or `use go`, the variables of .envrc and of
// the .env that it loads.

import { isGoVariable } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import { readDotenv, linesOf } from "./env-lines.ts";
import { readShell } from "./shell-file.ts";
import { splitCommands } from "./shell-words.ts";

/** Texts of the project's files; undefined for those that are not there. */
export type ProjectTexts = {
  readonly envrc: string | undefined;
  readonly dotenv: string | undefined;
  readonly goVersion: string | undefined;
  readonly toolVersions: string | undefined;
};

export type Wish = {
  /** `go` for its version, else a variable. */
  readonly name: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
};

export type Wishes = {
  /** One for each name: what direnv would end up with. */
  readonly wishes: readonly Wish[];
  /** Variables whose value only a shell can tell, or that may not be set. */
  readonly unknown: readonly Wish[];
};

/** Everything the files ask for; the version in this order: `use go`, .go-version, .tool-versions. */
export function wishesOf(texts: ProjectTexts): Wishes {
  const version =
    useGo(texts.envrc ?? "") ?? goVersionFile(texts.goVersion ?? "") ?? toolVersions(texts.toolVersions ?? "");
  const variables = variablesOf(texts);
  const isCertain = ({ isMaybe, isLiteral }: Assignment): boolean => !isMaybe && isLiteral;
  const wishOf = ({ name, value, line, file }: Assignment & { file: string }): Wish => ({ name, value, line, file });
  const certain = new Map(variables.filter(isCertain).map((each) => [each.name, wishOf(each)] as const));
  const unknown = variables.filter((each) => !isCertain(each) && !certain.has(each.name));
  // The switch of our own block follows from the version, which is already asked for.
  const shown = unknown.filter(({ name }) => version === undefined || name !== "GOTOOLCHAIN");
  return {
    wishes: [...(version === undefined ? [] : [version]), ...certain.values()],
    unknown: [...new Map(shown.map((each) => [each.name, wishOf(each)] as const)).values()],
  };
}

/** Whether a version that is asked for, in full or in part, is the one that runs: 1.21 is met by 1.21.6. */
export function meetsVersion(wish: string, actual: string): boolean {
  return actual === wish || (/^\d+\.\d+$/.test(wish) && actual.startsWith(`${wish}.`));
}

/** All that .envrc exports, and all of .env when it is loaded; in the order in which they count. */
export function variablesOf({ envrc = "", dotenv = "" }: Partial<ProjectTexts>): (Assignment & { file: string })[] {
  const loads = splitCommands(envrc).find(({ words }) => /^dotenv(_if_exists)?$/.test(words[0]?.text ?? ""));
  const isFirst = (line: number): boolean => loads !== undefined && line < loads.line;
  const own = readShell(envrc)
    .assignments.filter(({ name, kind }) => kind === "exported" && isGoVariable(name))
    .map((each) => ({ ...each, file: ".envrc" }));
  const loaded = readDotenv(loads === undefined ? "" : dotenv)
    .assignments.filter(({ name }) => isGoVariable(name))
    .map((each) => ({ ...each, file: ".env" }));
  return [...own.filter(({ line }) => isFirst(line)), ...loaded, ...own.filter(({ line }) => !isFirst(line))];
}

function useGo(envrc: string): Wish | undefined {
  for (const { words, line } of splitCommands(envrc)) {
    const [use, go, version] = words;
    if (use?.text === "use" && go?.text === "go" && version?.isLiteral === true)
      return { name: "go", value: version.text.replace(/^go/, ""), file: ".envrc", line };
  }
  return undefined;
}

const version = /^(?:go)?(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)$/;

/** goenv: the first line that is one. */
function goVersionFile(text: string): Wish | undefined {
  for (const [index, line] of linesOf(text).entries()) {
    const [, found] = version.exec(line.trim()) ?? [];
    if (found !== undefined) return { name: "go", value: found, file: ".go-version", line: index + 1 };
  }
  return undefined;
}

/** asdf and mise: `golang 1.21.6`, `go 1.21`. */
function toolVersions(text: string): Wish | undefined {
  for (const [index, line] of linesOf(text).entries()) {
    const [tool, ...versions] = line.replace(/#.*/, "").trim().split(/\s+/);
    const [, found] = version.exec(versions[0] ?? "") ?? [];
    if ((tool === "golang" || tool === "go") && found !== undefined)
      return { name: "go", value: found, file: ".tool-versions", line: index + 1 };
  }
  return undefined;
}
