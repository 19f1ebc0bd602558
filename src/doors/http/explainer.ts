// What `granary explain ID` looks up: the last error answers, by request id. Bounded, in memory, on this server only.

import type { GranaryError } from "#services/errors/granary-error.ts";

export type Explained = {
  readonly id: string;
  readonly at: string;
  readonly target: string;
  readonly code: string;
  readonly fields: GranaryError["fields"];
  /** The module is private: only readers may be told. */
  readonly isPrivate: boolean;
};

/** Errors remembered: some minutes of a busy day; at some 500 bytes each about 1 MiB. */
const maxExplained = 2_000;
const maxTarget = 300;

export class Explainer {
  readonly #entries = new Map<string, Explained>();

  add(entry: Explained): void {
    this.#entries.set(entry.id, { ...entry, target: entry.target.slice(0, maxTarget) });
    if (this.#entries.size <= maxExplained) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  find(id: string): Explained | undefined {
    return this.#entries.get(id);
  }
}
