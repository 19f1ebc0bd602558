// The files that `go env -w` writes and that stand in GOROOT/go.env: `KEY=VALUE` by line. Nothing is trimmed, nothing is
// unquoted; what is no such line is passed over in silence, which is why we say so.
// Source: cmd/go/internal/cfg readEnvFile.

/** A go env file has some lines; of a larger one only the beginning is looked at. Counted in UTF-16 units. */
export const maxGoEnvChars = 1 << 20;

export type EnvLine = { readonly name: string; readonly value: string; readonly line: number };

/** Why go passes over a line: it begins with a blank, with `export`, with no capital letter, or has no `=`. */
export type IgnoredWhy = "blank" | "export" | "lower-case" | "no-equals";

export type IgnoredLine = { readonly text: string; readonly line: number; readonly why: IgnoredWhy };

export type GoEnvFile = {
  /** Every line that go reads, in order; of one name the last counts. */
  readonly lines: readonly EnvLine[];
  /** Lines that look as if they were meant; comments and empty lines are none. */
  readonly ignored: readonly IgnoredLine[];
};

/** Reads any text; cannot fail. Line numbers begin with 1. */
export function parseGoEnvFile(text: string): GoEnvFile {
  const lines: EnvLine[] = [];
  const ignored: IgnoredLine[] = [];
  for (const [index, row] of text.slice(0, maxGoEnvChars).split("\n").entries()) {
    const line = index + 1;
    const equals = row.indexOf("=");
    if (equals >= 0 && /^[A-Z]/.test(row))
      lines.push({ name: row.slice(0, equals), value: row.slice(equals + 1), line });
    else if (!/^\s*(#|$)/.test(row)) ignored.push({ text: row, line, why: reasonOf(row) });
  }
  return { lines, ignored };
}

/** The values that count. */
export function valuesOf({ lines }: GoEnvFile): ReadonlyMap<string, EnvLine> {
  return new Map(lines.map((line) => [line.name, line]));
}

function reasonOf(row: string): IgnoredWhy {
  if (!row.includes("=")) return "no-equals";
  if (/^\s*export\s/.test(row)) return "export";
  return /^\s/.test(row) ? "blank" : "lower-case";
}
