// One request to one upstream, judged: found, absent, refused or failed. Feeds the upstream's health and the meter,
// and can be broken off when the upstream keeps silent.

import type { Upstream } from "./chain.ts";
import type { Health, Permit } from "./health.ts";
import { parseRetryAfter } from "./health.ts";
import { Listening } from "./listening.ts";
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";
import { readQuote } from "./quote.ts";
import type { Urgency } from "./urgency.ts";

/**
 * A 200 whose bytes are no use: HTML, malformed, not what the checksum database says. Thrown by an operation's
 * `accept`; the walk goes on to the next upstream.
 */
export class Unusable extends Error {
  override readonly name = "Unusable";
  readonly code: string;
  /** It says nothing against this upstream: what it sent did not fit to what others had sent. */
  readonly isBlameless: boolean;
  constructor(code: string, message: string, options: { cause?: unknown; isBlameless?: boolean } = {}) {
    super(message, options);
    this.code = code;
    this.isBlameless = options.isBlameless === true;
  }
}

/** An answer that neither has the file nor says that there is none. */
export class UpstreamStatus extends Error {
  override readonly name = "UpstreamStatus";
  readonly status: number;
  /** What the upstream said, fit to be quoted; may be "". */
  readonly text: string;
  constructor(status: number, text: string) {
    super(`answered ${status}`);
    this.status = status;
    this.text = text;
  }
}

/** An upstream that has the first file of a snapshot and not the second. */
class CompanionMissing extends Unusable {
  readonly status: number;
  constructor(status: number, path: string) {
    super("INCOMPLETE", `answered ${status} for ${path}`);
    this.status = status;
  }
}

/** Not asked: it told us to wait (Retry-After). */
export class UpstreamHeld extends Error {
  override readonly name = "UpstreamHeld";
  constructor() {
    super("asked us to wait");
  }
}

/** A second file of the same snapshot: it must come from the upstream that gives the first. */
export type Companion = {
  readonly path: string;
  readonly maxBytes: number;
  /** Asked for at the same time as the first file, not only when that is there. */
  readonly eager: boolean;
};

/** What `accept` is handed beside the answer. */
export type Accepting = {
  /** Aborts when the operation is given up, or this attempt broken off. */
  readonly signal: AbortSignal;
  /** The bytes of the companion. Rejects with Unusable or UpstreamFault when this upstream does not give it. */
  readonly companion: Promise<Uint8Array>;
};

export type WalkOp<T> = {
  /** What is asked for, a label of metrics. */
  readonly kind: string;
  /** Path below an upstream's base. */
  readonly path: string;
  readonly maxBytes: number;
  /** The module the request names, for private routing; left out only when it names none. */
  readonly module?: string;
  readonly signal: AbortSignal;
  /** The entity tag one upstream gave earlier: asked conditionally there, so that `accept` may see a 304. */
  readonly validator?: { readonly upstream: string; readonly etag: string };
  /** More headers for this upstream at this moment: the range at which a broken download goes on. */
  readonly headers?: (upstream: Upstream) => Readonly<Record<string, string>>;
  /** Statuses beside 200 that `accept` reads. */
  readonly takes?: readonly number[];
  readonly companion?: Companion;
  /** Answers are large and taken one at a time: never asked twice to be quick, and broken off when they stop coming. */
  readonly exclusive?: boolean;
  /** While nobody waits for it, it gives way to requests that somebody waits for. Without it: somebody does. */
  readonly urgency?: Urgency;
  /**
   * Nothing else will do: while all are down it waits for one to come back, unless they have been down for longer
   * than retries may take.
   */
  readonly waitsOut?: boolean;
  /** Told before it waits to ask again: whoever has other ways may take them meanwhile. */
  readonly retrying?: () => void;
  /**
   * Told each status, where something else answers behind the upstream: its failures are its own, and from 500 on they
   * say nothing about the upstream.
   */
  readonly behind?: (status: number) => void;
  /** When the operation last got on, for one that may take longer than the time for retries; else its start counts. */
  readonly progressedMs?: () => number;
  /** Reads, parses and verifies a 200. Throws Unusable to move on; other errors end the walk. */
  accept(response: UpstreamResponse, upstream: Upstream, more: Accepting): Promise<T>;
};

/** Room for one more request to an upstream. */
export interface Lanes {
  /** Resolves when the request may be sent. Throws the signal's reason, or UpstreamFault when there is no room. */
  enter(
    upstream: Upstream,
    how: { readonly urgency?: Urgency | undefined; readonly signal: AbortSignal },
  ): Promise<Lane>;
}
export interface Lane {
  /** Gives the place back; `ms` is the time to the response header when there was one. */
  leave(end: { readonly headMs?: number; readonly overloaded: boolean }): void;
}

export type WalkUse = {
  readonly client: UpstreamClient;
  readonly health: Health;
  readonly mode: "go" | "resilient";
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  /** GOPRIVATE globs of the whole server. */
  readonly privatePatterns: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly meter?: { upstreamRequest(upstream: string, kind: string, outcome: string, bytes: number): void };
  readonly lanes?: Lanes;
  /** Told the time to the response header of small files. */
  readonly onHead?: (upstream: string, ms: number) => void;
};

export type Failure = UpstreamFault | UpstreamStatus | UpstreamHeld | Unusable;

export type Outcome<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "absent" | "refused"; readonly status: number; readonly text: string }
  | { readonly kind: "failed"; readonly error: Failure };

export type Asking<T> = {
  readonly use: WalkUse;
  readonly op: WalkOp<T>;
  readonly absentStatuses: readonly number[];
  /** Exclusive answers take turns: resolves to a function that ends the turn. */
  readonly turn?: (signal: AbortSignal) => Promise<() => void>;
};

/** A request on its way. */
export type Running<T> = {
  readonly upstream: Upstream;
  /** Rejects with what is no upstream's fault: our own abort (UpstreamFault "aborted") and errors of `accept`. */
  readonly outcome: Promise<Outcome<T>>;
  readonly listening: Listening;
  /** True once `accept` has begun to read the answer. */
  readonly isTaken: () => boolean;
  /** Breaks it off; it then counts as failed with this fault. */
  giveUp(fault: UpstreamFault): void;
};

/** Asks once. */
export function ask<T>(upstream: Upstream, asking: Asking<T>): Running<T> {
  const own = new AbortController();
  const listening = new Listening(asking.use.clock);
  const state = { taken: false };
  const attempt = new Attempt(upstream, asking, { own, listening, state });
  const outcome = attempt.run();
  outcome.catch(() => undefined); // whoever waits for it hears of it; a loser has nobody
  return { upstream, outcome, listening, isTaken: () => state.taken, giveUp: (fault) => own.abort(fault) };
}

class Attempt<T> {
  readonly #upstream: Upstream;
  readonly #asking: Asking<T>;
  readonly #own: AbortController;
  readonly #signal: AbortSignal;
  readonly #listening: Listening;
  readonly #state: { taken: boolean };
  #bytes = 0;
  /** The first file is read; what is silent from now on is the companion. */
  #isRead = false;
  #companionIsDue = false;
  /** Gives the place at the upstream back, once. */
  #leave: () => void = () => undefined;

  constructor(
    upstream: Upstream,
    asking: Asking<T>,
    parts: { readonly own: AbortController; readonly listening: Listening; readonly state: { taken: boolean } },
  ) {
    this.#upstream = upstream;
    this.#asking = asking;
    this.#own = parts.own;
    this.#listening = parts.listening;
    this.#state = parts.state;
    this.#signal = AbortSignal.any([asking.op.signal, parts.own.signal]);
  }

  async run(): Promise<Outcome<T>> {
    const { use, op } = this.#asking;
    const lane = await this.#enter();
    if ("error" in lane) return { kind: "failed", error: lane.error };
    const permit = use.health.permit(this.#upstream.name);
    const end: { headMs?: number; overloaded: boolean } = { overloaded: false };
    this.#leave = () => lane.leave(end);
    try {
      const { outcome, status } = await this.#exchange(end);
      op.behind?.(status);
      if (op.behind !== undefined && status >= 500) permit.abandoned();
      else permit.answered(status);
      this.#count(outcome.kind === "failed" && outcome.error instanceof Unusable ? "unusable" : String(status));
      return outcome;
    } catch (error) {
      const fault = this.#faultOf(error);
      if (fault === undefined || op.signal.aborted) throw error;
      end.overloaded ||= fault.reason === "timeout";
      settle(permit, this.#upstream, fault);
      this.#count(fault.reason);
      return { kind: "failed", error: fault };
    } finally {
      permit.abandoned();
      lane.leave(end);
      this.#own.abort(brokenOff(this.#upstream.name)); // lets go of a companion that nobody waits for any more
    }
  }

  async #enter(): Promise<Lane | { readonly error: UpstreamFault }> {
    const { use, op } = this.#asking;
    const { name } = this.#upstream;
    if (use.lanes === undefined) return { leave: () => undefined };
    const isOpen = (): boolean => use.health.condition(name) === "open";
    const wasOpen = isOpen();
    try {
      const lane = await use.lanes.enter(this.#upstream, { urgency: op.urgency, signal: this.#signal });
      if (wasOpen || !isOpen()) return lane;
      // Its breaker opened while we waited for room: those before us have found out what we would find out.
      lane.leave({ overloaded: false });
      return { error: notAskedAgain(name) };
    } catch (error) {
      const fault = this.#faultOf(error);
      if (fault === undefined || op.signal.aborted) throw error;
      return { error: fault };
    }
  }

  async #exchange(end: { headMs?: number; overloaded: boolean }): Promise<{ outcome: Outcome<T>; status: number }> {
    const { use, op } = this.#asking;
    const began = use.clock.now();
    const eager = op.companion?.eager === true ? this.#companion(op.companion) : undefined;
    const response = this.#counted(await this.#get());
    this.#hear(0);
    this.#listening.startWindow();
    end.headMs = use.clock.now() - began;
    if (op.exclusive !== true && !isManyHosts(this.#upstream)) use.onHead?.(this.#upstream.name, end.headMs);
    const { status } = response;
    end.overloaded = status === 429 || status === 503;
    const outcome = this.#isGood(status) ? await this.#take(response, eager) : await this.#judge(response);
    return { outcome, status };
  }

  #isGood(status: number): boolean {
    const { validator, takes = [] } = this.#asking.op;
    return status === 200 || takes.includes(status) || (status === 304 && validator?.upstream === this.#upstream.name);
  }

  async #get(): Promise<UpstreamResponse> {
    const { use, op } = this.#asking;
    const { path, maxBytes, validator } = op;
    const condition = validator?.upstream === this.#upstream.name ? { "if-none-match": validator.etag } : {};
    const headers = { ...use.headers, ...condition, ...op.headers?.(this.#upstream) };
    this.#listening.wait();
    return await use.client.get(this.#upstream, { path, maxBytes, signal: this.#signal, headers });
  }

  async #take(response: UpstreamResponse, eager: Promise<Uint8Array> | undefined): Promise<Outcome<T>> {
    const { op, turn } = this.#asking;
    const endTurn = await turn?.(this.#signal).catch((error: unknown) => {
      response.cancel();
      throw error;
    });
    this.#state.taken = true;
    // Nobody has a turn after one that won, or that broke what it writes to: both end the walk.
    let isOver = true;
    try {
      const companion = eager ?? (op.companion === undefined ? nothing : this.#companion(op.companion));
      const value = await op.accept(response, this.#upstream, { signal: this.#signal, companion });
      return { kind: "found", value };
    } catch (error) {
      isOver = !(error instanceof Unusable) && this.#faultOf(error) === undefined;
      if (error instanceof CompanionMissing && this.#isAbsentAsGo(error.status))
        return { kind: "absent", status: error.status, text: "" };
      if (error instanceof Unusable) return { kind: "failed", error };
      throw error;
    } finally {
      response.cancel();
      if (!isOver) endTurn?.();
    }
  }

  /** go asks for each file by itself and believes each 404; half a snapshot is doubt only for us. */
  #isAbsentAsGo(status: number): boolean {
    const { use, absentStatuses } = this.#asking;
    return use.mode === "go" && absentStatuses.includes(status);
  }

  /** The whole companion. Its failure is heard by `accept`, or by nobody when the first file was not there. */
  #companion(companion: Companion): Promise<Uint8Array> {
    const { client, headers = {}, meter } = this.#asking.use;
    const { path, maxBytes } = companion;
    const request: UpstreamRequest = { path, maxBytes, headers, signal: this.#signal };
    this.#companionIsDue = true;
    this.#awaitCompanion();
    const reading = readCompanion(client, this.#upstream, request).then(
      (bytes) => {
        meter?.upstreamRequest(this.#upstream.name, "companion", "200", bytes.length);
        return bytes;
      },
      (error: unknown) => {
        if (!this.#signal.aborted) meter?.upstreamRequest(this.#upstream.name, "companion", "failed", 0);
        throw this.#faultOf(error) ?? error;
      },
    );
    const settled = (): void => {
      this.#companionIsDue = false;
      if (this.#isRead) this.#listening.heard(0);
    };
    reading.then(settled, settled);
    reading.catch(() => undefined);
    return reading;
  }

  #awaitCompanion(): void {
    if (this.#isRead && this.#companionIsDue) this.#listening.wait();
  }

  async #judge(response: UpstreamResponse): Promise<Outcome<never>> {
    const { use, absentStatuses } = this.#asking;
    const { status, headers } = response;
    if (status === 429 || status === 503) {
      const wait = parseRetryAfter(headers["retry-after"], use.clock.now());
      if (wait !== undefined) use.health.hold(this.#upstream.name, wait);
    }
    const text = await readQuote(response);
    if (absentStatuses.includes(status)) return { kind: "absent", status, text };
    if (status === 403 || status === 451) return { kind: "refused", status, text };
    return { kind: "failed", error: new UpstreamStatus(status, text) };
  }

  /** The fault behind an error: our own breaking off by its reason; undefined for what is no fault of a transport. */
  #faultOf(error: unknown): UpstreamFault | undefined {
    const reason: unknown = this.#own.signal.reason;
    if (this.#own.signal.aborted && reason instanceof UpstreamFault) return reason;
    return error instanceof UpstreamFault ? error : undefined;
  }

  #counted(response: UpstreamResponse): UpstreamResponse {
    const { body, status, headers, url } = response;
    return { status, headers, url, body: this.#listen(body), cancel: () => response.cancel() };
  }

  async *#listen(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const chunks = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.#listening.wait();
        const next = await chunks.next();
        this.#hear(next.done === true ? 0 : next.value.length);
        if (next.done === true) {
          this.#isRead = true;
          // What follows, proofs asked of the same upstream perhaps, must not hold its place.
          this.#leave();
          this.#awaitCompanion();
          return;
        }
        this.#bytes += next.value.length;
        if (this.#listening.isTooSlow())
          throw new UpstreamFault(this.#upstream.name, "timeout", "the body comes too slowly");
        yield next.value;
      }
    } finally {
      await chunks.return?.();
    }
  }

  #hear(bytes: number): void {
    this.#listening.heard(bytes);
    this.#asking.use.health.heard(this.#upstream.name);
  }

  #count(outcome: string): void {
    this.#asking.use.meter?.upstreamRequest(this.#upstream.name, this.#asking.op.kind, outcome, this.#bytes);
  }
}

const nothing: Promise<Uint8Array> = Promise.resolve(new Uint8Array());

/** How long one repository takes says nothing about the next one. */
export function isManyHosts({ kind }: Upstream): boolean {
  return kind === "direct";
}

/** It failed before, and is left alone for a while. */
export function notAskedAgain(upstream: string): UpstreamFault {
  return new UpstreamFault(upstream, "unreachable", "failed before, not asked again yet");
}

export function brokenOff(upstream: string): UpstreamFault {
  return new UpstreamFault(upstream, "aborted", "another answer came first");
}

async function readCompanion(
  client: UpstreamClient,
  upstream: Upstream,
  request: UpstreamRequest,
): Promise<Uint8Array> {
  const response = await client.get(upstream, request);
  if (response.status !== 200) {
    response.cancel();
    throw new CompanionMissing(response.status, request.path);
  }
  return await readWhole(response.body);
}

/** A whole body in one piece; the adapter has bounded it by the request's maxBytes. */
export async function readWhole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** A fault counts against the upstream it came from: `accept` may have asked another one. */
function settle(permit: Permit, upstream: Upstream, fault: UpstreamFault): void {
  if (fault.upstream === upstream.name) permit.failed(fault.reason);
}
