// Records what is kept, in the order of its arrival, without anybody asking. Bounded: what does not fit, or fails, is
// recorded when it is first looked up.

import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import type { OwnDatabase } from "./own-database.ts";

export type ArrivalsUse = {
  readonly database: Pick<OwnDatabase, "record">;
  readonly stop: AbortSignal;
  /** Told what could not be recorded, and why. */
  readonly onFailure: (id: ModuleVersion, error: unknown) => void;
};

/** A build of a large project brings some hundred versions at once. */
const maxWaiting = 4096;
/** One commit takes many; each needs a proof first, most of which are in memory. */
const maxRunning = 8;

export class Arrivals {
  readonly #use: ArrivalsUse;
  readonly #waiting = new Map<string, ModuleVersion>();
  #running = 0;

  constructor(use: ArrivalsUse) {
    this.#use = use;
  }

  /** A version has just been kept. */
  add(id: ModuleVersion): void {
    if (this.#waiting.size >= maxWaiting) return;
    this.#waiting.set(formatModuleVersion(id), id);
    this.#next();
  }

  #next(): void {
    if (this.#running >= maxRunning || this.#use.stop.aborted) return;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [key, id] = first;
    this.#waiting.delete(key);
    this.#running++;
    void this.#record(id).finally(() => {
      this.#running--;
      this.#next();
    });
    this.#next();
  }

  async #record(id: ModuleVersion): Promise<void> {
    try {
      await this.#use.database.record(id, this.#use.stop);
    } catch (error) {
      if (!this.#use.stop.aborted) this.#use.onFailure(id, error);
    }
  }
}
