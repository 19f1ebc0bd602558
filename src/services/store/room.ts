// Whether anything new may come in: room on the disk, and a disk that takes writes.
//
// Two things close the door to ingests. Space below the low-water mark does so before the disk is full: what is left is
// for small things that must be written whatever happens (checksum records, heads, pins, tokens, lists). Trouble does
// so when a real write failed for a reason that the next one will meet as well. Both end by themselves: space is asked
// for every second, and while there is trouble a small write is tried. What is kept is served all the time.

import type { Clock, Space, StorageSpace } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { troubleOf } from "./trouble.ts";
import type { Trouble } from "./trouble.ts";

/** Why nothing new is taken: `low-space` and `low-inodes` are ours, the others the disk's. */
export type RefusalReason = "low-space" | "low-inodes" | Trouble;

export type Refusal = { readonly reason: RefusalReason; readonly sinceMs: number };

/** Below which free space ingests stop: the smaller of both. `bytes` 0: never. */
export type LowWater = { readonly bytes: number; readonly share: number };

export type RoomUse = {
  /** Undefined where there is no file system to ask. */
  readonly space?: StorageSpace | undefined;
  readonly lowWater: () => LowWater;
  /** A small durable write, undone at once. Throws StoreUnavailable while the disk takes none. */
  readonly probe: () => Promise<void>;
  readonly clock: Clock;
  /** Told of every ingest that is turned away. */
  readonly onRefused?: (reason: RefusalReason) => void;
  /** Trouble that was met when the store was opened. */
  readonly initial?: Trouble | undefined;
};

/** What is known of the disk now, for people and metrics. */
export type RoomView = {
  readonly space: Space | undefined;
  /** Bytes below which ingests stop. */
  readonly markBytes: number;
  readonly refusal: Refusal | undefined;
};

/** Small enough not to be noticed, often enough that a client who tries again after making room is served. */
const everyMs = 1_000;
/** Trouble ends within this once its cause is gone. A failing disk is not kept busy by asking whether it still fails. */
const probeEveryMs = 2_000;
/** An ingest that comes while there is trouble asks sooner: most troubles are over before the next look. */
const askEveryMs = 50;
/** A little more than the mark ends low space, so that the door does not swing with every file. */
const hysteresis = 1.1;
/** A version is five files, and a folder or two. */
const maxInodesMark = 1_000;
const inodesShare = 0.05;

/** The door to ingests is closed. */
export class IngestRefused extends StoreUnavailable {
  readonly reason: RefusalReason;
  readonly view: RoomView;
  constructor(reason: RefusalReason, view: RoomView) {
    super("ingest", reason);
    this.reason = reason;
    this.view = view;
  }
}

export class Room {
  readonly #use: RoomUse;
  #space: Space | undefined;
  #low: Refusal | undefined;
  #trouble: Refusal | undefined;
  #failedMs = 0;
  #probedMs = -Infinity;
  #probing: Promise<void> | undefined;

  constructor(use: RoomUse) {
    this.#use = use;
    if (use.initial !== undefined) this.#trouble = { reason: use.initial, sinceMs: use.clock.now() };
  }

  get view(): RoomView {
    return { space: this.#space, markBytes: this.#markBytes(), refusal: this.#trouble ?? this.#low };
  }

  /** Throws IngestRefused while nothing new may come in. */
  admit(): void {
    const refusal = this.#trouble ?? this.#low;
    if (refusal === undefined) return;
    this.#use.onRefused?.(refusal.reason);
    throw new IngestRefused(refusal.reason, this.view);
  }

  /** Lets an ingest begin. While there is trouble the disk is asked first. Throws IngestRefused. */
  async enter(): Promise<void> {
    if (this.#trouble !== undefined && this.#use.clock.now() - this.#probedMs >= askEveryMs) await this.#probe();
    else await this.#probing;
    this.admit();
  }

  /** A call failed. Errors that say nothing about the disk as a whole change nothing. */
  failed(error: unknown): void {
    const reason = troubleOf(error);
    if (reason === undefined || this.#trouble?.reason === reason) return;
    this.#trouble = { reason, sinceMs: this.#trouble?.sinceMs ?? this.#use.clock.now() };
    // Not at once: what made it fail would still be there.
    this.#failedMs = this.#use.clock.now();
  }

  /** Looks once: at the space, and while there is trouble whether it is over. */
  async look(): Promise<void> {
    await Promise.all([this.#lookAtSpace(), this.#tryToWrite()]);
  }

  /** Looks until it is stopped. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.look();
      await this.#use.clock.sleep(everyMs, stop).catch(() => undefined); // stopped
    }
  }

  async #lookAtSpace(): Promise<void> {
    // What cannot be known now is taken to be as it was.
    this.#space = (await this.#use.space?.space().catch(() => undefined)) ?? this.#space;
    const reason = this.#space && this.#lowOf(this.#space);
    if (reason === undefined) this.#low = undefined;
    else if (this.#low?.reason !== reason) this.#low = { reason, sinceMs: this.#low?.sinceMs ?? this.#use.clock.now() };
  }

  #lowOf({ freeBytes, freeInodes, totalInodes }: Space): "low-space" | "low-inodes" | undefined {
    const mark = this.#markBytes();
    if (mark === 0) return undefined;
    const ending = this.#low === undefined ? 1 : hysteresis;
    if (freeBytes < mark * ending) return "low-space";
    if (freeInodes === undefined || totalInodes === undefined) return undefined;
    return freeInodes < Math.min(maxInodesMark, totalInodes * inodesShare) * ending ? "low-inodes" : undefined;
  }

  #markBytes(): number {
    const { bytes, share } = this.#use.lowWater();
    return Math.floor(Math.min(bytes, (this.#space?.totalBytes ?? Infinity) * share));
  }

  async #tryToWrite(): Promise<void> {
    const lastMs = Math.max(this.#probedMs, this.#failedMs);
    if (this.#trouble !== undefined && this.#use.clock.now() - lastMs >= probeEveryMs) await this.#probe();
  }

  /** One at a time, however many ask. */
  async #probe(): Promise<void> {
    this.#probing ??= this.#probeOnce().finally(() => (this.#probing = undefined));
    await this.#probing;
  }

  async #probeOnce(): Promise<void> {
    const { clock, probe } = this.#use;
    const trouble = this.#trouble;
    this.#probedMs = clock.now();
    try {
      await probe();
      // Another failure may have come meanwhile; it is newer than this success.
      if (this.#trouble === trouble) this.#trouble = undefined;
    } catch (error) {
      this.failed(error);
    }
  }
}
