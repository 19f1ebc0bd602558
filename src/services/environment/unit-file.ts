// The environment of a systemd unit: Environment=, EnvironmentFile=, User=, and what it starts. Source: systemd.syntax(7),
// systemd.exec(5), systemd basic/extract-word.c. A shell has no part in it: `$` means nothing, and whoever starts the
// unit hands nothing down. Example: `Environment="GOPROXY=https://a.example|direct" "HOME=/var/lib/app"`.

import { maxFileChars } from "./assignment.ts";
import type { Assignment, Reading, Trap } from "./assignment.ts";
import { exported } from "./env-lines.ts";
import { isGoVariable } from "./assignment.ts";

export type UnitReading = Reading & {
  /** EnvironmentFile=, in order; the files win over Environment=. */
  readonly files: readonly { readonly path: string; readonly isOptional: boolean; readonly line: number }[];
  readonly user: string | undefined;
  readonly hasDynamicUser: boolean;
  /** ExecStart= and its like, as written. */
  readonly commands: readonly string[];
  /** Variables that UnsetEnvironment= takes away. */
  readonly unset: readonly string[];
};

/** Reads a unit, or a unit with its drop-ins behind it, each with its lines; never throws. */
export function readUnit(text: string): UnitReading {
  let assignments: Assignment[] = [];
  let traps: Trap[] = [];
  let files: { path: string; isOptional: boolean; line: number }[] = [];
  let user: string | undefined;
  let hasDynamicUser = false;
  const commands: string[] = [];
  const unset: string[] = [];
  for (const { key, value, line } of settingsOf(text)) {
    switch (key) {
      case "Environment": {
        const words = splitUnitWords(value);
        if (value === "") [assignments, traps] = [[], []];
        assignments.push(...words.flatMap((word) => assignmentOf(word, line)));
        traps.push(...trapsOf(words, line));
        break;
      }
      case "EnvironmentFile":
        // An empty one forgets those before it (systemd.exec).
        files =
          value === "" ? [] : [...files, { path: value.replace(/^-/, ""), isOptional: value.startsWith("-"), line }];
        break;
      case "UnsetEnvironment":
        unset.push(...splitUnitWords(value));
        break;
      case "User":
        user = value === "" ? undefined : value;
        break;
      case "DynamicUser":
        hasDynamicUser = /^(yes|true|on|1|y|t)$/i.test(value);
        break;
      case "ExecStart":
      case "ExecStartPre":
        if (value !== "") commands.push(value);
    }
  }
  return { assignments, traps, files, user, hasDynamicUser, commands, unset };
}

type Setting = { readonly key: string; readonly value: string; readonly line: number };

/** The settings of [Service]; a backslash at a line's end joins it with the next by a blank, past comments. */
function settingsOf(text: string): Setting[] {
  const settings: Setting[] = [];
  let isService = false;
  let open: { text: string; line: number } | undefined;
  for (const [index, raw] of text.slice(0, maxFileChars).split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (/^[ \t]*[#;]/.test(line) || (open === undefined && line.trim() === "")) continue;
    const isJoined = line.endsWith("\\");
    const piece = isJoined ? `${line.slice(0, -1)} ` : line;
    open = open === undefined ? { text: piece, line: index + 1 } : { text: open.text + piece, line: open.line };
    if (isJoined) continue;
    const section = /^\s*\[(.*)\]\s*$/.exec(open.text)?.[1];
    const equals = open.text.indexOf("=");
    if (section !== undefined) isService = section === "Service";
    else if (isService && equals > 0)
      settings.push({
        key: open.text.slice(0, equals).trim(),
        value: open.text.slice(equals + 1).trim(),
        line: open.line,
      });
    open = undefined;
  }
  return settings;
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

/** Words with their quotes and C escapes removed; at a quote that never ends, or an unknown escape, systemd gives up. */
export function splitUnitWords(value: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  while (at < value.length) {
    if (/\s/.test(value[at] ?? "")) {
      at += 1;
      continue;
    }
    let word = "";
    let quote = "";
    for (; at < value.length; at += 1) {
      const c = value[at] ?? "";
      if (quote === "" && /\s/.test(c)) break;
      if (c === "\\") {
        const read = escapeAt(value, at);
        if (read === undefined) return words;
        word += read.text;
        at += read.length - 1;
      } else if (quote === "" && (c === '"' || c === "'")) quote = c;
      else if (c === quote) quote = "";
      else word += c;
    }
    if (quote !== "") return words;
    words.push(word);
  }
  return words;
}

function escapeAt(value: string, at: number): { text: string; length: number } | undefined {
  const plain = escapes[value[at + 1] ?? ""];
  if (plain !== undefined) return { text: plain, length: 2 };
  const [whole, hex, octal] = /^\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))/.exec(value.slice(at, at + 4)) ?? [];
  if (whole === undefined) return undefined;
  return {
    text: String.fromCharCode(hex === undefined ? parseInt(octal ?? "", 8) : parseInt(hex, 16)),
    length: whole.length,
  };
}

function assignmentOf(word: string, line: number): Assignment[] {
  const [, name, value = ""] = /^([A-Za-z_]\w*)=([^]*)$/.exec(word) ?? [];
  if (name === undefined) return [];
  // `%h` and its like are replaced by systemd; `%%` is one `%`.
  const isLiteral = !/%[^%]/.test(value.replaceAll("%%", ""));
  return [{ ...exported(name, value.replaceAll("%%", "%"), line), isLiteral }];
}

/** `Environment=GOPROXY=https://a, direct`: the second word is no assignment, and systemd drops it with a warning. */
function trapsOf(words: readonly string[], line: number): Trap[] {
  return words.flatMap((word, i) => {
    const [, name = "", kept = ""] = /^([A-Za-z_]\w*)=([^]*)$/.exec(word) ?? [];
    const lost = words[i + 1];
    const isTrap = isGoVariable(name) && lost !== undefined && !/^[A-Za-z_]\w*=/.test(lost);
    return isTrap ? [{ name, line, kept, lost, by: "blank" as const }] : [];
  });
}
