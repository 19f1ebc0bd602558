// The committed sample: one file of JSON lines per kind of question.

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Vector } from "./answers.ts";
import type { Oracle } from "./run-go.ts";

export const sampleFolder = join(import.meta.dirname, "../../test/fixtures/vectors");

/** The names of the sample's files: kinds with `.jsonl`. */
export function sampleFiles(): string[] {
  return readdirSync(sampleFolder).filter((name) => name.endsWith(".jsonl"));
}

export function readSample(file: string): string[] {
  return readFileSync(join(sampleFolder, file), "utf8").trimEnd().split("\n");
}

/** Replaces the committed sample. */
export async function writeSample(oracle: Oracle, seed: number): Promise<void> {
  const kinds = new Map<string, string[]>();
  for await (const line of oracle.lines({ seed, sample: true })) {
    const { k } = JSON.parse(line) as Vector;
    kinds.set(k, [...(kinds.get(k) ?? []), line]);
  }
  for (const file of sampleFiles()) rmSync(join(sampleFolder, file));
  for (const [kind, lines] of kinds) writeFileSync(join(sampleFolder, `${kind}.jsonl`), `${lines.join("\n")}\n`);
}
