// One storage for several nodes, with this node's memory and disk in front of it: the far storage holds everything, and
// what never changes is copied here as it is read or written.
//
// A copy may be lost, old or rotten at any time: whoever reads holds it against its hash and says doubt(). Absence is
// never remembered. What may change is asked of the far storage each time; what was seen last is answered only while it
// is away. While it is away, too, new things that never change are kept here and uploaded in their order when it is back.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type {
  Clock,
  LastingStages,
  ObjectStat,
  OpenObject,
  Stage,
  Storage,
  StorageKey,
  StoredBytes,
} from "#services/store/ports.ts";
import { StoreAway, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import type { DiskStorage } from "./disk.ts";
import { KeyLocks } from "./_key-locks.ts";
import { FarGate } from "./_tier-gate.ts";
import type { FarCall, FarOutcome } from "./_tier-gate.ts";
import { buriedBy, filesOf, groupOf, isLarge, isLasting } from "./_tier-keys.ts";
import { MemoryCopies } from "./_tier-memory.ts";
import { NearCopies } from "./_tier-near.ts";
import { UploadQueue } from "./_tier-queue.ts";
import type { QueueEntry } from "./_tier-queue.ts";
import { LastSeen } from "./_tier-seen.ts";
import { forFar, sameBytes } from "./_tier-send.ts";
import { farTokenOf, Spool } from "./_tier-spool.ts";

export type { FarCall, FarOutcome } from "./_tier-gate.ts";

export type TierLimits = {
  /** Bytes of copies on this node's disk; 0: none. What waits to be uploaded counts, and does not leave. */
  readonly nearBytes: number;
  readonly memoryBytes: number;
  /** Bytes that may wait to be uploaded; 0: nothing new is taken while the far storage is away. */
  readonly queueBytes: number;
};

export type TierListener = {
  readonly farCall?: (call: FarCall, outcome: FarOutcome) => void;
  /** An object that lasts was read from here. */
  readonly read?: (from: "memory" | "near" | "far") => void;
  /** The far storage went away, or is back. */
  readonly away?: (isAway: boolean, reason: string) => void;
  /** What had waited is there. */
  readonly uploaded?: (key: StorageKey) => void;
  /** Others had committed other bytes meanwhile: theirs stay. @param group the version's keys without their endings */
  readonly gaveWay?: (group: string) => void;
};

export type TieredUse = {
  /** This node's directory: copies, stages, what waits. Nobody else writes there. */
  readonly near: DiskStorage;
  readonly far: Storage;
  /** The far storage reads stages of others where they lie. */
  readonly farTakesStages: boolean;
  readonly limits: TierLimits;
  readonly clock: Clock;
  readonly listener?: TierListener;
  /** True while a large object that is asked about is seldom wanted here: then asking does not begin to bring it. */
  readonly largeStaysAway?: () => boolean;
  /** Longest wait for a small answer where another is at hand. */
  readonly patienceMs?: number;
  /** How long the far storage is left alone after a failure. */
  readonly restMs?: number;
};

export type TierView = {
  /** Why the far storage is away, and since when. */
  readonly away: { readonly reason: string; readonly sinceMs: number } | undefined;
  readonly near: { readonly bytes: number; readonly objects: number };
  readonly memory: { readonly bytes: number; readonly objects: number };
  readonly queue: { readonly bytes: number; readonly objects: number };
};

type Flight = { isForgotten: boolean; readonly work: Promise<StoredBytes | undefined> };

/** Everything that lasts and is no zip: a go.mod has at most 16 MiB, a manifest of the largest zip less than 1. */
const maxSmallBytes = 64 << 20;
/** Who asks for the size of a zip usually wants the zip. */
const unwantedMs = 5_000;
/** How long nobody may say that something is not there, after something was taken for absent that nobody could ask for. */
const doubtMs = 10_000;
const tendMs = 1_000;
/** What is asked for to find out whether the far storage is back. */
const probeKey = storageKey("state/held.json");

/** Opens the tiers. What waited when this node ended is found again. */
export async function openTieredStorage(use: TieredUse): Promise<TieredStorage> {
  const tiered = new TieredStorage(use);
  await tiered.load();
  return tiered;
}

export class TieredStorage implements Storage {
  readonly lasting: LastingStages;
  readonly #use: TieredUse;
  readonly #far: Storage;
  readonly #gate: FarGate;
  readonly #memory: MemoryCopies;
  readonly #near: NearCopies;
  readonly #seen: LastSeen;
  readonly #queue: UploadQueue;
  readonly #locks = new KeyLocks();
  readonly #flights = new Map<string, Flight>();
  readonly #spools = new Map<string, Spool>();
  readonly #openings = new Map<string, Promise<Spool | undefined>>();
  readonly #looks = new Set<Promise<unknown>>();
  #doubtedMs = -Infinity;
  #draining: Promise<void> | undefined;

  /** Use openTieredStorage(). */
  constructor(use: TieredUse) {
    const { near, far, limits, clock, listener = {} } = use;
    this.#use = use;
    this.#far = far;
    this.lasting = near.lasting;
    this.#gate = new FarGate({
      clock,
      onCall: listener.farCall,
      onChange: listener.away,
      ...(use.patienceMs !== undefined && { patienceMs: use.patienceMs }),
      ...(use.restMs !== undefined && { restMs: use.restMs }),
    });
    this.#memory = new MemoryCopies(limits.memoryBytes);
    this.#near = new NearCopies(near, { maxBytes: limits.nearBytes });
    this.#seen = new LastSeen(near);
    this.#queue = new UploadQueue(near, limits.queueBytes);
  }

  /** True while what is not found may only be out of reach. */
  get isAway(): boolean {
    return this.#gate.away !== undefined || this.#use.clock.now() - this.#doubtedMs < doubtMs;
  }

  get view(): TierView {
    return {
      away: this.#gate.away,
      near: { bytes: this.#near.bytes, objects: this.#near.size },
      memory: { bytes: this.#memory.bytes, objects: this.#memory.size },
      queue: { bytes: this.#queue.bytes, objects: this.#queue.size },
    };
  }

  /** Finds what an earlier process left waiting. */
  async load(): Promise<void> {
    for (const { key, size } of await this.#queue.load()) this.#near.pin(key, size);
  }

  /** Takes in the copies that are there, uploads what waits, and notices when the far storage is back. */
  async run(stop: AbortSignal): Promise<void> {
    const walk = this.#near.walk(stop);
    const isOver = (): boolean => stop.aborted;
    while (!isOver()) {
      if (this.#gate.away !== undefined && this.#gate.isPassable)
        await this.#ask("stat", probeKey, () => this.#far.stat(probeKey)).catch(() => undefined);
      if (this.#queue.size > 0) await this.drain();
      await this.#use.clock.sleep(tendMs, stop).catch(() => undefined); // stopped
    }
    await walk;
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    if (!isLasting(key)) return await this.#getChanging(key, maxBytes);
    if (!isLarge(key)) return await this.#getSmall(key, maxBytes);
    const object = await this.#openLarge(key);
    if (object === undefined) return undefined;
    try {
      if (object.size > maxBytes) throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
      return await readWhole(key, object);
    } finally {
      await object.close();
    }
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    if (!isLasting(key)) return await this.#statChanging(key);
    if (isLarge(key)) return await this.#statLarge(key);
    const stored = await this.#getSmall(key, Infinity);
    return stored && statOf(stored);
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    if (!isLasting(key)) return await this.#ask("open", key, () => this.#far.open(key));
    if (isLarge(key)) return await this.#openLarge(key);
    const stored = await this.#getSmall(key, Infinity);
    return stored && inMemory(stored);
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (isLasting(key)) return await this.#locks.run(key, () => this.#createLasting(key, body));
    const made = await this.#send("create", key, body);
    if (made === "exists") return made;
    if (!(body instanceof Uint8Array)) await body.discard();
    await this.#letGoOfBuried(key);
    return made;
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    if (isLasting(key)) return await this.#locks.run(key, () => this.#replaceLasting(key, body, expected));
    const made = await this.#sendInstead(key, body, expected);
    if (made === "conflict") return made;
    if (!(body instanceof Uint8Array)) await body.discard();
    this.#lookLater(key);
    return made;
  }

  async remove(key: StorageKey): Promise<boolean> {
    if (isLasting(key)) return await this.#locks.run(key, () => this.#removeLasting(key));
    const removed = await this.#ask("remove", key, () => this.#far.remove(key));
    this.#seen.saw(key, undefined);
    return removed;
  }

  async *list(prefix: string): ReturnType<Storage["list"]> {
    const waiting = new Map<string, QueueEntry>();
    for (const entry of this.#queue.under(prefix)) waiting.set(entry.key, entry);
    const objects = this.#far.list(prefix)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#ask("list", prefix, () => objects.next());
        if (next.done === true) break;
        waiting.delete(next.value.key);
        yield next.value;
      }
    } finally {
      await objects.return?.();
    }
    const now = this.#use.clock.now();
    for (const { key, size } of waiting.values()) yield { key, size, modifiedMs: now };
  }

  async stage(maxBytes: number): Promise<Stage> {
    return await this.#use.near.stage(maxBytes);
  }

  /** Drops what is held here of an object: its bytes are not what they should be. True when there was something. */
  async doubt(key: StorageKey): Promise<boolean> {
    if (!isLasting(key)) return false;
    return await this.#locks.run(key, async () => {
      // Damage must not be uploaded either.
      if (this.#queue.has(key)) await this.#noLongerWaits(key);
      return await this.#dropCopies(key);
    });
  }

  /** Another node has removed or replaced an object. */
  async forget(key: StorageKey): Promise<void> {
    if (isLasting(key) && !this.#queue.has(key)) await this.#dropCopies(key);
  }

  /** Undefined while the far storage is away or has not got it yet. */
  async linkTo(key: StorageKey): Promise<string | undefined> {
    if (this.#queue.has(key)) return undefined;
    const link = async (): Promise<string | undefined> => await this.#far.linkTo?.(key);
    return await this.#ask("link", key, link).catch((error: unknown) => {
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    });
  }

  /** Uploads what waits until there is nothing, or the far storage is away. Never throws StoreUnavailable. */
  async drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
    await this.#draining;
  }

  /** Resolves when what is done beside requests is done, as far as it does not wait for the far storage. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#looks]);
    await this.#seen.settled();
  }

  // What lasts and is small.

  async #getSmall(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const stored = await this.#findSmall(key);
    if (stored !== undefined && stored.size > maxBytes)
      throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
    // Whoever gets it may write into it.
    return stored && { ...stored, bytes: Buffer.from(stored.bytes) };
  }

  async #findSmall(key: StorageKey): Promise<StoredBytes | undefined> {
    const { listener } = this.#use;
    const known = this.#memory.get(key);
    if (known !== undefined) {
      listener?.read?.("memory");
      return known;
    }
    const flying = this.#flights.get(key);
    if (flying !== undefined && !flying.isForgotten) return await flying.work;
    const flight: Flight = { isForgotten: false, work: this.#fetchSmall(key, () => flight.isForgotten) };
    this.#flights.set(key, flight);
    try {
      return await flight.work;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  async #fetchSmall(key: StorageKey, isForgotten: () => boolean): Promise<StoredBytes | undefined> {
    const { listener } = this.#use;
    const copy = await this.#near.get(key, maxSmallBytes);
    if (copy !== undefined) {
      const stored = withToken(copy.bytes);
      if (!isForgotten()) this.#memory.set(key, stored);
      listener?.read?.("near");
      return stored;
    }
    const found = await this.#orUnknown(key, () => this.#ask("get", key, () => this.#far.get(key, maxSmallBytes)));
    if (found === undefined) return undefined;
    const stored = withToken(found.bytes);
    listener?.read?.("far");
    if (!isForgotten()) {
      this.#memory.set(key, stored);
      await this.#near.put(key, stored.bytes);
      if (isForgotten()) await this.#dropCopies(key);
    }
    return stored;
  }

  // What lasts and is large.

  async #statLarge(key: StorageKey): Promise<ObjectStat | undefined> {
    const coming = this.#spools.get(key);
    if (coming !== undefined) return statOf(coming);
    const copy = await this.#near.stat(key);
    if (copy !== undefined) return { size: copy.size, modifiedMs: 0, token: nearTokenOf(copy.token) };
    if (this.#use.limits.nearBytes === 0 || this.#use.largeStaysAway?.() === true) {
      const stat = await this.#orUnknown(key, () => this.#ask("stat", key, () => this.#far.stat(key)));
      return stat && { size: stat.size, modifiedMs: 0, token: farTokenOf(stat.token) };
    }
    const spool = await this.#spoolOf(key);
    return spool && statOf(spool);
  }

  async #openLarge(key: StorageKey): Promise<OpenObject | undefined> {
    const { listener } = this.#use;
    const coming = this.#spools.get(key);
    if (coming?.isOpen === true) return coming.open();
    const copy = await this.#near.open(key);
    if (copy !== undefined) {
      listener?.read?.("near");
      return renamed(copy, nearTokenOf(copy.token));
    }
    const spool = await this.#spoolOf(key);
    return spool?.open();
  }

  /** Several who want it at once get the same. */
  async #spoolOf(key: StorageKey): Promise<Spool | undefined> {
    const coming = this.#spools.get(key);
    if (coming?.isOpen === true) return coming;
    const opening = this.#openings.get(key) ?? this.#beginSpool(key).finally(() => this.#openings.delete(key));
    this.#openings.set(key, opening);
    return await opening;
  }

  async #beginSpool(key: StorageKey): Promise<Spool | undefined> {
    const { near, limits, listener } = this.#use;
    const open = (): Promise<OpenObject | undefined> => this.#ask("open", key, () => this.#far.open(key));
    const source = await this.#orUnknown(key, open);
    if (source === undefined) return undefined;
    listener?.read?.("far");
    const spool: Spool = new Spool({
      key,
      source,
      again: open,
      disk: source.size <= limits.nearBytes ? near : undefined,
      keep: async (stage) => {
        await this.#near.put(key, stage);
      },
      over: () => {
        if (this.#spools.get(key) === spool) this.#spools.delete(key);
      },
      unwantedMs,
    });
    this.#spools.set(key, spool);
    return spool;
  }

  // Writing what lasts.

  async #createLasting(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (this.#queue.hasGroupOf(key)) return await this.#createWaiting(key, body);
    let made: "created" | "exists";
    try {
      made = await this.#send("create", key, body);
    } catch (error) {
      if (!(error instanceof StoreAway) || !this.#queue.takes(sizeOf(body))) throw error;
      return await this.#createWaiting(key, body);
    }
    // What is there may be another's: whoever looks next must see that one.
    if (made === "exists") await this.#dropCopies(key);
    else await this.#copy(key, body);
    return made;
  }

  /** Kept here, to be uploaded. */
  async #createWaiting(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (this.#queue.has(key) || (await this.#near.stat(key)) !== undefined) return "exists";
    await this.#queue.add(key, sizeOf(body));
    try {
      const made = await this.#near.createFirst(key, body);
      if (made === "exists") await this.#queue.done(key);
      else {
        this.#near.pin(key, sizeOf(body));
        if (body instanceof Uint8Array && !isLarge(key)) this.#remember(key, body);
      }
      return made;
    } catch (error) {
      // It may lie there all the same: then the next attempt would find a copy of what is nowhere else.
      await this.#near.drop(key);
      await this.#queue.done(key);
      throw error;
    }
  }

  async #replaceLasting(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    if (this.#queue.has(key)) return await this.#replaceWaiting(key, body, expected);
    if (expected === undefined) return (await this.#createLasting(key, body)) === "created" ? "replaced" : "conflict";
    const token = await this.#farTokenFor(key, expected);
    const made = token === undefined ? "conflict" : await this.#sendInstead(key, body, token);
    await this.#dropCopies(key);
    if (made === "replaced") await this.#copy(key, body);
    return made;
  }

  /** In one step: what waits is nowhere else, so it must not be gone when a full disk takes nothing in its place. */
  async #replaceWaiting(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    const { near } = this.#use;
    if ((await this.stat(key))?.token !== expected) return "conflict";
    const size = sizeOf(body);
    const made = await near.replace(key, body, (await near.stat(key))?.token);
    this.#memory.delete(key);
    if (made === "conflict") return made;
    this.#near.pin(key, size);
    this.#queue.resized(key, size);
    return made;
  }

  /** What the far storage calls the bytes that are called `expected` here; undefined when it has others. */
  async #farTokenFor(key: StorageKey, expected: string): Promise<string | undefined> {
    if (!isLarge(key)) {
      const stored = await this.#ask("get", key, () => this.#far.get(key, maxSmallBytes));
      return stored !== undefined && tokenOf(stored.bytes) === expected ? stored.token : undefined;
    }
    const object = await this.#ask("open", key, () => this.#far.open(key));
    if (object === undefined) return undefined;
    try {
      if (farTokenOf(object.token) === expected) return object.token;
      const copy = await this.#near.open(key);
      if (copy === undefined) return undefined;
      try {
        const isSame = nearTokenOf(copy.token) === expected && (await sameBytes(object, copy));
        return isSame ? object.token : undefined;
      } finally {
        await copy.close();
      }
    } finally {
      await object.close();
    }
  }

  async #removeLasting(key: StorageKey): Promise<boolean> {
    const waited = this.#queue.has(key);
    if (waited) await this.#noLongerWaits(key);
    try {
      const removed = await this.#ask("remove", key, () => this.#far.remove(key));
      await this.#dropCopies(key);
      return removed || waited;
    } catch (error) {
      if (!waited || !(error instanceof StoreAway)) throw error;
      await this.#dropCopies(key);
      return true;
    }
  }

  /** The copy of what was just written; a stage is used up. */
  async #copy(key: StorageKey, body: Uint8Array | Stage): Promise<void> {
    this.#forgetFlights(key);
    if (body instanceof Uint8Array && !isLarge(key)) this.#remember(key, body);
    const isKept = await this.#near.put(key, body);
    if (!isKept) await this.#near.drop(key);
    if (!(body instanceof Uint8Array)) await body.discard();
  }

  #remember(key: StorageKey, bytes: Uint8Array): void {
    const own = new Uint8Array(bytes);
    this.#memory.set(key, withToken(own));
  }

  async #dropCopies(key: StorageKey): Promise<boolean> {
    const wasComing = this.#forgetFlights(key);
    const wasRemembered = this.#memory.delete(key);
    const wasNear = await this.#near.drop(key);
    return wasNear || wasRemembered || wasComing;
  }

  #forgetFlights(key: string): boolean {
    const flight = this.#flights.get(key);
    if (flight !== undefined) flight.isForgotten = true;
    const spool = this.#spools.get(key);
    spool?.forget();
    return flight !== undefined || spool !== undefined;
  }

  // What may change.

  async #getChanging(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const stored = await this.#orLast(
      key,
      () => this.#ask("get", key, () => this.#far.get(key, maxBytes)),
      (found) => {
        this.#seen.saw(key, found);
      },
      () => this.#seen.last(key, maxBytes),
    );
    if (stored !== undefined) await this.#letGoOfBuried(key);
    return stored;
  }

  async #statChanging(key: StorageKey): Promise<ObjectStat | undefined> {
    const stat = await this.#orLast(
      key,
      () => this.#ask("stat", key, () => this.#far.stat(key)),
      (found) => {
        if (found === undefined) this.#seen.saw(key, undefined);
      },
      async () => {
        const last = await this.#seen.last(key, Infinity);
        return last && statOf(last);
      },
    );
    if (stat !== undefined) await this.#letGoOfBuried(key);
    return stat;
  }

  /** What the far storage says; while it is away, or silent, what was seen last. */
  async #orLast<T>(
    key: StorageKey,
    ask: () => Promise<T | undefined>,
    saw: (found: T | undefined) => void,
    last: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const asked = ask().then((found) => {
      saw(found);
      return found;
    });
    try {
      const answer = await withPatience(asked, this.#gate.patienceMs);
      if (answer !== late) return answer;
      return (await last()) ?? (await asked);
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
      const seen = await last();
      if (seen !== undefined) return seen;
      // A version that was evicted comes back like any other.
      if (buriedBy(key) !== undefined && this.#queue.takes(1)) {
        this.#unknown();
        return;
      }
      throw error;
    }
  }

  /** Reads it once more, so that what was written is what was seen last. */
  #lookLater(key: StorageKey): void {
    const look = this.get(key, maxSmallBytes).catch(() => undefined);
    this.#looks.add(look);
    void look.finally(() => this.#looks.delete(look));
  }

  /** A tombstone says that a version was evicted, perhaps by another node: its files here are no longer what the others have. */
  async #letGoOfBuried(key: StorageKey): Promise<void> {
    const group = buriedBy(key);
    if (group === undefined || this.#gate.away !== undefined) return;
    for (const file of filesOf(group))
      if (!file.endsWith(".manifest") && !this.#queue.has(file)) await this.#dropCopies(storageKey(file));
  }

  // The far storage.

  async #ask<T>(call: FarCall, key: string, work: () => Promise<T>): Promise<T> {
    return await this.#gate.call(call, key, work);
  }

  async #send(call: "create", key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    return await this.#ask(call, key, () =>
      forFar(body, { far: this.#far, takesStages: this.#use.farTakesStages }, (sent) => this.#far.create(key, sent)),
    );
  }

  async #sendInstead(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    return await this.#ask("replace", key, () =>
      forFar(body, { far: this.#far, takesStages: this.#use.farTakesStages }, (sent) =>
        this.#far.replace(key, sent, expected),
      ),
    );
  }

  /** Absent, as far as can be known, while new things can be kept. */
  async #orUnknown<T>(key: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreAway) || !isLasting(key) || !this.#queue.takes(1)) throw error;
      this.#unknown();
      return;
    }
  }

  #unknown(): undefined {
    this.#doubtedMs = this.#use.clock.now();
    return undefined;
  }

  // The queue.

  async #noLongerWaits(key: StorageKey): Promise<void> {
    this.#near.unpin(key);
    await this.#queue.done(key);
  }

  async #drain(): Promise<void> {
    let checked = "";
    const passedBy = new Set<string>();
    for (;;) {
      const entry = this.#queue.first(passedBy);
      if (entry === undefined || !this.#gate.isPassable) return;
      const group = groupOf(entry.key);
      try {
        if (group !== checked && (await this.#isCommittedOtherwise(group))) await this.#giveWay(group);
        else await this.#locks.run(entry.key, () => this.#upload(entry.key));
        checked = group;
      } catch (error) {
        if (error instanceof StoreAway || !(error instanceof StoreUnavailable)) {
          if (error instanceof StoreAway) return;
          throw error;
        }
        // Something is wrong with this one; the others need not wait for it.
        passedBy.add(group);
      }
    }
  }

  /** Before anything of a version is uploaded: does a manifest of it say something else? */
  async #isCommittedOtherwise(group: string): Promise<boolean> {
    for (const file of filesOf(group)) {
      const key = storageKey(file);
      if (!key.endsWith(".manifest") || !this.#queue.has(key)) continue;
      const [theirs, ours] = [
        await this.#ask("get", key, () => this.#far.get(key, maxSmallBytes)),
        await this.#use.near.get(key, maxSmallBytes),
      ];
      if (theirs !== undefined && ours !== undefined && Buffer.compare(theirs.bytes, ours.bytes) !== 0) return true;
    }
    return false;
  }

  async #upload(key: StorageKey): Promise<void> {
    if (!this.#queue.has(key)) return;
    // Of the disk itself: only what is certainly gone waits no longer.
    const copy = await this.#use.near.open(key);
    if (copy === undefined) {
      await this.#noLongerWaits(key);
      return;
    }
    try {
      const made = await this.#send("create", key, stageAt(join(this.#use.near.root, key), copy));
      if (made === "exists" && !(await this.#isSameAfar(key, copy))) {
        await this.#giveWay(groupOf(key), key);
        return;
      }
    } finally {
      await copy.close();
    }
    await this.#noLongerWaits(key);
    this.#use.listener?.uploaded?.(key);
  }

  async #isSameAfar(key: StorageKey, copy: OpenObject): Promise<boolean> {
    const theirs = await this.#ask("open", key, () => this.#far.open(key));
    if (theirs === undefined) return false;
    try {
      return await sameBytes(theirs, copy);
    } finally {
      await theirs.close();
    }
  }

  /** Others were first: what they have stays, and ours goes, the whole version of it. */
  async #giveWay(group: string, only?: StorageKey): Promise<void> {
    const files = filesOf(group);
    const ours = files.length === 0 ? (only === undefined ? [] : [only]) : files.map((file) => storageKey(file));
    for (const key of ours) {
      if (this.#queue.has(key)) await this.#noLongerWaits(key);
      await this.#dropCopies(key);
    }
    this.#use.listener?.gaveWay?.(group);
  }
}

const late = Symbol("late");

async function withPatience<T>(asked: Promise<T>, ms: number): Promise<T | typeof late> {
  let timer: NodeJS.Timeout | undefined;
  // When it fails after nobody waits for it any more, nobody needs to hear of it.
  asked.catch(() => undefined);
  const tooLate = new Promise<typeof late>((resolve) => {
    timer = setTimeout(() => {
      resolve(late);
    }, ms);
    timer.unref();
  });
  try {
    return await Promise.race([asked, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** What lies in a file of ours, as a stage that somebody may read and nobody takes. */
function stageAt(path: string, { size }: ObjectStat): Stage {
  const no = (): Promise<void> => Promise.reject(new Error("a file takes no writes"));
  return { size, write: no, seal: () => Promise.resolve(), locate: () => ({ path }), discard: () => Promise.resolve() };
}

async function readWhole(key: string, object: OpenObject): Promise<StoredBytes> {
  const bytes = Buffer.allocUnsafe(object.size);
  for (let at = 0; at < object.size;) {
    const got = await object.read(at, bytes.subarray(at));
    if (got === 0) throw new StoreUnavailable(key, "it shrank while it was read");
    at += got;
  }
  return { ...statOf(object), bytes };
}

function inMemory(stored: StoredBytes): OpenObject {
  return {
    ...statOf(stored),
    read: (offset, into) => {
      const part = stored.bytes.subarray(offset, offset + into.length);
      into.set(part);
      return Promise.resolve(part.length);
    },
    close: () => Promise.resolve(),
  };
}

function renamed(object: OpenObject, token: string): OpenObject {
  return {
    ...{ size: object.size, modifiedMs: 0, token },
    read: (offset, into) => object.read(offset, into),
    close: () => object.close(),
  };
}

function statOf({ size, modifiedMs, token }: ObjectStat): ObjectStat {
  return { size, modifiedMs, token };
}

function sizeOf(body: Uint8Array | Stage): number {
  return body instanceof Uint8Array ? body.length : body.size;
}

/** The same for the same bytes, wherever they were read. */
function tokenOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

/** Copies have dates of their own, so what lasts has none. */
function withToken(bytes: Uint8Array): StoredBytes {
  return { bytes, size: bytes.length, modifiedMs: 0, token: tokenOf(bytes) };
}

function nearTokenOf(token: string): string {
  return `near ${token}`;
}
