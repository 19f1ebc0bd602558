// What may change: version lists, `@latest`, and branch or hash queries. Remembered for a short while, asked again
// conditionally, answered stale when no upstream answers, and never shrunk to what happens to be kept.

import { createHash } from "node:crypto";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { formatInfo, formatList, maxInfoBytes, maxListBytes, parseInfo, parseList } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { escapePath, isAtOrBelow } from "#protocol/path.ts";
import { formatTarget } from "#protocol/request.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { StoreAway, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import { LRUCache } from "lru-cache";
import { anewAfterMs } from "./anew.ts";
import type { Provenance } from "./answer.ts";
import { upstreamCacheState } from "./answer.ts";
import { readBody, unusableUnless } from "./body.ts";
import { Deadline } from "./deadline.ts";
import type { Found, Origin } from "./origin.ts";
import { SingleFlight } from "./single-flight.ts";

export type ListingKind = "list" | "latest" | "query";

/** One listing as an upstream gave it: parsed, re-made, with what is needed to ask again cheaply. */
type Remembered = {
  readonly text: string;
  readonly fetchedMs: number;
  /** The upstream that gave it last. */
  readonly upstream: string;
  /** What upstreams that gave this very text call it, by name: one that lags must not make the others send it anew. */
  readonly etags: ReadonlyMap<string, string>;
};

export type Listing = { readonly bytes: Uint8Array; readonly provenance: Provenance; readonly freshForMs: number };

export type ListingsUse = {
  readonly origin: Origin;
  readonly store: ModuleStore;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly ttlMs: () => number;
  readonly stop: AbortSignal;
};

/** Memory for remembered listings; the largest real lists are some 200 KiB. */
const maxRememberedBytes = 32 << 20;
const listingDeadlineMs = 60_000;
/** A stale answer is offered again for this long before upstreams are tried anew. */
const staleReuseMs = 5_000;

export class Listings {
  readonly #use: ListingsUse;
  readonly #flights = new SingleFlight<Listing>();
  readonly #memory = new LRUCache<string, Remembered>({
    maxSize: maxRememberedBytes,
    sizeCalculation: (entry, key) => entry.text.length + key.length + 200,
  });

  readonly #deadline: Deadline;
  /** Counts what was forgotten: an answer that was on its way then is given to those who wait and remembered by nobody. */
  #forgotten = 0;

  constructor(use: ListingsUse) {
    this.#use = use;
    this.#deadline = new Deadline({ stop: use.stop, clock: use.clock, ms: listingDeadlineMs });
  }

  /** The listing, fresh or as fresh as can be had. Throws GranaryError. */
  async get(
    kind: ListingKind,
    path: ModulePath,
    more: { readonly query: string; readonly hops: string; readonly anew?: boolean; readonly signal: AbortSignal },
  ): Promise<Listing> {
    const key = keyOf(kind, path, more.query);
    const known = this.#memory.get(key);
    const age = known === undefined ? Infinity : this.#use.clock.now() - known.fetchedMs;
    // One from the future was written down before somebody set the clock back: nobody knows how old it is.
    const isFresh = age >= 0 && age < this.#use.ttlMs();
    if (known !== undefined && isFresh && (more.anew !== true || age < anewAfterMs)) {
      const bytes = await this.#render(kind, path, known);
      return { bytes, provenance: { upstream: "-", here: "HIT" }, freshForMs: this.#use.ttlMs() - age };
    }
    const refresh = { ...more, isPassedBy: isFresh };
    return await this.#flights.do(`${this.#forgotten} ${key}`, more.signal, () => this.#refresh(kind, path, refresh));
  }

  /** What is kept and remembered, without asking anybody; undefined when that is nothing. */
  async kept(kind: ListingKind, path: ModulePath, query: string): Promise<Listing | undefined> {
    const known = await this.#recall(kind, path, query);
    if (known === undefined && (kind !== "list" || (await this.#use.store.listKept(path)).length === 0))
      return undefined;
    const bytes = await this.#render(kind, path, known);
    return { bytes, provenance: { upstream: "-", here: "HIT" }, freshForMs: 0 };
  }

  /** True when a list was given once, by this process or an earlier one. */
  async isKnown(path: ModulePath): Promise<boolean> {
    if (this.#memory.has(keyOf("list", path, ""))) return true;
    return (await this.#use.storage.stat(fileOf("list", path))) !== undefined;
  }

  /** Forgets what upstreams said of a module and of those below it, so that the next question goes out. */
  forget(path: string): void {
    this.#forgotten++;
    for (const key of this.#memory.keys()) if (isAtOrBelow(key.split("\n", 1)[0] ?? "", path)) this.#memory.delete(key);
  }

  /** Forgets all that upstreams said. */
  clear(): void {
    this.#forgotten++;
    this.#memory.clear();
  }

  async #refresh(
    kind: ListingKind,
    path: ModulePath,
    more: { readonly query: string; readonly hops: string; readonly anew?: boolean; readonly isPassedBy: boolean },
  ): Promise<Listing> {
    const { query, hops, anew = false } = more;
    const forgotten = this.#forgotten;
    const known = await this.#recall(kind, path, query);
    try {
      const found = await this.#ask(kind, path, { query, hops, anew, known, forgotten });
      const here = known === undefined ? "MISS" : "EXPIRED";
      const bytes = await this.#render(kind, path, found.value.remembered);
      const freshForMs = forgotten === this.#forgotten ? this.#use.ttlMs() : 0;
      // S3-21: what a cache has, and does not give, is passed by.
      const passedBy: Provenance = { upstream: "BYPASS", here: "MISS" };
      return { bytes, provenance: more.isPassedBy ? passedBy : { upstream: found.value.state, here }, freshForMs };
    } catch (error) {
      return await this.#withoutUpstream(error, kind, { path, known });
    }
  }

  async #ask(
    kind: ListingKind,
    path: ModulePath,
    more: {
      readonly query: string;
      readonly hops: string;
      readonly anew: boolean;
      readonly known: Remembered | undefined;
      readonly forgotten: number;
    },
  ): Promise<Found<{ remembered: Remembered; state: "HIT" | "MISS" | "BYPASS" }>> {
    const { query, hops, anew, known, forgotten } = more;
    const what = kind === "query" ? `${path}@${query}` : kind === "latest" ? `${path}@latest` : path;
    const ask = {
      kind,
      module: path,
      what,
      hops,
      anew,
      path: targetOf(kind, path, query),
      maxBytes: kind === "list" ? maxListBytes : maxInfoBytes,
    };
    const found = await this.#use.origin.find(
      { ...ask, ...(known && { validators: known.etags }) },
      this.#deadline.next(),
      async (response, upstream) => {
        const state = upstreamCacheState(response.headers);
        const etag = response.headers["etag"];
        const fetchedMs = this.#use.clock.now();
        if (response.status === 304 && known !== undefined)
          return { remembered: { ...known, fetchedMs, upstream: upstream.name }, state };
        const body = await readBody(response);
        // A portal may call its page text: no list and no JSON begins so.
        if (body[0] === "<".charCodeAt(0)) throw new Unusable("WEB_PAGE", "answered with a web page");
        const text = unusableUnless(() => remake(kind, body));
        const etags = new Map(known?.text === text ? known.etags : []);
        if (etag === undefined) etags.delete(upstream.name);
        else etags.set(upstream.name, etag);
        return { remembered: { text, fetchedMs, upstream: upstream.name, etags }, state };
      },
    );
    if (forgotten === this.#forgotten) await this.#remember(kind, path, { query, entry: found.value.remembered });
    return found;
  }

  /** No upstream answered, or they say there is nothing: what we know still counts. */
  async #withoutUpstream(
    error: unknown,
    kind: ListingKind,
    more: { readonly path: ModulePath; readonly known: Remembered | undefined },
  ): Promise<Listing> {
    const { path, known } = more;
    const absent =
      isGranaryError(error, "GRANARY_NOT_FOUND") ||
      isGranaryError(error, "GRANARY_NOT_KEPT") ||
      isGranaryError(error, "GRANARY_PRIVATE_NOT_HERE");
    const keepsSome = kind === "list" && (await this.#use.store.listKept(path)).length > 0;
    const stale: Provenance = { upstream: "-", here: "STALE" };
    // Gone upstream, but kept here: what was served once goes on existing.
    if (absent && keepsSome)
      return { bytes: await this.#render(kind, path, known), provenance: stale, freshForMs: this.#use.ttlMs() };
    if (absent || known === undefined || !isGranaryError(error)) throw error;
    return { bytes: await this.#render(kind, path, known), provenance: stale, freshForMs: staleReuseMs };
  }

  /** The union of what upstream said and what is kept. */
  async #render(kind: ListingKind, path: ModulePath, known: Remembered | undefined): Promise<Uint8Array> {
    if (kind !== "list") return Buffer.from(known?.text ?? "");
    const listed = known === undefined ? [] : known.text.split("\n").filter((line) => line !== "");
    const kept = await this.#keptBeside(path, known);
    return Buffer.from(formatList([...new Set([...listed, ...kept])]));
  }

  /** While the store is out of reach, what an upstream has just said is no less true. */
  async #keptBeside(path: ModulePath, known: Remembered | undefined): Promise<readonly string[]> {
    try {
      return (await this.#use.store.listKept(path)).filter((version) => !isPseudoVersion(version));
    } catch (error) {
      if (!(error instanceof StoreAway) || known === undefined) throw error;
      return [];
    }
  }

  async #recall(kind: ListingKind, path: ModulePath, query: string): Promise<Remembered | undefined> {
    const key = keyOf(kind, path, query);
    const known = this.#memory.get(key);
    if (known !== undefined || kind === "query") return known;
    const stored = await this.#use.storage.get(fileOf(kind, path), maxListBytes + 4096).catch(unlessAway);
    const parsed = stored === undefined ? undefined : parseRemembered(stored.bytes);
    // Not fresh, whatever its date: what was just forgotten must not be answered while upstreams are asked.
    if (parsed !== undefined) this.#memory.set(key, { ...parsed, fetchedMs: -Infinity });
    return parsed;
  }

  async #remember(
    kind: ListingKind,
    path: ModulePath,
    more: { readonly query: string; readonly entry: Remembered },
  ): Promise<void> {
    const key = keyOf(kind, path, more.query);
    const before = this.#memory.get(key);
    this.#memory.set(key, more.entry);
    // Queries live in memory only: what a branch means tomorrow is not worth a file.
    if (kind === "query" || before?.text === more.entry.text) return;
    try {
      const file = fileOf(kind, path);
      const stat = await this.#use.storage.stat(file);
      // A lost race means that somebody wrote a listing as fresh as ours.
      await this.#use.storage.replace(file, formatRemembered(more.entry), stat?.token);
    } catch (error) {
      // A listing that cannot be written down, on a full disk for example, is no worse for whoever asked for it.
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

/** Upstreams can be asked, whatever they said before. */
function unlessAway(error: unknown): undefined {
  if (!(error instanceof StoreAway)) throw error;
  return undefined;
}

function keyOf(kind: ListingKind, path: string, query: string): string {
  return `${path}\n${kind}\n${query}`;
}

/** Kept apart from `@v/list`, which names complete versions only. */
function fileOf(kind: "list" | "latest", path: ModulePath) {
  return storageKey(`state/listings/${escapePath(path)}/@v/${kind}.json`);
}

function targetOf(kind: ListingKind, path: ModulePath, query: string): string {
  if (kind === "query") return formatTarget({ kind: "info", cachedOnly: false, path, query });
  return formatTarget({ kind, cachedOnly: false, path });
}

/** Parses what an upstream sent and writes it anew, so that nothing odd is passed on. Throws ProtocolError. */
function remake(kind: ListingKind, bytes: Uint8Array): string {
  if (kind === "list") return Buffer.from(formatList(parseList(bytes))).toString("utf8");
  return Buffer.from(formatInfo(parseInfo(bytes))).toString("utf8");
}

/** With a check of its own: no manifest says what a listing was, and a flipped bit makes another version of one. */
function formatRemembered(entry: Remembered): Uint8Array {
  return Buffer.from(JSON.stringify({ listing: 1, ...entry, etags: [...entry.etags], check: checkOf(entry.text) }));
}

function checkOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A damaged file is no listing: it is asked for again. */
function parseRemembered(bytes: Uint8Array): Remembered | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<
      Record<keyof Remembered | "check" | "etag", unknown>
    >;
    if (typeof value.text !== "string" || typeof value.fetchedMs !== "number" || typeof value.upstream !== "string")
      return undefined;
    // Files of earlier releases have none.
    if (value.check !== undefined && value.check !== checkOf(value.text)) return undefined;
    return {
      text: value.text,
      fetchedMs: value.fetchedMs,
      upstream: value.upstream,
      // Earlier releases knew one, of the upstream that gave it.
      etags: new Map(typeof value.etag === "string" ? [[value.upstream, value.etag]] : parseTags(value.etags)),
    };
  } catch {
    return undefined;
  }
}

function parseTags(value: unknown): [string, string][] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (each): each is [string, string] =>
      Array.isArray(each) && each.length === 2 && each.every((text) => typeof text === "string"),
  );
}
