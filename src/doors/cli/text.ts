// Text on a terminal: columns, widths, numbers. Chinese characters take two columns.

/** Standard terminal width; help and tables stay within it. */
export const terminalColumns = 80;

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const zero = /\p{M}|[\u200b-\u200f\ufeff]/u;

/** Columns that `text` takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const mark of text) columns += zero.test(mark) ? 0 : wide.test(mark) ? 2 : 1;
  return columns;
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

/**
 * A piece that stays in one line: a word with the space before it, or one wide character, each with the marks that open
 * before it and close after it. Every character that is not a space is in one.
 */
const pieces =
  /\s*(?:[（《「“]*(?:[\u2e80-\u3000\u3003-\u3009\u300e-\u9fff]|[^\s\u2e80-\u9fff（“，；：）”！？]+)[，。、；：）》」”！？]*|[（《「“，。、；：）》」”！？]+)/gu;

/** Lines of at most `columns`: broken at spaces, around Chinese marks, and between any two wide characters. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [piece] of text.matchAll(pieces)) {
    if (line !== "" && columnsOf(line) + columnsOf(piece) > columns) {
      lines.push(line);
      line = piece.trimStart();
    } else line += line === "" ? piece.trimStart() : piece;
  }
  return line === "" ? lines : [...lines, line];
}

/** Rows in columns, two spaces between; the last column is as long as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, columnsOf(cell))));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : padEnd(cell, widths[i] ?? 0))).join("  "),
  );
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

const marks = { ok: ["✓", "ok"], warn: ["!", "warn"], fail: ["✗", "FAIL"], skip: ["-", "skip"] } as const;

/** A mark that says its meaning without colour; words where the terminal has ASCII only. */
export function mark(kind: keyof typeof marks, isUtf8: boolean): string {
  return marks[kind][isUtf8 ? 0 : 1];
}

/** Nothing that a terminal obeys: foreign text may hold escape sequences. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "?");
}
