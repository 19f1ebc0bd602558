// What no loopback server can play in time: answers that take seconds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxyList } from "#protocol/proxylist.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { slowFirstByteMs } from "./http-causes.ts";
import { judgeSimulation } from "./http-judge.ts";
import type { HttpExchange } from "./http-ports.ts";
import type { Facts, Step } from "./http-simulation.ts";

function infoStep(firstByteMs: number): Step {
  const exchange: HttpExchange = {
    url: "https://u:secret@a.example/m/@v/v1.0.0.info",
    protocol: "h2",
    address: "192.0.2.1",
    via: undefined,
    phases: { firstByteMs, totalMs: firstByteMs },
    status: 200,
    headers: {},
    body: Buffer.from("{}"),
    fault: undefined,
  };
  const fetch = { exchanges: [exchange], end: { kind: "answer", status: 200, exchange } } as const;
  const one = { hop: 1, base: "https://u:secret@a.example", fetch, outcome: "ok", unusable: undefined } as const;
  return { name: "info", walk: { tries: [one], end: "ok" } };
}

function factsOf(step: Step): Facts {
  return {
    id: checkModuleVersion("example.com/m", "v1.0.0"),
    entries: parseProxyList("https://u:secret@a.example"),
    steps: [step],
    database: undefined,
    tiles: { count: 0, bytes: 0, ms: 0 },
    mod: undefined,
    zip: undefined,
    zipProblem: undefined,
    extra: { letsOthersIn: new Map(), knownVersion: "" },
  };
}

test("a slow first byte is a warning, from a named limit on, without credentials", () => {
  assert.deepEqual(judgeSimulation(factsOf(infoStep(slowFirstByteMs - 1))), []);
  const [finding] = judgeSimulation(factsOf(infoStep(slowFirstByteMs)));
  assert.deepEqual([finding?.code, finding?.severity], ["HTTP_SLOW_FIRST_BYTE", "warn"]);
  assert.doesNotMatch(JSON.stringify(finding), /secret/);
});
