// The `environment { NAME = 'value' }` blocks of a declarative Jenkinsfile. Not Groovy: lines of the form that the
// documentation shows are read, everything else is passed by. Single quotes are literal, in double ones Groovy expands.

import { maxFileChars } from "./assignment.ts";
import type { Assignment, Reading } from "./assignment.ts";
import { exported } from "./env-lines.ts";

/** Part: `stage NAME` inside a stage. */
export function readJenkinsfile(text: string): Reading {
  const assignments: Assignment[] = [];
  const blocks: { readonly kind: string; readonly stage: string }[] = [];
  for (const [index, raw] of text.slice(0, maxFileChars).split("\n").entries()) {
    const line = raw.replace(/^\s*\/\/.*/, "");
    const isEnvironment = blocks.at(-1)?.kind === "environment" || /\benvironment\s*\{/.test(line);
    const found = isEnvironment ? assignmentOf(line, index + 1) : undefined;
    if (found !== undefined) assignments.push({ ...found, part: blocks.at(-1)?.stage ?? "" });
    for (const [brace] of withoutTexts(line).matchAll(/[{}]/g)) {
      if (brace === "}") blocks.pop();
      else if (blocks.length < maxBlocks) blocks.push(blockOf(line, blocks.at(-1)?.stage ?? ""));
    }
  }
  return { assignments, traps: [] };
}

/** Stages in stages: a dozen. */
const maxBlocks = 200;

function blockOf(line: string, outer: string): { kind: string; stage: string } {
  const stage = /\bstage\s*\(\s*['"]([^'"]*)['"]/.exec(line)?.[1];
  const kind = /\benvironment\s*\{/.test(line) ? "environment" : "other";
  return { kind, stage: stage === undefined ? outer : `stage ${stage}` };
}

function assignmentOf(line: string, at: number): Assignment | undefined {
  const [, name, quote, value = ""] =
    /(?:^|\{)\s*([A-Za-z_]\w*)\s*=\s*(?:(['"])((?:(?!\2).)*)\2|credentials\b)/.exec(line) ?? [];
  if (name === undefined) return undefined;
  const isLiteral = quote === "'" || (quote === '"' && !value.includes("$"));
  return { ...exported(name, quote === undefined ? "credentials(…)" : value, at), isLiteral };
}

/** Braces inside quotes are no blocks. */
function withoutTexts(line: string): string {
  return line.replace(/'[^']*'|"[^"]*"/g, "''");
}
