import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { StoreFull, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { DeadLetters, jobId } from "./dead-letters.ts";
import type { JobKind } from "./dead-letters.ts";
import { GateFull } from "./gate.ts";
import { VerifierFault } from "./ports.ts";
import { withRetries } from "./retried-proxy.ts";
import { RetryQueue } from "./retry-queue.ts";

/** Time that passes only when told, and wakes who sleeps in the order of their alarms. */
class ManualClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  get asleep(): number {
    return this.#sleepers.length;
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = this.#sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle();
    }
    this.#now = end;
  }
}

/** Everything that can go on without time passing has gone on. */
async function settle(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
}

const offline = new GranaryError("GRANARY_OFFLINE", {
  what: "example.com/m@v1.0.0",
  tried: [{ upstream: "official", reason: "refused" }],
});
const absent = new GranaryError("GRANARY_NOT_FOUND", { what: "x", upstreams: [], reason: "unknown" });

const version = (n = 0): ModuleVersion => checkModuleVersion("example.com/m", `v1.0.${n}`);

type Run = (kind: JobKind, module: ModuleVersion) => Promise<void>;

function room(options: { storage?: Storage; maxQueued?: number; maxLetters?: number } = {}) {
  const clock = new ManualClock();
  const storage = options.storage ?? new MemoryStorage();
  const events: GranaryEvent[] = [];
  const stop = new AbortController();
  const tries: { readonly at: number; readonly what: string }[] = [];
  const began = clock.now();
  const play: { run: Run } = { run: () => Promise.reject(offline) };
  const queue = new RetryQueue(
    {
      run: async (kind, module, signal) => {
        tries.push({ at: clock.now() - began, what: `${kind} ${module.path}@${module.version}` });
        await Promise.race([
          play.run(kind, module),
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
        ]);
      },
      clock,
      storage,
      events: { emit: (event) => events.push(event) },
      maxQueued: options.maxQueued ?? 100,
      stop: stop.signal,
    },
    options.maxLetters === undefined ? undefined : new DeadLetters(storage, { maxLetters: options.maxLetters }),
  );
  const names = () => events.map((event) => ("reason" in event ? `${event.name} ${event.reason}` : event.name));
  return { clock, storage, events, names, stop, tries, play, queue };
}

test("what an operator's word forbids is not tried again, and a job that meets it is not forgotten", async () => {
  const { clock, queue, play } = room();
  const disabled = new GranaryError("GRANARY_UPSTREAMS_DISABLED", { what: "x", names: ["official"] });
  queue.failed("zip", version(1), disabled);
  queue.failed("zip", version(2), offline);
  play.run = () => Promise.reject(disabled);
  await clock.pass(60_000);
  assert.deepEqual(
    (await queue.list()).map((job) => [job.version, job.state, job.reason]),
    [["v1.0.2", "dead", "GRANARY_UPSTREAMS_DISABLED"]],
  );
});

test("a fetch that failed is tried again after 2, 4 and 8 s, then a dead letter tells of it", async () => {
  const { clock, queue, tries, names } = room();
  queue.failed("zip", version(), offline);
  await clock.pass(1_999);
  assert.deepEqual(tries, []);
  await clock.pass(60_000);
  assert.deepEqual(
    tries.map(({ at }) => at),
    [2_000, 6_000, 14_000],
  );
  assert.deepEqual(new Set(tries.map(({ what }) => what)), new Set(["zip example.com/m@v1.0.0"]));
  const [job, ...more] = await queue.list();
  assert.deepEqual(more, []);
  assert.deepEqual(job, {
    id: jobId("zip", version()),
    kind: "zip",
    module: "example.com/m",
    version: "v1.0.0",
    state: "dead",
    tries: 3,
    reason: "GRANARY_OFFLINE: official (refused)",
    since: "2026-01-01T00:00:00.000Z",
    died: "2026-01-01T00:00:14.000Z",
  });
  assert.deepEqual(names().slice(0, 4), [
    "job.retried",
    "job.retried",
    "job.retried",
    "job.dead GRANARY_OFFLINE: official (refused)",
  ]);
  assert.equal(clock.asleep, 0);
});

test("what waits says when it is tried next, what runs says that it runs", async () => {
  const { clock, queue, play } = room();
  queue.failed("mod", version(), offline);
  await settle();
  assert.deepEqual(
    (await queue.list()).map(({ state, next, tries }) => ({ state, next, tries })),
    [{ state: "waiting", next: "2026-01-01T00:00:02.000Z", tries: 0 }],
  );
  play.run = () => new Promise(() => undefined);
  await clock.pass(2_000);
  assert.deepEqual(
    (await queue.list()).map(({ state, tries }) => ({ state, tries })),
    [{ state: "running", tries: 1 }],
  );
});

test("a try that succeeds ends it: nothing is left, and the event says kept", async () => {
  const { clock, queue, play, events } = room();
  let asked = 0;
  play.run = () => (++asked === 2 ? Promise.resolve() : Promise.reject(offline));
  queue.failed("zip", version(), offline);
  await clock.pass(60_000);
  assert.equal(asked, 2);
  assert.deepEqual(await queue.list(), []);
  const last = events.at(-1);
  assert.deepEqual(last?.name === "job.retried" && [last.outcome, last.tries], ["kept", 2]);
});

test("a thousand failures of one version are one job; the other stage is another", async () => {
  const { clock, queue, tries } = room();
  for (let n = 0; n < 1_000; n++) queue.failed("zip", version(), offline);
  queue.failed("mod", version(), offline);
  await clock.pass(60_000);
  // Failing on does not wake the dead either.
  queue.failed("zip", version(), offline);
  await clock.pass(60_000);
  assert.equal(tries.length, 6);
  assert.equal((await queue.list()).length, 2);
});

const final: readonly (readonly [string, unknown])[] = [
  ["an absence", absent],
  [
    "a refusal",
    new GranaryError("GRANARY_UPSTREAM_REFUSED", { what: "x", upstream: "u", status: 403, quote: "", tried: [] }),
  ],
  ["a snapshot that does not fit", new GranaryError("GRANARY_SNAPSHOT_MISMATCH", { what: "x", upstream: "u" })],
  ["a broken module", new GranaryError("GRANARY_BAD_MODULE", { what: "x", upstream: "u", reason: "r" })],
  ["a full store", new StoreFull("k", "ENOSPC")],
  ["a database without a record", new SumdbError("SUMDB_ABSENT", "sum.example", { message: "not found" })],
  ["a client that went away", new Error("the client went away")],
];
for (const [name, error] of final)
  test(`${name} is not tried again`, async () => {
    const { clock, queue } = room();
    queue.failed("zip", version(), error);
    await settle();
    assert.deepEqual(await queue.list(), []);
    assert.equal(clock.asleep, 0);
  });

const passing: readonly (readonly [string, unknown])[] = [
  ["an upstream that fails", new GranaryError("GRANARY_UPSTREAM_FAILED", { what: "x", tried: [] })],
  ["a timeout", new GranaryError("GRANARY_UPSTREAM_TIMEOUT", { what: "x", tried: [], waitedMs: 1 })],
  ["no upstream at all", offline],
  ["no way to the database", new SumdbError("SUMDB_UNREACHABLE", "sum.example", { message: "no" })],
  ["a database that lags", new SumdbError("SUMDB_BEHIND", "sum.example", { message: "no" })],
  ["a store that errs", new StoreUnavailable("k", "EIO")],
  ["too much work", new GateFull("full")],
  ["a busy verifier", new VerifierFault("busy", "busy")],
];
for (const [name, error] of passing)
  test(`${name} is tried again`, async () => {
    const { clock, queue, tries } = room();
    queue.failed("zip", version(), error);
    await clock.pass(2_000);
    assert.equal(tries.length, 1);
  });

test("a try that ends in an answer settles the job without a dead letter", async () => {
  const { clock, queue, play, tries, names } = room();
  play.run = () => Promise.reject(absent);
  queue.failed("zip", version(), offline);
  await clock.pass(60_000);
  assert.equal(tries.length, 1);
  assert.deepEqual(await queue.list(), []);
  assert.deepEqual(names(), ["job.retried", "job.dropped GRANARY_NOT_FOUND"]);
});

test("a version that arrives another way leaves the queue, waiting or dead", async () => {
  const { clock, queue, tries, storage, names } = room();
  queue.failed("zip", version(0), offline);
  await clock.pass(60_000);
  queue.failed("zip", version(1), offline);
  await settle();
  queue.arrived("zip", version(0));
  queue.arrived("zip", version(1));
  queue.arrived("zip", version(2));
  await clock.pass(60_000);
  assert.deepEqual(await queue.list(), []);
  assert.equal(tries.length, 3);
  assert.equal(await storage.stat(storageKey(`state/jobs/${jobId("zip", version())}.json`)), undefined);
  assert.deepEqual(
    names().filter((name) => name.startsWith("job.dropped")),
    ["job.dropped arrived", "job.dropped arrived"],
  );
});

test("a dead letter outlives the process; retried and kept it is gone for the next one, too", async () => {
  const first = room();
  first.queue.failed("zip", version(), offline);
  await first.clock.pass(60_000);
  const { queue, play, clock, tries } = room({ storage: first.storage });
  const [letter] = await queue.list();
  assert.deepEqual([letter?.state, letter?.tries], ["dead", 3]);
  play.run = () => Promise.resolve();
  assert.equal(await queue.retry(letter?.id ?? ""), true);
  await clock.pass(0);
  assert.deepEqual(
    tries.map(({ at }) => at),
    [0],
  );
  assert.deepEqual(await queue.list(), []);
  assert.deepEqual(await room({ storage: first.storage }).queue.list(), []);
});

test("a retry that fails goes through 2, 4 and 8 s again; until it ends the letter stays on disk", async () => {
  const { clock, queue, tries, storage } = room();
  queue.failed("zip", version(), offline);
  await clock.pass(14_000);
  const id = jobId("zip", version());
  await queue.retry(id);
  await clock.pass(3_000);
  assert.equal((await queue.list())[0]?.state, "waiting");
  assert.equal((await room({ storage }).queue.list())[0]?.state, "dead");
  await clock.pass(60_000);
  assert.deepEqual(tries.map(({ at }) => at).slice(3), [14_000, 16_000, 20_000, 28_000]);
  const [letter] = await queue.list();
  assert.deepEqual([letter?.state, letter?.tries], ["dead", 4]);
});

test("a retry of what waits tries at once, and only once", async () => {
  const { clock, queue, tries } = room();
  queue.failed("zip", version(), offline);
  await settle();
  await queue.retry(jobId("zip", version()));
  await clock.pass(0);
  assert.equal(tries.length, 1);
  assert.equal(clock.asleep, 1);
});

test("drop forgets what waits, what runs and what is dead; nothing is there to drop twice", async () => {
  const { clock, queue, play, tries } = room();
  queue.failed("zip", version(0), offline);
  await clock.pass(60_000);
  queue.failed("zip", version(1), offline);
  await clock.pass(1_000);
  assert.equal(await queue.drop(jobId("zip", version(0))), true);
  assert.equal(await queue.drop(jobId("zip", version(1))), true);
  play.run = () => new Promise(() => undefined);
  queue.failed("zip", version(2), offline);
  await clock.pass(2_000);
  assert.equal(await queue.drop(jobId("zip", version(2))), true);
  await clock.pass(60_000);
  assert.deepEqual(await queue.list(), []);
  assert.equal(tries.length, 4);
  assert.equal(await queue.drop(jobId("zip", version(2))), false);
  assert.equal(await queue.retry(jobId("zip", version(2))), false);
});

test("no more than two tries run at once", async () => {
  const { clock, queue, play, tries } = room();
  const ends: (() => void)[] = [];
  play.run = () => new Promise((resolve) => ends.push(resolve));
  for (let n = 0; n < 10; n++) queue.failed("zip", version(n), offline);
  await clock.pass(10_000);
  assert.equal(tries.length, 2);
  ends[0]?.();
  await settle();
  assert.equal(tries.length, 3);
});

test("the queue has a size: what does not fit is not taken in", async () => {
  const { clock, queue } = room({ maxQueued: 3 });
  for (let n = 0; n < 10; n++) queue.failed("zip", version(n), offline);
  await settle();
  assert.equal((await queue.list()).length, 3);
  await clock.pass(60_000);
  assert.deepEqual(
    (await queue.list()).map(({ version, state }) => `${version} ${state}`),
    ["v1.0.0 dead", "v1.0.1 dead", "v1.0.2 dead"],
  );
});

test("dead letters have a number: the oldest leaves, in memory and on disk", async () => {
  const { clock, queue, storage, names } = room({ maxLetters: 2 });
  for (let n = 0; n < 4; n++) {
    queue.failed("zip", version(n), offline);
    await clock.pass(60_000);
  }
  const versions = (await queue.list()).map(({ version }) => version);
  assert.deepEqual(versions, ["v1.0.2", "v1.0.3"]);
  assert.deepEqual(
    (await room({ storage }).queue.list()).map(({ version }) => version),
    versions,
  );
  assert.equal(names().filter((name) => name === "job.dropped full").length, 2);
});

test("a stopping server lets go of what waits", async () => {
  const { clock, queue, stop, tries } = room();
  queue.failed("zip", version(), offline);
  await settle();
  stop.abort(new Error("the server stops"));
  await clock.pass(60_000);
  queue.failed("zip", version(1), offline);
  await clock.pass(60_000);
  assert.deepEqual(tries, []);
  assert.equal(clock.asleep, 0);
});

test("a disk that takes no letter loses nothing but the letter's next life", async () => {
  const storage = new MemoryStorage();
  const { clock, queue } = room({ storage });
  storage.create = (key) => Promise.reject(new StoreFull(key, "ENOSPC"));
  queue.failed("zip", version(), offline);
  await clock.pass(60_000);
  assert.equal((await queue.list())[0]?.state, "dead");
  assert.equal(await queue.drop(jobId("zip", version())), true);
});

test("files that are no letters are left out and left alone", async () => {
  const storage = new MemoryStorage();
  const id = jobId("zip", version());
  const good = {
    id,
    kind: "zip",
    path: "example.com/m",
    version: "v1.0.0",
    tries: 3,
    reason: "r",
    sinceMs: 1,
    diedMs: 2,
  };
  const bad = [
    "",
    "null",
    "[]",
    JSON.stringify({ ...good, kind: "list" }),
    JSON.stringify({ ...good, path: "../../etc" }),
    JSON.stringify({ ...good, tries: -1 }),
    JSON.stringify({ ...good, diedMs: "later" }),
    JSON.stringify({ ...good, version: "v1.0.1" }),
  ];
  for (const [n, text] of bad.entries())
    await storage.create(storageKey(`state/jobs/${n.toString(16).padStart(16, "0")}.json`), Buffer.from(text));
  await storage.create(storageKey("state/jobs/readme"), Buffer.from(JSON.stringify(good)));
  assert.deepEqual(await room({ storage }).queue.list(), []);
  await storage.create(storageKey(`state/jobs/${id}.json`), Buffer.from(JSON.stringify(good)));
  assert.equal((await room({ storage }).queue.list()).length, 1);
});

test("the proxy's clients' failures are told: what names a version and may be fetched, and nothing else", async () => {
  const told: string[] = [];
  const proxy = withRetries(
    { answer: () => Promise.reject(offline) },
    { failed: (kind, module, error) => told.push(`${kind} ${module.version} ${String(error === offline)}`) },
  );
  const signal = new AbortController().signal;
  const { path, version: v } = version();
  const base = { cachedOnly: false, path, version: v } as const;
  for (const target of [
    { kind: "info", query: v, ...base },
    { kind: "mod", ...base },
    { kind: "zip", ...base },
    { kind: "sum", path, version: v },
    { kind: "list", cachedOnly: false, path },
    { kind: "info", cachedOnly: false, path, query: "main" },
  ] as const)
    await assert.rejects(proxy.answer(target, { keptOnly: false, hops: "", caller: "", signal }), offline);
  await assert.rejects(
    proxy.answer({ kind: "zip", ...base }, { keptOnly: "cached-only", hops: "", caller: "", signal }),
    offline,
  );
  assert.deepEqual(told, ["mod v1.0.0 true", "mod v1.0.0 true", "zip v1.0.0 true"]);
});
