// The lines of a go.mod file, each with its verb, its block and the comments that belong to it.
// Source: x/mod modfile read.go (parseFile, parseStmt, parseLineBlock, assignComments).

import { badGoMod, endsLine, GoModLexer } from "./_gomod-lex.ts";
import type { Token } from "./_gomod-lex.ts";

export type GoModLine = {
  readonly kind: "line";
  /** From 1. */
  readonly line: number;
  readonly verb: string;
  /** The tokens after the verb, as written. */
  readonly args: readonly string[];
  /** The block the line stands in. */
  readonly block: GoModBlock | undefined;
  /** The comments above and behind, `//` included. A blank line inside a block counts as "". */
  readonly before: readonly string[];
  readonly suffix: readonly string[];
};

/** Comes before the lines inside it. */
export type GoModBlock = {
  readonly kind: "block";
  readonly line: number;
  /** The tokens before the `(`: a verb, and nothing else that has a meaning yet. */
  readonly head: readonly string[];
  readonly before: readonly string[];
};

/** Throws BAD_GOMOD at the first line that is no go.mod syntax; lines before it were handed out already. */
export function* goModLines(text: string): Generator<GoModLine | GoModBlock> {
  const lexer = new GoModLexer(text);
  let comments: string[] = [];
  for (;;) {
    const { kind } = lexer.peek();
    if (kind === "end") return;
    if (kind === "comment") {
      comments.push(lexer.next().text);
      continue;
    }
    if (kind === "newline") lexer.next();
    else yield* statement(lexer, comments);
    comments = [];
  }
}

function* statement(lexer: GoModLexer, before: readonly string[]): Generator<GoModLine | GoModBlock> {
  const start = lexer.next();
  const { text: verb, line } = start;
  const args: string[] = [];
  for (;;) {
    const token = lexer.next();
    if (endsLine(token)) {
      yield { kind: "line", line, verb, args, block: undefined, before, suffix: suffixOf(token, start) };
      return;
    }
    if (token.kind !== "(") {
      args.push(token.text);
      continue;
    }
    const close = lexer.peek().kind === ")" ? lexer.next() : undefined;
    if (endsLine(lexer.peek())) {
      const block: GoModBlock = { kind: "block", line, head: [verb, ...args], before };
      yield block;
      if (close === undefined) yield* linesOf(block, lexer);
      else lexer.next();
      return;
    }
    args.push(token.text, ...(close === undefined ? [] : [close.text]));
  }
}

function* linesOf(block: GoModBlock, lexer: GoModLexer): Generator<GoModLine> {
  const [verb = ""] = block.head;
  let comments: string[] = [];
  let isFirst = true;
  for (;;) {
    const token = lexer.next();
    if (token.kind === "end") {
      throw badGoMod(token.line, `syntax error (unterminated block started at go.mod:${block.line})`);
    }
    if (token.kind === ")") {
      if (endsLine(lexer.next())) return;
      throw badGoMod(token.line, "syntax error (expected newline after closing paren)");
    }
    if (token.kind === "newline") {
      if (comments.length === 0 ? !isFirst : comments.at(-1) !== "") comments.push("");
    } else if (token.kind === "comment") {
      comments.push(token.text);
    } else if (token.kind !== "line-comment") {
      yield { kind: "line", line: token.line, verb, ...restOfLine(lexer, token), block, before: comments };
      comments = [];
      isFirst = false;
    }
  }
}

function restOfLine(lexer: GoModLexer, first: Token): { args: string[]; suffix: string[] } {
  const args = [first.text];
  for (;;) {
    const token = lexer.next();
    if (endsLine(token)) return { args, suffix: suffixOf(token, first) };
    args.push(token.text);
  }
}

// A line reaches over several only inside a string that no directive accepts; its comment belongs to none.
function suffixOf(end: Token, start: Token): string[] {
  return end.kind === "line-comment" && end.line === start.line ? [end.text] : [];
}
