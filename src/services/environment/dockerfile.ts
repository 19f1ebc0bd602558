// What a Dockerfile sets: ENV and ARG, and `go env -w` in RUN. Source: Dockerfile reference, ENV, ARG, and escapes.

import { joinReadings, maxFileChars } from "./assignment.ts";
import type { Assignment, Reading } from "./assignment.ts";
import { exported } from "./env-lines.ts";
import { readShell } from "./shell-file.ts";
import { splitCommands } from "./shell-words.ts";

/** Part: `stage NAME`, or `stage N` from 1. What RUN exports lasts for that RUN alone and is left out. */
export function readDockerfile(text: string): Reading {
  const readings: Reading[] = [];
  let stages = 0;
  let part = "";
  for (const { word, rest, line } of instructionsOf(text)) {
    switch (word) {
      case "FROM":
        stages += 1;
        part = `stage ${/\sAS\s+(\S+)/i.exec(rest)?.[1] ?? stages}`;
        break;
      case "ENV":
      case "ARG":
        readings.push({ assignments: assignmentsOf(rest, { line, part, isArg: word === "ARG" }), traps: [] });
        break;
      case "RUN": {
        const { assignments, traps } = readShell(rest, { part, firstLine: line });
        readings.push({ assignments: assignments.filter(({ kind }) => kind === "kept"), traps });
      }
    }
  }
  return joinReadings(readings);
}

type Instruction = { readonly word: string; readonly rest: string; readonly line: number };

/** Instructions with their lines joined; comments between joined lines are dropped. */
function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  let open: { pieces: string[]; line: number } | undefined;
  for (const [index, raw] of text.slice(0, maxFileChars).split("\n").entries()) {
    const line = raw.trimEnd();
    if (line.trim() === "" || /^\s*#/.test(line)) continue;
    open ??= { pieces: [], line: index + 1 };
    open.pieces.push(line.endsWith("\\") ? line.slice(0, -1) : line);
    if (line.endsWith("\\")) continue;
    const [, word = "", rest = ""] = /^\s*([A-Za-z]+)\s+([^]*)$/.exec(open.pieces.join(" ")) ?? [];
    found.push({ word: word.toUpperCase(), rest, line: open.line });
    open = undefined;
  }
  return found;
}

/** `ENV A=b C="d e"`, and the old `ENV A b c` with one value that is the rest of the line. An ARG is gone at run time. */
function assignmentsOf(
  rest: string,
  { line, part, isArg }: { line: number; part: string; isArg: boolean },
): Assignment[] {
  const whole = { line, part, kind: isArg ? ("once" as const) : ("exported" as const) };
  const [, old, value = ""] = /^([A-Za-z_]\w*)\s+([^=]*)$/.exec(rest) ?? [];
  if (old !== undefined && !isArg)
    return [{ ...exported(old, value.trim(), line), ...whole, isLiteral: !value.includes("$") }];
  const words = splitCommands(rest.replaceAll("\n", " ")).flatMap((command) => command.words);
  return words.flatMap(({ text, isLiteral }) => {
    const [, name, given = ""] = /^([A-Za-z_]\w*)=([^]*)$/.exec(text) ?? [];
    return name === undefined ? [] : [{ ...exported(name, given, line), ...whole, isLiteral }];
  });
}
