// What each directive of a go.mod means and which arguments it takes. Source: x/mod modfile rule.go (File.add).

import { badGoMod } from "./_gomod-lex.ts";
import type { GoModLine } from "./_gomod-lines.ts";
import { ProtocolError } from "./errors.ts";
import { splitPathVersion } from "./path.ts";
import { quote } from "./quote.ts";
import { fields, trimSpace } from "./space.ts";
import { unquote } from "./unquote.ts";
import { canonicalVersion, checkPathMajor } from "./version.ts";

/** A path and a version as a go.mod names them. The path is not checked beyond its major suffix. */
export type GoModVersion = { readonly path: string; readonly version: string };

export type Requirement = GoModVersion & { readonly indirect: boolean };

/** `version` is "" where the directive has none: any version is replaced; the replacement is a directory. */
export type Replacement = { readonly old: GoModVersion; readonly new: GoModVersion };

/** From `low` to `high`, both included. The bounds are as written and need not be versions. */
export type Retraction = { readonly low: string; readonly high: string; readonly rationale: string };

export type Godebug = { readonly key: string; readonly value: string };

/** A go.mod that is being read. */
export type GoModDraft = {
  path: string | undefined;
  deprecated: string;
  go: string | undefined;
  toolchain: string | undefined;
  readonly godebug: Godebug[];
  readonly require: Requirement[];
  readonly exclude: GoModVersion[];
  readonly replace: Replacement[];
  readonly retract: Retraction[];
  readonly tool: string[];
  readonly ignore: string[];
};

export function emptyDraft(): GoModDraft {
  const lists = { godebug: [], require: [], exclude: [], replace: [], retract: [], tool: [], ignore: [] };
  return { path: undefined, deprecated: "", go: undefined, toolchain: undefined, ...lists };
}

/** Adds what one line says. Throws BAD_GOMOD when the directive is unknown, repeated or misused. */
export function addDirective(draft: GoModDraft, line: GoModLine, lax: boolean): void {
  switch (line.verb) {
    case "module":
      addModule(draft, line);
      return;
    case "go":
      addGo(draft, line, lax);
      return;
    case "toolchain":
      addToolchain(draft, line);
      return;
    case "godebug":
      draft.godebug.push(parseGodebug(line));
      return;
    case "require":
      draft.require.push({ ...parseModuleVersion(line), indirect: isIndirect(line) });
      return;
    case "exclude":
      draft.exclude.push(parseModuleVersion(line));
      return;
    case "replace":
      draft.replace.push(parseReplace(line));
      return;
    case "retract":
      addRetraction(draft, line, lax);
      return;
    case "tool":
      draft.tool.push(parseWord(line, onlyArgument(line)));
      return;
    case "ignore":
      draft.ignore.push(parseWord(line, onlyArgument(line)));
      return;
    default:
      throw badGoMod(line.line, `unknown directive: ${quote(line.verb)}`);
  }
}

function addModule(draft: GoModDraft, line: GoModLine): void {
  if (draft.path !== undefined) throw repeated(line);
  draft.path = parseWord(line, onlyArgument(line));
  draft.deprecated = /(?:^|\n\n)Deprecated: *([^]*?)(?:$|\n\n)/.exec(commentText(line))?.[1] ?? "";
}

const goVersion = /^[1-9][0-9]*\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?(?:[a-z]+[0-9]+)?$/;
/** In a dependency, what follows the two numbers is left out when it has no known form. */
const laxGoVersion = /^v?([1-9][0-9]*\.(?:0|[1-9][0-9]*))[^0-9].*$/;

function addGo(draft: GoModDraft, line: GoModLine, lax: boolean): void {
  if (draft.go !== undefined) throw repeated(line);
  const text = onlyArgument(line);
  const found = goVersion.test(text) ? text : lax ? laxGoVersion.exec(text)?.[1] : undefined;
  if (found === undefined) throw badGoMod(line.line, `invalid go version ${quote(text)}: must match format 1.23.0`);
  draft.go = found;
}

function addToolchain(draft: GoModDraft, line: GoModLine): void {
  if (draft.toolchain !== undefined) throw repeated(line);
  const text = onlyArgument(line);
  if (!/^default$|^go1(?:$|\.)/.test(text)) {
    throw badGoMod(line.line, `invalid toolchain version ${quote(text)}: must match format go1.23.0 or default`);
  }
  draft.toolchain = text;
}

function parseGodebug(line: GoModLine): Godebug {
  const [text = "", ...more] = line.args;
  const at = text.indexOf("=");
  if (more.length > 0 || at < 0 || /["`',]/.test(text)) throw badGoMod(line.line, "usage: godebug key=value");
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

function parseModuleVersion(line: GoModLine): GoModVersion {
  const [path, version, more] = line.args;
  if (path === undefined || version === undefined || more !== undefined) {
    throw badGoMod(line.line, `usage: ${line.verb} module/path v1.2.3`);
  }
  return matched(line, { path: parseWord(line, path), version: parseVersionWord(line, version) });
}

function parseReplace(line: GoModLine): Replacement {
  const { args } = line;
  const arrow = args[1] === "=>" ? 1 : 2;
  const [path = "", version] = args.slice(0, arrow);
  const [newPath, newVersion, more] = args.slice(arrow + 1);
  if (args[arrow] !== "=>" || newPath === undefined || more !== undefined) {
    throw badGoMod(line.line, "usage: replace module/path [v1.2.3] => other/module v1.4 or ../local/directory");
  }
  const oldPath = parseWord(line, path);
  const oldVersion = version === undefined ? "" : parseVersionWord(line, version);
  const to = { path: parseWord(line, newPath), version: newVersion ? parseVersionWord(line, newVersion) : "" };
  checkReplacement(line, to);
  return { old: matched(line, { path: oldPath, version: oldVersion }), new: to };
}

function checkReplacement(line: GoModLine, { path, version }: GoModVersion): void {
  const isDirectory = /^(?:\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:)/.test(path);
  if (isDirectory && version !== "") {
    throw badGoMod(line.line, `replacement module directory path ${quote(path)} cannot have version`);
  }
  if (!isDirectory && version === "") {
    throw badGoMod(line.line, "replacement module without version must be directory path");
  }
  if (version === "" && path.includes("\\")) {
    throw badGoMod(line.line, "replacement directory appears to be Windows path (on a non-windows system)");
  }
}

function addRetraction(draft: GoModDraft, line: GoModLine, lax: boolean): void {
  const [first, ...rest] = line.args;
  const tokens = first === "[" ? rest : [first, ",", first, "]", ...rest];
  const [low, comma, high, close, more] = tokens;
  const isInterval = first !== "(" && low !== undefined && comma === "," && high !== undefined && close === "]";
  try {
    if (!isInterval) throw badGoMod(line.line, "retract expects a version or [low, high]");
    const bounds = { low: parseWord(line, low), high: parseWord(line, high) };
    if (more !== undefined && !lax) throw badGoMod(line.line, `unexpected token after version: ${quote(more)}`);
    draft.retract.push({ ...bounds, rationale: commentText(line) });
  } catch (error) {
    // Later kinds of retractions must not make a dependency unreadable.
    if (!lax || !(error instanceof ProtocolError)) throw error;
  }
}

export function onlyArgument(line: GoModLine): string {
  const [only, more] = line.args;
  if (only === undefined || more !== undefined) {
    throw badGoMod(line.line, `${line.verb} directive expects exactly one argument`);
  }
  return only;
}

/** The word or the text of the string in double quotes; no other quotes are taken. */
export function parseWord(line: GoModLine, token: string): string {
  const text = token.startsWith('"') ? unquote(token) : token;
  if (text === undefined) throw badGoMod(line.line, `invalid quoted string: ${token}`);
  if (text === token && /["'`]/.test(text)) throw badGoMod(line.line, "unquoted string cannot contain quote");
  return text;
}

function parseVersionWord(line: GoModLine, token: string): string {
  const text = parseWord(line, token);
  const version = canonicalVersion(text);
  if (version === "") throw badGoMod(line.line, `version ${quote(text)} invalid: must be of the form v1.2.3`);
  return version;
}

function matched(line: GoModLine, id: GoModVersion): GoModVersion {
  const split = splitPathVersion(id.path);
  if (split === undefined) throw badGoMod(line.line, `invalid module path ${quote(id.path)}`);
  if (id.version === "") return id;
  try {
    checkPathMajor(id.version, split.pathMajor);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw badGoMod(line.line, `${line.verb} ${id.path}: ${cause.message}`);
  }
  return id;
}

function isIndirect({ suffix: [comment = ""] }: GoModLine): boolean {
  const [first, second] = fields(comment.replace(/^\/\//, ""));
  return first === "indirect" ? second === undefined : first === "indirect;" && second !== undefined;
}

/** The comment of a directive, or of its block when it has none (modfile parseDirectiveComment). */
function commentText({ before, suffix, block }: GoModLine): string {
  const comments = block !== undefined && before.length + suffix.length === 0 ? block.before : [...before, ...suffix];
  return comments
    .filter((comment) => comment !== "")
    .map((comment) => trimSpace(comment.slice("//".length)))
    .join("\n");
}

function repeated(line: GoModLine): ProtocolError {
  return badGoMod(line.line, `repeated ${line.verb} statement`);
}
