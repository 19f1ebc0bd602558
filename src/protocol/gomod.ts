// go.mod files: what a module is called and what it needs. The strict reading is for a main module; the lax one, for
// dependencies, passes over every directive that only a main module obeys. Source: x/mod modfile Parse, ParseLax,
// ModulePath, AutoQuote. No version is looked up: what is not canonical here is an error (but for retractions).

import { badGoMod } from "./_gomod-lex.ts";
import { goModLines } from "./_gomod-lines.ts";
import type { GoModBlock, GoModLine } from "./_gomod-lines.ts";
import { addDirective, emptyDraft } from "./_gomod-rules.ts";
import type { Godebug, GoModVersion, Replacement, Requirement, Retraction } from "./_gomod-rules.ts";
import { ProtocolError } from "./errors.ts";
import { quote } from "./quote.ts";
import { trimSpace } from "./space.ts";
import { isPrint, unquote } from "./unquote.ts";

export type { Godebug, GoModVersion, Replacement, Requirement, Retraction } from "./_gomod-rules.ts";

/** x/mod/zip MaxGoMod: the go command refuses larger ones. */
export const maxGoModBytes = 16 * 1024 * 1024;

export type GoMod = {
  /** Undefined without a module directive. */
  readonly path: string | undefined;
  /** The paragraph `Deprecated: …` of the module directive's comment, "" without one. */
  readonly deprecated: string;
  /** `1.23.0`. */
  readonly go: string | undefined;
  /** `go1.23.0` or `default`. */
  readonly toolchain: string | undefined;
  readonly godebug: readonly Godebug[];
  readonly require: readonly Requirement[];
  readonly exclude: readonly GoModVersion[];
  readonly replace: readonly Replacement[];
  readonly retract: readonly Retraction[];
  readonly tool: readonly string[];
  readonly ignore: readonly string[];
};

/** Directives that may stand in a block. */
const blockVerbs = new Set(["module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore"]);

/** Directives that count in the go.mod of a dependency. */
const laxVerbs = new Set(["module", "go", "require", "retract", "ignore"]);

/** Reads a go.mod, strictly or, with `lax`, as that of a dependency. Throws BAD_GOMOD with the line. */
export function parseGoMod(source: Uint8Array | string, { lax = false }: { readonly lax?: boolean } = {}): GoMod {
  const draft = emptyDraft();
  for (const entry of goModLines(textOf(source))) {
    if (!lax) checkBlock(entry);
    if (entry.kind === "line" && hasMeaning(entry, lax)) addDirective(draft, entry, lax);
  }
  return draft;
}

/** The module path alone, however broken the rest is; "" without one (modfile.ModulePath). */
export function modulePathOf(source: Uint8Array | string): string {
  for (const line of textOf(source).split("\n")) {
    const bare = trimSpace(line.split("//", 1)[0] ?? "");
    if (!bare.startsWith("module")) continue;
    const name = trimSpace(bare.slice("module".length));
    if (name === "" || name.length === bare.length - "module".length) continue;
    return /^["`]/.test(name) ? (unquote(name) ?? "") : name;
  }
  return "";
}

/** The go.mod that go invents for a module without one. */
export function legacyGoMod(path: string): string {
  return `module ${autoQuote(path)}\n`;
}

/** modfile.AutoQuote: quoted when the text could not stand as one word of a go.mod. */
export function autoQuote(text: string): string {
  return mustQuote(text) ? quote(text) : text;
}

function mustQuote(text: string): boolean {
  if (text === "" || /[ "'`]|\/\/|\/\*/.test(text)) return true;
  if (/[()[\]{},]/.test(text)) return text.length > 1;
  return Array.from(text).some((char) => !isPrint(char));
}

function textOf(source: Uint8Array | string): string {
  if (source.length > maxGoModBytes) throw new ProtocolError("BAD_GOMOD", `go.mod is larger than ${maxGoModBytes}`);
  return typeof source === "string" ? source : decoder.decode(source);
}

// Bytes that are no UTF-8 become U+FFFD, which no path or version may hold; inside comments they hurt nothing.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function checkBlock(entry: GoModLine | GoModBlock): void {
  if (entry.kind === "block" && !isKnownBlock(entry)) {
    throw badGoMod(entry.line, `unknown block type: ${quote(entry.head.join(" "))}`);
  }
}

function isKnownBlock({ head }: GoModBlock): boolean {
  return head.length === 1 && blockVerbs.has(head[0] ?? "");
}

function hasMeaning({ verb, block }: GoModLine, lax: boolean): boolean {
  return (block === undefined || isKnownBlock(block)) && (!lax || laxVerbs.has(verb));
}
