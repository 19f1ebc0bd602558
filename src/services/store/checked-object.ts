// Reading a kept zip so that nothing unproven leaves: each block is hashed the first time this process reads it
// since the file last changed, and remembered under the file's token. Handles are shared and closed when idle.

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { noFile, StoreDamaged } from "./errors.ts";
import { zipBlockBytes } from "./manifest.ts";
import type { ZipManifest } from "./manifest.ts";
import type { OpenObject, Storage, StorageKey } from "./ports.ts";

/** A kept object whose reads are checked. */
export interface CheckedObject {
  readonly size: number;
  /** Fills `into` from `offset`; returns the bytes read. Throws StoreDamaged when a block is not what it was. */
  read(offset: number, into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Zips open at a time beyond those being read. */
const maxIdleHandles = 256;
/** Memory for checked blocks: a byte per block and some 200 for the file, so that some 70,000 zips of 1 MiB fit. */
const maxProvenBytes = 16 << 20;
const provenOverheadBytes = 200;
/** Damaged zips remembered until they are restored; the others are found damaged again when they are read. */
const maxDamaged = 10_000;

type Opened = {
  readonly object: OpenObject;
  readonly proven: Uint8Array;
  readonly blocks: Buffer;
  /** Of the whole file. */
  readonly sha256: string;
};
/** A file opened or being opened. `users` counts from the first who waits, so nobody closes it under a waiter. */
type Slot = { readonly key: StorageKey; readonly sha256: string; readonly opened: Promise<Opened>; users: number };
/** Blocks found good under one token of the file and one manifest. */
type Proven = { readonly token: string; readonly sha256: string; readonly blocks: Uint8Array };
type Part = { readonly offset: number; readonly into: Uint8Array };

export class CheckedObjects {
  readonly #storage: Storage;
  /** Slots that new readers may join; one that left this map is closed by its last reader. */
  readonly #slots = new Map<string, Slot>();
  readonly #idle: LRUCache<string, Slot>;
  readonly #proven = new LRUCache<string, Proven>({
    maxSize: maxProvenBytes,
    sizeCalculation: ({ blocks }, key) => blocks.length + key.length + provenOverheadBytes,
  });
  readonly #damaged = new LRUCache<string, { readonly token: string | undefined; readonly error: StoreDamaged }>({
    max: maxDamaged,
  });

  constructor(storage: Storage, limits: { readonly idleHandles?: number } = {}) {
    this.#storage = storage;
    this.#idle = new LRUCache({
      max: limits.idleHandles ?? maxIdleHandles,
      dispose: (slot, key, reason) => {
        if (reason !== "evict") return;
        this.#slots.delete(key);
        void closeQuietly(slot);
      },
    });
  }

  /** Opens the zip of `manifest`. Throws StoreDamaged when it is gone or has another size. */
  async open(key: StorageKey, manifest: ZipManifest): Promise<CheckedObject> {
    let slot = this.#join(key, manifest);
    let opened = await this.#openedOf(slot).catch(async (error: unknown) => {
      await this.#unlessCopy(key, error);
      slot = this.#join(key, manifest);
      return await this.#openedOf(slot);
    });
    let isOpen = true;
    /** Once more from where the copy came from. */
    const again = async (part: Part): Promise<number> => {
      await this.#leave(slot);
      slot = this.#join(key, manifest);
      opened = await this.#openedOf(slot);
      return await this.#read(slot, opened, part);
    };
    return {
      size: opened.object.size,
      read: async (offset, into) => {
        try {
          return await this.#read(slot, opened, { offset, into });
        } catch (error) {
          await this.#unlessCopy(key, error);
          return await again({ offset, into });
        }
      },
      close: async () => {
        if (isOpen) await this.#leave(slot);
        isOpen = false;
      },
    };
  }

  /** True while a handle is held: then the file can be read, whether or not it still has its name. */
  isOpen(key: StorageKey): boolean {
    return this.#slots.has(key);
  }

  /** What is wrong with a file that was found damaged and is still the same file. */
  async damageOf(key: StorageKey): Promise<StoreDamaged | undefined> {
    const known = this.#damaged.get(key);
    if (known === undefined) return undefined;
    const stat = await this.#storage.stat(key);
    if (stat?.token === known.token) return known.error;
    this.#damaged.delete(key);
    return undefined;
  }

  /** Forgets a file: it was created or replaced. Those who read the old one read on, and close it. */
  async forget(key: StorageKey): Promise<void> {
    this.#damaged.delete(key);
    this.#proven.delete(key);
    await this.#retire(key);
  }

  /** Closes what nobody reads; the rest is closed by its readers. */
  async close(): Promise<void> {
    for (const key of [...this.#slots.keys()]) await this.#retire(key);
  }

  /** Throws the error again, unless it is damage of a copy, which is gone now: then the object itself may be sound. */
  async #unlessCopy(key: StorageKey, error: unknown): Promise<void> {
    if (!(error instanceof StoreDamaged) || (await this.#storage.doubt?.(key)) !== true) throw error;
    await this.forget(key);
  }

  #join(key: StorageKey, manifest: ZipManifest): Slot {
    const { sha256 } = manifest.zip;
    let slot = this.#slots.get(key);
    if (slot?.sha256 !== sha256) {
      void this.#retire(key);
      slot = { key, sha256, opened: this.#openFile(key, manifest), users: 0 };
      this.#slots.set(key, slot);
    }
    slot.users++;
    this.#idle.delete(key);
    return slot;
  }

  async #openedOf(slot: Slot): Promise<Opened> {
    try {
      return await slot.opened;
    } catch (error) {
      if (this.#slots.get(slot.key) === slot) this.#slots.delete(slot.key);
      if (error instanceof StoreDamaged) await this.#remember(error, slot.key);
      throw error;
    }
  }

  async #leave(slot: Slot): Promise<void> {
    slot.users--;
    if (slot.users > 0) return;
    if (this.#slots.get(slot.key) === slot) this.#idle.set(slot.key, slot);
    else await closeQuietly(slot);
  }

  /** Lets no new reader join. */
  async #retire(key: string): Promise<void> {
    const slot = this.#slots.get(key);
    this.#slots.delete(key);
    this.#idle.delete(key);
    if (slot?.users === 0) await closeQuietly(slot);
  }

  async #openFile(key: StorageKey, { zip }: ZipManifest): Promise<Opened> {
    const object = await this.#storage.open(key);
    const want = { expected: `${zip.size} bytes`, sha256: zip.sha256 };
    if (object === undefined) throw new StoreDamaged(key, { ...want, found: noFile });
    if (object.size !== zip.size) {
      await object.close();
      throw new StoreDamaged(key, { ...want, found: `${object.size} bytes` });
    }
    const blocks = Buffer.from(zip.blocks, "base64");
    return { object, proven: this.#provenOf(object, { key, zip }), blocks, sha256: zip.sha256 };
  }

  /** One byte per block, 1 once it was hashed; shared by all who opened the same unchanged file. */
  #provenOf({ token, size }: OpenObject, { key, zip }: { readonly key: string; readonly zip: ZipManifest["zip"] }) {
    const known = this.#proven.get(key);
    if (known?.token === token && known.sha256 === zip.sha256) return known.blocks;
    const blocks = new Uint8Array(Math.ceil(size / zipBlockBytes));
    this.#proven.set(key, { token, sha256: zip.sha256, blocks });
    return blocks;
  }

  async #read(slot: Slot, opened: Opened, { offset, into }: Part): Promise<number> {
    const length = Math.min(into.length, opened.object.size - offset);
    if (length <= 0) return 0;
    const part = { offset, into: into.subarray(0, length) };
    try {
      if (isProven(opened.proven, part)) {
        await readFully(slot.key, opened, part);
        // After the read: a file written to before or during it tells by its times.
        if (!(await this.#hasChanged(slot, opened))) return length;
      }
      await readProving(slot.key, opened, part);
      return length;
    } catch (error) {
      if (error instanceof StoreDamaged) await this.#remember(error, slot.key);
      throw error;
    }
  }

  /** Changed or replaced since it was opened: what was proven then says nothing now, and new readers open it anew. */
  async #hasChanged(slot: Slot, opened: Opened): Promise<boolean> {
    const stat = await this.#storage.stat(slot.key);
    if (stat?.token === opened.object.token) return false;
    opened.proven.fill(0);
    if (this.#slots.get(slot.key) === slot) this.#slots.delete(slot.key);
    return true;
  }

  /** Under the token the file has now, so that a file put in its place is given its chance. */
  async #remember(error: StoreDamaged, key: StorageKey): Promise<void> {
    this.#proven.delete(key);
    await this.#retire(key);
    const stat = await this.#storage.stat(key).catch(() => undefined);
    this.#damaged.set(key, { token: stat?.token, error });
  }
}

function firstBlock({ offset }: Part): number {
  return Math.floor(offset / zipBlockBytes);
}

function endBlock({ offset, into }: Part): number {
  return Math.ceil((offset + into.length) / zipBlockBytes);
}

function isProven(proven: Uint8Array, part: Part): boolean {
  for (let block = firstBlock(part); block < endBlock(part); block++) if (proven[block] !== 1) return false;
  return true;
}

/** Reads whole blocks, proves them, and hands out the part that was asked for. */
async function readProving(key: string, opened: Opened, part: Part): Promise<void> {
  const { offset, into } = part;
  const start = firstBlock(part) * zipBlockBytes;
  const end = Math.min(endBlock(part) * zipBlockBytes, opened.object.size);
  const isAligned = start === offset && end === offset + into.length;
  const bytes = isAligned ? into : Buffer.allocUnsafeSlow(end - start);
  await readFully(key, opened, { offset: start, into: bytes });
  for (let block = firstBlock(part); block < endBlock(part); block++) {
    const at = block * zipBlockBytes - start;
    checkBlock(key, block, { opened, bytes: bytes.subarray(at, at + zipBlockBytes) });
  }
  if (!isAligned) into.set(bytes.subarray(offset - start, offset - start + into.length));
}

function checkBlock(key: string, block: number, of: { readonly opened: Opened; readonly bytes: Uint8Array }): void {
  const { blocks, proven } = of.opened;
  const found = createHash("sha256").update(of.bytes).digest();
  const expected = blocks.subarray(block * found.length, (block + 1) * found.length);
  if (!found.equals(expected))
    throw new StoreDamaged(key, {
      expected: `block ${block} ${expected.toString("hex")}`,
      found: found.toString("hex"),
      sha256: of.opened.sha256,
    });
  proven[block] = 1;
}

async function readFully(key: string, { object, sha256 }: Opened, { offset, into }: Part): Promise<void> {
  for (let done = 0; done < into.length;) {
    const got = await object.read(offset + done, into.subarray(done));
    if (got === 0)
      throw new StoreDamaged(key, { expected: `${object.size} bytes`, found: `${offset + done} bytes`, sha256 });
    done += got;
  }
}

/** A file that does not close as it should has been read to the end all the same. */
async function closeQuietly(slot: Slot): Promise<void> {
  try {
    const { object } = await slot.opened;
    await object.close();
  } catch {
    // opening failed, so nothing is open; or closing failed, and nobody could do anything about it
  }
}
