// Reads test/fixtures/resilient-table.txt: what two upstreams' answers mean together in mode `resilient`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { outcomes } from "./fallback-cells.ts";
import type { Outcome } from "./fallback-cells.ts";

/** What the operator said of A and B. */
export const situations = [
  "nobody is authoritative",
  "A is authoritative",
  "B is authoritative",
  "absent: [403] on both",
] as const;
export type Situation = (typeof situations)[number];

export type GoldenCell = {
  readonly situation: Situation;
  readonly a: Outcome;
  readonly b: Outcome;
  /** `A` or `AB`: who must be asked at least once; whoever is not named must not be asked. */
  readonly asked: string;
  readonly result: "A" | "B" | "absent" | "refused" | "failed";
};

/** All cells. Throws when the file is not a full table. */
export function readResilientTable(): readonly GoldenCell[] {
  const text = readFileSync(join(import.meta.dirname, "../fixtures/resilient-table.txt"), "utf8");
  const cells = text.split(/^== /m).slice(1).flatMap(parseSituation);
  const wanted = situations.length * outcomes.length ** 2;
  if (cells.length !== wanted) throw new Error(`resilient-table.txt has ${cells.length} cells, not ${wanted}`);
  return cells;
}

function parseSituation(text: string): GoldenCell[] {
  const [title = "", header = "", ...rows] = text.trim().split("\n");
  const situation = situations.find((one) => one === title);
  if (situation === undefined) throw new Error(`resilient-table.txt: an unknown situation: ${title}`);
  const columns = words(header).slice(1).map(parseOutcome);
  return rows.flatMap((row) => {
    const [a = "", ...values] = words(row);
    return columns.map((b, at) => ({ situation, a: parseOutcome(a), b, ...parseValue(values[at] ?? "") }));
  });
}

const words = (line: string): string[] => line.split(" ").filter((word) => word !== "");

function parseOutcome(text: string): Outcome {
  const outcome = outcomes.find((one) => one === text);
  if (outcome === undefined) throw new Error(`resilient-table.txt: an unknown outcome: ${text}`);
  return outcome;
}

function parseValue(text: string): Pick<GoldenCell, "asked" | "result"> {
  const [, asked, result] = /^(AB?)=(A|B|absent|refused|failed)$/.exec(text) ?? [];
  if (asked === undefined || result === undefined) throw new Error(`resilient-table.txt: not a cell: ${text}`);
  return { asked, result: result as GoldenCell["result"] };
}
