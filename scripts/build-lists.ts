// Asks the real `go` which go.mod files it reads, what it selects and what it downloads for seeded random module
// graphs, and compares with src/protocol/buildlist.ts. Needs `go` 1.26. `--write` stores the answers as
// test/fixtures/build-lists/graphs.jsonl; `--seed N --count M` asks about other graphs.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { startRecorder } from "./oracle/graph-go.ts";
import type { GraphAnswer } from "./oracle/graph-go.ts";
import { comparable, ourAnswer } from "./oracle/graph-ours.ts";
import { randomCase } from "./oracle/graph-random.ts";
import type { GraphCase } from "./oracle/graph-random.ts";

const args = process.argv.slice(2);
const seed = numberOf("--seed", 1);
const wanted = numberOf("--count", 250);
/** go refuses some of the graphs that dice make; more than this for one accepted would be a broken generator. */
const maxTriesPerCase = 4;

await using recorder = await startRecorder();
const lines: string[] = [];
let differences = 0;
let refused = 0;
for (let at = seed; lines.length < wanted && at < seed + wanted * maxTriesPerCase; at++) {
  const graph = randomCase(at);
  const answer = await recorder.ask(graph);
  if ("refused" in answer) {
    refused++;
    if (args.includes("--verbose")) process.stdout.write(`${at}: refused: ${answer.refused}\n`);
    continue;
  }
  lines.push(JSON.stringify({ i: graph, o: answer } satisfies { i: GraphCase; o: GraphAnswer }));
  const ours = comparable(ourAnswer(graph));
  if (isDeepStrictEqual(ours, comparable(answer))) continue;
  differences++;
  process.stdout.write(`${at}: differs\n${args.includes("--verbose") ? JSON.stringify(graph, undefined, 1) : ""}\n`);
  for (const key of ["graph", "all", "zips"] as const) {
    const [theirs, own] = [comparable(answer)[key], ours[key]];
    process.stdout.write(`  ${key}: go alone ${without(theirs, own)}; we alone ${without(own, theirs)}\n`);
  }
}
if (args.includes("--write"))
  writeFileSync(join(import.meta.dirname, "../test/fixtures/build-lists/graphs.jsonl"), `${lines.join("\n")}\n`);
process.stdout.write(`${lines.length} graphs, ${refused} more refused by go, ${differences} differences\n`);
process.exitCode = differences === 0 && lines.length === wanted ? 0 : 1;

function without(some: readonly string[], others: readonly string[]): string {
  return `[${some.filter((each) => !others.includes(each)).join(", ")}]`;
}

function numberOf(flag: string, initial: number): number {
  return args.includes(flag) ? Number(args[args.indexOf(flag) + 1]) : initial;
}
