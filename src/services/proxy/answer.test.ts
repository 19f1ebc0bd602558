import assert from "node:assert/strict";
import { test } from "node:test";
import { upstreamCacheState } from "./answer.ts";

const cases = [
  ["a Granary that had it", { "x-go-proxy-cache": "HIT", "x-go-proxy-status": "-|HIT" }, "HIT"],
  ["a Granary that had to fetch it", { "x-go-proxy-cache": "MISS", "x-go-proxy-status": "HIT|MISS" }, "MISS"],
  ["a Granary that gives an old listing", { "x-go-proxy-cache": "HIT", "x-go-proxy-status": "-|STALE" }, "HIT"],
  ["a Granary that asked again", { "x-go-proxy-cache": "MISS", "x-go-proxy-status": "HIT|EXPIRED" }, "MISS"],
  ["a Granary's private module", { "x-go-proxy-cache": "MISS", "cache-control": "private, no-store" }, "MISS"],
  ["one that passes by", { "x-go-proxy-status": "MISS|BYPASS" }, "BYPASS"],
  ["no-cache", { "cache-control": "no-cache" }, "BYPASS"],
  ["no-cache beside a miss", { "x-go-proxy-cache": "MISS", "cache-control": "no-cache" }, "BYPASS"],
  ["no-store of a common server", { "cache-control": "no-store" }, "BYPASS"],
  ["a common cache's hit", { "x-cache": "HIT from edge" }, "HIT"],
  ["an age", { age: "12" }, "HIT"],
  ["nothing", {}, "MISS"],
] as const;
for (const [what, headers, want] of cases)
  test(`upstreamCacheState: ${what}`, () => {
    assert.equal(upstreamCacheState({ ...headers }), want);
  });
