// Several processes keep the same version in one store. One of them stops before each single storage call of its own, and
// the others run from start to end meanwhile: whatever they brought, nobody is ever given other bytes than the committed
// ones, what is kept afterwards is whole, and all were told what is kept.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import {
  arrivalFacts as facts,
  moduleVersion,
  someBytes,
  zipBytes,
  zipFacts,
} from "../../../test/support/manifests.ts";
import { StoreDamaged } from "./errors.ts";
import { versionKey } from "./layout.ts";
import { ModuleStore } from "./module-store.ts";
import type { KeptZip, Keeping } from "./module-store.ts";
import { piecesOf } from "./object-bytes.ts";
import type { Stage, Storage } from "./ports.ts";

const id = moduleVersion("example.com/shared", "v1.0.0");
const mod = Buffer.from("module example.com/shared\n");

/** Zips of the same files, packed otherwise: all have one h1, and a database vouches for each of them. */
const h1 = zipFacts(mod).h1;
const proven = [1, 2, 3].map((seed) => someBytes(400 - seed, seed));
const [packedA, packedB, packedC] = proven as [Uint8Array, Uint8Array, Uint8Array];
const factsOf = (zip: Uint8Array) => ({ ...zipFacts(zip), h1 });

type Bytes = { readonly info: string; readonly zip: Uint8Array };

async function proveZip(stage: Stage) {
  const at = stage.locate();
  assert.ok("bytes" in at);
  const bytes = at.bytes;
  const isProven = proven.some((one) => Buffer.compare(one, bytes) === 0);
  return await Promise.resolve(isProven ? { zip: factsOf(bytes), mod } : undefined);
}

/** Keeps a whole version, as one process does. */
async function keep(storage: Storage, { info, zip }: Bytes): Promise<Keeping<KeptZip>> {
  const store = new ModuleStore(storage);
  const provesMod = (found: Uint8Array) => Promise.resolve(Buffer.compare(found, mod) === 0);
  await store.keepMod({ id, info: Buffer.from(info), mod, facts, provesMod });
  const stage = await storage.stage(zip.length);
  try {
    await stage.write(zip);
    await stage.seal();
    return await store.keepZip({ id, stage, zip: factsOf(zip), facts, proveZip });
  } finally {
    await stage.discard();
    await store.close();
  }
}

const evict = (storage: Storage) => new ModuleStore(storage).evict(id, { reason: "size", atMs: 1_700_000_000_000 });

const callNames = ["get", "stat", "open", "create", "replace", "remove", "list"];

/** The same storage, but that something else happens around each of its calls. */
function between(
  storage: Storage,
  around: { before?: (call: string, n: number) => Promise<void>; after?: () => Promise<void> },
) {
  let calls = 0;
  return new Proxy(storage, {
    get: (target, name: keyof Storage) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      const call = member.bind(target) as (...args: unknown[]) => unknown;
      if (!callNames.includes(name)) return call;
      if (name === "list")
        return async function* (prefix: string) {
          await around.before?.("list", calls++);
          yield* target.list(prefix);
        };
      return async (...args: unknown[]) => {
        await around.before?.(`${name} ${String(args[0])}`, calls++);
        const result = await call(...args);
        if (["create", "replace", "remove"].includes(name)) await around.after?.();
        return result;
      };
    },
  });
}

/** Looks at the store as a process does that has just started. Told of bytes that are not the committed ones, it fails. */
class Reader {
  readonly #storage: MemoryStorage;
  readonly #mayBeDamaged: boolean;
  #committed: { readonly info: string; readonly zip?: string } | undefined;

  constructor(storage: MemoryStorage, mayBeDamaged: boolean) {
    this.#storage = storage;
    this.#mayBeDamaged = mayBeDamaged;
  }

  async look(): Promise<void> {
    const store = new ModuleStore(this.#storage);
    const found = await this.#unlessDamaged(() => store.findMod(id));
    const kept = await this.#unlessDamaged(() => store.findZip(id));
    const bytes = kept && (await this.#unlessDamaged(() => zipBytes(kept)));
    await store.close();
    // Its manifests bind a version to the first bytes for ever.
    const manifest = await store.committedMod(id);
    const zip = kept?.manifest.zip.sha256 ?? this.#committed?.zip;
    if (manifest !== undefined)
      this.#committed = {
        info: this.#committed?.info ?? manifest.info.sha256,
        ...(zip !== undefined && { zip: this.#committed?.zip ?? zip }),
      };
    if (found !== undefined) assert.equal(zipFacts(found.info).sha256, this.#committed?.info);
    if (bytes !== undefined) assert.equal(zipFacts(bytes).sha256, this.#committed?.zip);
    await this.#plain();
  }

  /** What a go command finds that reads the directory: not one of the files of another version of the truth. */
  async #plain(): Promise<void> {
    if (this.#mayBeDamaged || this.#committed === undefined) return;
    const { info, zip } = this.#committed;
    for (const [file, hash] of [
      ["info", info],
      ["zip", zip],
    ] as const) {
      const there = await this.#storage.open(versionKey(id, file));
      if (there === undefined || hash === undefined) continue;
      const pieces = await Array.fromAsync(piecesOf(there), (piece) => Buffer.from(piece));
      assert.equal(zipFacts(Buffer.concat(pieces)).sha256, hash, file);
    }
  }

  async #unlessDamaged<T>(find: () => Promise<T>): Promise<T | undefined> {
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof StoreDamaged) || !this.#mayBeDamaged) throw error;
      return undefined;
    }
  }
}

async function whole(storage: Storage): Promise<string> {
  const store = new ModuleStore(storage);
  const found = await store.findMod(id);
  const kept = await store.findZip(id);
  assert.ok(found !== undefined && kept !== undefined);
  const { sha256 } = zipFacts(await zipBytes(kept));
  assert.equal(kept.manifest.zip.sha256, sha256);
  assert.deepEqual(await store.listKept(id.path), [id.version]);
  await store.close();
  return sha256;
}

const ours: Bytes = { info: '{"Version":"v1.0.0"}', zip: packedA };
const withTime: Bytes = { info: '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}', zip: packedB };
const third: Bytes = { info: '{"Version":"v1.0.0","Time":"2024-01-02T03:04:06Z"}', zip: packedC };

type Leftover = "nothing" | "proven files" | "broken files";

async function prepared(leftover: Leftover): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  if (leftover === "nothing") return storage;
  const isBroken = leftover === "broken files";
  await storage.create(versionKey(id, "info"), Buffer.from(isBroken ? "{" : third.info));
  await storage.create(versionKey(id, "mod"), isBroken ? Buffer.from("<html>") : mod);
  await storage.create(versionKey(id, "zip"), isBroken ? someBytes(1_000, 4) : packedC);
  return storage;
}

const others: readonly (readonly [
  string,
  (storage: Storage) => Promise<readonly Keeping<KeptZip>[]>,
  { evicts: boolean },
])[] = [
  ["one keeps the same bytes", async (storage) => [await keep(storage, ours)], { evicts: false }],
  ["one keeps another .info and zip", async (storage) => [await keep(storage, withTime)], { evicts: false }],
  [
    "two keep other bytes",
    async (storage) => [await keep(storage, withTime), await keep(storage, third)],
    { evicts: false },
  ],
  [
    "one keeps other bytes, and evicts them",
    async (storage) => {
      const keeping = await keep(storage, withTime);
      await evict(storage);
      return [keeping];
    },
    { evicts: true },
  ],
  [
    "one keeps other bytes, evicts them, and keeps them again",
    async (storage) => {
      const keeping = await keep(storage, withTime);
      await evict(storage);
      return [keeping, await keep(storage, { ...third, zip: bytesOf(keeping) })];
    },
    { evicts: true },
  ],
];

function bytesOf({ kept }: Keeping<KeptZip>): Uint8Array {
  const found = proven.find((one) => zipFacts(one).sha256 === kept.manifest.zip.sha256);
  assert.ok(found !== undefined);
  return found;
}

suite("keepers of one version in one store", () => {
  for (const leftover of ["nothing", "proven files", "broken files"] as const)
    for (const [title, meanwhile, { evicts }] of others)
      test(`over ${leftover}, while one sleeps before any of its calls ${title}`, async () => {
        for (let at = 0; ; at++) {
          const inner = await prepared(leftover);
          const reader = new Reader(inner, evicts);
          const watched = between(inner, { after: () => reader.look() });
          let told: readonly Keeping<KeptZip>[] | undefined;
          let where = "";
          const before = async (call: string, n: number) => {
            if (n !== at) return;
            where = `before call ${n}, ${call}`;
            told = await meanwhile(watched);
          };
          const first = await keep(between(watched, { before }), ours).catch((error: unknown) => {
            throw new Error(where, { cause: error });
          });
          if (told === undefined) {
            assert.ok(at >= 10, `${at} calls`);
            break;
          }
          const all = [first, ...told].map(({ kept }) => kept.manifest.zip.sha256);
          assert.equal(new Set(all).size, 1, where);
          if (evicts) await keep(inner, { ...ours, zip: bytesOf(first) });
          const sha256 = await whole(inner);
          assert.equal(sha256, all[0], where);
          assert.equal(first.conflict, sha256 !== zipFacts(ours.zip).sha256, where);
        }
      });

  test("while one sleeps before any of its calls, another repacks: what is committed then stays", async () => {
    for (let at = 0; ; at++) {
      const inner = new MemoryStorage();
      let isDone = false;
      const before = async (_: string, n: number) => {
        if (n !== at) return;
        isDone = true;
        await keep(inner, ours);
        await evict(inner);
        assert.equal(await new ModuleStore(inner).allowRepacked(id), true);
        assert.equal((await keep(inner, withTime)).conflict, false);
      };
      await keep(between(inner, { before }), ours);
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- `before` sets it
      if (!isDone) break;
      assert.equal(await whole(inner), zipFacts(packedB).sha256, `call ${at}`);
    }
  });

  test("an evictor that sleeps before any of its calls takes nothing from a version that is being kept", async () => {
    for (let at = 0; ; at++) {
      const inner = new MemoryStorage();
      const reader = new Reader(inner, true);
      const watched = between(inner, { after: () => reader.look() });
      await keep(watched, ours);
      let isDone = false;
      const before = async (_: string, n: number) => {
        if (n !== at) return;
        isDone = true;
        await evict(watched);
        await keep(watched, ours);
      };
      await evict(between(watched, { before }));
      await keep(watched, ours);
      assert.equal(await whole(inner), zipFacts(packedA).sha256, `call ${at}`);
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- `before` sets it
      if (!isDone) break;
    }
  });
});
