// Ready-made answers by raw request target: the shortest way from a request line to bytes.
//
// Only public answers are here, and only such as the proxy itself has answered for this very target. An entry is a
// head and a body made once; the body of a small zip included. The whole is bounded in bytes.

import { isAtOrBelow } from "#protocol/path.ts";
import { LRUCache } from "lru-cache";
import type { Counter } from "./counters.ts";

export type HotEntry = {
  readonly status: number;
  /** Flat header list as writeHead takes it: name, value, name, value, … */
  readonly head: string[];
  /** As hotBody() made it: the bytes, or the same bytes as latin1 text. */
  readonly body: Buffer | string;
  readonly etag: string | undefined;
  readonly untilMs: number;
  /** The counter of this kind of answer; counting must not cost a lookup. */
  readonly count: Counter;
  /** Module path, so that a refresh can forget it. */
  readonly path: string;
  /** `path@version` of a zip, whose requests are counted by version. */
  readonly zip?: string;
  /** `path@version` of a go.mod. */
  readonly mod?: string;
};

/** Longer texts would be copied for longer than the saved piece costs. */
const maxTextBytes = 16 * 1024;

/**
 * The body as it is sent fastest. Node sends a head and a text as one piece, but a head and a Buffer as two: a tenth of
 * the CPU of a small answer (bench W1). Every byte is one latin1 character, so nothing is lost.
 */
export function hotBody(bytes: Buffer): Buffer | string {
  return bytes.length <= maxTextBytes ? bytes.toString("latin1") : bytes;
}

/** What an entry costs besides its body: head strings, map slots, list links. Measured, rounded up. */
const entryOverheadBytes = 1_200;

export class HotCache {
  readonly #entries: LRUCache<string, HotEntry>;
  readonly maxEntryBytes: number;

  constructor(options: { readonly maxBytes: number; readonly maxEntryBytes: number }) {
    this.maxEntryBytes = options.maxEntryBytes;
    this.#entries = new LRUCache({
      maxSize: Math.max(options.maxBytes, 1),
      maxEntrySize: options.maxEntryBytes + entryOverheadBytes,
      sizeCalculation: (entry, url) => entry.body.length + entryOverheadBytes + url.length,
    });
  }

  get(url: string): HotEntry | undefined {
    return this.#entries.get(url);
  }

  set(url: string, entry: HotEntry): void {
    this.#entries.set(url, entry);
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
  }

  /**
   * Forgets every answer about a module and about those below it: they may be of one repository; and that its ancestors
   * are none.
   */
  forget(path: string): void {
    for (const [url, entry] of this.#entries.entries()) {
      const isAncestor = entry.status === 404 && isAtOrBelow(path, entry.path);
      if (isAncestor || isAtOrBelow(entry.path, path)) this.#entries.delete(url);
    }
  }
}
