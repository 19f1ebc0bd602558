// go.work files: which modules are developed together. Source: x/mod modfile ParseWork, cmd/go modload LoadWorkFile.

import { badGoMod } from "./_gomod-lex.ts";
import { goModLines } from "./_gomod-lines.ts";
import type { GoModLine } from "./_gomod-lines.ts";
import { addDirective, emptyDraft, onlyArgument, parseWord } from "./_gomod-rules.ts";
import type { Replacement } from "./_gomod-rules.ts";
import { maxGoModBytes } from "./gomod.ts";
import { ProtocolError } from "./errors.ts";
import { quote } from "./quote.ts";

export type GoWork = {
  readonly go: string | undefined;
  readonly toolchain: string | undefined;
  /** Directories as written, relative to the file's own. */
  readonly use: readonly string[];
  readonly replace: readonly Replacement[];
};

const blockVerbs: ReadonlySet<string> = new Set(["godebug", "use", "replace"]);
const verbs: ReadonlySet<string> = new Set(["go", "toolchain", ...blockVerbs]);

/** Reads a go.work. Throws BAD_GOMOD with the line. */
export function parseGoWork(source: string): GoWork {
  if (source.length > maxGoModBytes) throw new ProtocolError("BAD_GOMOD", `go.work is larger than ${maxGoModBytes}`);
  const draft = emptyDraft();
  const use: string[] = [];
  for (const entry of goModLines(source)) {
    if (entry.kind === "block") {
      if (entry.head.length !== 1 || !blockVerbs.has(entry.head[0] ?? ""))
        throw badGoMod(entry.line, `unknown block type: ${quote(entry.head.join(" "))}`);
    } else if (entry.verb === "use") use.push(useOf(entry));
    else if (verbs.has(entry.verb)) addDirective(draft, entry, false);
    else throw badGoMod(entry.line, `unknown directive: ${quote(entry.verb)}`);
  }
  return { go: draft.go, toolchain: draft.toolchain, use, replace: draft.replace };
}

function useOf(line: GoModLine): string {
  return parseWord(line, onlyArgument(line));
}
