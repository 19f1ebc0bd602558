// A response body on its way to us: counted against the cap and against what Content-Length promised, decoded when
// it is one gzip coding of something small.

import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { faultOf } from "./faults.ts";

/** Bodies whose cap is above this must come as they are: decoding costs CPU, and zips do not shrink. */
const maxDecodedBytes = 16 * 1024 * 1024;

export type BodyLimits = {
  readonly upstream: string;
  readonly maxBytes: number;
  /** What Content-Length promised, if anything. */
  readonly promised: number | undefined;
  readonly encoding: "identity" | "gzip" | "refused";
  readonly signal: AbortSignal;
};

/**
 * How a Content-Encoding is taken. Only one gzip, and only for small files: some mirrors compress although asked for
 * identity. A list of codings is refused whatever it says, it may be thousands long.
 */
export function parseEncoding(header: string | undefined, maxBytes: number): BodyLimits["encoding"] {
  const coding = (header ?? "").trim().toLowerCase();
  if (coding === "" || coding === "identity") return "identity";
  return (coding === "gzip" || coding === "x-gzip") && maxBytes <= maxDecodedBytes ? "gzip" : "refused";
}

/** The fault that the headers alone already show, if any. */
export function headerFault(limits: BodyLimits): UpstreamFault | undefined {
  const { upstream, maxBytes, promised, encoding } = limits;
  if (encoding === "refused") return new UpstreamFault(upstream, "encoding", "a Content-Encoding we do not take");
  if (promised !== undefined && promised > maxBytes) return tooLarge(limits);
  return undefined;
}

/** The body's chunks, decoded. Throws UpstreamFault. */
export async function* readBody(raw: Readable, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  try {
    const fault = headerFault(limits);
    if (fault !== undefined) throw fault;
    yield* limits.encoding === "gzip" ? decode(raw, limits) : count(raw, limits);
  } catch (error) {
    const fault = faultOf(limits.upstream, error, limits.signal);
    throw isEarlyEnd(error) ? truncated(limits, fault) : fault;
  } finally {
    raw.destroy();
  }
}

async function* count(raw: Readable, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  const { promised, maxBytes, upstream } = limits;
  let seen = 0;
  for await (const chunk of raw as AsyncIterable<Uint8Array>) {
    seen += chunk.length;
    if (seen > maxBytes) throw tooLarge(limits);
    yield chunk;
  }
  if (promised === undefined || seen === promised) return;
  throw new UpstreamFault(upstream, "truncated", `${seen} of ${promised} bytes came`);
}

async function* decode(raw: Readable, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  const gunzip = pipeline(count(raw, limits), createGunzip(), () => undefined); // its error reaches the loop below
  let seen = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      seen += chunk.length;
      if (seen > limits.maxBytes) throw tooLarge(limits);
      yield chunk;
    }
  } finally {
    gunzip.destroy();
  }
}

/** The other side closed in order, only too early: undici calls it a socket error. */
function isEarlyEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "UND_ERR_SOCKET";
}

function truncated(limits: BodyLimits, fault: UpstreamFault): UpstreamFault {
  if (fault.reason === "aborted") return fault;
  return new UpstreamFault(limits.upstream, "truncated", "the body ended early", { cause: fault });
}

function tooLarge(limits: BodyLimits): UpstreamFault {
  return new UpstreamFault(limits.upstream, "too-large", `more than ${limits.maxBytes} bytes`);
}
