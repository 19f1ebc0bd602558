// Small objects in memory, the ones unused longest leave. Bytes are never changed by those who get them.

import type { StoredBytes } from "#services/store/ports.ts";

/** What an entry costs beside its bytes and its key. */
const overheadBytes = 300;

export class MemoryCopies {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, StoredBytes>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): StoredBytes | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** One that would take more than an eighth of the room is not kept. */
  set(key: string, entry: StoredBytes): void {
    this.delete(key);
    const cost = costOf(key, entry);
    if (cost > this.#maxBytes / 8) return;
    this.#entries.set(key, entry);
    this.#bytes += cost;
    for (const [oldest, one] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= costOf(oldest, one);
    }
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#bytes -= costOf(key, entry);
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

function costOf(key: string, { bytes }: StoredBytes): number {
  return bytes.length + 2 * key.length + overheadBytes;
}
