// What an edge keeps of its origins grows old, although it never changes: `.info` and go.mod are answered as long as
// their Cache-Control says, then at once but shown to the origin behind the answer, and at last only after it was asked.
//
//   age              answer              the origin is asked
//   < max-age        at once, HIT        no
//   < + stale-while  at once, STALE      once, behind the answer
//   older            waits, EXPIRED      once; says it nothing, STALE all the same
//
// The bytes were proven when they came, and stay the same for ever whatever it says now: that it says something else is
// told, and nothing more. Ages are known to this process; after a start a file is as old as the version.

import { createHash } from "node:crypto";
import { ProtocolError } from "#protocol/errors.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { formatInfo, maxInfoBytes, parseInfo } from "#protocol/info.ts";
import { formatTarget } from "#protocol/request.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion, Version } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { KeptMod } from "#services/store/module-store.ts";
import type { Clock } from "#services/store/ports.ts";
import { timeLimit } from "#services/store/ports.ts";
import type { Chain } from "#services/upstreams/chain.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { Urgency } from "#services/upstreams/urgency.ts";
import { LRUCache } from "lru-cache";
import type { Provenance } from "./answer.ts";
import { local, upstreamCacheState } from "./answer.ts";
import { readBody } from "./body.ts";
import type { Lifetime } from "./lifetime.ts";
import { parseLifetime } from "./lifetime.ts";
import type { Origin } from "./origin.ts";
import { SingleFlight } from "./single-flight.ts";

/** Files whose age is known; some 300 bytes each. Of one that was forgotten the version's own age counts. */
const maxKnown = 50_000;
/** A request waits so long for an origin to say that what is kept is still what it has. Then it is answered without. */
const waitMs = 5_000;
/** An origin that did not answer is left alone for so long, file by file. */
const pauseMs = 5_000;
/** One question, asked behind an answer, takes no longer. */
const askMs = 30_000;

export type AgingFile = "info" | "mod";

export type AgingUse = {
  readonly chain: () => Chain;
  readonly origin: Pick<Origin, "confirm">;
  /** Of files whose origin names none. */
  readonly lifetime: () => Lifetime;
  /** Ages count on a clock that nobody sets; what a version's own date says is the wall clock's. */
  readonly clock: Clock;
  readonly wall: Pick<Clock, "now">;
  readonly events: EventSink;
  readonly stop: AbortSignal;
};

/** How a kept file may be answered now. */
export type Aged = { readonly provenance: Provenance; readonly reuseMs: number };

type Known = Lifetime & {
  readonly sinceMs: number;
  /** Not to be asked again before. */
  readonly pausedUntilMs: number;
  /** What each origin called these bytes. */
  readonly etags: ReadonlyMap<string, string>;
};

type How = { readonly known: Known; readonly hops: string; readonly urgency: Urgency };

/** What an origin said: its own cache's state, or nothing. */
type Word = { readonly state: "HIT" | "MISS" | "BYPASS" } | undefined;

export class Aging {
  readonly #use: AgingUse;
  readonly #known = new LRUCache<string, Known>({ max: maxKnown });
  readonly #flights = new SingleFlight<Word>();

  constructor(use: AgingUse) {
    this.#use = use;
  }

  /** An origin has just given both files of a version. */
  arrived(id: ModuleVersion, upstream: string, headers: Readonly<Record<string, string>>): void {
    if (!this.#isFromOrigin(upstream)) return;
    for (const file of ["info", "mod"] as const) {
      const etag = file === "info" ? headers["etag"] : undefined;
      const etags = new Map(etag === undefined ? [] : [[upstream, etag]]);
      this.#known.set(keyOf(id, file), this.#begun(headers, etags));
    }
  }

  /** How the kept file may be answered; undefined when it never grows old here. Rejects with the signal's reason only. */
  async of(
    kept: KeptMod,
    file: AgingFile,
    asking: { readonly hops: string; readonly signal: AbortSignal },
  ): Promise<Aged | undefined> {
    if (!this.#isFromOrigin(kept.manifest.origin.upstream)) return undefined;
    const known = this.#recall(kept, file);
    const left = this.#leftMs(known);
    if (left > 0) return { provenance: local, reuseMs: left };
    const isPaused = this.#use.clock.now() < known.pausedUntilMs;
    if (isPaused) return { provenance: stale, reuseMs: known.pausedUntilMs - this.#use.clock.now() };
    const isWaitedFor = left <= -known.staleMs;
    const asked = this.#flights.do(keyOf(kept.id, file), this.#use.stop, () =>
      this.#ask(kept, file, { known, hops: asking.hops, urgency: new Urgency(isWaitedFor) }),
    );
    asked.catch(() => undefined); // the server stops
    if (!isWaitedFor) return { provenance: stale, reuseMs: 0 };
    return await this.#waited(kept, file, { asked, signal: asking.signal });
  }

  async #waited(
    kept: KeptMod,
    file: AgingFile,
    waiting: { readonly asked: Promise<Word>; readonly signal: AbortSignal },
  ): Promise<Aged> {
    const { clock } = this.#use;
    const over = new AbortController();
    const late = clock.sleep(waitMs, AbortSignal.any([waiting.signal, over.signal])).then(() => undefined);
    late.catch(() => undefined); // whichever comes second
    try {
      const word = await Promise.race([waiting.asked, late]);
      if (word === undefined) return { provenance: stale, reuseMs: 0 };
      const reuseMs = Math.max(0, this.#leftMs(this.#recall(kept, file)));
      return { provenance: { upstream: word.state, here: "EXPIRED" }, reuseMs };
    } finally {
      over.abort();
    }
  }

  async #ask(kept: KeptMod, file: AgingFile, how: How): Promise<Word> {
    const { id } = kept;
    const { clock, stop } = this.#use;
    const key = keyOf(id, file);
    const { known } = how;
    const word = await this.#wordOf(kept, file, { ...how, signal: AbortSignal.any([stop, timeLimit(clock, askMs)]) });
    if (word === undefined) {
      this.#known.set(key, { ...known, pausedUntilMs: clock.now() + pauseMs });
      return undefined;
    }
    const { headers, upstream, isSame } = word;
    const etag = headers["etag"];
    const etags = new Map(known.etags);
    if (isSame && etag !== undefined) etags.set(upstream, etag);
    this.#known.set(key, this.#begun(headers, etags));
    return { state: upstreamCacheState(headers) };
  }

  /** What the first origin to answer says of the kept file; undefined when none says anything. */
  async #wordOf(
    kept: KeptMod,
    file: AgingFile,
    how: How & { readonly signal: AbortSignal },
  ): Promise<
    { readonly headers: UpstreamResponse["headers"]; readonly upstream: string; readonly isSame: boolean } | undefined
  > {
    const { id } = kept;
    const { sha256 } = kept.manifest[file];
    // A Granary calls its files by their sha256, whether or not it has told us.
    const etagOf = (upstream: string): string => how.known.etags.get(upstream) ?? `"${sha256}"`;
    const origins = this.#use.chain().upstreams.filter(({ isOrigin }) => isOrigin === true);
    const target = { cachedOnly: false, path: id.path, version: id.version };
    const ask = {
      kind: file,
      module: id.path,
      what: formatModuleVersion(id),
      hops: how.hops,
      urgency: how.urgency,
      path: formatTarget(file === "info" ? { kind: "info", ...target, query: id.version } : { kind: "mod", ...target }),
      maxBytes: file === "info" ? maxInfoBytes : maxGoModBytes,
      validators: new Map(origins.map(({ name }) => [name, etagOf(name)])),
    };
    try {
      const result = await this.#use.origin.confirm(ask, how.signal, async (response, upstream) => {
        const found = response.status === 304 ? sha256 : hashOf(file, await readBody(response), id.version);
        return { headers: response.headers, upstream: upstream.name, found };
      });
      if (result.kind === "found") {
        const { headers, upstream, found } = result.value;
        if (found !== sha256) this.#tell(id, file, { upstream, expected: sha256, found });
        return { headers, upstream, isSame: found === sha256 };
      }
      if (result.kind !== "absent") return undefined;
      const [upstream = "-"] = result.by;
      this.#tell(id, file, { upstream, expected: sha256, found: "absent" });
      return { headers: {}, upstream, isSame: false };
    } catch {
      // The time was up, or the server stops: nobody has said anything.
      return undefined;
    }
  }

  #tell(
    id: ModuleVersion,
    file: AgingFile,
    what: { readonly upstream: string; readonly expected: string; readonly found: string },
  ): void {
    this.#use.events.emit({ name: "module.disputed", module: id.path, version: id.version, file, ...what });
  }

  #begun(headers: Readonly<Record<string, string>>, etags: ReadonlyMap<string, string>): Known {
    const lifetime = parseLifetime(headers) ?? this.#use.lifetime();
    return { ...lifetime, sinceMs: this.#use.clock.now(), pausedUntilMs: 0, etags };
  }

  #recall(kept: KeptMod, file: AgingFile): Known {
    const known = this.#known.get(keyOf(kept.id, file));
    if (known !== undefined) return known;
    const age = Math.max(0, this.#use.wall.now() - kept.since.getTime());
    return { ...this.#use.lifetime(), sinceMs: this.#use.clock.now() - age, pausedUntilMs: 0, etags: new Map() };
  }

  /** What is left of the time in which it is fresh; below zero afterwards. */
  #leftMs({ sinceMs, freshMs }: Known): number {
    return sinceMs + freshMs - this.#use.clock.now();
  }

  #isFromOrigin(upstream: string): boolean {
    return this.#use.chain().upstreams.some(({ name, isOrigin }) => isOrigin === true && name === upstream);
  }
}

/** Nobody was asked for this answer. */
const stale: Provenance = { upstream: "-", here: "STALE" };

function keyOf(id: ModuleVersion, file: AgingFile): string {
  return `${file} ${formatModuleVersion(id)}`;
}

/** sha256 of the file as it would be kept; words for what could not be. */
function hashOf(file: AgingFile, bytes: Uint8Array, version: Version): string {
  try {
    const kept = file === "info" ? formatInfo(parseInfo(bytes, version)) : bytes;
    return createHash("sha256").update(kept).digest("hex");
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}
