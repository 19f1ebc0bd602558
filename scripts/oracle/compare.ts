// Puts the questions that x/mod answered to our own functions and counts where the answers differ.

import { isDeepStrictEqual } from "node:util";

import { egressAnswers } from "./answers-egress.ts";
import { goModAnswers } from "./answers-gomod.ts";
import { nameAnswers } from "./answers-names.ts";
import { noteAnswers } from "./answers-notes.ts";
import { treeAnswers } from "./answers-trees.ts";
import { zipAnswers } from "./answers-zips.ts";
import { isRefused } from "./answers.ts";
import type { Answers, Vector } from "./answers.ts";
import { exceptionFor } from "./exceptions.ts";
import type { Difference } from "./exceptions.ts";

export type Report = {
  /** Cases per kind. */
  readonly counts: Map<string, number>;
  /** Cases per reason where we are stricter on purpose. */
  readonly exceptions: Map<string, number>;
  readonly differences: number;
  readonly first: readonly Difference[];
};

const answers: Answers = {
  ...nameAnswers,
  ...egressAnswers,
  ...goModAnswers,
  ...noteAnswers,
  ...treeAnswers,
  ...zipAnswers,
};

/** Differences of one kind worth printing; after that only their number counts. */
const maxShown = 5;

/** Compares every line; blank ones are passed over. */
export async function compareAll(lines: AsyncIterable<string> | Iterable<string>): Promise<Report> {
  const counts = new Map<string, number>();
  const exceptions = new Map<string, number>();
  const first: Difference[] = [];
  let differences = 0;
  for await (const line of lines) {
    if (line === "") continue;
    const vector = JSON.parse(line) as Vector;
    increment(counts, vector.k);
    const ours = await ask(vector);
    if (isDeepStrictEqual(ours, vector.o) || (isRefused(ours) && isRefused(vector.o))) continue;
    const reason = exceptionFor({ ...vector, ours });
    if (reason !== undefined) {
      increment(exceptions, reason);
      continue;
    }
    differences++;
    if (first.filter(({ k }) => k === vector.k).length < maxShown) first.push({ ...vector, ours });
  }
  return { counts, exceptions, differences, first };
}

/** All of a report as text, for people. */
export function formatReport(report: Report): string {
  const rows = (map: ReadonlyMap<string, number>) => [...map].map(([name, n]) => `${String(n).padStart(8)}  ${name}`);
  const total = [...report.counts.values()].reduce((sum, n) => sum + n, 0);
  return [
    ...rows(report.counts),
    `${String(total).padStart(8)}  in all`,
    ...(report.exceptions.size > 0 ? ["stricter on purpose:", ...rows(report.exceptions)] : []),
    `${report.differences} differences`,
    ...report.first.map((difference) => JSON.stringify(difference).slice(0, 2000)),
    "",
  ].join("\n");
}

async function ask({ k, i }: Vector): Promise<unknown> {
  const answer = answers[k];
  if (answer === undefined) throw new Error(`no answer for questions of kind ${k}`);
  return await answer(i);
}

function increment(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
