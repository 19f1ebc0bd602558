import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { logCopies } from "#services/sumlog/log-copies.ts";
import { logRestores } from "#services/sumlog/log-restores.ts";
import type { LogKey } from "#services/sumlog/log-restores.ts";
import { moduleVersion } from "../../../test/support/manifests.ts";
import { Death, Life } from "../../../test/support/mortal-storage.ts";
import {
  appendRecords,
  contents,
  copyOf,
  damage,
  fillStore,
  isWhole,
  keepVersion,
  Memory,
  openLog,
  put,
  signer,
  textOf,
} from "../../../test/support/snapshot-world.ts";
import { ModuleStore } from "./module-store.ts";
import { moveStore } from "./move.ts";
import type { MoveReport, MoveUse } from "./move.ts";
import type { Storage } from "./ports.ts";
import { storageKey } from "./ports.ts";

const upper = "modules/example.com/!upper/@v/v1.0.0";

async function filled(records?: number): Promise<{ readonly from: MemoryStorage; readonly memory: Memory }> {
  const [from, memory] = [new MemoryStorage(), new Memory()];
  await fillStore(from, memory, records);
  return { from, memory };
}

async function move(from: Storage, to: Storage, more: Partial<MoveUse> = {}): Promise<MoveReport> {
  return await moveStore({
    from,
    to,
    clock: { now: Date.now, sleep: () => Promise.resolve() },
    logs: logsWith({ verifier: signer.verifier, memory: new Memory() }),
    source: "here",
    verify: "written",
    isDry: false,
    bytesPerSecond: undefined,
    jobs: 4,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...more,
  });
}

function logsWith(key: LogKey | undefined): MoveUse["logs"] {
  const restores = logRestores(key);
  return { ...logCopies, judge: (name, copy, store) => restores.judge(name, copy, store) };
}

/** What a store has, apart from what the target notes for itself. */
async function moved(storage: Storage): Promise<Record<string, string>> {
  const all = await contents(storage);
  return Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith("state/moved/")));
}

suite("moveStore", () => {
  test("the target has everything, read back, and the source is as it was", async () => {
    const { from } = await filled(300);
    const [to, before] = [new MemoryStorage(), await contents(from)];
    const report = await move(from, to);
    assert.deepEqual(report.found, []);
    assert.equal(report.versions, 3);
    assert.equal(report.counts.verifiedFiles, report.counts.copiedFiles);
    assert.deepEqual(await moved(to), before);
    assert.deepEqual(await contents(from), before);
    assert.equal(await isWhole(to), 300);
  });

  test("once more there is nothing to copy, and then only what has come", async () => {
    const { from, memory } = await filled();
    const to = new MemoryStorage();
    await move(from, to);
    const again = await move(from, to);
    assert.equal(again.counts.copiedFiles, 0);
    await keepVersion(from, { path: "example.com/Upper", version: "v1.2.0", seed: 5 });
    await put(from, "state/tokens.json", "one token more");
    await put(from, "modules/sumdb/sum.example/latest", "a newer head");
    await appendRecords(openLog(from, memory), 3, 7);
    const third = await move(from, to);
    assert.deepEqual(third.found, []);
    assert.equal(await textOf(to, "state/tokens.json"), "one token more");
    assert.deepEqual(await moved(to), await contents(from));
    assert.equal(await isWhole(to), 7);
  });

  test("killed at every call of the target, and run again: the same as the source", async () => {
    const { from } = await filled(3);
    const counting = new Life({ call: Number.POSITIVE_INFINITY, when: "before", counts: "changes" });
    await move(from, counting.of(new MemoryStorage()));
    assert.ok(counting.calls > 20, `${counting.calls} calls`);
    for (let call = 1; call <= counting.calls; call++) {
      const to = new MemoryStorage();
      const life = new Life({ call, when: call % 2 === 0 ? "before" : "after", counts: "changes" });
      await assert.rejects(move(from, life.of(to), { jobs: 1 }), Death);
      await isWhole(to, `after a death at call ${call}`, "lists apart");
      assert.deepEqual((await move(from, to)).found, [], `again after call ${call}`);
      assert.deepEqual(await moved(to), await contents(from), `after call ${call}`);
    }
  });

  test("other bytes in the target stay, and are named; the same bytes of another arrival are no conflict", async () => {
    const { from } = await filled();
    const to = new MemoryStorage();
    await keepVersion(to, { path: "example.com/Upper", version: "v1.0.0", seed: 9 });
    await keepVersion(to, { path: "example.com/Upper", version: "v1.1.0", seed: 2, firstSeen: "2020-01-01T00:00:00Z" });
    await put(to, "state/tokens.json", "tokens of the target");
    const before = await contents(to);
    const { found } = await move(from, to);
    assert.deepEqual(
      found.map(({ what, is }) => `${is} ${what}`),
      [`conflict ${upper}`, "conflict state/tokens.json"],
    );
    for (const [key, hash] of Object.entries(before))
      if (!key.endsWith("/list")) assert.equal((await contents(to))[key], hash, key);
    await isWhole(to);
  });

  test("what only the target has changed since stays, and is no conflict", async () => {
    const { from } = await filled();
    const to = new MemoryStorage();
    await move(from, to);
    await put(to, "state/tokens.json", "one more in the target");
    assert.deepEqual((await move(from, to)).found, []);
    assert.equal(await textOf(to, "state/tokens.json"), "one more in the target");
    await put(from, "state/tokens.json", "one more in the source");
    assert.deepEqual(
      (await move(from, to)).found.map(({ what }) => what),
      ["state/tokens.json"],
    );
    assert.equal(await textOf(to, "state/tokens.json"), "one more in the target");
  });

  test("of a pin the first sight wins, and what only one has seen is added", async () => {
    const [from, to] = [new MemoryStorage(), new MemoryStorage()];
    const pin = (version: string, seen: object): string =>
      `${JSON.stringify({ path: "corp.example/a", version, ...seen })}\n`;
    const [one, two] = [`h1:${"a".repeat(43)}=`, `h1:${"b".repeat(43)}=`];
    const keyOf = (version: string): string => `state/pins/corp.example/a/@v/${version}.json`;
    await put(from, keyOf("v1.0.0"), pin("v1.0.0", { mod: one, zip: two }));
    await put(to, keyOf("v1.0.0"), pin("v1.0.0", { mod: one }));
    await put(from, keyOf("v1.1.0"), pin("v1.1.0", { mod: one }));
    await put(to, keyOf("v1.1.0"), pin("v1.1.0", { mod: two }));
    await put(from, keyOf("v1.2.0"), pin("v1.2.0", { mod: one }));
    const { found } = await move(from, to);
    assert.deepEqual(
      found.map(({ what, is }) => `${is} ${what}`),
      [`conflict ${keyOf("v1.1.0")}`],
    );
    assert.equal(await textOf(to, keyOf("v1.0.0")), pin("v1.0.0", { mod: one, zip: two }));
    assert.equal(await textOf(to, keyOf("v1.1.0")), pin("v1.1.0", { mod: two }));
    assert.equal(await textOf(to, keyOf("v1.2.0")), pin("v1.2.0", { mod: one }));
  });

  test("damage is named and not copied; everything else is", async () => {
    const { from } = await filled();
    await damage(from, `${upper}.zip`);
    const to = new MemoryStorage();
    const { found } = await move(from, to);
    assert.deepEqual(
      found.map(({ what, is }) => `${is} ${what}`),
      [`damaged ${upper}`],
    );
    assert.equal(await to.stat(storageKey(`${upper}.zip`)), undefined);
    assert.equal(await to.stat(storageKey(`${upper}.zip.manifest`)), undefined);
    assert.ok((await to.stat(storageKey("modules/example.com/!upper/@v/v1.1.0.zip"))) !== undefined);
    await isWhole(to);
  });

  test("a deep run finds what is damaged in the target, and mends it", async () => {
    const { from } = await filled();
    const to = new MemoryStorage();
    await move(from, to);
    await damage(to, `${upper}.zip`);
    assert.equal((await move(from, to)).counts.copiedFiles, 0);
    const deep = await move(from, to, { verify: "all" });
    assert.deepEqual([deep.found, deep.counts.copiedFiles], [[], 1]);
    await isWhole(to);
  });

  test("what comes back with other bytes is named, and no manifest names it", async () => {
    const { from } = await filled();
    const inner = new MemoryStorage();
    const zip = storageKey(`${upper}.zip`);
    const to: Storage = wrap(inner, {
      open: async (key) => {
        const object = await inner.open(key);
        if (key !== zip || object === undefined) return object;
        const read: typeof object.read = async (at, into) => {
          const got = await object.read(at, into);
          into[0] = (into[0] ?? 0) ^ 1;
          return got;
        };
        return { size: object.size, modifiedMs: 0, token: "", read, close: () => object.close() };
      },
    });
    const { found } = await move(from, to);
    assert.deepEqual(
      found.map(({ what, is }) => `${is} ${what}`),
      [`unverified ${upper}`],
    );
    assert.equal(await inner.stat(storageKey(`${upper}.zip.manifest`)), undefined);
    assert.deepEqual((await move(from, wrap(new MemoryStorage(), {}), { verify: "none" })).found, []);
  });

  test("a dry run says what is to be done, and does nothing", async () => {
    const { from } = await filled(300);
    const to = new MemoryStorage();
    const dry = await move(from, to, { isDry: true });
    assert.deepEqual(await contents(to), {});
    const real = await move(from, to);
    assert.ok(dry.counts.copiedFiles > 0 && dry.counts.copiedFiles <= real.counts.copiedFiles);
    assert.deepEqual(dry.logs, real.logs);
  });

  test("an evicted version comes as one, and comes back when the source has it again", async () => {
    const { from } = await filled();
    const id = moduleVersion("example.com/Upper", "v1.0.0");
    const whole = await copyOf(from);
    const store = new ModuleStore(from);
    await store.evict(id, { reason: "size", atMs: 0 });
    await store.close();
    const to = new MemoryStorage();
    assert.deepEqual((await move(from, to)).found, []);
    assert.equal(await to.stat(storageKey(`${upper}.zip`)), undefined);
    assert.ok((await to.stat(storageKey(`${upper}.tombstone`))) !== undefined);
    assert.deepEqual((await move(whole, to)).found, []);
    assert.ok((await to.stat(storageKey(`${upper}.zip`))) !== undefined);
    assert.equal(await to.stat(storageKey(`${upper}.tombstone`)), undefined);
    await isWhole(to);
  });

  test("a log that is longer in the target stays; another log is not touched; without the key it is not copied", async () => {
    const { from, memory } = await filled(3);
    const to = await copyOf(from);
    await appendRecords(openLog(to, memory), 3, 9);
    const kept = await move(from, to);
    assert.deepEqual(kept.logs[0]?.verdict, { is: "kept", size: 3, kept: 9 });
    assert.equal(await isWhole(to), 9);
    const other = new MemoryStorage();
    await appendRecords(openLog(other), 100, 102);
    const fork = await move(from, other);
    assert.equal(fork.logs[0]?.verdict.is, "fork");
    assert.equal(await isWhole(other), 2);
    const keyless = await move(from, new MemoryStorage(), {
      logs: logsWith(undefined),
    });
    assert.equal(keyless.logs[0]?.verdict.is, "keyless");
  });

  test("a record that came after the run had begun comes with the next one: its tiles may not have been copied", async () => {
    const { from } = await filled();
    const to = new MemoryStorage();
    const record = storageKey("modules/sumdb/sum.example/lookup/example.com/late@v1.0.0");
    const during: Storage = wrap(from, {
      list: (prefix) => {
        if (prefix !== "modules/") return from.list(prefix);
        return (async function* () {
          await new Promise((resolve) => setTimeout(resolve, 5));
          await put(from, record, "a late record");
          yield* from.list(prefix);
        })();
      },
    });
    await move(during, to);
    assert.equal(await to.stat(record), undefined);
    await move(from, to);
    assert.equal(await textOf(to, record), "a late record");
  });

  test("a limit holds up reading; a signal ends it, and what was copied stays", async () => {
    const { from } = await filled();
    let sleptMs = 0;
    const clock = { now: () => 0, sleep: (ms: number) => ((sleptMs = Math.max(sleptMs, ms)), Promise.resolve()) };
    const { counts } = await move(from, new MemoryStorage(), { clock, bytesPerSecond: 1_000 });
    assert.ok(sleptMs >= counts.copiedBytes / 2, `${sleptMs} ms for ${counts.copiedBytes} bytes`);
    const stop = new AbortController();
    const to = new MemoryStorage();
    const report = await move(from, to, {
      signal: stop.signal,
      jobs: 1,
      progress: (now) => {
        if (now.copiedFiles === 5) stop.abort();
      },
    });
    assert.equal(report.wasInterrupted, true);
    assert.ok(Object.keys(await moved(to)).length >= 5);
    await isWhole(to, "after a stop", "lists apart");
  });
});

function wrap(inner: Storage, changed: Partial<Storage>): Storage {
  return {
    get: (key, maxBytes) => inner.get(key, maxBytes),
    stat: (key) => inner.stat(key),
    open: (key) => inner.open(key),
    list: (prefix) => inner.list(prefix),
    create: (key, body) => inner.create(key, body),
    replace: (key, bytes, expected) => inner.replace(key, bytes, expected),
    remove: (key) => inner.remove(key),
    stage: (maxBytes) => inner.stage(maxBytes),
    ...changed,
  };
}
