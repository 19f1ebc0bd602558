// How the emulated upstream sends: at a connection's own bandwidth, ranges as a CDN gives them, and the faults.
import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { flipMask } from "./emulator-faults.ts";
import type { Fault, FaultKind } from "./emulator-faults.ts";
import type { Content } from "./emulator-files.ts";

export type Sending = {
  readonly path: string;
  readonly content: Content;
  /** 0: as fast as it goes. */
  readonly bytesPerSecond: number;
  readonly fault: Fault | undefined;
  /** How long a stalled connection is held, and how long a slow body takes. */
  readonly stallMs: number;
  readonly dripMs: number;
  /** Begin of every entity tag: two mirrors have different ones for the same bytes. */
  readonly tagPrefix: string;
  readonly ranges: boolean;
  /** Told of every piece of a body that went out. */
  readonly sent: (bytes: number) => void;
};

const pieceBytes = 64 << 10;
/** Bytes must be on the wire before a reset, or they are lost with it. */
const flushMs = 30;
const dripPieces = 20;
const page = Buffer.from("<!doctype html><title>Welcome</title><p>Please sign in to use this network.\n");

/** Answers `request` with the content, honestly or not. */
export async function sendContent(request: IncomingMessage, response: ServerResponse, to: Sending): Promise<void> {
  const part = partOf(request, to);
  const { fault } = to;
  if (fault !== undefined && (await breakBefore(response, to, fault))) return;
  if (part === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${to.content.size}`, "content-length": 0 }).end();
    return;
  }
  const cut = fault === undefined ? part.end : cutAt(part, fault);
  const promised = fault?.kind === "wrong-length" ? cut : part.end;
  response.writeHead(part.whole ? 200 : 206, {
    "content-type": to.content.type,
    "content-length": promised - part.start,
    etag: entityTag(to),
    ...(to.ranges ? { "accept-ranges": "bytes" } : {}),
    ...(part.whole ? {} : { "content-range": `bytes ${part.start}-${part.end - 1}/${to.content.size}` }),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await sendBytes(response, to, { start: part.start, end: cut });
  await finish(response, to);
}

export function sendStatus(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  const body = `${status}\n`;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": body.length,
    ...headers,
  });
  response.end(body);
}

/** Faults that are a whole answer. */
const refusals: Readonly<
  Partial<Record<FaultKind, { readonly status: number; readonly headers: Record<string, string> }>>
> = {
  "503": { status: 503, headers: {} },
  "503-retry-after": { status: 503, headers: { "retry-after": "1" } },
  "429": { status: 429, headers: {} },
};

/** Faults in place of an answer. True: nothing else is to be sent. */
async function breakBefore(response: ServerResponse, to: Sending, fault: Fault): Promise<boolean> {
  const refusal = refusals[fault.kind];
  if (refusal !== undefined) sendStatus(response, refusal.status, refusal.headers);
  else if (fault.kind === "html") sendPage(response);
  else if (fault.kind === "rst") response.socket?.resetAndDestroy();
  else if (fault.kind === "stall") await hold(response, to.stallMs);
  else return false;
  return true;
}

function sendPage(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": page.length }).end(page);
}

/** Where the bytes end. */
function cutAt(part: { readonly start: number; readonly end: number }, fault: Fault): number {
  if (!["rst-mid", "truncate", "stall-mid", "wrong-length"].includes(fault.kind)) return part.end;
  const length = part.end - part.start;
  return part.start + Math.min(Math.max(1, Math.floor(length * fault.share)), length - 1);
}

async function finish(response: ServerResponse, to: Sending): Promise<void> {
  const kind = to.fault?.kind;
  if (kind === "rst-mid") {
    await sleep(flushMs);
    response.socket?.resetAndDestroy();
  } else if (kind === "truncate") response.socket?.end();
  else if (kind === "stall-mid") await hold(response, to.stallMs);
  else response.end();
}

/** Silence until the client goes or the time is over. */
async function hold(response: ServerResponse, ms: number): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.socket?.resetAndDestroy();
}

type Span = { readonly start: number; readonly end: number };

async function sendBytes(response: ServerResponse, to: Sending, span: Span): Promise<void> {
  const { fault, content } = to;
  const flipped = fault?.kind === "flip" ? Math.min(Math.floor(content.size * fault.share), content.size - 1) : -1;
  const drip = fault?.kind === "drip" ? Math.max(1, Math.ceil((span.end - span.start) / dripPieces)) : undefined;
  let at = span.start;
  for await (const piece of pieces(content, { ...span, size: drip ?? pieceBytes })) {
    if (response.destroyed) return;
    const wrong = flipped >= at && flipped < at + piece.length;
    await sendPiece(response, to, wrong ? withFlip(piece, flipped - at, flipMask(to.path)) : piece);
    if (drip !== undefined) await sleep(to.dripMs / dripPieces);
    at += piece.length;
  }
}

async function sendPiece(response: ServerResponse, to: Sending, piece: Buffer): Promise<void> {
  if (to.bytesPerSecond > 0 && response.socket !== null) await pace(response.socket, piece.length, to.bytesPerSecond);
  to.sent(piece.length);
  if (response.destroyed || response.write(piece)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}

async function* pieces(content: Content, of: Span & { readonly size: number }): AsyncGenerator<Buffer> {
  if (of.end <= of.start) return;
  if (Buffer.isBuffer(content.body)) {
    for (let at = of.start; at < of.end; at += of.size) yield content.body.subarray(at, Math.min(at + of.size, of.end));
    return;
  }
  const options = { start: of.start, end: of.end - 1, highWaterMark: of.size };
  for await (const piece of createReadStream(content.body.file, options)) yield piece as Buffer;
}

function withFlip(piece: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(piece);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

/** When each connection may send again. */
const freeAt = new WeakMap<Socket, number>();
/** Timers are no finer than this. */
const timerMs = 2;
/** What a late timer cost is caught up: a bucket of so much. */
const burstMs = 20;

async function pace(socket: Socket, bytes: number, bytesPerSecond: number): Promise<void> {
  const now = performance.now();
  const free = Math.max(now - burstMs, freeAt.get(socket) ?? 0) + (bytes / bytesPerSecond) * 1000;
  freeAt.set(socket, free);
  if (free - now > timerMs) await sleep(free - now);
}

type Part = Span & { readonly whole: boolean };

/** What of the content is asked: one range of bytes at most, as CDNs do; several at once get the whole. */
function partOf(request: IncomingMessage, to: Sending): Part | "unsatisfiable" {
  const { size } = to.content;
  const whole: Part = { start: 0, end: size, whole: true };
  const { range, "if-range": ifRange } = request.headers;
  if (!to.ranges || range === undefined || (ifRange !== undefined && ifRange !== entityTag(to))) return whole;
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === "" && last === "") return whole;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start >= end ? "unsatisfiable" : { start, end, whole: false };
}

function entityTag(to: Sending): string {
  return `"${to.tagPrefix}${to.content.tag}"`;
}
