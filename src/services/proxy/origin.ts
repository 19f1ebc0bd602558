// Asking upstreams for one thing about a module, and turning what the chain says into our words: found, a proven
// absence (remembered for a while), or an error that says why we cannot know.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { KnownAbsences } from "#services/cluster/known-absences.ts";
import type { Tried } from "#services/errors/codes.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import type { SumdbError } from "#services/sumdb/errors.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import type { Health } from "#services/upstreams/health.ts";
import type { UpstreamClient, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { Accepting, Companion } from "#services/upstreams/attempt.ts";
import { mayBeAsked } from "#services/upstreams/route.ts";
import type { ChainUse, WalkResult } from "#services/upstreams/walk.ts";
import type { Failure } from "#services/upstreams/ledger.ts";
import type { Urgency } from "#services/upstreams/urgency.ts";
import { Unusable, UpstreamHeld, UpstreamStatus, walk } from "#services/upstreams/walk.ts";
import { anewAfterMs } from "./anew.ts";
import type { Negative, NegativeCache } from "./negative.ts";
import type { Privacy } from "./privacy.ts";
import { HashMismatch } from "./sums.ts";

export type Ask = {
  readonly kind: "info" | "mod" | "zip" | "list" | "latest" | "query";
  readonly module: string;
  /** `path@version`, or the path alone: the name in errors and the key of a remembered absence. */
  readonly what: string;
  /** Request path below an upstream's base. */
  readonly path: string;
  readonly maxBytes: number;
  /** Granaries the first asker came through; "" for none. */
  readonly hops: string;
  /** The entity tags that upstreams gave earlier, by name; `accept` may then see their 304. */
  readonly validators?: ReadonlyMap<string, string>;
  /** Another file of the same snapshot, from the same upstream. */
  readonly companion?: Companion;
  /** A large file that goes on where it broke off; `accept` may then see 206 and 416. */
  readonly download?: Resumable;
  /** Whether somebody waits for it; without it somebody does. */
  readonly urgency?: Urgency;
  /** Part of it is kept, so that it did exist: `notFound: rollback` upstreams that lack it say nothing (mode `resilient`). */
  readonly existed?: boolean;
  /** The client asks past what is remembered. */
  readonly anew?: boolean;
};

/** What has come of a large file, and how the next request goes on. */
export type Resumable = {
  headers(upstream: Upstream): Readonly<Record<string, string>>;
  readonly progressedMs: number;
};

export type Found<T> = { readonly value: T; readonly upstream: Upstream };
export type Accept<T> = (response: UpstreamResponse, upstream: Upstream, more: Accepting) => Promise<T>;

export type OriginUse = {
  /** The chain in force; a changed configuration brings another. */
  readonly chain: () => Chain;
  readonly client: UpstreamClient;
  readonly health: Health;
  readonly mode: () => "go" | "resilient";
  readonly clock: Clock;
  readonly privacy: Privacy;
  readonly negative: NegativeCache;
  /** What other nodes know to be absent. */
  readonly others?: Pick<KnownAbsences, "find" | "add"> | undefined;
  readonly events: EventSink;
  readonly meter: Meter;
  /** The header that names the Granaries a request has passed, and our own name in it. */
  readonly hopHeader: { readonly name: string; readonly instance: string };
  /** How walks are done: order, patience, retries, room. */
  readonly manners?: () => Manners;
};

export type Manners = Pick<ChainUse, "order" | "patience" | "retryMs" | "retries" | "random" | "lanes" | "onHead">;

export class Origin {
  readonly #use: OriginUse;

  constructor(use: OriginUse) {
    this.#use = use;
  }

  /** True when the configuration has somebody to ask about this module, be it out of use now. */
  mayAsk(path: string): boolean {
    const { upstreams, disabled = [] } = this.#use.chain();
    const mustStay = this.#use.privacy.mustNotTravel(path);
    return [...upstreams, ...disabled].some((upstream) => !mustStay || !upstream.public);
  }

  /** True when find() would ask somebody now: an upstream in use that may hear of it, and no absence is remembered. */
  wouldAsk({ path, version }: ModuleVersion): boolean {
    const { chain, negative, clock, privacy } = this.#use;
    if (negative.fresh(formatModuleVersion({ path, version }), clock.now()) !== undefined) return false;
    return chain().upstreams.some((upstream) => mayBeAsked(upstream, path, privacy.patterns));
  }

  /** What `accept` made of the first good answer. Throws GranaryError; absence as GRANARY_NOT_FOUND. */
  async find<T>(ask: Ask, signal: AbortSignal, accept: Accept<T>): Promise<Found<T>> {
    const { clock } = this.#use;
    const known = await this.#absence(ask);
    const isGoodEnough = ask.anew !== true || (known !== undefined && clock.now() - known.sinceMs < anewAfterMs);
    if (known !== undefined && isGoodEnough) throw notFound(ask.what, [known.by], known.reason);
    const startedMs = clock.now();
    const result = await this.#walk(ask, signal, accept).catch((error: unknown): never => {
      if (!isTimeUp(signal)) throw error;
      const waitedMs = clock.now() - startedMs;
      throw new GranaryError("GRANARY_UPSTREAM_TIMEOUT", { what: ask.what, tried: [], waitedMs }, { cause: error });
    });
    if (result.kind === "found") return { value: result.value, upstream: result.upstream };
    throw this.#failure(ask, result);
  }

  /**
   * What the first origin to answer says of a file that is kept. Nothing is asked twice, waited for or remembered: whoever
   * asks has an answer already. Throws UpstreamFault "aborted" when the signal aborts.
   */
  async confirm<T>(ask: Ask, signal: AbortSignal, accept: Accept<T>): Promise<WalkResult<T>> {
    const { chain, client, health, mode, clock, privacy, meter, manners } = this.#use;
    const { order, lanes } = manners?.() ?? {};
    const origins = chain().upstreams.filter(({ isOrigin }) => isOrigin === true);
    const headers = this.#hopHeaders(ask.hops);
    const use = { client, health, mode: mode(), clock, privatePatterns: privacy.patterns, headers, meter, retryMs: 0 };
    return await walk(
      { ...chain(), upstreams: origins },
      { ...use, ...(order && { order }), ...(lanes && { lanes }) },
      {
        ...{ kind: ask.kind, path: ask.path, maxBytes: ask.maxBytes, module: ask.module, signal },
        ...(ask.urgency && { urgency: ask.urgency }),
        ...(ask.validators && { validators: ask.validators }),
        accept: async (response, upstream, more) => {
          refuseWebPage(response);
          return await accept(response, upstream, more);
        },
      },
    );
  }

  /** What is known of an absence: here, else by other nodes. */
  async #absence({ what, module }: Ask): Promise<Negative | undefined> {
    const { negative, others, clock } = this.#use;
    const known = negative.fresh(what, clock.now());
    if (known !== undefined || others === undefined) return known;
    const told = await others.find(module, what);
    if (told === undefined) return undefined;
    const now = clock.now();
    const { reason, by, ageMs, leftMs } = told;
    const absence = { reason, by, sinceMs: now - ageMs, untilMs: now + leftMs };
    negative.adopt(what, absence);
    return absence;
  }

  #hopHeaders(hops: string): Readonly<Record<string, string>> {
    const { name, instance } = this.#use.hopHeader;
    return { [name]: hops === "" ? instance : `${hops}, ${instance}` };
  }

  async #walk<T>(ask: Ask, signal: AbortSignal, accept: Accept<T>): Promise<WalkResult<T>> {
    const { chain, client, health, mode, clock, privacy, meter } = this.#use;
    return await walk(
      chain(),
      {
        client,
        health,
        mode: mode(),
        clock,
        privatePatterns: privacy.patterns,
        headers: this.#hopHeaders(ask.hops),
        meter,
        ...this.#use.manners?.(),
      },
      {
        kind: ask.kind,
        path: ask.path,
        maxBytes: ask.maxBytes,
        module: ask.module,
        signal,
        waitsOut: files.has(ask.kind),
        ...(ask.urgency && { urgency: ask.urgency }),
        ...(ask.validators && { validators: ask.validators }),
        ...(ask.companion && { companion: ask.companion }),
        ...(ask.download && resuming(ask.download)),
        accept: async (response, upstream, more) => {
          refuseWebPage(response);
          return await accept(response, upstream, more);
        },
      },
    );
  }

  #failure<T>(ask: Ask, result: Exclude<WalkResult<T>, { kind: "found" }>): GranaryError {
    const { what } = ask;
    switch (result.kind) {
      case "absent": {
        if (this.#isForgotten(ask, result.by)) return forgotten(ask, result.by);
        const by = result.by.join(", ");
        this.#use.negative.add(what, { reason: result.text, by }, this.#use.clock.now());
        this.#use.others?.add(what, { reason: result.text, by });
        return notFound(what, result.by, result.text);
      }
      case "nobody":
        return this.#withNobody(ask);
      case "refused": {
        const [quote] = result.quotes;
        const tried = result.quotes.map(({ upstream, status }) => ({ upstream, reason: String(status) }));
        return new GranaryError("GRANARY_UPSTREAM_REFUSED", {
          what,
          upstream: quote?.upstream ?? "-",
          status: quote?.status ?? 403,
          quote: quote?.text ?? "",
          tried: tried.slice(1),
        });
      }
      case "failed": {
        return this.#remembered(what) ?? failed(ask, { ...result, waitMs: this.#waitOf(result.reasons) });
      }
    }
  }

  /**
   * How long to leave upstreams alone that told us to, in milliseconds; undefined unless somebody did and nobody else
   * answered anything.
   */
  #waitOf(reasons: readonly Failure[]): number | undefined {
    const { health } = this.#use;
    const waits = reasons.map(({ upstream, error }) => (asksToWait(error) ? health.heldMs(upstream) : 0));
    const isSilent = reasons.every(({ error }, n) => waits[n] !== 0 || error instanceof UpstreamFault);
    const held = waits.filter((ms) => ms > 0);
    return isSilent && held.length > 0 ? Math.min(...held) : undefined;
  }

  /** True when only those say "absent" whose word counts for nothing against what was kept once. */
  #isForgotten(ask: Ask, by: readonly string[]): boolean {
    if (ask.existed !== true || this.#use.mode() !== "resilient") return false;
    return this.#use.chain().upstreams.every(({ name, rollback }) => rollback || !by.includes(name));
  }

  #withNobody({ what, module }: Ask): GranaryError {
    const why = this.nobody(what, module);
    return (why.code === "GRANARY_UPSTREAMS_DISABLED" ? this.#remembered(what) : undefined) ?? why;
  }

  /** A 404 learnt earlier stays good while no upstream answers. */
  #remembered(what: string): GranaryError | undefined {
    const known = this.#use.negative.remembered(what);
    return known && notFound(what, [known.by], known.reason);
  }

  /** Why nobody may be asked about a module. */
  nobody(what: string, path: string): GranaryError {
    const { patterns } = this.#use.privacy;
    const disabled = this.#use.chain().disabled?.filter((upstream) => mayBeAsked(upstream, path, patterns)) ?? [];
    if (disabled.length > 0)
      return new GranaryError("GRANARY_UPSTREAMS_DISABLED", { what, names: disabled.map(({ name }) => name) });
    if (this.#use.privacy.mustNotTravel(path)) return new GranaryError("GRANARY_PRIVATE_NOT_HERE", { what, patterns });
    if (this.#use.chain().hadDirect) return new GranaryError("GRANARY_NO_UPSTREAM", { what });
    return new GranaryError("GRANARY_NOT_KEPT", { what, because: "upstream-off" });
  }
}

/** Whoever asked has taken as long as one may: not their wish, but ours. */
function isTimeUp({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof DOMException && reason.name === "TimeoutError";
}

function resuming(download: Resumable) {
  return {
    exclusive: true,
    takes: [206, 416],
    headers: (upstream: Upstream) => download.headers(upstream),
    progressedMs: () => download.progressedMs,
  };
}

/** What of a version cannot be replaced by an older answer. */
const files: ReadonlySet<Ask["kind"]> = new Set<Ask["kind"]>(["info", "mod", "zip"]);

/** A login page or a captive portal answers 200 to everything; a list made from one would be empty. */
function refuseWebPage(response: UpstreamResponse): void {
  if (response.status === 416) return; // common servers say so with a page
  if (/^\s*text\/html\b/i.test(response.headers["content-type"] ?? ""))
    throw new Unusable("WEB_PAGE", "answered with a web page");
}

function forgotten({ what }: Ask, by: readonly string[]): GranaryError {
  const tried = by.map((upstream) => ({ upstream, reason: "answered 404 for a version that was kept before" }));
  return new GranaryError("GRANARY_UPSTREAM_FAILED", { what, tried });
}

function notFound(what: string, upstreams: readonly string[], reason: string): GranaryError {
  return new GranaryError("GRANARY_NOT_FOUND", { what, upstreams, reason });
}

/** The most telling of several failures: wrong bytes before broken rules before transport. */
export function failed(
  ask: Ask,
  result: {
    readonly reasons: readonly Failure[];
    readonly waitedMs: number;
    readonly waitMs: number | undefined;
  },
): GranaryError {
  const { what } = ask;
  const tried: Tried[] = result.reasons.map(({ upstream, error }) => ({ upstream, reason: reasonOf(error) }));
  const others = (name: string) => tried.filter(({ upstream }) => upstream !== name);
  for (const { upstream, error } of result.reasons)
    if (error instanceof Unusable && error.cause instanceof HashMismatch)
      return mismatch(what, upstream, { found: error.cause, tried: others(upstream) });
  for (const { upstream, error } of result.reasons) {
    if (!(error instanceof Unusable)) continue;
    if (error.code === "BAD_MODULE")
      return new GranaryError("GRANARY_BAD_MODULE", { what, upstream, reason: error.message }, { cause: error });
    if (error.code === "SNAPSHOT_MISMATCH")
      return new GranaryError("GRANARY_SNAPSHOT_MISMATCH", { what, upstream }, { cause: error });
  }
  for (const { upstream, error } of result.reasons) {
    if (!(error instanceof UpstreamFault)) continue;
    if (error.reason === "no-program")
      return new GranaryError("GRANARY_NO_GO", { what, program: error.message }, { cause: error });
    if (error.reason === "repository")
      return new GranaryError(
        "GRANARY_DIRECT_FAILED",
        { what, reason: error.message, tried: others(upstream) },
        { cause: error },
      );
  }
  for (const { upstream, error } of result.reasons)
    if (error instanceof UpstreamFault && error.reason === "too-large")
      return new GranaryError("GRANARY_TOO_LARGE", { what, upstream, limitBytes: ask.maxBytes }, { cause: error });
  const cause = result.reasons[0]?.error;
  if (result.waitMs !== undefined)
    return new GranaryError(
      "GRANARY_UPSTREAM_BUSY",
      { what, tried, waitSeconds: Math.ceil(result.waitMs / 1000) },
      { cause },
    );
  const silent = result.reasons.every(({ error }) => error instanceof UpstreamFault && unreachable.has(error.reason));
  if (silent && !result.reasons.some(({ error }) => error instanceof UpstreamFault && error.reason === "timeout"))
    return new GranaryError("GRANARY_OFFLINE", { what, tried }, { cause });
  if (silent)
    return new GranaryError("GRANARY_UPSTREAM_TIMEOUT", { what, tried, waitedMs: result.waitedMs }, { cause });
  return new GranaryError("GRANARY_UPSTREAM_FAILED", { what, tried }, { cause });
}

/** What an upstream says, or said before, that does not want to be asked now. */
function asksToWait(error: unknown): boolean {
  return error instanceof UpstreamHeld || (error instanceof UpstreamStatus && [429, 503].includes(error.status));
}

const unreachable: ReadonlySet<string> = new Set(["refused", "unresolved", "unreachable", "timeout"]);

function mismatch(
  what: string,
  upstream: string,
  facts: { readonly found: HashMismatch; readonly tried: readonly Tried[] },
): GranaryError {
  const { found, tried } = facts;
  if (found.source.kind === "pin")
    return new GranaryError(
      "GRANARY_PIN_MISMATCH",
      { what, upstream, pinned: found.expected, received: found.found },
      { cause: found },
    );
  if (found.source.kind === "integrity")
    return new GranaryError(
      "GRANARY_INTEGRITY_MISMATCH",
      { what, upstream, list: found.source.list, listed: found.expected, received: found.found },
      { cause: found },
    );
  const { record } = found.source;
  return new GranaryError(
    "GRANARY_SUMDB_MISMATCH",
    {
      what,
      upstream,
      database: record.database,
      recorded: found.expected,
      received: found.found,
      record: record.id,
      tree: record.treeSize,
      tried,
    },
    { cause: found },
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof UpstreamFault) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/** The checksum database's failures in our words. */
export function sumdbFailure(what: string, error: SumdbError): GranaryError {
  const { database } = error;
  const options = { cause: error };
  switch (error.code) {
    case "SUMDB_UNREACHABLE":
    case "SUMDB_BEHIND":
      return new GranaryError("GRANARY_SUMDB_UNREACHABLE", { what, database, tried: error.tried }, options);
    case "SUMDB_NEWER": {
      const { ours = 0, atLeast = 0 } = error.newer ?? {};
      const fields = { what, database, ours, atLeast, tried: error.tried };
      return new GranaryError("GRANARY_SUMDB_NEWER_HEAD", fields, options);
    }
    case "SUMDB_ABSENT":
      return new GranaryError("GRANARY_SUMDB_NO_RECORD", { what, database, reason: error.message }, options);
    case "SUMDB_INVALID":
      return new GranaryError("GRANARY_SUMDB_INVALID", { what, database, reason: error.message }, options);
    case "SUMDB_FORK":
      return new GranaryError("GRANARY_SUMDB_FORK", { database, evidence: error.message }, options);
    case "SUMDB_NOT_KEPT":
      return new GranaryError("GRANARY_NOT_KEPT", { what, because: "cached-only" }, options);
  }
}
