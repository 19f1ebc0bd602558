// The tokens of a go.mod file: words, quoted strings, the punctuation `( ) [ ] { } ,`, comments and line ends.
// Source: x/mod modfile read.go (readToken).

import { ProtocolError } from "./errors.ts";
import { quoteChar } from "./quote.ts";
import { isPrint } from "./unquote.ts";

export type TokenKind =
  | "word" // a word or a quoted string
  | "(" // and every other punctuation
  | ")"
  | "punctuation"
  | "comment" // alone on its line
  | "line-comment" // after something on its line; ends the line
  | "newline"
  | "end";

export type Token = {
  readonly kind: TokenKind;
  /** As written, comments with their `//` and without their line end. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
};

/** BAD_GOMOD with the line it happened on. */
export function badGoMod(line: number, reason: string): ProtocolError {
  return new ProtocolError("BAD_GOMOD", `go.mod:${line}: ${reason}`);
}

export function endsLine(token: Token): boolean {
  return token.kind === "newline" || token.kind === "line-comment" || token.kind === "end";
}

const punctuation = "()[]{},";

/** Reads token by token, one ahead, in time linear in the text. */
export class GoModLexer {
  readonly #text: string;
  #at = 0;
  #line = 1;
  /** Whether something other than white space stands before #at on this line. */
  #lineHasToken = false;
  #next: Token;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#read();
  }

  peek(): Token {
    return this.#next;
  }

  next(): Token {
    const token = this.#next;
    this.#next = this.#read();
    return token;
  }

  #read(): Token {
    this.#skipSpace();
    const line = this.#line;
    const start = this.#at;
    if (start === this.#text.length) return { kind: "end", text: "", line };
    if (this.#text.startsWith("//", start)) return this.#comment();
    this.#refuseBlockComment();

    const char = this.#text.charAt(start);
    if (char === "\n") return this.#newline();
    this.#lineHasToken = true;
    if (punctuation.includes(char)) {
      this.#at++;
      return { kind: char === "(" || char === ")" ? char : "punctuation", text: char, line };
    }
    if (char === '"' || char === "`") this.#skipString(char);
    else this.#skipWord();
    return { kind: "word", text: this.#text.slice(start, this.#at), line };
  }

  #skipSpace(): void {
    while (/[ \t\r]/.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #newline(): Token {
    this.#at++;
    this.#lineHasToken = false;
    return { kind: "newline", text: "\n", line: this.#line++ };
  }

  /** A comment takes its line's end with it. */
  #comment(): Token {
    const end = this.#text.indexOf("\n", this.#at);
    const stop = end < 0 ? this.#text.length : end;
    const text = this.#text.slice(this.#at, stop);
    const kind = this.#lineHasToken ? "line-comment" : "comment";
    const line = this.#line;
    this.#at = stop;
    if (end >= 0) this.#newline();
    return { kind, text: end < 0 || !text.endsWith("\r") ? text : text.slice(0, -1), line };
  }

  #refuseBlockComment(): void {
    if (this.#text.startsWith("/*", this.#at)) {
      throw badGoMod(this.#line, "mod files must use // comments (not /* */ comments)");
    }
  }

  #skipString(mark: string): void {
    const line = this.#line;
    this.#at++;
    for (;;) {
      const char = this.#text.charAt(this.#at++);
      if (char === "") throw badGoMod(line, "unexpected EOF in string");
      if (char === "\n") throw badGoMod(this.#line, "unexpected newline in string");
      if (char === mark) return;
      if (char !== "\\" || mark === "`") continue;
      // Whatever follows a backslash belongs to the string, a line end too; unquoting refuses it later.
      if (this.#text.charAt(this.#at++) === "\n") this.#line++;
    }
  }

  #skipWord(): void {
    const start = this.#at;
    for (;;) {
      const code = this.#text.codePointAt(this.#at);
      if (code === undefined || !isWordCode(code) || this.#text.startsWith("//", this.#at)) break;
      this.#refuseBlockComment();
      this.#at += code > 0xffff ? 2 : 1;
    }
    if (this.#at > start) return;
    const odd = String.fromCodePoint(this.#text.codePointAt(start) ?? 0);
    throw badGoMod(this.#line, `unexpected input character ${quoteChar(odd)}`);
  }
}

function isWordCode(code: number): boolean {
  if (code > 0x7e) return isPrint(String.fromCodePoint(code));
  return code > 0x20 && !punctuation.includes(String.fromCodePoint(code));
}
