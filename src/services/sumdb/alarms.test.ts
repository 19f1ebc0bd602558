import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { Storage } from "#services/store/ports.ts";
import { StoreAway, StoreUnavailable } from "#services/store/ports.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { Halt, haltLookMs } from "./alarms.ts";
import { evidenceKey } from "./layout.ts";

const database = "sum.example.test";
const id = "0".repeat(64);

/** A storage whose lists can be in trouble. */
function room() {
  const storage = new MemoryStorage();
  const trouble: { now: (() => Promise<never>) | undefined } = { now: undefined };
  const clock = new HandClock();
  async function* list(prefix: string): ReturnType<Storage["list"]> {
    await trouble.now?.();
    yield* storage.list(prefix);
  }
  const spoilt = new Proxy<Storage>(storage, {
    get: (target, name) => {
      if (name === "list") return list;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { storage, trouble, clock, halt: new Halt({ storage: spoilt, database, clock }) };
}

suite("Halt", () => {
  test("a fork that another node found is known after a while", async () => {
    const { storage, clock, halt } = room();
    await halt.load();
    await storage.create(evidenceKey(database, id), Buffer.from("{}"));
    assert.equal(await halt.reason(), undefined);
    await clock.pass(haltLookMs);
    assert.equal(await halt.reason(), evidenceKey(database, id));
  });

  test("while the store is away, or silent, what is known stays so", async () => {
    const { trouble, clock, halt } = room();
    await halt.load();
    halt.add(id);
    for (const now of [() => Promise.reject(new StoreAway("k", "nobody listens")), () => new Promise<never>(() => {})]) {
      trouble.now = now;
      await clock.pass(haltLookMs);
      const reason = halt.reason();
      await clock.pass(1_000);
      assert.equal(await reason, evidenceKey(database, id));
    }
  });

  test("a store that answers and cannot be read is not taken for one that is away", async () => {
    const { trouble, clock, halt } = room();
    await halt.load();
    trouble.now = () => Promise.reject(new StoreUnavailable("k", "EIO"));
    await clock.pass(haltLookMs);
    await assert.rejects(halt.reason(), StoreUnavailable);
  });
});
