// How Go prints foreign text inside its messages (%q): quoted, and with nothing that could move a terminal's cursor.
// Source: Go strconv.Quote, strconv.QuoteRune.

import { isPrint } from "./unquote.ts";

/** `text` in double quotes; what does not print as \xNN, \uNNNN, \UNNNNNNNN or its short name. */
export function quote(text: string): string {
  // The whole of what Go would print as it is, in one step.
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  return `"${Array.from(text, (char) => quoteOne(char, '"')).join("")}"`;
}

/** One character in single quotes, as Go prints a rune. */
export function quoteChar(char: string): string {
  return `'${quoteOne(char, "'")}'`;
}

const shortNames: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
};

function quoteOne(char: string, mark: string): string {
  if (char === mark || char === "\\") return `\\${char}`;
  if (isPrint(char)) return char;
  return shortNames[char] ?? numbered(char.codePointAt(0) ?? 0);
}

function numbered(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}
