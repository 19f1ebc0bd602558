// Reading a kept zip so that nothing unproven leaves: each block is hashed the first time this process reads it
// since the file last changed, and remembered under the file's token. Handles are shared and closed when idle.

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { StoreDamaged } from "./errors.ts";
import { zipBlockBytes } from "./manifest.ts";
import type { ZipManifest } from "./manifest.ts";
import type { OpenObject, Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";

/** A kept object whose reads are checked. */
export interface CheckedObject {
  readonly size: number;
  /** Fills `into` from `offset`; returns the bytes read. Throws StoreDamaged when a block is not what it was. */
  read(offset: number, into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Zips open at a time beyond those being read. */
const maxIdleHandles = 256;
/** Files whose checked blocks are remembered; a bit per block, so a 500 MiB zip costs 1 KiB. */
const maxRemembered = 50_000;

type Handle = { readonly object: OpenObject; readonly proven: Uint8Array; readonly blocks: Buffer; users: number; idle: boolean };

export class CheckedObjects {
  readonly #storage: Storage;
  readonly #handles = new Map<string, Promise<Handle>>();
  readonly #idle = new LRUCache<string, true>({
    max: maxIdleHandles,
    dispose: (_value, key, reason) => {
      if (reason === "evict") void this.#closeIdle(key);
    },
  });
  readonly #proven = new LRUCache<string, Uint8Array>({ max: maxRemembered });

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Opens the zip of `manifest`. Throws StoreDamaged when it is gone or has another size. */
  async open(key: StorageKey, manifest: ZipManifest): Promise<CheckedObject> {
    const handle = await this.#take(key, manifest);
    let open = true;
    return {
      size: manifest.zip.size,
      read: (offset, into) => this.#read(key, handle, { offset, into }),
      close: () => {
        if (open) this.#release(key, handle);
        open = false;
        return Promise.resolve();
      },
    };
  }

  /** Forgets a file: it was replaced, removed or found damaged. */
  async forget(key: StorageKey): Promise<void> {
    this.#idle.delete(key);
    const handle = this.#handles.get(key);
    this.#handles.delete(key);
    for (const remembered of this.#proven.keys()) if (remembered.startsWith(`${key} `)) this.#proven.delete(remembered);
    const opened = await handle?.catch(() => undefined);
    if (opened?.users === 0) await opened.object.close();
  }

  async close(): Promise<void> {
    for (const key of [...this.#handles.keys()]) await this.#closeIdle(key);
  }

  async #take(key: StorageKey, manifest: ZipManifest): Promise<Handle> {
    for (;;) {
      let opening = this.#handles.get(key);
      if (opening === undefined) {
        opening = this.#openHandle(key, manifest);
        this.#handles.set(key, opening);
        opening.catch(() => this.#handles.delete(key));
      }
      const handle = await opening;
      // The idle limit may have closed it between the look-up and now.
      if (this.#handles.get(key) !== opening) continue;
      handle.users++;
      this.#idle.delete(key);
      return handle;
    }
  }

  async #openHandle(key: StorageKey, manifest: ZipManifest): Promise<Handle> {
    const { size, blocks } = manifest.zip;
    const object = await this.#storage.open(key);
    if (object === undefined) throw new StoreDamaged(key, { expected: `${size} bytes`, found: "no file" });
    if (object.size !== size) {
      await object.close();
      throw new StoreDamaged(key, { expected: `${size} bytes`, found: `${object.size} bytes` });
    }
    return { object, proven: this.#provenOf(key, object), blocks: Buffer.from(blocks, "base64"), users: 0, idle: false };
  }

  /** One byte per block, 1 once it was hashed; shared by all handles of the same unchanged file. */
  #provenOf(key: StorageKey, object: OpenObject): Uint8Array {
    const id = `${key} ${object.token}`;
    let proven = this.#proven.get(id);
    if (proven === undefined) {
      proven = new Uint8Array(Math.ceil(object.size / zipBlockBytes));
      this.#proven.set(id, proven);
    }
    return proven;
  }

  #release(key: StorageKey, handle: Handle): void {
    handle.users--;
    if (handle.users > 0) return;
    if (this.#handles.has(key)) this.#idle.set(key, true);
    else void handle.object.close();
  }

  async #closeIdle(key: string): Promise<void> {
    const opening = this.#handles.get(key);
    const handle = await opening?.catch(() => undefined);
    if (handle === undefined || handle.users > 0 || this.#handles.get(key) !== opening) return;
    this.#handles.delete(key);
    await handle.object.close();
  }

  async #read(key: StorageKey, handle: Handle, part: { readonly offset: number; readonly into: Uint8Array }): Promise<number> {
    const { offset, into } = part;
    const end = Math.min(offset + into.length, handle.object.size);
    if (end <= offset) return 0;
    const first = Math.floor(offset / zipBlockBytes);
    const last = Math.floor((end - 1) / zipBlockBytes);
    // Changed since it was opened: what was proven then says nothing now.
    if (!allProven(handle.proven, first, last) || (await this.#changed(key, handle))) return await this.#readProving(key, handle, part);
    return await readFully(key, handle.object, { offset, into: into.subarray(0, end - offset) });
  }

  async #changed(key: StorageKey, handle: Handle): Promise<boolean> {
    const stat = await this.#storage.stat(key);
    if (stat?.token === handle.object.token) return false;
    handle.proven.fill(0);
    return true;
  }

  /** Reads whole blocks, proves them, and hands out the part that was asked for. */
  async #readProving(key: StorageKey, handle: Handle, part: { readonly offset: number; readonly into: Uint8Array }): Promise<number> {
    const { offset, into } = part;
    const end = Math.min(offset + into.length, handle.object.size);
    const first = Math.floor(offset / zipBlockBytes);
    const last = Math.floor((end - 1) / zipBlockBytes);
    const start = first * zipBlockBytes;
    const span = Math.min((last + 1) * zipBlockBytes, handle.object.size) - start;
    const aligned = start === offset && span === end - offset;
    const bytes = aligned ? into.subarray(0, span) : Buffer.allocUnsafe(span);
    await readFully(key, handle.object, { offset: start, into: bytes });
    for (let block = first; block <= last; block++) {
      if (handle.proven[block] === 1) continue;
      const at = (block - first) * zipBlockBytes;
      const found = createHash("sha256").update(bytes.subarray(at, at + zipBlockBytes)).digest();
      const expected = handle.blocks.subarray(block * 32, block * 32 + 32);
      if (!found.equals(expected)) {
        await this.forget(key);
        throw new StoreDamaged(key, { expected: `block ${block} ${expected.toString("hex")}`, found: found.toString("hex") });
      }
      handle.proven[block] = 1;
    }
    if (!aligned) into.set(bytes.subarray(offset - start, end - start));
    return end - offset;
  }
}

function allProven(proven: Uint8Array, first: number, last: number): boolean {
  for (let block = first; block <= last; block++) if (proven[block] !== 1) return false;
  return true;
}

async function readFully(key: StorageKey, object: OpenObject, part: { readonly offset: number; readonly into: Uint8Array }): Promise<number> {
  const { offset, into } = part;
  let done = 0;
  while (done < into.length) {
    const got = await object.read(offset + done, into.subarray(done));
    if (got === 0) throw new StoreUnavailable(key, `the file ended at ${offset + done}`);
    done += got;
  }
  return done;
}
