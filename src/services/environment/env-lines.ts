// Files of KEY=VALUE lines that are no shell: each program reads them in its own way.

import { maxFileChars } from "./assignment.ts";
import type { Assignment, Reading } from "./assignment.ts";
import { parseGoEnvFile } from "./go-env-file.ts";

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * /etc/environment, as pam_env reads it (Linux-PAM _parse_env_file): `export ` may stand in front, `#` ends a line
 * even inside quotes, quotes are taken off at the ends only, and nothing is expanded.
 */
export function readPamEnvironment(text: string): Reading {
  const assignments: Assignment[] = [];
  for (const [index, whole] of linesOf(text).entries()) {
    const line = whole
      .trimStart()
      .replace(/^export /, "")
      .replace(/#.*/, "");
    const equals = line.indexOf("=");
    const key = line.slice(0, Math.max(0, equals));
    if (!name.test(key)) continue;
    const value = line.slice(equals + 1).replace(/[ \t]+$/, "");
    assignments.push(exported(key, /^["']/.test(value) ? value.slice(1).replace(/["']$/, "") : value, index + 1));
  }
  return { assignments, traps: [] };
}

/**
 * A .env file as direnv and Compose read it: `export ` may stand in front, blanks around `=` are dropped, in single
 * quotes nothing is expanded, outside quotes a blank and `#` begin a comment.
 */
export function readDotenv(text: string): Reading {
  const assignments: Assignment[] = [];
  for (const [index, line] of linesOf(text).entries()) {
    const [, key = "", raw = ""] =
      /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*[=:][ \t]*(.*)$/.exec(line) ?? [];
    if (key === "") continue;
    const quote = raw[0] ?? "";
    const close = quote === "'" || quote === '"' ? raw.indexOf(quote, 1) : -1;
    const value = close > 0 ? raw.slice(1, close) : raw.replace(/[ \t]+#.*$|^#.*$/, "").trimEnd();
    const isLiteral = (quote === "'" && close > 0) || !value.includes("$");
    assignments.push({ ...exported(key, value, index + 1), isLiteral });
  }
  return { assignments, traps: [] };
}

/** The user's go env file (cmd/go readEnvFile): no trimming, no quotes, only lines that begin with a capital. */
export function readGoEnvFile(text: string): Reading {
  const { lines } = parseGoEnvFile(text);
  return {
    assignments: lines.map(({ name, value, line }) => ({ ...exported(name, value, line), kind: "kept" })),
    traps: [],
  };
}

export function linesOf(text: string): readonly string[] {
  return text.slice(0, maxFileChars).split("\n");
}

/** What a whole file sets for everybody who reads it. */
export function exported(key: string, value: string, line: number): Assignment {
  return { name: key, value, line, kind: "exported", isMaybe: false, isLiteral: true, part: "" };
}
