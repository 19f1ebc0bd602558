// What upstreams said they do not have. Fixed in size: a flood of unknown paths costs the flooder, not us
// (a plain Map of a million paths costs some 300 MB).
//
// An entry is good for `ttlMs`; after that it is stale and only believed when no upstream answers.

import { isAtOrBelow } from "#protocol/path.ts";

export type Negative = {
  readonly reason: string;
  readonly by: string;
  readonly sinceMs: number;
  readonly untilMs: number;
};

export class NegativeCache {
  readonly #entries = new Map<string, Negative>();
  readonly #maxEntries: number;
  readonly #ttlMs: number;

  constructor(options: { readonly maxEntries: number; readonly ttlMs: number }) {
    this.#maxEntries = options.maxEntries;
    this.#ttlMs = options.ttlMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Remembers an absence; the oldest entry leaves when there is no room. Overlong keys are not remembered. */
  add(key: string, absence: { readonly reason: string; readonly by: string }, nowMs: number): void {
    this.adopt(key, { ...absence, sinceMs: nowMs, untilMs: nowMs + this.#ttlMs });
  }

  /** Remembers what another node learnt, for as long as that one does. */
  adopt(key: string, absence: Negative): void {
    if (key.length > maxNegativeKey) return;
    this.#entries.delete(key);
    this.#entries.set(key, { ...absence, reason: absence.reason.slice(0, maxNegativeReason) });
    if (this.#entries.size <= this.#maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  /** The absence while it is fresh. */
  fresh(key: string, nowMs: number): Negative | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && nowMs < entry.untilMs ? entry : undefined;
  }

  /** The absence, fresh or not: what was learnt earlier stays good while no upstream answers. */
  remembered(key: string): Negative | undefined {
    return this.#entries.get(key);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }

  /** Forgets all that was said about a module, about those below it, and of its ancestors that they are none. */
  forget(path: string): void {
    for (const key of this.#entries.keys()) {
      const [of = ""] = key.split("@", 1);
      if (isAtOrBelow(of, path) || isAtOrBelow(path, of)) this.#entries.delete(key);
    }
  }
}

/** Longest key kept: with the reason's cap and maxEntries it bounds the memory (16,384 × ~0.7 KiB ≈ 11 MiB at worst). */
const maxNegativeKey = 400;
const maxNegativeReason = 200;
