// The go on the machine and our build lists, asked about module graphs that are not among the committed ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startRecorder } from "../../scripts/oracle/graph-go.ts";
import { comparable, ourAnswer } from "../../scripts/oracle/graph-ours.ts";
import { randomCase } from "../../scripts/oracle/graph-random.ts";
import { needsGo } from "../support/go.ts";

/** Beyond the committed seeds. */
const firstSeed = 100_000;
const graphs = process.env["LONG"] === "1" ? 300 : 12;
/** go refuses a few of what dice make. */
const maxRefused = graphs / 4;

test("go reads, selects and downloads for fresh graphs what we say it will", async (t) => {
  if ((await needsGo(t)) === undefined) return;
  await using recorder = await startRecorder();
  const refused: string[] = [];
  for (let at = 0; at < graphs; at++) {
    const graph = randomCase(firstSeed + at);
    const answer = await recorder.ask(graph);
    if ("refused" in answer) refused.push(answer.refused);
    else assert.deepEqual(comparable(ourAnswer(graph)), comparable(answer), JSON.stringify(graph));
  }
  assert.ok(refused.length <= maxRefused, refused.join("\n"));
});
