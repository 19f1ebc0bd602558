import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isAncestorOfPattern, matchPrefixPatterns } from "#protocol/pattern.ts";
import type { Chain, Upstream } from "./chain.ts";
import { Health } from "./health.ts";
import type { FaultReason, UpstreamClient, UpstreamResponse } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";
import type { WalkResult } from "./walk.ts";
import { Unusable, UpstreamHeld, UpstreamStatus, walk } from "./walk.ts";

/** What a stub upstream does: a status, a body for 200, a fault, or "garbage" (200 that accept finds unusable). */
type Act =
  | number
  | FaultReason
  | "garbage"
  | { readonly status: number; readonly headers?: Record<string, string>; readonly text?: string };

function respond(act: Exclude<Act, FaultReason>): UpstreamResponse {
  const { status, headers, text } =
    typeof act === "object" ? act : { status: act === "garbage" ? 200 : act, headers: undefined, text: String(act) };
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
    url: "http://stub.test/",
    body: (async function* () {
      await Promise.resolve();
      yield new TextEncoder().encode(text ?? "");
    })(),
    cancel: () => undefined,
  };
}

const isFault = (act: Act): act is FaultReason => typeof act === "string" && act !== "garbage";

type Named = Partial<Upstream> & { readonly acts: Act | readonly Act[] };

/** A chain of stubs named a, b, c …; each does its acts in turn, the last one for ever. */
function stage(stubs: readonly Named[], mode: "go" | "resilient" = "resilient", more: { retryMs?: number } = {}) {
  const slept: number[] = [];
  const clock = {
    ms: 1_000_000,
    now: () => clock.ms,
    sleep: (ms: number) => {
      clock.ms += ms;
      slept.push(ms);
      return Promise.resolve();
    },
  };
  const health = new Health({ clock });
  const asked: string[] = [];
  const paths: string[] = [];
  const counted: string[] = [];
  const acts = new Map<string, Act[]>();
  const upstreams = stubs.map((stub, i): Upstream => {
    const name = "abcdef"[i]!;
    acts.set(name, Array.isArray(stub.acts) ? [...(stub.acts as readonly Act[])] : [stub.acts as Act]);
    return {
      name,
      url: `http://${name}.test`,
      redirectCidrs: [],
      kind: "http",
      separator: ",",
      authoritative: false,
      absentStatuses: [404, 410],
      privatePatterns: "",
      public: (stub.privatePatterns ?? "") === "",
      priority: 1,
      rollback: false,
      ...stub,
    };
  });
  const client: UpstreamClient = {
    get: (endpoint, request) => {
      asked.push(endpoint.name);
      paths.push(`${endpoint.name} ${request.path}`);
      const queue = acts.get(endpoint.name)!;
      const act = queue.length > 1 ? queue.shift()! : queue[0]!;
      if (isFault(act)) return Promise.reject(new UpstreamFault(endpoint.name, act, act));
      return Promise.resolve(respond(act));
    },
    close: () => Promise.resolve(),
  };
  const chain: Chain = { upstreams, hadDirect: false, hadOff: false, own: [] };
  const run = (
    op: { module?: string; signal?: AbortSignal; accept?: (text: string) => string; privatePatterns?: string } = {},
  ): Promise<WalkResult<string>> =>
    walk(
      chain,
      {
        client,
        health,
        mode,
        clock,
        privatePatterns: op.privatePatterns ?? "",
        random: () => 0.5,
        ...more,
        meter: { upstreamRequest: (...call) => counted.push(call.join(" ")) },
      },
      {
        kind: "list",
        path: `/${op.module ?? "m.test/x"}/@v/list`,
        maxBytes: 1000,
        module: op.module ?? "m.test/x",
        signal: op.signal ?? new AbortController().signal,
        accept: async (response) => {
          let text = "";
          for await (const chunk of response.body) text += new TextDecoder().decode(chunk);
          if (text === "garbage") throw new Unusable("BAD_MODULE", "garbage");
          return op.accept?.(text) ?? text;
        },
      },
    );
  return { run, asked, paths, counted, health, clock, slept };
}

/** `found:b`, `absent`, `refused:403`, `failed:timeout,500`, `nobody`. */
function short(result: WalkResult<string>): string {
  switch (result.kind) {
    case "found":
      return `found:${result.upstream.name}`;
    case "refused":
      return `refused:${result.quotes.map((quote) => quote.status).join(",")}`;
    case "failed":
      return `failed:${result.reasons.map(({ error }) => (error instanceof UpstreamStatus ? error.status : error instanceof UpstreamFault ? error.reason : error.name)).join(",")}`;
    case "absent":
    case "nobody":
      return result.kind;
  }
}

// protocol reference §2.6: the outcome of the first proxy decides who is asked next.
const statuses = [204, 206, 304, 400, 401, 403, 429, 451, 500, 502, 503, 504];
const faults: readonly FaultReason[] = ["refused", "reset", "unresolved", "tls", "timeout"];
const firstOutcomes: readonly Act[] = [404, 410, ...statuses, ...faults, "garbage"];
for (const first of firstOutcomes) {
  const isAbsent = first === 404 || first === 410;
  test(`mode go, "," after ${JSON.stringify(first)}: ${isAbsent ? "next" : "stop"}`, async () => {
    const { run, asked } = stage(
      [
        { acts: first, separator: "," },
        { acts: 200, separator: "" },
      ],
      "go",
    );
    const result = await run();
    assert.equal(
      short(result).startsWith(isAbsent ? "found:b" : first === 403 || first === 451 ? "refused" : "failed"),
      true,
    );
    assert.deepEqual([...new Set(asked)], isAbsent ? ["a", "b"] : ["a"]);
  });
  test(`mode go, "|" after ${JSON.stringify(first)}: next`, async () => {
    const { run, asked } = stage(
      [
        { acts: first, separator: "|" },
        { acts: 200, separator: "" },
      ],
      "go",
    );
    assert.equal(short(await run()), "found:b");
    assert.deepEqual([...new Set(asked)], ["a", "b"]);
  });
  test(`mode resilient after ${JSON.stringify(first)}: next, whatever the separator`, async () => {
    for (const separator of [",", "|"] as const) {
      const { run, asked } = stage([
        { acts: first, separator },
        { acts: 200, separator: "" },
      ]);
      assert.equal(short(await run()), "found:b");
      assert.deepEqual(asked, ["a", "b"]);
    }
  });
}

const goErrors: readonly (readonly [readonly Named[], string])[] = [
  [[{ acts: 404 }, { acts: 410 }], "absent"],
  [[{ acts: 500, separator: "|" }, { acts: 404 }], "failed:500"],
  [[{ acts: 500, separator: "|" }, { acts: 403 }], "refused:403"],
  [[{ acts: 403, separator: "|" }, { acts: 500, separator: "|" }, { acts: 404 }], "failed:500"],
  [[{ acts: 403, absentStatuses: [404, 410, 403] }, { acts: 200 }], "refused:403"],
  [[{ acts: 404, authoritative: true }, { acts: 200 }], "found:b"],
];
for (const [stubs, want] of goErrors)
  test(`mode go reports the best error: ${stubs.map((s) => `${JSON.stringify(s.acts)}${s.separator ?? ","}`).join("")} is ${want}`, async () => {
    assert.equal(short(await stage(stubs, "go").run()), want);
  });

test("mode go asks an upstream whatever its breaker says", async () => {
  const { run, asked } = stage([{ acts: "refused" }], "go");
  for (let i = 0; i < 5; i++) assert.equal(short(await run()), "failed:refused");
  assert.equal(asked.length, 5 * 4);
});

const official = { authoritative: true };
const absences: readonly (readonly [string, readonly Named[], string, string])[] = [
  ["the authoritative 404 is final", [{ acts: 404, ...official }, { acts: 200 }], "absent", "a"],
  [
    "the authoritative 410 is final, others before it do not matter",
    [{ acts: 500 }, { acts: 410, ...official }],
    "absent",
    "ab",
  ],
  ["the authoritative 403 is final", [{ acts: 403, ...official }, { acts: 200 }], "refused:403", "a"],
  [
    "the authoritative 403 listed as absence is absence",
    [{ acts: 403, ...official, absentStatuses: [404, 410, 403] }, { acts: 200 }],
    "absent",
    "a",
  ],
  ["a mirror's 404 is not", [{ acts: 404 }, { acts: 200 }], "found:b", "ab"],
  ["all say 404", [{ acts: 404 }, { acts: 410 }], "absent", "ab"],
  ["official first, one mirror dead", [{ acts: 404, ...official }, { acts: "refused" }], "absent", "a"],
  ["one mirror dead before the official one", [{ acts: "unreachable" }, { acts: 404, ...official }], "absent", "ab"],
  ["official dead, the mirror says 404", [{ acts: "refused", ...official }, { acts: 404 }], "absent", "abaa"],
  [
    "official unresolved, two mirrors say 404",
    [{ acts: "unresolved", ...official }, { acts: 404 }, { acts: 404 }],
    "absent",
    "abcaa",
  ],
  ["two dead, one says 404", [{ acts: "refused" }, { acts: 404 }, { acts: "unreachable" }], "absent", "abcacac"],
  ["the dead one wakes up and has it", [{ acts: ["refused", 200] }, { acts: 404 }], "found:a", "aba"],
  ["the dead one wakes up and is lost", [{ acts: ["refused", 501] }, { acts: 404 }], "failed:501", "aba"],
  ["a failing upstream leaves doubt", [{ acts: 501 }, { acts: 404 }], "failed:501", "ab"],
  ["one that fails for a moment is asked again", [{ acts: [500, 503, 404] }, { acts: 404 }], "absent", "abaa"],
  ["one that fails again and again leaves doubt", [{ acts: 500 }, { acts: 404 }], "failed:500", `ab${"a".repeat(13)}`],
  ["five timeouts in a row are nobody", [{ acts: "timeout" }, { acts: 404 }], "absent", "abaaaa"],
  [
    "doubt is not argued away by dead ones",
    [{ acts: 501 }, { acts: "refused" }, { acts: 404 }],
    "failed:501,refused",
    "abcbb",
  ],
  ["useless bytes leave doubt", [{ acts: "garbage" }, { acts: 404 }], "failed:Unusable", "abaaa"],
  ["useless bytes once", [{ acts: ["garbage", 200] }, { acts: 404 }], "found:a", "aba"],
  ["who sent useless bytes is asked again last", [{ acts: "garbage" }, { acts: [503, 503, 200] }], "found:b", "abbb"],
  ["a refusal leaves doubt and is quoted", [{ acts: 403 }, { acts: 404 }], "refused:403", "ab"],
  [
    "a refusal before a dead one is quoted",
    [{ acts: 451 }, { acts: "refused" }, { acts: 404 }],
    "refused:451",
    "abcbb",
  ],
  ["absent: [403] counts as absence", [{ acts: 403, absentStatuses: [404, 410, 403] }, { acts: 404 }], "absent", "ab"],
  ["nobody said absent", [{ acts: "refused" }, { acts: "refused" }], "failed:refused,refused", "ababab"],
];
for (const [name, stubs, want, asks] of absences)
  test(`absence: ${name}`, async () => {
    const { run, asked } = stage(stubs);
    assert.equal(short(await run()), want);
    assert.equal(asked.join(""), asks);
  });

test("an open breaker is skipped and does not count, and its upstream comes back after the pause", async () => {
  const acts = [...Array.from({ length: 5 }, () => "timeout" as const), 200];
  const { run, asked, clock } = stage([{ acts }, { acts: 404 }], "resilient", { retryMs: 0 });
  const outcomes = [];
  for (let i = 0; i < 6; i++) outcomes.push(short(await run()));
  // The fifth timeout opens the breaker: from then on the 404 of the others is enough.
  const doubt = "failed:timeout";
  assert.deepEqual(outcomes, [doubt, doubt, doubt, doubt, "absent", "absent"]);
  assert.equal(asked.join(""), "ababababab" + "b");
  clock.ms += 30_000;
  assert.equal(short(await run()), "found:a");
});

test("an upstream that is silent to everybody is asked last, and once a second where it belongs", async () => {
  const { run, asked, clock, health } = stage([{ acts: 200 }, { acts: 200 }]);
  assert.equal(short(await run()), "found:a");
  clock.ms += 5;
  for (let n = 0; n < 5; n++) health.late("a", clock.ms);
  clock.ms += 800;
  assert.equal(short(await run()), "found:b");
  clock.ms += 200;
  assert.equal(short(await run()), "found:a");
  assert.equal(short(await run()), "found:a", "it has answered");
  assert.equal(asked.join(""), "abaa");
});

test("with every breaker open all are asked all the same", async () => {
  const { run, asked } = stage([{ acts: ["refused", "refused", "refused", "refused", 200] }, { acts: "refused" }]);
  assert.equal(short(await run()), "failed:refused,refused");
  assert.equal(asked.join(""), "ababab");
  assert.equal(short(await run()), "failed:refused,refused");
  assert.equal(short(await run()), "found:a");
  // Once each: who is known to be dead is asked, but not again and again.
  assert.equal(asked.join(""), "ababab" + "ab" + "a");
});

test("with every breaker open those that cost a wait are asked once a second", async () => {
  const { run, asked, clock } = stage([{ acts: [...Array.from({ length: 4 }, () => "unreachable" as const), 200] }]);
  assert.equal(short(await run()), "failed:unreachable");
  assert.equal(asked.length, 3);
  assert.equal(short(await run()), "failed:unreachable");
  assert.equal(asked.length, 3, "it was asked a moment ago");
  clock.ms += 1000;
  assert.equal(short(await run()), "failed:unreachable");
  clock.ms += 1000;
  assert.equal(short(await run()), "found:a");
  assert.equal(asked.length, 5);
});

test("Retry-After is respected, capped, and its upstream still counts", async () => {
  const { run, asked, clock } = stage([
    { acts: [{ status: 429, headers: { "retry-after": "86400" } }, 200] },
    { acts: 404 },
  ]);
  assert.equal(short(await run()), "failed:429");
  const held = await run();
  assert.ok(held.kind === "failed" && held.reasons[0]?.error instanceof UpstreamHeld);
  assert.equal(asked.join(""), "abb");
  clock.ms += 5 * 60_000;
  assert.equal(short(await run()), "found:a");
});

test("failed says whether all was silence, and how long it took", async () => {
  const silent = await stage([{ acts: "timeout" }, { acts: "timeout" }], "resilient", { retryMs: 0 }).run();
  assert.ok(silent.kind === "failed" && silent.timeout && silent.waitedMs === 0);
  const mixed = await stage([{ acts: "timeout" }, { acts: 501 }]).run();
  assert.ok(mixed.kind === "failed" && !mixed.timeout);
});

test("an upstream's words are quoted: for absence the decider's, for refusal each one's", async () => {
  const absent = await stage([{ acts: { status: 404, text: "not found: m.test/x: no such repository\n" } }]).run();
  assert.deepEqual(absent, { kind: "absent", by: ["a"], text: "not found: m.test/x: no such repository" });
  const refused = await stage([
    { acts: { status: 403, text: "licence\nask https://me:pw@help.test" } },
    { acts: { status: 451, text: "<b>", headers: { "content-type": "text/html" } } },
  ]).run();
  assert.ok(refused.kind === "refused");
  assert.deepEqual(refused.quotes, [
    { upstream: "a", status: 403, text: "licence\nask https://xxxxx@help.test" },
    { upstream: "b", status: 451, text: "" },
  ]);
});

test("our own abort ends the walk and blames nobody", async () => {
  const { run, asked, health } = stage([{ acts: "aborted" }, { acts: 200 }]);
  await assert.rejects(run({ signal: AbortSignal.abort() }), { reason: "aborted" });
  assert.deepEqual(asked, ["a"]);
  assert.equal(health.condition("a"), "closed");
});

test("an error of accept that is not Unusable ends the walk", async () => {
  const { run, asked } = stage([{ acts: 200 }, { acts: 200 }]);
  const full = new RangeError("disk full");
  await assert.rejects(
    run({
      accept: () => {
        throw full;
      },
    }),
    full,
  );
  assert.deepEqual(asked, ["a"]);
});

test("every request is counted with its outcome and bytes", async () => {
  const { run, counted } = stage([
    { acts: "reset" },
    { acts: "garbage" },
    { acts: 500 },
    { acts: { status: 200, text: "v1.0.0" } },
  ]);
  await run();
  assert.deepEqual(counted, ["a list reset 0", "b list unusable 7", "c list 500 3", "d list 200 6"]);
});

test("an empty chain is nobody", async () => {
  assert.equal(short(await stage([]).run()), "nobody");
});

test("private modules and their ancestors are asked only of upstreams given that space", async () => {
  const cases = [
    ["pub.test/x", "abc"],
    ["corp.test/team/x", "b"],
    ["corp.test/team", "b"],
    ["corp.test", "bc"],
    ["corp.test/other/y", "c"],
    ["corp.test/third/z", ""],
  ] as const;
  for (const mode of ["go", "resilient"] as const)
    for (const [module, want] of cases) {
      const stubs = [
        { acts: 404 },
        { acts: 404, privatePatterns: "corp.test/team" },
        { acts: 404, privatePatterns: "corp.test/other/*" },
      ];
      const { run, asked } = stage(stubs, mode);
      const result = await run({ module, privatePatterns: "corp.test/team,corp.test/other,corp.test/third" });
      assert.equal(asked.join(""), want, module);
      assert.equal(result.kind, want === "" ? "nobody" : "absent");
    }
});

test("no private name reaches a public upstream, whatever the paths, patterns and outcomes", async () => {
  const element = fc.constantFrom("a", "b", "ab", "corp.test", "pub.test");
  const glob = fc.constantFrom("a", "b", "*", "a*", "?", "corp.test", "[ab]");
  const path = fc.array(element, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));
  const patterns = fc
    .array(
      fc.array(glob, { minLength: 1, maxLength: 3 }).map((all) => all.join("/")),
      { minLength: 1, maxLength: 3 },
    )
    .map((all) => all.join(","));
  const act = fc.constantFrom<Act>(200, 404, 403, 500, "refused", "timeout", "garbage");
  const isHidden = (globs: string, module: string): boolean =>
    matchPrefixPatterns(globs, module) || isAncestorOfPattern(globs, module);
  let hidden = 0;
  await fc.assert(
    fc.asyncProperty(
      path,
      patterns,
      patterns,
      fc.array(act, { minLength: 3, maxLength: 3 }),
      fc.constantFrom("go", "resilient"),
      async (module, privatePatterns, given, acts, mode) => {
        const stubs = [{ acts: acts[0]! }, { acts: acts[1]!, privatePatterns: given }, { acts: acts[2]! }];
        const { run, paths } = stage(
          stubs.map((stub) => ({ ...stub, separator: "|" as const })),
          mode,
        );
        await run({ module, privatePatterns });
        if (!isHidden(privatePatterns, module)) return;
        hidden++;
        assert.deepEqual(
          paths.filter((line) => !line.startsWith("b ")),
          [],
        );
        if (!isHidden(given, module)) assert.deepEqual(paths, []);
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(hidden > 50);
});

// ---- again ----

test("what fails for a moment is asked again after a growing wait with jitter, and found", async () => {
  const { run, asked, slept } = stage([{ acts: [503, "reset", "truncated", 200] }]);
  assert.equal(short(await run()), "found:a");
  assert.equal(asked.join(""), "aaaa");
  assert.deepEqual(slept, [50, 100, 200]);
});

test("retries end with their time: what could only begin too late is not begun", async () => {
  const { run, asked, slept } = stage([{ acts: 503 }], "resilient", { retryMs: 400 });
  assert.equal(short(await run()), "failed:503");
  assert.deepEqual(slept, [50, 100, 200]);
  assert.equal(asked.length, 4);
});

test("a wait that an upstream asks for is kept when it fits into the time, and ends the walk when it does not", async () => {
  const two = stage([{ acts: [{ status: 503, headers: { "retry-after": "2" } }, 200] }]);
  assert.equal(short(await two.run()), "found:a");
  assert.deepEqual(two.slept, [2050]);
  const long = stage([{ acts: [{ status: 429, headers: { "retry-after": "60" } }, 200] }]);
  assert.equal(short(await long.run()), "failed:429");
  assert.deepEqual(long.slept, []);
});

test("an upstream that asked us to wait is left alone also while another is asked again", async () => {
  const { run, asked } = stage([
    { acts: [{ status: 429, headers: { "retry-after": "60" } }, 200] },
    { acts: [503, 503, 200] },
  ]);
  assert.equal(short(await run()), "found:b");
  assert.equal(asked.join(""), "abbb");
});

const deterministic: readonly Act[] = [400, 401, 501, 505, "too-large", "encoding", "redirect"];
for (const act of deterministic)
  test(`${JSON.stringify(act)} is final: the same request would meet it again`, async () => {
    const { run, asked } = stage([{ acts: [act, 200] }]);
    assert.match(short(await run()), /^failed/);
    assert.equal(asked.length, 1);
  });

test("mode go sends again what broke on its way, and believes every answer", async () => {
  for (const act of ["refused", "unreachable", "unresolved"] as const) {
    const { run, asked } = stage([{ acts: [act, act, 200] }, { acts: 200 }], "go");
    assert.equal(short(await run()), "found:a");
    assert.equal(asked.join(""), "aaa");
  }
  for (const act of ["reset", "truncated"] as const) {
    const { run, asked } = stage([{ acts: [act, 200] }, { acts: 200 }], "go");
    assert.equal(short(await run()), "found:a");
    assert.equal(asked.join(""), "aa");
    assert.equal(short(await stage([{ acts: act }, { acts: 200 }], "go").run()), `failed:${act}`);
  }
  for (const act of [500, 503, 429, "timeout", "garbage"] as const) {
    const { run, asked } = stage([{ acts: [act, 200] }, { acts: 200 }], "go");
    assert.match(short(await run()), /^failed/);
    assert.equal(asked.join(""), "a");
  }
});

/** `a`, who has it, has been down and is being tried by another request; `b` does not have it. */
function onTrial() {
  const scene = stage([{ acts: 200 }, { acts: 404 }]);
  for (let n = 0; n < scene.health.unconnectedToOpen; n++) scene.health.seenDead("a", "refused");
  scene.health.seenAlive("a");
  return { ...scene, trial: scene.health.permit("a") };
}

test("an absence waits for the upstream that is just being tried again: what it has is not called absent", async () => {
  const { run, clock, health, trial } = onTrial();
  assert.equal(health.isOnTrial("a"), true);
  const { sleep } = clock;
  clock.sleep = (ms) => {
    trial.answered(200);
    return sleep(ms);
  };
  assert.equal(short(await run()), "found:a");
});

test("a trial that says nothing holds up an absence for some seconds, and no longer", async () => {
  const { run, slept } = onTrial();
  assert.equal(short(await run()), "absent");
  const total = slept.reduce((sum, ms) => sum + ms, 0);
  assert.ok(total >= 3_000 && total < 6_500, `${total} ms`);
});
