// The signed heads of one database. Every head that is accepted lies on one timeline with all accepted before:
// `latest` is the newest of them and never goes back.
//
// Kept records carry few heads, or a client that reads the store would ask for partial tiles of heads we hold no
// tiles for. They carry the serving head, which moves to the latest only to cover a newer record. A client may meet
// kept records in any order, because whatever its newest head is, the tiles are here: the right edge of a serving
// head is kept with the first record proven in it, and accepting a newer head has kept the full tiles that the right
// edge of the one before has grown into.

import { LRUCache } from "lru-cache";
import { encodeBase64 } from "#protocol/base64.ts";
import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxNoteBytes, type Verifier } from "#protocol/note.ts";
import { foldSubtrees, isEqualHash, subtreeIndexes, type Hash } from "#protocol/tlog.ts";
import { StoreAway, type Clock, type Storage, type StorageKey } from "#services/store/ports.ts";
import { alarmId, isDecided } from "./alarms.ts";
import { SumdbError } from "./errors.ts";
import { describeFork } from "./evidence.ts";
import { Queue } from "./flights.ts";
import { formatHeads, maxAcceptedHeads, maxHeadsBytes, parseHeads, type AcceptedHead } from "./heads-file.ts";
import { evidenceKey, headsKey, latestKey } from "./layout.ts";
import type { SumdbRoute } from "./ports.ts";
import { TileUnavailable, type Tiles } from "./tiles.ts";

export type HeadsUse = {
  readonly database: string;
  readonly verifier: Verifier;
  readonly storage: Storage;
  /** For the date of a head. */
  readonly clock: Pick<Clock, "now">;
  readonly tiles: Tiles;
  /** Told the storage key of the evidence of each fork when it is new, and each time the alarm that it is. */
  readonly onFork: (evidence: string, alarm: { readonly id: string; readonly isNew: boolean }) => void;
};

/** How a head is proven. */
export type Accepting = {
  /** Asked for tiles before the others: who gave the head is likeliest to have them. */
  readonly prefer?: SumdbRoute;
  /** `all`: partial tiles too, for clients that have this very head. */
  readonly keep?: "full" | "all";
};

/** Heads on our timeline that need no second look; heads of kept lookups repeat much. */
const maxKnownHeads = 1024;

export class Heads {
  readonly #use: HeadsUse;
  readonly #known = new LRUCache<string, true>({ max: maxKnownHeads });
  readonly #writing = new Queue();
  #loading: Promise<void> | undefined;
  #latest: Checkpoint | undefined;
  #latestToken: string | undefined;
  #serving: Checkpoint | undefined;
  #stateToken: string | undefined;
  #accepted: readonly AcceptedHead[] = [];

  constructor(use: HeadsUse) {
    this.#use = use;
  }

  /** The newest accepted head. */
  get latest(): Checkpoint | undefined {
    return this.#latest;
  }

  /** How many newest heads were accepted, one after the other; the oldest of many are forgotten. */
  get acceptedCount(): number {
    return this.#accepted.length;
  }

  /** The head that kept records carry now. */
  get serving(): Checkpoint | undefined {
    return this.#serving;
  }

  /** Reads what was kept, once. Every other method needs it. */
  async load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    await this.#loading;
  }

  /**
   * Accepts a head, older or newer than `latest`, when one of the two trees is proven to be the beginning of the
   * other, the first one when its tree can be read. Throws SUMDB_FORK when it is proven that neither is; TileUnavailable or BAD_TILE when nothing is proven.
   */
  async accept(head: Checkpoint, how: Accepting = {}): Promise<void> {
    const id = headId(head);
    for (;;) {
      if (this.#known.has(id) && how.keep !== "all") return;
      const latest = this.#latest;
      if (latest === undefined) await this.#checkEdge(head, how);
      else await this.#checkTimeline(head, latest, how);
      const isNewer = latest === undefined || head.size > latest.size;
      if (isNewer && !(await this.#install(head, latest))) continue;
      this.#known.set(id, true);
      return;
    }
  }

  /** A serving head that covers record `id`. Some accepted head must cover it. */
  async covering(id: number): Promise<Checkpoint> {
    return await this.#writing.run(async () => {
      for (;;) {
        if (this.#serving !== undefined && id < this.#serving.size) return this.#serving;
        const latest = this.#latest;
        if (latest === undefined || id >= latest.size) throw new RangeError(`no accepted head covers record ${id}`);
        // Written before any record carries it: a new serving head after each restart would be one head too many.
        await this.#saveState(latest);
      }
    });
  }

  async #load(): Promise<void> {
    await this.#loadLatest();
    await this.#loadState();
    const [latest, serving] = [this.#latest, this.#serving];
    // A lost or damaged `latest` must not lead behind the head that was handed out.
    if (serving !== undefined && (latest === undefined || latest.size < serving.size)) this.#latest = serving;
    for (const head of [this.#latest, serving]) if (head !== undefined) this.#known.set(headId(head), true);
  }

  async #loadLatest(): Promise<void> {
    const kept = await this.#use.storage.get(latestKey(this.#use.database), maxNoteBytes);
    this.#latestToken = kept?.token;
    this.#latest = kept === undefined ? undefined : this.#open(kept.bytes);
  }

  async #loadState(): Promise<void> {
    const kept = await this.#use.storage.get(headsKey(this.#use.database), maxHeadsBytes);
    this.#stateToken = kept?.token;
    const state = kept === undefined ? undefined : parseHeads(kept.bytes);
    this.#accepted = state?.accepted ?? [];
    this.#serving = state?.serving === undefined ? undefined : this.#open(Buffer.from(state.serving));
  }

  /** What the store holds may be damaged: then it is as if it were not there. */
  #open(bytes: Uint8Array): Checkpoint | undefined {
    try {
      return openCheckpoint(bytes, this.#use.verifier);
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  /** A first head whose tree nobody can show would be in the way of every honest head after it, for ever. */
  async #checkEdge(head: Checkpoint, { keep = "full", ...how }: Accepting): Promise<void> {
    const proven = await this.#use.tiles.read(head, [], how);
    await this.#use.tiles.keep(proven, keep);
  }

  /** Proves that the older tree is the beginning of the newer one, or throws; keeps the full tiles of the proof. */
  async #checkTimeline(head: Checkpoint, latest: Checkpoint, { keep = "full", ...how }: Accepting): Promise<void> {
    const [older, newer] = head.size <= latest.size ? [head, latest] : [latest, head];
    if (older.size === newer.size) {
      if (isEqualHash(older.root, newer.root)) {
        if (keep === "all") await this.#checkEdge(head, { keep, ...how }).catch(unlessUnavailable);
        return;
      }
      throw await this.#fork(head, { older, newer, found: newer.root });
    }
    const indexes = subtreeIndexes(older.size);
    const proven = await this.#use.tiles.read(newer, indexes, how);
    const found = foldSubtrees(proven.hashes);
    if (!isEqualHash(found, older.root)) throw await this.#fork(head, { older, newer, found, proven });
    await this.#use.tiles.keep(proven, keep);
  }

  /** Makes `head` the latest; false when another became the latest meanwhile. */
  async #install(head: Checkpoint, expected: Checkpoint | undefined): Promise<boolean> {
    return await this.#writing.run(async () => {
      if (this.#latest !== expected) return false;
      const { database } = this.#use;
      const key = latestKey(database);
      if ((await this.#written(key, head.bytes, this.#latestToken)) === "conflict") {
        await this.#adoptLatest();
        return false;
      }
      this.#latestToken = await this.#tokenOf(key, this.#latestToken);
      this.#latest = head;
      await this.#saveState(this.#serving, head);
      return true;
    });
  }

  /** Another process has written: its head counts when it is newer, and ours is tried again on top of it. */
  async #adoptLatest(): Promise<void> {
    const ours = this.#latest;
    await this.#loadLatest();
    if (ours !== undefined && (this.#latest === undefined || this.#latest.size < ours.size)) this.#latest = ours;
  }

  /** Writes the serving head; when another process was faster, its serving head stays. */
  async #saveState(serving: Checkpoint | undefined, accepted?: Checkpoint): Promise<void> {
    const { database, clock } = this.#use;
    const key = headsKey(database);
    const fresh = accepted === undefined ? [] : [toAccepted(accepted, clock.now())];
    const heads = [...this.#accepted, ...fresh].slice(-maxAcceptedHeads);
    const bytes = formatHeads({ serving: serving && Buffer.from(serving.bytes).toString(), accepted: heads });
    if ((await this.#written(key, bytes, this.#stateToken)) === "conflict") {
      await this.#loadState();
      return;
    }
    this.#stateToken = await this.#tokenOf(key, this.#stateToken);
    this.#accepted = heads;
    this.#serving = serving;
  }

  /** A store that is out of reach takes no head: it counts in this process, and the next one is written in its place. */
  async #written(key: StorageKey, bytes: Uint8Array, expected: string | undefined): Promise<"replaced" | "conflict"> {
    try {
      return await this.#use.storage.replace(key, bytes, expected);
    } catch (error) {
      if (error instanceof StoreAway) return "replaced";
      throw error;
    }
  }

  async #tokenOf(key: StorageKey, before: string | undefined): Promise<string | undefined> {
    try {
      return (await this.#use.storage.stat(key))?.token;
    } catch (error) {
      if (error instanceof StoreAway) return before;
      throw error;
    }
  }

  /** What to throw for a head that is not on our timeline. Evidence is written once for each such head. */
  async #fork(foreign: Checkpoint, found: Parameters<typeof describeFork>[1]): Promise<SumdbError | ProtocolError> {
    const { storage, database, verifier } = this.#use;
    const id = alarmId(foreign);
    const key = evidenceKey(database, id);
    const isNew = (await storage.create(key, await describeFork(verifier, found))) === "created";
    if (!isNew && (await isDecided(storage, database, id)))
      return new ProtocolError("BAD_CHECKPOINT", `a person refused this head, see ${key}`);
    this.#use.onFork(key, { id, isNew });
    return new SumdbError("SUMDB_FORK", database, { message: key });
  }
}

/** A head that is ours needs no proof; its tiles are welcome. */
function unlessUnavailable(error: unknown): void {
  if (!(error instanceof TileUnavailable)) throw error;
}

function headId({ size, root }: { readonly size: number; readonly root: Hash }): string {
  return `${size} ${encodeBase64(root)}`;
}

function toAccepted({ size, root }: Checkpoint, atMs: number): AcceptedHead {
  return { size, root: encodeBase64(root), atMs };
}
