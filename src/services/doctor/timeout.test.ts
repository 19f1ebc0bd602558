import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { explainErrors } from "#services/analysers/error-report.ts";
import { settingsOf } from "#services/environment/settings.ts";
import { adviseTimeout, leaves } from "./timeout.ts";
import type { TimeoutAdvice } from "./timeout.ts";

const advise = (env: Readonly<Record<string, string>>, log?: string, cacheBytes?: number): TimeoutAdvice =>
  adviseTimeout({
    settings: settingsOf({
      platform: "linux",
      process: {},
      userFile: {
        kind: "text",
        path: "/e",
        text: Object.entries(env)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(""),
      },
      netrc: { kind: "off" },
      go: undefined,
    }),
    log: log === undefined ? undefined : explainErrors(log),
    cacheBytes,
  });
const stateOf = (advice: TimeoutAdvice, id: string) => advice.remedies.find((remedy) => remedy.id === id);
const get = 'go: example.com/m@v1.0.0: Get "https://goproxy.cn/example.com/m/@v/v1.0.0.info": ';

const logs: readonly (readonly [string, string, string])[] = [
  ["dns", `${get}dial tcp: lookup goproxy.cn: no such host`, "names"],
  ["connect", `${get}dial tcp 142.251.41.17:443: i/o timeout`, "chain"],
  ["tls", `${get}net/http: TLS handshake timeout`, "tunnel"],
  ["reset", `${get}read tcp 10.0.0.1:5->10.0.0.2:443: read: connection reset by peer`, "transport"],
  [
    "gateway",
    "go: example.com/m@v1.0.0: reading https://goproxy.cn/example.com/m/@v/v1.0.0.info: 502 Bad Gateway",
    "chain",
  ],
  ["cancelled", "2026/11/29 10:00:00 http2: Framer 0xc000: wrote RST_STREAM stream=13 len=4 ErrCode=CANCEL", "chain"],
];

suite("the log leads to a leaf, and the leaf to what helps first", () => {
  for (const [leaf, log, first] of logs)
    test(leaf, () => {
      const advice = advise({ GOPROXY: "https://goproxy.cn,direct" }, log);
      assert.deepEqual([advice.leaf, advice.remedies[0]?.id, advice.remedies[0]?.helps], [leaf, first, true]);
      assert.equal(advice.remedies.length, 7);
      assert.ok(advice.checks.every((line) => !line.includes("{")));
    });
  test("all leaves have checks", () => assert.equal(leaves.length, 9));
  test("a log that tells nothing, and none", () => {
    assert.equal(advise({}, "hello\n").leaf, "unread");
    assert.equal(advise({}).leaf, "unread");
  });
});

suite("in place or missing", () => {
  test("one public mirror is no chain; two with a pipe, or one's own, are", () => {
    assert.deepEqual(stateOf(advise({ GOPROXY: "https://goproxy.cn,direct" }), "chain")?.state, "missing");
    assert.deepEqual(stateOf(advise({ GOPROXY: "https://goproxy.cn,https://goproxy.io" }), "chain")?.state, "missing");
    assert.deepEqual(stateOf(advise({ GOPROXY: "https://goproxy.cn|https://goproxy.io" }), "chain")?.state, "in-place");
    const own = advise({ GOPROXY: "https://granary.corp.example" });
    assert.deepEqual([stateOf(own, "chain")?.state, stateOf(own, "proxy")?.state], ["in-place", "in-place"]);
  });
  test("the fix keeps what is there and puts a pipe behind it", () => {
    const [fix] = stateOf(advise({ GOPROXY: "https://goproxy.io,direct" }), "chain")?.fixes ?? [];
    assert.equal(fix?.kind === "set" && fix.values["GOPROXY"]?.startsWith("https://goproxy.io|https://"), true);
  });
  test("database, cache, tunnel, protocol", () => {
    assert.equal(stateOf(advise({ GOSUMDB: "off" }), "database")?.state, "missing");
    assert.equal(stateOf(advise({}), "cache")?.state, "missing");
    assert.equal(stateOf(advise({}, undefined, 2e6), "cache")?.seen, "2 MB");
    assert.equal(stateOf(advise({}), "tunnel")?.state, "missing");
    assert.equal(stateOf(advise({}), "transport")?.state, "beyond");
  });
});
