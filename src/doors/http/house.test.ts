import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { Access } from "#services/access/access.ts";
import { Tokens } from "#services/access/tokens.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import type { BytesAnswer } from "#services/proxy/answer.ts";
import type { JobView } from "#services/proxy/retry-queue.ts";
import { wireName } from "#services/upstreams/desk.ts";
import type { UpstreamView } from "#services/upstreams/desk.ts";
import { Explainer } from "./explainer.ts";
import { House, houseRoutes } from "./house.ts";
import type { Request, Response } from "./send.ts";

const upstreams: readonly UpstreamView[] = [
  { name: "official", url: "https://proxy.example", condition: "closed", priority: 1 },
  { name: "goproxy.cn", url: "https://xxxxx@goproxy.cn", condition: "open", priority: 2, lastFault: "refused" },
  { name: "proxy.example/go#2", url: "https://proxy.example/go", condition: "closed", priority: 3 },
  { name: "file:///srv/go", url: "file:///srv/go", condition: "closed", priority: 4 },
];
const job: JobView = {
  id: "0123456789abcdef",
  kind: "zip",
  module: "corp.example/secret",
  version: "v1.0.0",
  state: "dead",
  tries: 3,
  reason: "GRANARY_OFFLINE",
  since: "2026-01-01T00:00:00.000Z",
  died: "2026-01-01T00:00:14.000Z",
};

const most = [
  { module: "corp.example/secret", version: "v1.0.0", count: 9 },
  { module: "rsc.io/quote", version: "v1.5.2", count: 3 },
];

function infoAnswer(version: string): BytesAnswer {
  const bytes = Buffer.from(JSON.stringify({ Version: version }));
  const how = { provenance: { upstream: "MISS", here: "MISS" }, sha256: "", reuseMs: 0, isPrivate: false } as const;
  return { kind: "bytes", media: "info", bytes, ...how };
}

async function room() {
  const clock = { now: () => 1_000_000, sleep: () => Promise.resolve() };
  const tokens = new Tokens(new MemoryStorage(), clock);
  const calls: string[] = [];
  const events: GranaryEvent[] = [];
  const has = (id: string, call: string) => {
    if (id === job.id) calls.push(`${call} ${id}`);
    return Promise.resolve(id === job.id);
  };
  const house = new House({
    access: new Access(tokens, "tokens"),
    explainer: new Explainer(),
    events: { emit: (event) => events.push(event) },
    lang: () => "en",
    status: () => Promise.reject(new Error("not asked for")),
    metrics: () => Promise.reject(new Error("not asked for")),
    refresh: () => Promise.reject(new Error("not asked for")),
    again: {
      list: (path) => {
        calls.push(`list ${path}`);
        return Promise.resolve(["v1.0.0", "v1.1.0"]);
      },
      info: ({ path, query }) => {
        calls.push(`info ${path}@${query}`);
        return Promise.resolve(infoAnswer(query));
      },
    },
    webhooks: {
      deliver: async (forge, { body }) => {
        calls.push(`deliver ${forge} ${(await body(100, () => undefined)).length}`);
        return { outcome: "pong" };
      },
    },
    publisher: {
      publish: ({ id, key }) => {
        calls.push(`publish ${id.path}@${id.version} ${key ?? ""}`);
        return Promise.resolve({ isNew: true, h1: "h1:a", goModH1: "h1:b" });
      },
    },
    upstreams: {
      list: () => upstreams,
      probe: (name) => {
        calls.push(`probe ${name ?? "all"}`);
        return Promise.resolve([{ name: name ?? "all", at: 1, ok: true, ms: 3 }]);
      },
      disable: (name, by) => Promise.resolve(void calls.push(`disable ${name} by ${by}`)),
      enable: (name, by) => Promise.resolve(void calls.push(`enable ${name} by ${by}`)),
    },
    heads: ({ heads, tiles }) => {
      calls.push(`heads ${heads.length} ${[...(tiles ?? new Map<string, unknown>()).keys()].join()}`);
      return Promise.resolve(heads.map(({ from }) => ({ from, verdict: "agrees" as const })));
    },
    top: { list: (limit) => most.slice(0, limit) },
    jobs: { list: () => Promise.resolve([job]), retry: (id) => has(id, "retry"), drop: (id) => has(id, "drop") },
  });
  const write = await tokens.add("write", "");
  const read = await tokens.add("read", "");
  /** The JSON of a good answer, else the code of the failure. */
  const ask = async (method: string, path: string, token = "", sent = ""): Promise<unknown> => {
    let body = "";
    const response = { writeHead: () => ({ end: (bytes: Buffer) => (body = bytes.toString()) }) };
    const headers = { authorization: token === "" ? undefined : `Bearer ${token}` };
    const socket = { remoteAddress: "192.0.2.1", encrypted: true };
    const request = Object.assign(Readable.from([Buffer.from(sent)]), { method, headers, socket });
    try {
      const exchange = { request: request as unknown as Request, response: response as unknown as Response };
      await house.answer(exchange, path, new AbortController().signal);
    } catch (error) {
      if (isGranaryError(error, "GRANARY_NO_SUCH_ID"))
        return `${error.code} ${error.fields.kind} ${error.fields.nearest ?? "-"}`;
      if (isGranaryError(error)) return error.code;
      throw error;
    }
    return JSON.parse(body) as unknown;
  };
  return { ask, calls, events, write, read };
}

test("everybody sees the upstreams; jobs and the most asked versions, which may be private, are for readers", async () => {
  const { ask, read } = await room();
  assert.deepEqual(await ask("GET", "/-/api/upstreams"), { upstreams });
  assert.equal(await ask("GET", "/-/api/jobs"), "GRANARY_UNAUTHORIZED");
  assert.equal(await ask("GET", "/-/api/jobs", "grn_00000000_x"), "GRANARY_UNAUTHORIZED");
  assert.deepEqual(await ask("GET", "/-/api/jobs", read.text), { jobs: [job] });
  assert.equal(await ask("GET", "/-/api/top/5"), "GRANARY_UNAUTHORIZED");
  assert.deepEqual(await ask("GET", "/-/api/top/1", read.text), { top: most.slice(0, 1) });
  for (const bad of ["0", "01", "2001", "x", ""])
    assert.equal(await ask("GET", `/-/api/top/${bad}`, read.text), "GRANARY_BAD_REQUEST");
});

const turns = [
  "/-/api/upstreams/probe",
  "/-/api/upstreams/official/probe",
  "/-/api/upstreams/official/disable",
  "/-/api/upstreams/official/enable",
  `/-/api/jobs/${job.id}/retry`,
  `/-/api/jobs/${job.id}/drop`,
];
for (const path of turns)
  test(`POST ${path} needs a write token, and nothing happens without one`, async () => {
    const { ask, calls, read, write } = await room();
    assert.equal(await ask("POST", path), "GRANARY_NEEDS_WRITE_TOKEN");
    assert.equal(await ask("POST", path, read.text), "GRANARY_NEEDS_WRITE_TOKEN");
    assert.equal(await ask("GET", path, write.text), "GRANARY_METHOD_NOT_ALLOWED");
    assert.deepEqual(calls, []);
    assert.equal(typeof (await ask("POST", path, write.text)), "object");
    assert.equal(calls.length, 1);
  });

test("whose word it was is told to the desk and to the audit", async () => {
  const { ask, calls, events, write } = await room();
  await ask("POST", "/-/api/upstreams/official/disable", write.text);
  assert.deepEqual(calls, [`disable official by ${write.record.id}`]);
  const [event] = events;
  assert.deepEqual(event, { name: "write.done", route: "/-/api/upstreams/official/disable", token: write.record.id });
});

for (const { name } of upstreams)
  test(`the upstream ${name} can be named in a request target`, async () => {
    const { ask, calls, write } = await room();
    await ask("POST", `/-/api/upstreams/${wireName(name)}/probe`, write.text);
    assert.deepEqual(calls, [`probe ${name}`]);
    assert.match(wireName(name), /^[\w.:~-]+$/);
  });

const unknown = [
  ["/-/api/upstreams/oficial/disable", "GRANARY_NO_SUCH_ID upstream official"],
  ["/-/api/upstreams/nobody-at-all/probe", "GRANARY_NO_SUCH_ID upstream -"],
  ["/-/api/upstreams/official/destroy", "GRANARY_NO_ROUTE"],
  ["/-/api/upstreams/official", "GRANARY_NO_ROUTE"],
  ["/-/api/upstreams//probe", "GRANARY_NO_SUCH_ID upstream -"],
  ["/-/api/jobs/0000000000000000/retry", "GRANARY_NO_SUCH_ID job -"],
  [`/-/api/jobs/${job.id}/kill`, "GRANARY_NO_ROUTE"],
  [`/-/api/jobs/${job.id}`, "GRANARY_NO_ROUTE"],
] as const;
for (const [path, code] of unknown)
  test(`POST ${path} is ${code}`, async () => {
    const { ask, calls, write } = await room();
    assert.equal(await ask("POST", path, write.text), code);
    assert.deepEqual(calls, []);
  });

const headsPath = "/-/api/sumdb/heads";

test("heads are taken with a write token, and tiles come along by database", async () => {
  const { ask, calls, write, read } = await room();
  const body = JSON.stringify({
    heads: [{ from: "laptop", note: "n" }],
    tiles: { "sum.example": { "tile/8/0/001": "AA==" } },
  });
  assert.equal(await ask("POST", headsPath, read.text, body), "GRANARY_NEEDS_WRITE_TOKEN");
  assert.equal(await ask("GET", headsPath, write.text), "GRANARY_METHOD_NOT_ALLOWED");
  assert.deepEqual(calls, []);
  assert.deepEqual(await ask("POST", headsPath, write.text, body), { heads: [{ from: "laptop", verdict: "agrees" }] });
  assert.deepEqual(calls, ["heads 1 sum.example"]);
});

for (const [what, body] of [
  ["nothing", ""],
  ["no object", "[]"],
  ["no heads", "{}"],
  ["a head without a note", '{"heads":[{}]}'],
  ["too many heads", JSON.stringify({ heads: Array.from({ length: 1001 }, () => ({ note: "" })) })],
  ["a tile that is no text", '{"heads":[],"tiles":{"x":{"y":1}}}'],
  ["too much", `{"heads":[],"x":"${"x".repeat(4 * 1024 * 1024)}"}`],
] as const)
  test(`heads: ${what} is a bad request`, async () => {
    const { ask, calls, write } = await room();
    assert.equal(await ask("POST", headsPath, write.text, body), "GRANARY_BAD_REQUEST");
    assert.deepEqual(calls, []);
  });

const refreshPath = "/-/api/refresh";

test("a refresh asks upstreams anew, of a module, a version or a branch, with a write token only", async () => {
  const { ask, calls, write, read } = await room();
  const module = "rsc.io/Quote";
  const asked = (more: object) => ask("POST", refreshPath, write.text, JSON.stringify({ module, ...more }));
  for (const token of ["", read.text])
    assert.equal(await ask("POST", refreshPath, token, JSON.stringify({ module })), "GRANARY_NEEDS_WRITE_TOKEN");
  assert.deepEqual(calls, []);
  assert.deepEqual(await asked({}), { refreshed: module, versions: 2 });
  assert.deepEqual(await asked({ version: "v1.5.2" }), {
    refreshed: `${module}@v1.5.2`,
    info: { Version: "v1.5.2" },
  });
  assert.deepEqual(await asked({ branch: "feature#1" }), {
    refreshed: `${module}@feature#1`,
    info: { Version: "feature#1" },
  });
  assert.deepEqual(calls, [`list ${module}`, `info ${module}@v1.5.2`, `info ${module}@feature#1`]);
});

for (const [what, body] of [
  ["nothing", ""],
  ["no object", '["rsc.io/quote"]'],
  ["no module", "{}"],
  ["a module that is no path", '{"module":"../x"}'],
  ["a version that is none", '{"module":"rsc.io/quote","version":"latest"}'],
  ["a version and a branch", '{"module":"rsc.io/quote","version":"v1.0.0","branch":"main"}'],
  ["a branch that is no text", '{"module":"rsc.io/quote","branch":1}'],
  ["a branch that climbs", '{"module":"rsc.io/quote","branch":"../x"}'],
  ["an unknown key", '{"module":"rsc.io/quote","versoin":"v1.0.0"}'],
  ["too much", `{"module":"rsc.io/quote","x":"${"x".repeat(4096)}"}`],
] as const)
  test(`refresh: ${what} is a bad request, and nobody is asked`, async () => {
    const { ask, calls, write } = await room();
    assert.equal(await ask("POST", refreshPath, write.text, body), "GRANARY_BAD_REQUEST");
    assert.deepEqual(calls, []);
  });

/** Who gets through the door of each route. What lies behind may refuse what was sent; it is not the door then. */
const admitted = {
  open: ["nobody", "reader", "operator"],
  readers: ["reader", "operator"],
  write: ["operator"],
  signed: ["nobody", "reader", "operator"],
} as const;
const guards = [
  "GRANARY_UNAUTHORIZED",
  "GRANARY_NEEDS_WRITE_TOKEN",
  "GRANARY_WRITE_DISABLED",
  "GRANARY_TOKEN_NEEDS_TLS",
];

for (const { path, method, scope } of houseRoutes)
  test(`the door of ${method} ${path} opens to: ${admitted[scope].join(", ")}`, async () => {
    const { ask, write, read } = await room();
    for (const [who, token] of [
      ["nobody", ""],
      ["reader", read.text],
      ["operator", write.text],
    ] as const) {
      const said = await ask(method, path, token).catch((error: unknown) => String(error));
      const isIn = !guards.includes(String(said));
      assert.equal(
        isIn,
        admitted[scope].some((one) => one === who),
        `${who}: ${String(said)}`,
      );
    }
  });

test("whatever is not a GET needs a write token, or a proof of its own", () => {
  const others = houseRoutes.filter(({ method }) => method !== "GET");
  assert.ok(others.length >= 8);
  for (const { path, scope } of others) assert.equal(scope, path.startsWith("/webhook/") ? "signed" : "write", path);
  const ofApi = houseRoutes.filter(({ path }) => path.startsWith("/-/api/") && path !== "/-/api/status");
  for (const { path, scope } of ofApi) assert.notEqual(scope, "signed", path);
});
