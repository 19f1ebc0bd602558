// Shell text as commands of words, without running anything: POSIX shells, bash and zsh (`sh`), and fish. Tolerant:
// what is not understood is a word. Each character is passed once. Expansions stay as they are written.

import { maxFileChars } from "./assignment.ts";

export type ShellWord = {
  /** Quotes removed. */
  readonly text: string;
  /** No `$`, backtick or `~` in it that the shell would replace. */
  readonly isLiteral: boolean;
};

export type ShellCommand = {
  readonly words: readonly ShellWord[];
  /** Files it writes to or reads, as written. */
  readonly redirects: readonly string[];
  /** Where its first word stands, from 1. */
  readonly line: number;
  /** What ended it: `|`, `||`, `&&`, `&`, `;` or a line's end. */
  readonly end: string;
  /** In a block, or after `&&` and `||`. */
  readonly isMaybe: boolean;
};

export type Dialect = "sh" | "fish";

/** Every command of the text, in order. */
export function splitCommands(text: string, dialect: Dialect = "sh"): readonly ShellCommand[] {
  return new Splitter(text.slice(0, maxFileChars), dialect).run();
}

const openers: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  sh: new Set(["if", "for", "while", "until", "case", "select", "{"]),
  fish: new Set(["if", "for", "while", "switch", "function", "begin"]),
};
const closers: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  sh: new Set(["fi", "done", "esac", "}"]),
  fish: new Set(["end"]),
};
/** Words after which a command begins. */
const leads: ReadonlySet<string> = new Set(["then", "do", "else", "elif", "!", "time", "and", "or", "not"]);
/** After their word stands a condition or a name, which is no command of its own that lasts. */
const conditions: ReadonlySet<string> = new Set(["if", "while", "until", "elif"]);

/** State with a lifetime: one pass over one text. */
class Splitter {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #commands: ShellCommand[] = [];
  #at = 0;
  #line = 1;
  #depth = 0;
  #parentheses = 0;
  #isAfterElse = false;
  #words: ShellWord[] = [];
  #redirects: string[] = [];
  #firstLine = 1;
  #previousEnd = "\n";
  #wantsTarget = false;
  #hereDocs: { readonly word: string; readonly isIndented: boolean }[] = [];

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#dialect = dialect;
  }

  run(): readonly ShellCommand[] {
    while (this.#at < this.#text.length) this.#step();
    this.#endCommand("\n");
    return this.#commands;
  }

  #step(): void {
    const c = this.#text[this.#at] ?? "";
    const next = this.#text[this.#at + 1] ?? "";
    if (c === " " || c === "\t") this.#at += 1;
    else if (c === "\n") this.#newline();
    else if (c === "\\" && next === "\n") this.#continueLine(2);
    else if (c === "#") this.#skipComment();
    else if (c === ";") this.#endWith(next === ";" ? ";;" : ";", ";");
    else if (c === "&" || c === "|") this.#endWith(next === c ? c + c : c, next === c ? c + c : c);
    else if (c === "<" || c === ">") this.#redirect(c, next);
    else if (c === ")" || (c === "(" && this.#dialect === "sh")) this.#parenthesis(c, next);
    else this.#word();
  }

  #newline(): void {
    this.#at += 1;
    this.#endCommand("\n");
    this.#line += 1;
    for (const { word, isIndented } of this.#hereDocs) this.#skipHereDoc(word, isIndented);
    this.#hereDocs = [];
  }

  #continueLine(length: number): void {
    this.#at += length;
    this.#line += 1;
  }

  #skipComment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #endWith(operator: string, end: string): void {
    this.#at += operator.length;
    this.#endCommand(end);
  }

  #redirect(c: string, next: string): void {
    if (c === "<" && next === "<" && this.#dialect === "sh" && this.#text[this.#at + 2] !== "<") {
      this.#hereDoc();
      return;
    }
    // A number before it is a descriptor, no word of the command.
    if (/^\d$/.test(this.#words.at(-1)?.text ?? "") && /\d/.test(this.#text[this.#at - 1] ?? "")) this.#words.pop();
    while (/[<>&|]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
    this.#wantsTarget = true;
  }

  #hereDoc(): void {
    const [whole = "<<", dash = "", word = ""] =
      /^<<(-?)[ \t]*(["']?[^\s;&|<>()"']{0,200}["']?)/.exec(this.#text.slice(this.#at, this.#at + 256)) ?? [];
    this.#hereDocs.push({ word: word.replace(/["'\\]/g, ""), isIndented: dash === "-" });
    this.#at += whole.length;
  }

  #skipHereDoc(word: string, isIndented: boolean): void {
    while (this.#at < this.#text.length) {
      const end = this.#text.indexOf("\n", this.#at);
      const line = this.#text.slice(this.#at, end < 0 ? this.#text.length : end);
      this.#at = end < 0 ? this.#text.length : end + 1;
      this.#line += 1;
      if ((isIndented ? line.replace(/^\t+/, "") : line) === word) return;
    }
  }

  #parenthesis(c: string, next: string): void {
    this.#at += 1;
    if (c === "(" && next === ")" && this.#words.length === 1) {
      // `name() {`: what follows is a function's body.
      this.#at += 1;
      this.#words = [];
      return;
    }
    this.#endCommand(";");
    // A `)` alone ends a pattern of `case`.
    if (c === ")" && this.#parentheses === 0) return;
    const step = c === "(" ? 1 : -1;
    this.#parentheses += step;
    this.#depth = Math.max(0, this.#depth + step);
  }

  #word(): void {
    const line = this.#line;
    const start = this.#at;
    const word = this.#readWord();
    // Nothing may stand still: a character that begins no word is passed by.
    if (this.#at === start) this.#at += 1;
    if (this.#wantsTarget) {
      this.#wantsTarget = false;
      this.#redirects.push(word.text);
      return;
    }
    if (this.#words.length === 0) {
      if (this.#keyword(word)) return;
      this.#firstLine = line;
    } else if (word.text === "{" && this.#words[0]?.text === "function") {
      this.#depth += 1;
      this.#words = [];
      return;
    }
    this.#words.push(word);
  }

  /** Whether the word was the shell's own, and not the first one of a command. */
  #keyword({ text, isLiteral }: ShellWord): boolean {
    const isElseIf = this.#isAfterElse && this.#dialect === "fish";
    this.#isAfterElse = text === "else";
    if (!isLiteral) return false;
    if (openers[this.#dialect].has(text)) {
      if (!(isElseIf && text === "if")) this.#depth += 1;
      return conditions.has(text) || text === "{" || text === "begin";
    }
    if (closers[this.#dialect].has(text)) {
      this.#depth = Math.max(0, this.#depth - 1);
      return true;
    }
    return leads.has(text);
  }

  #endCommand(end: string): void {
    if (this.#words.length > 0) {
      const isMaybe = this.#depth > 0 || this.#previousEnd === "&&" || this.#previousEnd === "||";
      const words = this.#words;
      this.#commands.push({ words, redirects: this.#redirects, line: this.#firstLine, end, isMaybe });
      this.#previousEnd = end;
    } else if (end === ";") this.#previousEnd = end;
    this.#words = [];
    this.#redirects = [];
    this.#wantsTarget = false;
  }

  #readWord(): ShellWord {
    let text = "";
    let isLiteral = true;
    for (;;) {
      const c = this.#text[this.#at] ?? "";
      if (c === "" || /[ \t\n;&|<>]/.test(c) || (/[()]/.test(c) && !(this.#dialect === "fish" && c === "("))) break;
      if (c === "\\") text += this.#escaped();
      else if (c === "'") text += this.#singleQuoted();
      else if (c === '"') {
        const quoted = this.#doubleQuoted();
        text += quoted.text;
        isLiteral &&= quoted.isLiteral;
      } else if (c === "$" || c === "`" || c === "(") {
        text += this.#expansion();
        isLiteral = false;
      } else {
        // A home directory: at the start of a word, in assignments behind `=` and `:` too.
        if (c === "~" && /^$|[=:]$/.test(text)) isLiteral = false;
        text += c;
        this.#at += 1;
      }
    }
    return { text, isLiteral };
  }

  #escaped(): string {
    const next = this.#text[this.#at + 1] ?? "";
    this.#at += next === "" ? 1 : 2;
    if (next !== "\n") return next;
    this.#line += 1;
    return "";
  }

  #singleQuoted(): string {
    let text = "";
    this.#at += 1;
    for (let c = this.#take(); c !== "" && c !== "'"; c = this.#take()) {
      const next = this.#text[this.#at] ?? "";
      const isEscape = this.#dialect === "fish" && c === "\\" && (next === "'" || next === "\\");
      text += isEscape ? this.#take() : c;
    }
    return text;
  }

  #doubleQuoted(): ShellWord {
    let text = "";
    let isLiteral = true;
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      const c = this.#text[this.#at] ?? "";
      if (c === "$" || (c === "`" && this.#dialect === "sh")) {
        text += this.#expansion();
        isLiteral = false;
      } else if (c === "\\" && /["\\$`\n]/.test(this.#text[this.#at + 1] ?? "")) text += this.#escaped();
      else text += this.#take();
    }
    this.#at += 1;
    return { text, isLiteral };
  }

  /** `$NAME`, `${…}`, `$(…)`, `` `…` ``, fish's `(…)`; as written. */
  #expansion(): string {
    const start = this.#at;
    const c = this.#take();
    const next = this.#text[this.#at] ?? "";
    if (c === "`") this.#until("`");
    else if (c === "(" || next === "(") this.#balanced(c === "(" ? this.#at : this.#at + 1, "(", ")");
    else if (next === "{") this.#balanced(this.#at + 1, "{", "}");
    return this.#text.slice(start, this.#at);
  }

  #until(end: string): void {
    for (let c = this.#take(); c !== "" && c !== end; c = this.#take()) if (c === "\\") this.#take();
  }

  /** Goes behind the closing mark that belongs to the one before `from`. */
  #balanced(from: number, open: string, close: string): void {
    this.#at = from;
    let depth = 1;
    let quote = "";
    while (depth > 0) {
      const c = this.#take();
      if (c === "") return;
      if (c === "\\" && quote !== "'") this.#take();
      else if (quote !== "") quote = c === quote ? "" : quote;
      else if (c === "'" || c === '"') quote = c;
      else if (c === open) depth += 1;
      else if (c === close) depth -= 1;
    }
  }

  /** The next character, counted; empty at the end. */
  #take(): string {
    const c = this.#text[this.#at] ?? "";
    if (c === "\n") this.#line += 1;
    this.#at += 1;
    return c;
  }
}
