// Chinese texts use the words of docs/glossary.md: `node scripts/check-glossary.ts` prints every word that the
// glossary avoids, with its place, and exits 1 when there is one.

import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";

export type Term = { readonly english: string; readonly chosen: string; readonly avoided: readonly string[] };
export type Finding = { readonly line: number; readonly word: string; readonly use: string };

/** The rows of the glossary's table. Throws when a row is not one. */
export function parseGlossary(text: string): Term[] {
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => {
    const [english = "", chosen = "", avoided = "", ...more] = row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (english === "" || chosen === "" || more.length > 0) throw new Error(`glossary: not a row: ${row}`);
    return { english, chosen, avoided: avoided.split("、").filter((word) => word !== "") };
  });
}

/** The avoided words in a text; lines without Chinese cost nothing. */
export function findAvoided(text: string, terms: readonly Term[]): Finding[] {
  const findings: Finding[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (!/\p{Script=Han}/u.test(line)) continue;
    for (const { avoided, chosen } of terms)
      for (const word of avoided) if (line.includes(word)) findings.push({ line: index + 1, word, use: chosen });
  }
  return findings;
}

/** Where Chinese texts live. */
const places = ["src/**/*.ts", "README*.md", "docs/**/*.md", "examples/*.yaml", "CONTRIBUTING*.md", "SECURITY*.md"];

async function main(root: string): Promise<number> {
  const terms = parseGlossary(await readFile(join(root, "docs/glossary.md"), "utf8"));
  let findings = 0;
  for await (const file of glob(places, { cwd: root })) {
    if (file.endsWith("glossary.md")) continue;
    for (const { line, word, use } of findAvoided(await readFile(join(root, file), "utf8"), terms)) {
      findings++;
      process.stderr.write(`${file}:${line}: ${word} → ${use}\n`);
    }
  }
  process.stdout.write(`glossary: ${terms.length} terms, ${findings} findings\n`);
  return findings === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(join(import.meta.dirname, ".."));
