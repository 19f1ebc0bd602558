import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { generateKey, parseSignerKey } from "#protocol/note.ts";
import { recordHash } from "#protocol/tlog.ts";
import { storageKey } from "#services/store/ports.ts";
import { checkLog } from "./fsck.ts";
import { History } from "./history.ts";
import { SumLog } from "./log.ts";

const signer = parseSignerKey(generateKey("log.example", Buffer.alloc(32, 7)).signerKey);
const { verifier } = signer;
const text = (n: number): string => `example.com/m${n} v1.0.0 h1:${Buffer.alloc(32, n % 251).toString("base64")}\n`;

/** However the records are shared out among commits, the log must be the same, and its damage be found. */
const batches = [1000, 100, 7] as const;

async function logOf(size: number, batch = 1000): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const log = new SumLog({ signer, storage });
  for (let from = 0; from < size; from += batch)
    await Promise.all(
      Array.from({ length: Math.min(batch, size - from) }, (_, i) =>
        log.append(`example.com/m${from + i}@v1.0.0`, text(from + i)),
      ),
    );
  return storage;
}

async function firstBelow(storage: MemoryStorage, folder: string): Promise<string> {
  const keys: string[] = [];
  for await (const { key } of storage.list(`state/sumlog/log.example/${folder}/`)) keys.push(key);
  return keys.sort()[0]!.slice("state/sumlog/log.example/".length);
}

async function spoil(storage: MemoryStorage, rest: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const key = storageKey(`state/sumlog/log.example/${rest}`);
  const kept = await storage.get(key, 1 << 20);
  assert.ok(kept, rest);
  await storage.replace(key, change(Buffer.from(kept.bytes)), kept.token);
}

const flip = (bytes: Buffer): Uint8Array => {
  bytes[40]! ^= 1;
  return bytes;
};

test("a sound log has no problems", async () => {
  for (const batch of batches) {
    const report = await checkLog({ verifier, storage: await logOf(700, batch) });
    assert.deepEqual(report, { size: 700, tiles: 4, problems: [] }, `${batch} at a time`);
  }
  assert.deepEqual(await checkLog({ verifier, storage: new MemoryStorage() }), { size: 0, tiles: 0, problems: [] });
});

test("every kind of damage is named", async () => {
  const cases = [
    ["tile/8/0/001", flip, /tile\/8\/0\/001 is not the tile of its records/],
    ["tile/8/data/001", flip, /^state\/sumlog\/log.example\/tile\/8\/data\/001 has other records than were signed$/],
    ["tile/8/data/000", () => Buffer.from("nonsense"), /tile\/8\/data\/000 malformed/],
    ["heads/0000000000000700", flip, /the head of 700 records/],
    ["commits", flip, /commit [0-9]+/],
  ] as const;
  for (const batch of batches) {
    for (const [place, change, says] of cases) {
      const storage = await logOf(700, batch);
      const rest = place === "commits" ? await firstBelow(storage, place) : place;
      await spoil(storage, rest, change);
      const { problems } = await checkLog({ verifier, storage });
      assert.match(problems.join("\n"), says, `${rest}, ${batch} at a time`);
    }
    for (const rest of ["tile/8/data/001", "tile/8/0/001"]) {
      const storage = await logOf(700, batch);
      await storage.remove(storageKey(`state/sumlog/log.example/${rest}`));
      assert.match((await checkLog({ verifier, storage })).problems.join("\n"), new RegExp(`${rest} is lost`));
    }
  }
});

test("a version that is recorded twice is found", async () => {
  const storage = await logOf(300);
  const history = new History(verifier, storage);
  const state = await history.read();
  const next = state.frontier.copy();
  next.append(recordHash(text(7)));
  await history.commit({ from: 300, texts: [text(7)], root: next.tree().root });
  await new SumLog({ signer, storage }).head();
  assert.deepEqual((await checkLog({ verifier, storage })).problems, ["example.com/m7@v1.0.0 is recorded twice"]);
});
