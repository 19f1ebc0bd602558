// A verifying, caching mirror of one checksum database. A lookup leaves only after its record was proven to be in a
// signed tree that is consistent with every head accepted before, and only with the lines of the module asked for.

import type { Checkpoint } from "#protocol/checkpoint.ts";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxNoteBytes, parseVerifierKey, type Verifier } from "#protocol/note.ts";
import type { LogRecord, Sums } from "#protocol/record.ts";
import { parseTilePath, type Tile } from "#protocol/tile.ts";
import { isEqualHash, recordHash, storedHashIndex } from "#protocol/tlog.ts";
import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { LRUCache } from "lru-cache";
import { backoffMs } from "#services/upstreams/backoff.ts";
import { Halt } from "./alarms.ts";
import { SumdbError } from "./errors.ts";
import { examine, type Examination } from "./examine.ts";
import { Flights } from "./flights.ts";
import { Heads } from "./heads.ts";
import { answersInTurn } from "./in-turn.ts";
import type { Answer, Questions } from "./in-turn.ts";
import { Inquiry } from "./inquiry.ts";
import { lookupPath, tileHeight } from "./layout.ts";
import type { SumdbAsk, SumdbRoute } from "./ports.ts";
import { judgeHead } from "./offered.ts";
import type { OfferView } from "./offered.ts";
import { RouteOrder } from "./route-order.ts";
import { maxLookupBytes, openLookup, Records } from "./records.ts";
import { TileDesk } from "./tile-desk.ts";
import { Tiles, TileUnavailable, type ReadOptions } from "./tiles.ts";

export type VerifiedRecord = {
  /** The record's number in the log. */
  readonly id: number;
  /** What the log holds. */
  readonly text: string;
  /** The hashes of the module asked for, at least one. */
  readonly sums: Sums;
  /** Size of the tree that the record was proven in, the one whose head is in `bytes`. */
  readonly treeSize: number;
  /** The lookup answer to serve: the record and a signed head that covers it. */
  readonly bytes: Uint8Array;
  /** The database's name. */
  readonly database: string;
  /** The route that gave the record; "store" when it was kept. */
  readonly route: string;
};

export type Ask = {
  readonly signal: AbortSignal;
  /** Answer from what is kept, ask nobody. */
  readonly cachedOnly?: boolean;
  /** Another database can be asked as well: no patience with this one while it cannot be reached. */
  readonly isHurried?: boolean;
};

export type MirrorUse = {
  /** A verifier key; its name is the database's. */
  readonly key: string;
  /** In the order in which they are asked. */
  readonly routes: readonly SumdbRoute[];
  readonly storage: Storage;
  readonly clock: Clock;
  /** For dates that are written down or shown; `clock` without it. */
  readonly wall?: Pick<Clock, "now">;
  /** In [0, 1), for the jitter of waits; none without it. */
  readonly random?: () => number;
  /** How long the newest head is taken for the newest. */
  readonly headTtlMs?: number;
  /** Told the storage key of the evidence when two signed heads contradict each other. */
  readonly onFork?: (evidence: string) => void;
  /** Told when a route is set aside because what it said could not be proven. */
  readonly onRefused?: (route: string, reason: string) => void;
};

/** What one route gave when all were asked for their newest head. */
export type RouteView = {
  readonly route: string;
  readonly atMs: number;
  /**
   * `agrees`: its head lies on our timeline. `silent`: it gave none. `refused`: what it gave could not be proven.
   * `forked`: it is signed, and contradicts our timeline.
   */
  readonly verdict: "agrees" | "silent" | "refused" | "forked";
  /** Records under its head. */
  readonly treeSize?: number;
  readonly reason?: string;
};

/** Nobody but auditors asks for the newest head, and lookups bring newer ones along. */
export const defaultHeadTtlMs = 10 * 60_000;

/** However much is asked beyond the newest head, the routes are asked for a newer one no more often. */
export const minHeadAgeMs = 1000;

/** While nobody gives a head the kept one serves: a dead route must not delay each answer. */
export const headRetryMs = 10_000;

/** How often a question is put again whose answers could not be proven. */
const maxRepeats = 5;
/** For how long a question is put again, whatever became of it. */
const maxPersistMs = 25_000;
/** The same when another database can be asked. */
const hurriedPersistMs = 1_000;

/** Proven records of about a kilobyte. */
const maxRecordsInMemory = 4096;

export class SumdbMirror {
  readonly name: string;
  readonly #use: MirrorUse;
  readonly #verifier: Verifier;
  readonly #lifetime = new AbortController();
  readonly #tiles: Tiles;
  readonly #heads: Heads;
  readonly #records: Records;
  readonly #desk: TileDesk;
  readonly #order: RouteOrder;
  readonly #halt: Halt;
  readonly #proven = new LRUCache<string, VerifiedRecord>({ max: maxRecordsInMemory });
  readonly #lookups = new Flights<VerifiedRecord>();
  readonly #tileReads = new Flights<Uint8Array>();
  readonly #refreshes = new Flights<undefined>();
  #views: readonly RouteView[] = [];
  #loading: Promise<void> | undefined;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  /** Why no head came then. */
  #failure: SumdbError | undefined;

  constructor(use: MirrorUse) {
    this.#use = use;
    this.#verifier = parseVerifierKey(use.key);
    this.name = this.#verifier.name;
    const { storage, clock, wall = clock, onFork = () => undefined, onRefused = () => undefined } = use;
    const shared = { database: this.name, verifier: this.#verifier, storage };
    const { signal } = this.#lifetime;
    this.#order = new RouteOrder({ routes: use.routes, clock, onRefused });
    this.#halt = new Halt({ ...shared, clock });
    const order = this.#order;
    this.#tiles = new Tiles({ ...shared, clock, order, signal });
    this.#heads = new Heads({
      ...shared,
      clock: wall,
      tiles: this.#tiles,
      onFork: (evidence, { id, isNew }) => {
        this.#halt.add(id);
        if (isNew) onFork(evidence);
      },
    });
    this.#records = new Records(shared);
    this.#desk = new TileDesk({
      ...shared,
      order,
      signal,
      mustNotBeHalted: () => this.#mustNotBeHalted(),
      tiles: this.#tiles,
      heads: this.#heads,
      refresh: (atLeast) =>
        this.#refreshes.join(`beyond ${atLeast}`, signal, () => this.#refresh(atLeast, minHeadAgeMs)),
    });
  }

  /** The database's key. */
  get verifier(): Verifier {
    return this.#verifier;
  }

  /** Records under the newest accepted head; undefined before the first. */
  get treeSize(): number | undefined {
    return this.#heads.latest?.size;
  }

  /** The evidence of a fork that nobody has decided about: nothing new is taken from the database. */
  get alarm(): string | undefined {
    return this.#halt.known;
  }

  /** What each route gave when all were last compared, in the order of the routes. */
  get views(): readonly RouteView[] {
    return this.#views;
  }

  /** The proven record of a module version. Throws SumdbError. */
  async lookup(id: ModuleVersion, { signal, cachedOnly = false, isHurried = false }: Ask): Promise<VerifiedRecord> {
    const what = formatModuleVersion(id);
    const known = this.#proven.get(what);
    if (known !== undefined) return known;
    const flight = cachedOnly ? `kept ${what}` : isHurried ? `soon ${what}` : what;
    return await this.#lookups.join(flight, signal, async () => {
      await this.#load();
      const question = (): Promise<VerifiedRecord> => this.#ask(id, { cachedOnly, isHurried });
      const maxMs = isHurried ? hurriedPersistMs : maxPersistMs;
      const record = (await this.#findKept(id)) ?? (await this.#persist(question, maxMs));
      this.#proven.set(what, record);
      return record;
    });
  }

  /** The bytes of `tile/8/…`, authenticated. Throws SumdbError: SUMDB_ABSENT for what is no tile of this database. */
  async tile(path: string, { signal, cachedOnly = false }: Ask): Promise<Uint8Array> {
    const tile = this.#parseTile(path);
    return await this.#tileReads.join(cachedOnly ? `kept ${path}` : path, signal, async () => {
      await this.#load();
      return await this.#persist(() => this.#desk.serve(tile, cachedOnly));
    });
  }

  /** The newest signed head: refreshed when it is older than its lifetime, the kept one when nobody gives another. */
  async latest({ signal, cachedOnly = false }: Ask): Promise<Uint8Array> {
    await this.#load();
    let failure: unknown;
    try {
      const { headTtlMs = defaultHeadTtlMs } = this.#use;
      if (!cachedOnly) await this.#refreshes.join("latest", signal, () => this.#refresh(0, headTtlMs));
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
    const { latest } = this.#heads;
    if (latest !== undefined) return latest.bytes;
    if (failure instanceof Error) throw failure;
    throw this.#notKept("the newest tree head");
  }

  /**
   * Asks every route for its newest head, and holds each against our timeline: whoever shows others another history
   * shows it here too. Throws the signal's reason; a fork is an alarm and a verdict.
   */
  async compareRoutes(signal: AbortSignal): Promise<readonly RouteView[]> {
    await this.#load();
    const either = AbortSignal.any([signal, this.#lifetime.signal]);
    this.#views = await Promise.all(this.#use.routes.map((route) => this.#view(route, either)));
    return this.#views;
  }

  /**
   * What a route, or the store, says to a lookup, and which of the things that must be true of it are. The head counts
   * as seen from then on. Throws SumdbError when nobody gives an answer.
   */
  async examine(id: ModuleVersion, { signal, cachedOnly = false }: Ask): Promise<Examination> {
    await this.#load();
    const either = AbortSignal.any([signal, this.#lifetime.signal]);
    const { bytes, route } = await this.#anyAnswer(id, { signal: either, cachedOnly });
    const options = cachedOnly ? { keptOnly: true } : {};
    const seen = await examine(bytes, {
      id,
      verifier: this.#verifier,
      prove: async (record, head) => {
        await this.#prove(record, head, options);
      },
      accept: (head) => this.#heads.accept(head),
    });
    signal.throwIfAborted();
    const { acceptedCount: accepted, latest } = this.#heads;
    return { database: this.name, route, accepted, ...(latest && { newest: latest.size }), ...seen };
  }

  /**
   * Holds a head that somebody brought against our timeline; a newer one that is proven becomes our newest. `tiles` is
   * asked before the routes. A fork is an alarm and a verdict.
   */
  async offer(note: Uint8Array, tiles?: SumdbRoute): Promise<OfferView> {
    await this.#load();
    return await judgeHead(note, { verifier: this.#verifier, heads: this.#heads, tiles });
  }

  /** Ends every fetch under way. */
  close(): void {
    this.#lifetime.abort(new Error("the mirror was closed"));
  }

  async #load(): Promise<void> {
    this.#loading ??= Promise.all([this.#heads.load(), this.#halt.load()]).then(
      () => undefined,
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    await this.#loading;
  }

  async #mustNotBeHalted(): Promise<void> {
    const evidence = await this.#halt.reason();
    if (evidence !== undefined) throw new SumdbError("SUMDB_FORK", this.name, { message: evidence });
  }

  async #view(route: SumdbRoute, signal: AbortSignal): Promise<RouteView> {
    const { clock, wall = clock } = this.#use;
    const seen = { route: route.name, atMs: wall.now() };
    const inquiry = new Inquiry(this.name);
    const bytes = await inquiry.fetch(route, { path: "/latest", maxBytes: maxNoteBytes, signal });
    if (bytes === undefined) {
      signal.throwIfAborted();
      return { ...seen, verdict: "silent", reason: inquiry.tried.map(({ reason }) => reason).join("; ") };
    }
    try {
      const head = openCheckpoint(bytes, this.#verifier);
      await this.#heads.accept(head, { prefer: route });
      return { ...seen, verdict: "agrees", treeSize: head.size };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SumdbError) return { ...seen, verdict: "forked", reason: error.message };
      this.#refuse(inquiry, route, error);
      return { ...seen, verdict: "refused", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Notes why an answer could not be proven; whose fault that is, is asked last for a while. */
  #refuse(inquiry: Inquiry, route: SumdbRoute, error: unknown): void {
    inquiry.refuse(route, error);
    if (error instanceof ProtocolError) this.#order.refuse(route, error.message);
  }

  /** What one broken answer spoils, be it a tile deep in a proof, the next answers may put right. A fork they cannot. */
  async #persist<T>(question: () => Promise<T>, maxMs = maxPersistMs): Promise<T> {
    const untilMs = this.#use.clock.now() + maxMs;
    for (let tries = 0; ; tries++) {
      try {
        return await question();
      } catch (error) {
        if (!(error instanceof SumdbError) || !this.#mayBeOver(error)) throw error;
        const isHopeless = error.code === "SUMDB_INVALID" && tries === maxRepeats;
        if (isHopeless || this.#use.clock.now() >= untilMs) throw error;
        await this.#use.clock.sleep(backoffMs(tries, this.#use.random ?? (() => 0.5)), this.#lifetime.signal);
      }
    }
  }

  #mayBeOver({ code }: SumdbError): boolean {
    if (code === "SUMDB_INVALID") return true;
    const isSilence = code === "SUMDB_UNREACHABLE" || code === "SUMDB_NEWER";
    return isSilence && this.#use.routes.some((route) => route.isUp?.() === true);
  }

  #parseTile(path: string): Tile {
    try {
      const tile = parseTilePath(path);
      if (tile.height === tileHeight) return tile;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    throw new SumdbError("SUMDB_ABSENT", this.name, { message: `only tiles of height ${tileHeight} exist` });
  }

  /** A kept record that proves itself from kept tiles; damage to either makes it one that is not kept. */
  async #findKept(id: ModuleVersion): Promise<VerifiedRecord | undefined> {
    const kept = await this.#records.find(id);
    if (kept === undefined) return undefined;
    try {
      await this.#prove(kept.record, kept.head, { keptOnly: true });
    } catch (error) {
      if (error instanceof ProtocolError || error instanceof TileUnavailable) return undefined;
      throw error;
    }
    return this.#verified(kept, { head: kept.head, bytes: kept.bytes, route: "store" });
  }

  async #ask(
    id: ModuleVersion,
    { cachedOnly, isHurried }: { readonly cachedOnly: boolean; readonly isHurried: boolean },
  ): Promise<VerifiedRecord> {
    if (cachedOnly) throw this.#notKept(formatModuleVersion(id));
    await this.#mustNotBeHalted();
    await this.#firstHead();
    const inquiry = new Inquiry(this.name);
    const request = { path: lookupPath(this.name, id), maxBytes: maxLookupBytes, isHurried };
    const ask = async (route: SumdbRoute, how: SumdbAsk): Promise<Uint8Array | undefined> => {
      const bytes = await inquiry.fetch(route, { ...request, ...how });
      if (inquiry.isAbsent) throw inquiry.failure();
      return bytes;
    };
    for await (const { route, value: bytes } of this.#inTurn(ask)) {
      try {
        return await this.#verify(id, bytes, route);
      } catch (error) {
        this.#refuse(inquiry, route, error);
      }
    }
    throw inquiry.failure();
  }

  /** What the first route that has one answers, unproven; what is kept when nobody is to be asked. */
  async #anyAnswer(
    id: ModuleVersion,
    { signal, cachedOnly }: Required<Omit<Ask, "isHurried">>,
  ): Promise<{ readonly bytes: Uint8Array; readonly route: string }> {
    if (cachedOnly) {
      const bytes = await this.#records.read(id);
      if (bytes === undefined) throw this.#notKept(formatModuleVersion(id));
      return { bytes, route: "store" };
    }
    await this.#mustNotBeHalted();
    await this.#firstHead();
    const inquiry = new Inquiry(this.name);
    for (const route of this.#order.routes) {
      const request = { path: lookupPath(this.name, id), maxBytes: maxLookupBytes, signal };
      const bytes = await inquiry.fetch(route, request);
      if (bytes !== undefined) return { bytes, route: route.name };
    }
    throw inquiry.failure();
  }

  #inTurn<T>(ask: Questions<T>["ask"]): AsyncGenerator<Answer<T>> {
    return answersInTurn(this.#order.routes, { clock: this.#use.clock, signal: this.#lifetime.signal, ask });
  }

  /** The newest head comes first, so that most lookups bring older ones: those need no tiles of their own. */
  async #firstHead(): Promise<void> {
    if (this.#heads.latest !== undefined) return;
    try {
      await this.#refreshes.join("latest", this.#lifetime.signal, () => this.#refresh(0, 0));
    } catch (error) {
      // Tunnels need not have /latest: a lookup brings a head as well.
      if (!(error instanceof SumdbError) || error.code === "SUMDB_FORK") throw error;
    }
  }

  async #verify(id: ModuleVersion, bytes: Uint8Array, route: SumdbRoute): Promise<VerifiedRecord> {
    const lookup = openLookup(bytes, id, this.#verifier);
    const number = lookup.record.id;
    const accepting = this.#heads.accept(lookup.head, { prefer: route });
    const { serving } = this.#heads;
    // Both take a round trip for tiles, and neither needs the other when the serving head covers the record.
    const isCovered = serving !== undefined && number < serving.size;
    const proving = isCovered ? this.#proveServed(lookup.record, serving, route) : undefined;
    proving?.catch(() => undefined);
    // A fork is the graver news: it must not be lost behind a record that does not fit.
    await accepting;
    const head = (await proving) ?? (await this.#heads.covering(number));
    if (proving === undefined) await this.#proveServed(lookup.record, head, route);
    return this.#verified(lookup, {
      head,
      bytes: await this.#records.keep(id, lookup.record, head),
      route: route.name,
    });
  }

  /** Proves the record in a serving head and keeps every tile of the proof, partial ones too. */
  async #proveServed(record: LogRecord, head: Checkpoint, prefer: SumdbRoute): Promise<Checkpoint> {
    await this.#prove(record, head, { prefer });
    return head;
  }

  async #prove(record: LogRecord, head: Checkpoint, options: ReadOptions): Promise<void> {
    const proven = await this.#tiles.read(head, [storedHashIndex(0, record.id)], options);
    const [hash] = proven.hashes;
    if (hash === undefined || !isEqualHash(hash, recordHash(record.text))) {
      throw new ProtocolError("BAD_PROOF", `record ${record.id} of the log is another one`);
    }
    await this.#tiles.keep(proven, "all");
  }

  #verified(
    { record, sums }: { readonly record: LogRecord; readonly sums: Sums },
    { head, bytes, route }: { readonly head: Checkpoint; readonly bytes: Uint8Array; readonly route: string },
  ): VerifiedRecord {
    return { ...record, sums, treeSize: head.size, bytes, database: this.name, route };
  }

  /** Asks the routes for their newest heads until one covers `atLeast` records; not again before `minAgeMs`. */
  async #refresh(atLeast: number, minAgeMs: number): Promise<undefined> {
    const { clock } = this.#use;
    const isFresh = (): boolean => clock.now() - this.#refreshedAtMs < minAgeMs;
    if (isFresh()) {
      if (atLeast <= (this.#heads.latest?.size ?? 0)) return;
      // Whoever asks has met a newer head than we were told a moment ago: not asking again yet is no answer.
      const before = this.#refreshedAtMs;
      await clock.sleep(before + minAgeMs - clock.now(), this.#lifetime.signal);
      // Timers may end a moment early: what counts is whether somebody else has asked meanwhile.
      if (this.#refreshedAtMs !== before) return;
    }
    const now = clock.now();
    const { latest } = this.#heads;
    if (latest !== undefined && now - this.#failedAtMs < headRetryMs) {
      if (atLeast > latest.size && this.#failure !== undefined) throw this.#failure;
      return;
    }
    await this.#mustNotBeHalted();
    const inquiry = new Inquiry(this.name);
    let isAccepted = false;
    const request = { path: "/latest", maxBytes: maxNoteBytes };
    const ask = (route: SumdbRoute, how: SumdbAsk): Promise<Uint8Array | undefined> =>
      inquiry.fetch(route, { ...request, ...how });
    for await (const { route, value: bytes } of this.#inTurn(ask)) {
      try {
        await this.#heads.accept(openCheckpoint(bytes, this.#verifier), { prefer: route });
        isAccepted = true;
        if ((this.#heads.latest?.size ?? 0) >= atLeast) break;
      } catch (error) {
        this.#refuse(inquiry, route, error);
      }
    }
    if (isAccepted) {
      this.#refreshedAtMs = this.#use.clock.now();
      return;
    }
    this.#failedAtMs = this.#use.clock.now();
    const { code, message, tried } = inquiry.failure();
    // A database without heads is no database: a 404 says nothing about what it holds.
    this.#failure = new SumdbError(code === "SUMDB_ABSENT" ? "SUMDB_UNREACHABLE" : code, this.name, { message, tried });
    throw this.#failure;
  }

  #notKept(what: string): SumdbError {
    return new SumdbError("SUMDB_NOT_KEPT", this.name, { message: `${what} is not kept` });
  }
}
