// What changing objects were when they were last seen, on this node's disk: read only while nobody can be asked.
//
// Written behind the requests and without waiting; each file says of itself whether it is whole.

import { createHash } from "node:crypto";
import type { Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { maxKeyLength, storageKey } from "#services/store/ports.ts";
import { KeyLocks } from "./_key-locks.ts";
import { seenPrefix } from "./_tier-places.ts";

/** Larger ones are not remembered. */
const maxSeenBytes = 16 << 20;
/** Tokens of what was written last, so that the same is not written again. */
const maxKnown = 50_000;
/** Writes that wait; what comes beyond is not remembered this time. */
const maxWaiting = 1_000;

export class LastSeen {
  readonly #disk: Storage;
  readonly #known = new Map<string, string>();
  readonly #turns = new KeyLocks();
  readonly #writing = new Set<Promise<void>>();

  constructor(disk: Storage) {
    this.#disk = disk;
  }

  /** What is there now; undefined: nothing. */
  saw(key: StorageKey, stored: StoredBytes | undefined): void {
    const token = stored?.token ?? "";
    const seenKey = placeOf(key);
    if (seenKey === undefined || this.#known.get(key) === token || this.#writing.size >= maxWaiting) return;
    if (stored !== undefined && stored.size > maxSeenBytes) return;
    this.#know(key, token);
    const work = this.#turns
      .run(key, () => (stored === undefined ? this.#erase(seenKey) : this.#write(seenKey, stored)))
      .catch(() => {
        this.#known.delete(key);
      });
    this.#writing.add(work);
    void work.finally(() => this.#writing.delete(work));
  }

  /** The last that was seen of an object; undefined when nothing was, or it is damaged. */
  async last(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const seenKey = placeOf(key);
    if (seenKey === undefined) return undefined;
    return await this.#turns.run(key, async () => {
      const stored = await this.#disk.get(seenKey, maxSeenBytes + maxHeadBytes).catch(() => undefined);
      const seen = stored === undefined ? undefined : parse(stored.bytes);
      return seen !== undefined && seen.size <= maxBytes ? seen : undefined;
    });
  }

  /** Resolves when all that was seen is written. */
  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing);
  }

  async #write(seenKey: StorageKey, stored: StoredBytes): Promise<void> {
    const bytes = format(stored);
    const before = await this.#disk.stat(seenKey);
    await this.#disk.replace(seenKey, bytes, before?.token);
  }

  async #erase(seenKey: StorageKey): Promise<void> {
    await this.#disk.remove(seenKey);
  }

  #know(key: string, token: string): void {
    this.#known.delete(key);
    this.#known.set(key, token);
    const oldest = this.#known.size > maxKnown ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Undefined for a key that would be too long. Every name gets an ending, so that `a` and `a/b` do not meet. */
function placeOf(key: StorageKey): StorageKey | undefined {
  const text = `${seenPrefix}${key}.seen`;
  return text.length > maxKeyLength ? undefined : storageKey(text);
}

/** The line before the bytes: their hash, their date, their token. */
const maxHeadBytes = 4096;

function format({ bytes, modifiedMs, token }: StoredBytes): Uint8Array {
  const head = JSON.stringify({ sha256: hashOf(bytes), modifiedMs, token });
  return Buffer.concat([Buffer.from(`${head}\n`), bytes]);
}

function parse(text: Uint8Array): StoredBytes | undefined {
  const end = text.indexOf("\n".charCodeAt(0));
  if (end < 0) return undefined;
  const bytes = text.slice(end + 1);
  try {
    const { sha256, modifiedMs, token } = JSON.parse(Buffer.from(text.subarray(0, end)).toString()) as {
      readonly sha256: unknown;
      readonly modifiedMs: unknown;
      readonly token: unknown;
    };
    if (sha256 !== hashOf(bytes) || typeof modifiedMs !== "number" || typeof token !== "string") return undefined;
    return { bytes, size: bytes.length, modifiedMs, token };
  } catch {
    return undefined;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
