import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCacheHeaders } from "./http-cache.ts";

const cases: readonly (readonly [
  name: string,
  headers: Record<string, string>,
  layers: string[],
  answered?: string,
])[] = [
  ["nothing", {}, []],
  [
    "a Granary that had it",
    { "x-go-proxy-cache": "HIT", "x-go-proxy-status": "-|HIT" },
    ["go-proxy hit", "upstream unasked"],
    "go-proxy",
  ],
  [
    "one that fetched from a warm one",
    { "x-go-proxy-status": "HIT|MISS" },
    ["go-proxy miss", "upstream hit"],
    "upstream",
  ],
  ["both cold", { "x-go-proxy-status": "MISS|MISS" }, ["go-proxy miss", "upstream miss"]],
  ["an upstream that does not cache", { "x-go-proxy-status": "BYPASS|MISS" }, ["go-proxy miss", "upstream bypass"]],
  ["asked anew", { "x-go-proxy-status": "MISS|EXPIRED" }, ["go-proxy expired", "upstream miss"]],
  ["stale", { "x-go-proxy-status": "-|STALE" }, ["go-proxy stale", "upstream unasked"], "go-proxy"],
  ["the short header alone", { "x-go-proxy-cache": "MISS" }, ["go-proxy miss"]],
  ["Cloudflare", { "cf-cache-status": "DYNAMIC" }, ["cloudflare bypass"]],
  [
    "CloudFront",
    { "x-cache": "Miss from cloudfront", via: "1.1 x.cloudfront.net (CloudFront)" },
    ["via through", "cdn miss"],
  ],
  ["Alibaba's CDN", { "x-cache": "HIT TCP_MEM_HIT dirn:11:1" }, ["cdn hit"], "cdn"],
  ["squid that could not ask", { "x-cache": "TCP_REFRESH_FAIL_HIT" }, ["cdn stale"], "cdn"],
  ["nginx while it updates", { "x-cache-status": "UPDATING" }, ["nginx stale"], "nginx"],
  ["RFC 9211", { "cache-status": "edge; fwd=uri-miss" }, ["cache miss"]],
  ["older than it may be", { age: "700", "cache-control": "public, max-age=600" }, ["cache stale"], "cache"],
  ["as old as it may be", { age: "600", "cache-control": "public, max-age=600" }, []],
  ["a warning", { warning: '110 - "Response is Stale"' }, ["cache stale"], "cache"],
];

for (const [name, headers, layers, answered] of cases)
  test(`readCacheHeaders(): ${name}`, () => {
    const reading = readCacheHeaders(headers);
    assert.deepEqual(
      reading.layers.map(({ layer, verdict }) => `${layer} ${verdict}`),
      layers,
    );
    assert.equal(reading.answeredBy?.layer, answered);
  });

test("readCacheHeaders() takes any header, and shows no more than a line of it", () => {
  const names = fc.constantFrom(
    "via",
    "x-cache",
    "age",
    "cache-control",
    "warning",
    "x-go-proxy-status",
    "cache-status",
  );
  fc.assert(
    fc.property(fc.dictionary(names, fc.string({ unit: "binary", maxLength: 2_000 })), (headers) => {
      for (const { value } of readCacheHeaders(headers).layers) assert.ok(value.length <= 430);
    }),
  );
});
