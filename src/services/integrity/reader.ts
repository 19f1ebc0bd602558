// Somebody else's integrity list, asked for when no checksum database can be reached, and only then.
//
// A list that was believed is held until its time is over, so that its publisher may fail as well; an older one never
// takes its place. A source that fails, or gives what cannot be proven, is not asked again for a while.

import { openIntegrityList, type IntegrityList } from "#protocol/integrity.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Verifier } from "#protocol/note.ts";
import type { Sums } from "#protocol/record.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Clock } from "#services/store/ports.ts";
import type { IntegritySource } from "./ports.ts";

/** Versions kept elsewhere since then are not found. */
const refreshMs = 5 * 60_000;
const pauseMs = 30_000;
/** 16 MiB on a slow line. */
const fetchMs = 60_000;

export type ReaderUse = {
  readonly source: IntegritySource;
  readonly verifier: Verifier;
  readonly clock: Pick<Clock, "now">;
  readonly stop: AbortSignal;
  /** Told of a list that could not be had, and why. */
  readonly onFailure: (reason: string) => void;
};

/** How it stands with the list. */
export type ReaderView = {
  readonly name: string;
  readonly lines?: number;
  readonly until?: string;
  readonly trouble?: string;
};

export class IntegrityReader {
  readonly name: string;
  readonly #use: ReaderUse;
  #list: IntegrityList | undefined;
  #askedMs = -Infinity;
  #pausedUntilMs = -Infinity;
  #trouble: string | undefined;
  #asking: Promise<void> | undefined;

  constructor(use: ReaderUse) {
    this.#use = use;
    this.name = use.verifier.name;
  }

  get view(): ReaderView {
    const list = this.#believed();
    return {
      name: this.name,
      ...(list && { lines: list.size, until: new Date(list.untilMs).toISOString() }),
      ...(this.#trouble !== undefined && { trouble: this.#trouble }),
    };
  }

  /** What the list says of a version; nothing when it does not name it or cannot be had. */
  async find(id: ModuleVersion, signal: AbortSignal): Promise<Sums> {
    const now = this.#use.clock.now();
    const isOld = this.#believed() === undefined || now - this.#askedMs > refreshMs;
    if (isOld && now >= this.#pausedUntilMs) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
      await unlessAborted(this.#asking, signal);
    }
    return this.#believed()?.find(id) ?? {};
  }

  #believed(): IntegrityList | undefined {
    const list = this.#list;
    return list !== undefined && this.#use.clock.now() <= list.untilMs ? list : undefined;
  }

  async #ask(): Promise<void> {
    const { source, verifier, clock, stop, onFailure } = this.#use;
    try {
      const bytes = await source.fetch(AbortSignal.any([stop, AbortSignal.timeout(fetchMs)]));
      const list = openIntegrityList(bytes, verifier, clock.now());
      if (list.madeMs < (this.#list?.madeMs ?? -Infinity))
        throw new ProtocolError("BAD_INTEGRITY", "the integrity list: older than one that was seen before");
      this.#list = list;
      this.#askedMs = clock.now();
      this.#trouble = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#pausedUntilMs = clock.now() + pauseMs;
      if (reason !== this.#trouble && !stop.aborted) onFailure(reason);
      this.#trouble = reason;
    }
  }
}

/** Waits for work that goes on without this asker. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let leave: (() => void) | undefined;
  const left = new Promise<void>((_, reject) => {
    leave = () => reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    await Promise.race([work, left]);
  } finally {
    if (leave !== undefined) signal.removeEventListener("abort", leave);
  }
}
