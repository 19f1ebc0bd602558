// One request to one upstream, judged: found, absent, refused or failed. Feeds the upstream's health and the meter.

import type { Upstream } from "./chain.ts";
import type { Health, Permit } from "./health.ts";
import { parseRetryAfter } from "./health.ts";
import type { UpstreamClient, UpstreamResponse } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";
import { readQuote } from "./quote.ts";

/**
 * A 200 whose bytes are no use: HTML, malformed, not what the checksum database says. Thrown by an operation's
 * `accept`; the walk goes on to the next upstream.
 */
export class Unusable extends Error {
  override readonly name = "Unusable";
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
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

/** Not asked: it told us to wait (Retry-After). */
export class UpstreamHeld extends Error {
  override readonly name = "UpstreamHeld";
  constructor() {
    super("asked us to wait");
  }
}

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
  /** Reads, parses and verifies a 200. Throws Unusable to move on; other errors end the walk. */
  accept(response: UpstreamResponse, upstream: Upstream): Promise<T>;
};

export type WalkUse = {
  readonly client: UpstreamClient;
  readonly health: Health;
  readonly mode: "go" | "resilient";
  readonly clock: { now(): number };
  /** GOPRIVATE globs of the whole server. */
  readonly privatePatterns: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly meter?: { upstreamRequest(upstream: string, kind: string, outcome: string, bytes: number): void };
};

export type Outcome<T> =
  | { readonly kind: "found"; readonly value: T }
  | { readonly kind: "absent" | "refused"; readonly status: number; readonly text: string }
  | { readonly kind: "failed"; readonly error: UpstreamFault | UpstreamStatus | UpstreamHeld | Unusable };

export type Asking<T> = {
  readonly use: WalkUse;
  readonly op: WalkOp<T>;
  readonly absentStatuses: readonly number[];
};

/** Asks once. Throws what is no upstream's fault: our own abort (UpstreamFault "aborted") and errors of `accept`. */
export async function attempt<T>(upstream: Upstream, asking: Asking<T>): Promise<Outcome<T>> {
  const { use, op } = asking;
  const permit = use.health.permit(upstream.name);
  const seen = { bytes: 0 };
  const count = (outcome: string) => use.meter?.upstreamRequest(upstream.name, op.kind, outcome, seen.bytes);
  try {
    const response = counted(await get(upstream, use, op), seen);
    const good = response.status === 200 || (response.status === 304 && op.validator?.upstream === upstream.name);
    const outcome = good ? await take(response, upstream, op) : await judge(response, upstream, asking);
    permit.answered();
    count(good && outcome.kind === "failed" ? "unusable" : String(response.status));
    return outcome;
  } catch (error) {
    if (!(error instanceof UpstreamFault) || op.signal.aborted) throw error;
    settle(permit, upstream, error);
    count(error.reason);
    return { kind: "failed", error };
  } finally {
    permit.abandoned();
  }
}

async function get<T>(upstream: Upstream, use: WalkUse, op: WalkOp<T>): Promise<UpstreamResponse> {
  const { path, maxBytes, signal, validator } = op;
  const condition = validator?.upstream === upstream.name ? { "if-none-match": validator.etag } : {};
  return await use.client.get(upstream, { path, maxBytes, signal, headers: { ...use.headers, ...condition } });
}

async function take<T>(response: UpstreamResponse, upstream: Upstream, op: WalkOp<T>): Promise<Outcome<T>> {
  try {
    return { kind: "found", value: await op.accept(response, upstream) };
  } catch (error) {
    if (error instanceof Unusable) return { kind: "failed", error };
    throw error;
  } finally {
    response.cancel();
  }
}

async function judge(
  response: UpstreamResponse,
  upstream: Upstream,
  { use, absentStatuses }: Asking<unknown>,
): Promise<Outcome<never>> {
  const { status, headers } = response;
  if (status === 429 || status === 503) {
    const wait = parseRetryAfter(headers["retry-after"], use.clock.now());
    if (wait !== undefined) use.health.hold(upstream.name, wait);
  }
  const text = await readQuote(response);
  if (absentStatuses.includes(status)) return { kind: "absent", status, text };
  if (status === 403 || status === 451) return { kind: "refused", status, text };
  return { kind: "failed", error: new UpstreamStatus(status, text) };
}

/** A fault counts against the upstream it came from: `accept` may have asked another one. */
function settle(permit: Permit, upstream: Upstream, fault: UpstreamFault): void {
  if (fault.upstream === upstream.name) permit.failed(fault.reason);
}

function counted(response: UpstreamResponse, seen: { bytes: number }): UpstreamResponse {
  const { body, status, headers, url } = response;
  return { status, headers, url, body: countChunks(body, seen), cancel: () => response.cancel() };
}

async function* countChunks(body: AsyncIterable<Uint8Array>, seen: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    seen.bytes += chunk.length;
    yield chunk;
  }
}
