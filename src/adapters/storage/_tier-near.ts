// Copies on this node's disk, bounded in bytes and number: the ones unused longest leave. What waits to be uploaded
// stays. Losing a copy costs a request, so no failure here is anybody else's.
//
// What an earlier process left is found by a walk beside the requests, and counts as unused longest.

import { setTimeout as pause } from "node:timers/promises";
import type { OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StoreFull } from "#services/store/ports.ts";
import { modulesPrefix } from "./_tier-places.ts";

export type NearLimits = {
  /** 0: no copies. */
  readonly maxBytes: number;
};

/** Some 250 bytes of memory each. */
const maxCopies = 1_000_000;
/** Copies that the walk takes in before it lets others have a turn. */
const walkedAtOnce = 500;
/** A full disk gets so much back at least. */
const leastFreed = 64 << 20;

export class NearCopies {
  readonly #disk: Storage;
  readonly #maxBytes: number;
  /** Found by the walk and not used since; leaves first. */
  readonly #left = new Map<string, number>();
  /** In the order of use, the oldest first. */
  readonly #used = new Map<string, number>();
  readonly #pinned = new Set<string>();
  #bytes = 0;
  #evicting: Promise<void> | undefined;

  constructor(disk: Storage, { maxBytes }: NearLimits) {
    this.#disk = disk;
    this.#maxBytes = maxBytes;
  }

  /** Of the copies that are known. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#left.size + this.#used.size;
  }

  /** Undefined when there is no copy that can be read. */
  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    if (!this.#mayHave(key)) return undefined;
    const stored = await this.#disk.get(key, maxBytes).catch(() => undefined);
    this.#touch(key, stored?.size);
    return stored;
  }

  async stat(key: StorageKey) {
    if (!this.#mayHave(key)) return undefined;
    const stat = await this.#disk.stat(key).catch(() => undefined);
    this.#touch(key, stat?.size);
    return stat;
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    if (!this.#mayHave(key)) return undefined;
    const object = await this.#disk.open(key).catch(() => undefined);
    this.#touch(key, object?.size);
    return object;
  }

  /** Makes this the copy, whatever was there. False when it cannot be had; a stage is then still its owner's. */
  async put(key: StorageKey, body: Uint8Array | Stage): Promise<boolean> {
    const size = body instanceof Uint8Array ? body.length : body.size;
    if (size > this.#maxBytes) return false;
    try {
      await this.#create(key, body);
    } catch (error) {
      if (!(error instanceof StoreFull) || !(await this.#free(Math.max(size, leastFreed)))) return false;
      try {
        await this.#create(key, body);
      } catch {
        return false;
      }
    }
    this.#touch(key, size);
    await this.#makeRoom();
    return true;
  }

  /** As the disk's create(); on a full disk copies make room. Throws StoreFull when none can. */
  async createFirst(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    try {
      return await this.#disk.create(key, body);
    } catch (error) {
      const size = body instanceof Uint8Array ? body.length : body.size;
      if (!(error instanceof StoreFull) || !(await this.#free(Math.max(size, leastFreed)))) throw error;
      return await this.#disk.create(key, body);
    }
  }

  /** True when there was a copy. */
  async drop(key: StorageKey): Promise<boolean> {
    this.#uncount(key);
    return await this.#disk.remove(key).catch(() => false);
  }

  /** Does not leave until it is let go. */
  pin(key: string, size: number): void {
    this.#pinned.add(key);
    this.#touch(key, size);
  }

  unpin(key: string): void {
    this.#pinned.delete(key);
  }

  isPinned(key: string): boolean {
    return this.#pinned.has(key);
  }

  /** Takes in what lies there already. */
  async walk(stop: AbortSignal): Promise<void> {
    let met = 0;
    try {
      for await (const { key, size } of this.#disk.list(modulesPrefix)) {
        if (stop.aborted) return;
        if (!this.#used.has(key) && !this.#left.has(key)) {
          this.#left.set(key, size);
          this.#bytes += size;
        }
        if (++met % walkedAtOnce === 0) {
          await this.#makeRoom();
          await pause(1);
        }
      }
      await this.#makeRoom();
    } catch {
      // A directory that cannot be walked has copies that nobody counts, until they are used.
    }
  }

  #mayHave(key: string): boolean {
    return this.#maxBytes > 0 || this.#pinned.has(key);
  }

  async #create(key: StorageKey, body: Uint8Array | Stage): Promise<void> {
    if ((await this.#disk.create(key, body)) === "created") return;
    await this.#disk.remove(key);
    if ((await this.#disk.create(key, body)) === "exists") throw new Error("somebody else keeps copies here");
  }

  #touch(key: string, size: number | undefined): void {
    this.#uncount(key);
    if (size === undefined) return;
    this.#used.set(key, size);
    this.#bytes += size;
  }

  #uncount(key: string): void {
    this.#bytes -= this.#used.get(key) ?? this.#left.get(key) ?? 0;
    this.#used.delete(key);
    this.#left.delete(key);
  }

  /** One at a time; whoever reads a copy that leaves reads it to its end. */
  async #makeRoom(): Promise<void> {
    if (this.#bytes <= this.#maxBytes && this.size <= maxCopies) return;
    this.#evicting ??= this.#evict(() => this.#bytes > this.#maxBytes || this.size > maxCopies).finally(
      () => (this.#evicting = undefined),
    );
    await this.#evicting;
  }

  /** False when nothing could leave. */
  async #free(bytes: number): Promise<boolean> {
    const before = this.#bytes;
    await this.#evict(() => this.#bytes > Math.max(0, before - bytes));
    return this.#bytes < before;
  }

  async #evict(isTooMuch: () => boolean): Promise<void> {
    for (const from of [this.#left, this.#used])
      for (const key of from.keys()) {
        if (!isTooMuch()) return;
        if (!this.#pinned.has(key)) await this.drop(key as StorageKey);
      }
  }
}
