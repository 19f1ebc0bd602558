import assert from "node:assert/strict";
import { mkdtemp, open, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { moduleVersion, someBytes, zipManifest } from "../../../test/support/manifests.ts";
import { CheckedObjects } from "./checked-object.ts";
import type { CheckedObject } from "./checked-object.ts";
import { StoreDamaged } from "./errors.ts";
import { zipBlockBytes } from "./manifest.ts";
import type { OpenObject, StorageKey } from "./ports.ts";
import { StoreUnavailable, storageKey } from "./ports.ts";

const key = storageKey("modules/example.com/m/@v/v1.0.0.zip");
const id = moduleVersion("example.com/m", "v1.0.0");
const megabyte = someBytes(1 << 20, 1);
const manifest = zipManifest(id, megabyte);

/** Counts what is open and what is read; `beforeOpen` may wait or throw. */
class CountingStorage extends MemoryStorage {
  opened = 0;
  closed = 0;
  bytesRead = 0;
  beforeOpen: () => Promise<void> = () => Promise.resolve();

  override async open(at: StorageKey): Promise<OpenObject | undefined> {
    await this.beforeOpen();
    const object = await super.open(at);
    if (object === undefined) return undefined;
    this.opened++;
    return {
      size: object.size,
      modifiedMs: object.modifiedMs,
      token: object.token,
      read: async (offset, into) => {
        const got = await object.read(offset, into);
        this.bytesRead += got;
        return got;
      },
      close: () => {
        this.closed++;
        return object.close();
      },
    };
  }

  get stillOpen(): number {
    return this.opened - this.closed;
  }
}

async function kept(bytes: Uint8Array, at = key): Promise<CountingStorage> {
  const storage = new CountingStorage();
  await storage.create(at, bytes);
  return storage;
}

async function overwrite(storage: MemoryStorage, bytes: Uint8Array, at = key): Promise<void> {
  const stat = await storage.stat(at);
  assert.equal(await storage.replace(at, bytes, stat?.token), "replaced");
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

async function readPart(object: CheckedObject, offset: number, length: number): Promise<Uint8Array> {
  const into = new Uint8Array(length);
  return into.subarray(0, await object.read(offset, into));
}

/** Opens, reads and closes. */
async function readAt(objects: CheckedObjects, offset: number, length: number): Promise<Uint8Array> {
  const object = await objects.open(key, manifest);
  try {
    return await readPart(object, offset, length);
  } finally {
    await object.close();
  }
}

suite("checked objects: what is read", () => {
  const edges = [0, 1, zipBlockBytes - 1, zipBlockBytes, zipBlockBytes + 1, megabyte.length - 1, megabyte.length];
  for (const size of [0, 1, zipBlockBytes - 1, zipBlockBytes, zipBlockBytes + 1, 3 * zipBlockBytes + 17])
    test(`a zip of ${size} bytes is read whole, twice`, async () => {
      const bytes = someBytes(size, size);
      const objects = new CheckedObjects(await kept(bytes));
      const object = await objects.open(key, zipManifest(id, bytes));
      for (let round = 0; round < 2; round++) assert.deepEqual(await readPart(object, 0, size + 1), bytes);
      await object.close();
    });

  test("ranges from and to every edge of a block are the bytes asked for", async () => {
    const objects = new CheckedObjects(await kept(megabyte));
    for (const start of edges)
      for (const end of edges.filter((edge) => edge >= start))
        assert.deepEqual(await readAt(objects, start, end - start), megabyte.subarray(start, end));
  });

  test("any range is the bytes asked for, proven or not yet", async () => {
    const storage = await kept(megabyte);
    const range = fc.tuple(fc.nat(megabyte.length + 10), fc.nat(200_000));
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 4 }), async (ranges) => {
        const objects = new CheckedObjects(storage);
        for (const [start, length] of ranges)
          assert.deepEqual(await readAt(objects, start, length), megabyte.subarray(start, start + length));
        await objects.close();
      }),
      { numRuns: 60 },
    );
  });

  test("one flipped byte at any of 200 places never leaves, whatever is asked for", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    const places = fc.sample(fc.nat(megabyte.length - 1), { numRuns: 200, seed: 20_240_102 });
    for (const place of places) {
      await overwrite(storage, flipped(megabyte, place));
      const object = await objects.open(key, manifest);
      await assert.rejects(readPart(object, place, 1), StoreDamaged);
      await assert.rejects(readPart(object, 0, megabyte.length), StoreDamaged);
      await assert.rejects(readPart(object, Math.max(0, place - 70_000), 140_001), StoreDamaged);
      const block = Math.floor(place / zipBlockBytes) * zipBlockBytes;
      assert.deepEqual(await readPart(object, 0, block), megabyte.subarray(0, block));
      assert.deepEqual(
        await readPart(object, block + zipBlockBytes, 100_000),
        megabyte.subarray(block + zipBlockBytes, block + zipBlockBytes + 100_000),
      );
      await object.close();
    }
    await objects.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("damage names the key, the block and both hashes", async () => {
    const objects = new CheckedObjects(await kept(flipped(megabyte, 5 * zipBlockBytes)));
    const want = { name: "StoreDamaged", key, expected: /^block 5 [0-9a-f]{64}$/, found: /^[0-9a-f]{64}$/ };
    await assert.rejects(readAt(objects, 5 * zipBlockBytes, 10), want);
  });

  test("a block is hashed once, then read only", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    await readAt(objects, 10, 10);
    assert.equal(storage.bytesRead, zipBlockBytes);
    await readAt(objects, 20, 30);
    assert.equal(storage.bytesRead, zipBlockBytes + 30);
  });

  test("what was proven stays proven after the handle was closed", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    await readAt(objects, 0, 10);
    await objects.close();
    storage.bytesRead = 0;
    await readAt(objects, 0, 10);
    assert.equal(storage.bytesRead, 10);
  });

  test("another manifest proves anew", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    await readAt(objects, 0, 10);
    const other = await objects.open(key, zipManifest(id, flipped(megabyte, 3)));
    await assert.rejects(readPart(other, 0, 10), StoreDamaged);
    await other.close();
    assert.deepEqual(await readAt(objects, 0, 10), megabyte.subarray(0, 10));
  });

  test("an object that gives few bytes at a time is read whole", async () => {
    const storage = await kept(megabyte);
    const inner = storage.open.bind(storage);
    storage.open = async (at) => {
      const object = await inner(at);
      return object && { ...object, read: (offset, into) => object.read(offset, into.subarray(0, 1000)) };
    };
    assert.deepEqual(await readAt(new CheckedObjects(storage), 1, 300_000), megabyte.subarray(1, 300_001));
  });

  test("an object that ends early is damage", async () => {
    const storage = await kept(megabyte);
    const inner = storage.open.bind(storage);
    storage.open = async (at) => {
      const object = await inner(at);
      return (
        object && {
          ...object,
          read: (offset, into) => object.read(offset, into.subarray(0, Math.max(0, 100_000 - offset))),
        }
      );
    };
    const objects = new CheckedObjects(storage);
    assert.deepEqual(await readAt(objects, 0, 100), megabyte.subarray(0, 100));
    await assert.rejects(readAt(objects, zipBlockBytes, zipBlockBytes), StoreDamaged);
  });
});

suite("checked objects: files that change", () => {
  async function onDisk(work: (file: string, objects: CheckedObjects) => Promise<void>): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), "granary-checked-"));
    try {
      const storage = await openDiskStorage(dir, { fsync: "never" });
      await storage.create(key, megabyte);
      const objects = new CheckedObjects(storage);
      await work(join(dir, key), objects);
      await objects.close();
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  async function writeAt(file: string, at: number): Promise<void> {
    const handle = await open(file, "r+");
    await handle.write(flipped(megabyte, at).subarray(at, at + 1), 0, 1, at);
    // The clock of a file system may tick slower than this test writes.
    await handle.utimes(1, 1);
    await handle.close();
  }

  test("a file written to after its first read is noticed, by a reader who has it open", async () => {
    await onDisk(async (file, objects) => {
      const object = await objects.open(key, manifest);
      assert.deepEqual(await readPart(object, 0, megabyte.length), megabyte);
      await writeAt(file, 70_000);
      await assert.rejects(readPart(object, 0, megabyte.length), StoreDamaged);
      assert.deepEqual(await readPart(object, 0, 1000), megabyte.subarray(0, 1000));
      await assert.rejects(readPart(object, 70_000, 1), StoreDamaged);
      await object.close();
    });
  });

  test("a file written to between two readers is noticed", async () => {
    await onDisk(async (file, objects) => {
      assert.deepEqual(await readAt(objects, 0, megabyte.length), megabyte);
      await writeAt(file, 9);
      await assert.rejects(readAt(objects, 0, 10), StoreDamaged);
      assert.ok((await objects.damageOf(key)) instanceof StoreDamaged);
    });
  });

  test("a file written to and written back is proven again, and good", async () => {
    await onDisk(async (file, objects) => {
      assert.deepEqual(await readAt(objects, 0, megabyte.length), megabyte);
      await writeAt(file, 9);
      await assert.rejects(readAt(objects, 0, 10), StoreDamaged);
      await writeFile(file, megabyte);
      await utimes(file, 2, 2);
      assert.equal(await objects.damageOf(key), undefined);
      assert.deepEqual(await readAt(objects, 0, megabyte.length), megabyte);
    });
  });

  test("a file cut short under a reader is damage", async () => {
    await onDisk(async (file, objects) => {
      const object = await objects.open(key, manifest);
      assert.deepEqual(await readPart(object, 0, 100), megabyte.subarray(0, 100));
      await truncate(file, 500_000);
      await assert.rejects(readPart(object, 0, megabyte.length), StoreDamaged);
      await object.close();
      await assert.rejects(readAt(objects, 0, 1), StoreDamaged);
    });
  });

  test("a file replaced under a reader: the reader keeps the old bytes, the next one gets the new", async () => {
    await onDisk(async (file, objects) => {
      const object = await objects.open(key, manifest);
      assert.deepEqual(await readPart(object, 0, megabyte.length), megabyte);
      await writeFile(`${file}.new`, flipped(megabyte, 0));
      await rename(`${file}.new`, file);
      assert.deepEqual(await readPart(object, 0, megabyte.length), megabyte);
      await assert.rejects(readAt(objects, 0, 1), StoreDamaged);
      assert.deepEqual(await readPart(object, 0, megabyte.length), megabyte);
      await object.close();
    });
  });

  test("a file removed under a reader is read to its end, then is damage", async () => {
    await onDisk(async (file, objects) => {
      const object = await objects.open(key, manifest);
      assert.deepEqual(await readPart(object, 0, 100), megabyte.subarray(0, 100));
      await rm(file);
      assert.deepEqual(await readPart(object, 0, megabyte.length), megabyte);
      assert.deepEqual(await readPart(object, 0, megabyte.length), megabyte);
      await object.close();
      await assert.rejects(readAt(objects, 0, 1), { name: "StoreDamaged", found: "no file" });
    });
  });
});

suite("checked objects: damage is remembered", () => {
  test("while the file stays what it was", async () => {
    const storage = await kept(flipped(megabyte, 0));
    const objects = new CheckedObjects(storage);
    assert.equal(await objects.damageOf(key), undefined);
    await assert.rejects(readAt(objects, 0, 1), StoreDamaged);
    assert.ok((await objects.damageOf(key)) instanceof StoreDamaged);
    await overwrite(storage, megabyte);
    assert.equal(await objects.damageOf(key), undefined);
    assert.deepEqual(await readAt(objects, 0, 1), megabyte.subarray(0, 1));
  });

  test("also that it is absent or of another size", async () => {
    const storage = new CountingStorage();
    const objects = new CheckedObjects(storage);
    await assert.rejects(objects.open(key, manifest), { name: "StoreDamaged", found: "no file" });
    assert.ok((await objects.damageOf(key)) instanceof StoreDamaged);
    await storage.create(key, megabyte.subarray(1));
    assert.equal(await objects.damageOf(key), undefined);
    await assert.rejects(objects.open(key, manifest), { name: "StoreDamaged", found: `${megabyte.length - 1} bytes` });
    assert.equal(storage.stillOpen, 0);
  });

  test("until it is forgotten", async () => {
    const objects = new CheckedObjects(await kept(flipped(megabyte, 0)));
    await assert.rejects(readAt(objects, 0, 1), StoreDamaged);
    await objects.forget(key);
    assert.equal(await objects.damageOf(key), undefined);
  });

  test("a storage that cannot answer is no damage", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    storage.beforeOpen = () => Promise.reject(new StoreUnavailable(key, "EIO"));
    await assert.rejects(objects.open(key, manifest), StoreUnavailable);
    assert.equal(await objects.damageOf(key), undefined);
    storage.beforeOpen = () => Promise.resolve();
    assert.deepEqual(await readAt(objects, 0, 1), megabyte.subarray(0, 1));
  });
});

suite("checked objects: handles", () => {
  test("readers share one handle, and it stays open when they left", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    const readers = await Promise.all(Array.from({ length: 50 }, () => objects.open(key, manifest)));
    assert.equal(storage.opened, 1);
    await Promise.all(readers.map((reader) => reader.close()));
    assert.equal(storage.closed, 0);
    await readAt(objects, 0, 1);
    assert.equal(storage.opened, 1);
    await objects.close();
    assert.equal(storage.closed, 1);
  });

  test("closing twice counts once", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    const [one, other] = [await objects.open(key, manifest), await objects.open(key, manifest)];
    await one.close();
    await one.close();
    await objects.close();
    assert.equal(storage.closed, 0);
    await other.close();
    assert.equal(storage.closed, 1);
  });

  test("idle handles are bounded, the oldest are closed first", async () => {
    const storage = new CountingStorage();
    const objects = new CheckedObjects(storage, { idleHandles: 4 });
    for (let n = 0; n < 20; n++) {
      const at = storageKey(`z${n}`);
      const bytes = someBytes(100, n);
      await storage.create(at, bytes);
      const object = await objects.open(at, zipManifest(id, bytes));
      assert.deepEqual(await readPart(object, 0, 100), bytes);
      await object.close();
      await new Promise(setImmediate);
      assert.ok(storage.stillOpen <= 4);
    }
    await objects.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("a handle evicted while idle is opened again", async () => {
    const storage = await kept(megabyte);
    await storage.create(storageKey("other"), megabyte);
    const objects = new CheckedObjects(storage, { idleHandles: 1 });
    await readAt(objects, 0, 1);
    await (await objects.open(storageKey("other"), manifest)).close();
    assert.deepEqual(await readAt(objects, 0, 1), megabyte.subarray(0, 1));
    await objects.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("forgetting a file that is read leaks nothing, however many read the next one", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    const old = await objects.open(key, manifest);
    await objects.forget(key);
    const young = await objects.open(key, manifest);
    assert.equal(storage.opened, 2);
    await old.close();
    assert.equal(storage.closed, 1);
    assert.deepEqual(await readPart(young, 5, 5), megabyte.subarray(5, 10));
    await young.close();
    await objects.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("forgetting an idle file closes it", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    await readAt(objects, 0, 1);
    await objects.forget(key);
    assert.equal(storage.stillOpen, 0);
  });

  test("forgetting a file that is being opened leaks nothing", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    const gate = Promise.withResolvers<undefined>();
    storage.beforeOpen = () => gate.promise;
    const opening = objects.open(key, manifest);
    const forgetting = objects.forget(key);
    gate.resolve(undefined);
    await forgetting;
    const object = await opening;
    assert.deepEqual(await readPart(object, 0, 10), megabyte.subarray(0, 10));
    await object.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("a failed opening fails everybody who waits, and nobody later", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage);
    storage.beforeOpen = () => Promise.reject(new StoreUnavailable(key, "EMFILE"));
    const openings = await Promise.allSettled(Array.from({ length: 5 }, () => objects.open(key, manifest)));
    assert.ok(openings.every((opening) => opening.status === "rejected"));
    storage.beforeOpen = () => Promise.resolve();
    assert.deepEqual(await readAt(objects, 0, 3), megabyte.subarray(0, 3));
    await objects.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("a handle that was found damaged is closed when its readers left", async () => {
    const storage = await kept(flipped(megabyte, 0));
    const objects = new CheckedObjects(storage);
    const readers = await Promise.all([1, 2, 3].map(() => objects.open(key, manifest)));
    await assert.rejects(readPart(readers[0]!, 0, 1), StoreDamaged);
    for (const reader of readers) await reader.close();
    assert.equal(storage.stillOpen, 0);
  });

  test("a handle that fails to close hurts nobody", async () => {
    const storage = await kept(megabyte);
    const inner = storage.open.bind(storage);
    storage.open = async (at) => {
      const object = await inner(at);
      return object && { ...object, close: () => Promise.reject(new Error("EIO")) };
    };
    const objects = new CheckedObjects(storage);
    await readAt(objects, 0, 1);
    await objects.close();
  });

  test("readers, forgetters and closers in any order leave nothing open", async () => {
    const storage = await kept(megabyte);
    const objects = new CheckedObjects(storage, { idleHandles: 1 });
    const action = fc.constantFrom("read", "hold", "drop", "forget", "close");
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const held: Promise<CheckedObject>[] = [];
        const work: Promise<unknown>[] = [];
        for (const what of actions) {
          if (what === "read") work.push(readAt(objects, 0, 10));
          else if (what === "hold") held.push(objects.open(key, manifest));
          else if (what === "drop") work.push(Promise.resolve(held.pop()?.then((object) => object.close())));
          else if (what === "forget") work.push(objects.forget(key));
          else work.push(objects.close());
        }
        await Promise.all(work);
        for (const object of held) await (await object).close();
        await objects.close();
        assert.equal(storage.stillOpen, 0);
      }),
    );
  });
});
