// A store with a bit of everything, made up, for tests of snapshots; and what must be true of what comes back.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import { generateKey, parseSignerKey } from "#protocol/note.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import type { Storage, StorageKey } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";
import { restoreSnapshot } from "#services/store/restore.ts";
import type { RestoreReport, RestoreUse } from "#services/store/restore.ts";
import { SnapshotIndex, snapshotIds } from "#services/store/snapshot-index.ts";
import { takeSnapshot } from "#services/store/snapshot.ts";
import type { SnapshotReport } from "#services/store/snapshot.ts";
import { verifyStore } from "#services/store/survey.ts";
import { checkLog } from "#services/sumlog/fsck.ts";
import { logCopies } from "#services/sumlog/log-copies.ts";
import { logRestores } from "#services/sumlog/log-restores.ts";
import { SumLog } from "#services/sumlog/log.ts";
import type { HeadMemory } from "#services/sumlog/ports.ts";
import { arrivalFacts, moduleVersion, someBytes, zipFacts } from "./manifests.ts";

export const signer = parseSignerKey(generateKey("log.example", Buffer.alloc(32, 7)).signerKey);

/** Keeps a version, with its zip unless `stage` says otherwise. */
export async function keepVersion(
  storage: Storage,
  version: {
    readonly path: string;
    readonly version: string;
    readonly seed?: number;
    readonly zipBytes?: number;
    readonly stage?: "mod";
    readonly firstSeen?: string;
  },
): Promise<void> {
  const store = new ModuleStore(storage);
  const id = moduleVersion(version.path, version.version);
  const seed = version.seed ?? 1;
  const info = Buffer.from(`{"Version":"${version.version}"}`);
  const mod = Buffer.from(`module ${version.path}\n// ${seed}\n`);
  const facts = { ...arrivalFacts, ...(version.firstSeen && { firstSeen: version.firstSeen }) };
  await store.keepMod({ id, info, mod, facts });
  if (version.stage !== "mod") {
    const bytes = someBytes(version.zipBytes ?? 3_000, seed);
    const stage = await storage.stage(bytes.length);
    await stage.write(bytes);
    await stage.seal();
    await store.keepZip({ id, stage, zip: zipFacts(bytes), facts });
    await stage.discard();
  }
  await store.close();
}

export async function put(storage: Storage, key: string, text: string): Promise<void> {
  const at = storageKey(key);
  await storage.replace(at, Buffer.from(text), (await storage.stat(at))?.token);
}

export async function textOf(storage: Storage, key: string): Promise<string | undefined> {
  const stored = await storage.get(storageKey(key), 1 << 24);
  return stored && Buffer.from(stored.bytes).toString();
}

/** The newest head, as a file beside the key would have it. */
export class Memory implements HeadMemory {
  note: Uint8Array | undefined;

  recall(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.note);
  }

  remember(note: Uint8Array): Promise<void> {
    const size = (bytes: Uint8Array | undefined): number => (bytes ? openCheckpoint(bytes, signer.verifier).size : -1);
    if (size(note) > size(this.note)) this.note = note;
    return Promise.resolve();
  }
}

export function openLog(storage: Storage, memory?: Memory): SumLog {
  return new SumLog({ signer, storage, ...(memory && { memory }) });
}

export const recordOf = (n: number): readonly [string, string] => [
  `example.com/m${n}@v1.0.0`,
  `example.com/m${n} v1.0.0 h1:${Buffer.alloc(32, n % 251).toString("base64")}\n`,
];

export async function appendRecords(log: SumLog, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => log.append(...recordOf(from + i))));
}

/** Made once and copied: what they cost is the same each time. */
const templates = new Map<number, { readonly storage: MemoryStorage; readonly memory: Memory }>();

/** Versions, records, tiles, heads, state and an own log of `records` records. */
export async function fillStore(storage: Storage, memory: Memory, records = 3): Promise<void> {
  const known = templates.get(records) ?? { storage: new MemoryStorage(), memory: new Memory() };
  if (!templates.has(records)) await makeStore(known.storage, known.memory, records);
  templates.set(records, known);
  await copyInto(storage, known.storage);
  memory.note = known.memory.note;
}

async function makeStore(storage: Storage, memory: Memory, records: number): Promise<void> {
  await keepVersion(storage, { path: "example.com/Upper", version: "v1.0.0" });
  await keepVersion(storage, { path: "example.com/Upper", version: "v1.1.0", seed: 2 });
  await keepVersion(storage, { path: "corp.example/secret", version: "v0.1.0", stage: "mod", seed: 3 });
  await put(storage, "modules/sumdb/sum.example/tile/8/0/000", "a tile");
  await put(storage, "modules/sumdb/sum.example/latest", "a head");
  await put(storage, "state/sumdb/sum.example/heads.json", "accepted heads");
  await put(storage, "modules/sumdb/sum.example/lookup/example.com/!upper@v1.0.0", "a record");
  await put(storage, "state/tokens.json", "hashes of tokens");
  await put(storage, "state/pins/corp.example/secret/@v/v0.1.0.json", "a pin");
  await put(storage, "state/index.sqlite", "made anew at any time");
  await put(storage, "state/index.sqlite-wal", "made anew at any time");
  await appendRecords(openLog(storage, memory), 0, records);
}

let clock = Date.parse("2026-11-28T12:00:00Z");

export async function snapshot(
  store: Storage,
  vault: Storage,
  more: { readonly isDeep?: boolean } = {},
): Promise<SnapshotReport> {
  return await takeSnapshot({ store, vault, logs: logCopies, now: () => (clock += 1_000), ...more });
}

export async function restore(
  vault: Storage,
  store: Storage,
  more: Partial<RestoreUse> & { readonly memory?: Memory; readonly id?: string; readonly keyless?: boolean } = {},
): Promise<RestoreReport> {
  const { memory = new Memory(), id, keyless, ...use } = more;
  const wanted = id ?? (await snapshotIds(vault)).at(-1) ?? "none";
  const index = await SnapshotIndex.open(vault, wanted);
  const logs = logRestores(keyless === true ? undefined : { verifier: signer.verifier, memory });
  try {
    return await restoreSnapshot({ vault, index, store, logs, ...use });
  } finally {
    await index.close();
  }
}

/**
 * No version is torn, and the own log is sound; returns how many records it has. A crash may leave a list short: whoever reads
 * it next makes it anew.
 */
export async function isWhole(storage: Storage, when = "", lists?: "lists apart"): Promise<number> {
  const { findings } = await verifyStore(storage, () => undefined);
  const torn = findings.filter(({ key }) => lists === undefined || !key.endsWith("/@v/list"));
  assert.deepEqual(torn, [], `torn ${when}`);
  const log = await checkLog({ verifier: signer.verifier, storage });
  assert.deepEqual(log.problems, [], `own log ${when}`);
  return log.size;
}

/** Keys and hashes of all that a snapshot has to bring back: no caches, and of an own log's heads the newest. */
export async function contents(storage: Storage): Promise<Record<string, string>> {
  const keys: StorageKey[] = [];
  for await (const { key } of storage.list("")) if (!/^state[/]index[.]|[/]numbers$/.test(key)) keys.push(key);
  keys.sort();
  const isHead = (key: string): boolean => /^state[/]sumlog[/].*[/]heads[/]/.test(key);
  const newest = keys.findLast(isHead);
  const found: Record<string, string> = {};
  for (const key of keys)
    if (!isHead(key) || key === newest) found[key] = hashOf((await storage.get(key, 1 << 24))?.bytes);
  return found;
}

function hashOf(bytes: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(bytes ?? "")
    .digest("hex")
    .slice(0, 12);
}

export async function copyOf(storage: Storage): Promise<MemoryStorage> {
  const twin = new MemoryStorage();
  await copyInto(twin, storage);
  return twin;
}

async function copyInto(target: Storage, source: Storage): Promise<void> {
  for await (const { key } of source.list(""))
    await target.create(key, (await source.get(key, 1 << 24))?.bytes ?? new Uint8Array());
}

/** Flips a bit in the middle. */
export async function damage(storage: Storage, key: string): Promise<void> {
  const at = key as StorageKey;
  const stored = await storage.get(at, 1 << 24);
  assert.ok(stored !== undefined, `${key} is there to be damaged`);
  const bytes = Uint8Array.from(stored.bytes);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await storage.replace(at, bytes, stored.token);
}
