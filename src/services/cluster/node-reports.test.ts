import assert from "node:assert/strict";
import test from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { PlayedHub } from "../../../test/support/played-hub.ts";
import { NodeReports } from "./node-reports.ts";
import { nodeReportMs } from "./ports.ts";

function open() {
  const clock = new HandClock();
  const hub = new PlayedHub(clock);
  const nodes = ["a", "b"].map((node) => {
    const counted = { requests: 0 };
    const requests = () => Promise.resolve(counted.requests);
    const reports = new NodeReports({ nodes: hub.node(node).nodes, node, version: "1", requests, clock, wall: clock });
    return { counted, reports };
  });
  return { clock, hub, nodes: nodes as [(typeof nodes)[0], (typeof nodes)[0]] };
}

const skews = ({ reports }: { readonly reports: NodeReports }) => reports.views.map(({ node, skew }) => [node, skew]);

test("a node is asked three times as much as the other: 1.5 and 0.5; nobody asked: 1 and 1", async () => {
  const { clock, nodes } = open();
  const [a, b] = nodes;
  const stop = new AbortController();
  const running = nodes.map(({ reports }) => reports.run(stop.signal));
  await clock.pass(nodeReportMs);
  assert.deepEqual(skews(a), [
    ["a", 1],
    ["b", 1],
  ]);
  for (let n = 0; n < 4; n++) {
    a.counted.requests += 300;
    b.counted.requests += 100;
    await clock.pass(nodeReportMs);
  }
  for (const { reports } of [b, a, b]) await reports.report();
  assert.deepEqual(skews(a), [
    ["a", 1.5],
    ["b", 0.5],
  ]);
  assert.deepEqual(skews(b), skews(a));
  assert.equal(a.reports.views.find(({ isSelf }) => isSelf)?.node, "a");
  stop.abort();
  await Promise.all(running);
});

test("requests a second are those of the last minute", async () => {
  const { clock, nodes } = open();
  const [a] = nodes;
  const stop = new AbortController();
  const running = a.reports.run(stop.signal);
  a.counted.requests = 6_000;
  await clock.pass(nodeReportMs);
  await clock.pass(90_000);
  const [own] = a.reports.views;
  assert.equal(own?.perSecond, 0);
  assert.equal(own.requests, 6_000);
  stop.abort();
  await running;
});

test("without coordination a node is alone, and reports again when it is back", async () => {
  const { hub, nodes } = open();
  const [a, b] = nodes;
  for (const { reports } of nodes) await reports.report();
  await a.reports.report();
  assert.equal(a.reports.views.length, 2);
  hub.die();
  await a.reports.report();
  assert.equal(a.reports.views.length, 1);
  hub.comeBack();
  await b.reports.report();
  await a.reports.report();
  assert.equal(a.reports.views.length, 2);
  await settle();
});
