// Good answers as HTTP: whole, in part, or "you have it"; and ready-made for the next client.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Answer, BytesAnswer, ZipAnswer } from "#services/proxy/answer.ts";
import { forever } from "#services/proxy/answer.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import { damaged } from "#services/proxy/proxy.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { countUse } from "./ready-made.ts";
import type { Counted } from "./ready-made.ts";
import type { Top } from "#services/proxy/top.ts";
import type { Uses } from "#services/tending/uses.ts";
import type { Clock } from "#services/store/ports.ts";
import { storeFailure } from "#services/proxy/store-failure.ts";
import { noneMatch, rangeOf } from "./conditional.ts";
import type { Counters } from "./counters.ts";
import { cacheControl, contentType } from "./freshness.ts";
import type { Freshness } from "./freshness.ts";
import { hotBody } from "./hot.ts";
import type { HotCache } from "./hot.ts";
import type { Request, Response } from "./send.ts";
import { redirect, sendZip } from "./send.ts";

/** Settings that a changed configuration may replace while the server runs. */
export type HttpSettings = {
  readonly lang: Lang;
  readonly freshness: Freshness;
  readonly privacy: Privacy;
  /** Header lines every answer carries, for example the warning that the checksum database is off. */
  readonly notices: readonly string[];
  /** Longest request target. */
  readonly requestLine: number;
};

export type AnswerUse = {
  readonly settings: () => HttpSettings;
  readonly hot: HotCache;
  readonly counters: Counters;
  readonly clock: Clock;
  /** Counts zips; a worker has none. */
  readonly top?: Top;
  /** Learns when a version was used. */
  readonly uses?: Pick<Uses, "asked">;
  /** Where large public zips can be read without us. */
  readonly links?: Links | undefined;
};

export type Links = {
  /** Smallest zip that a client is sent there for; 0: none. */
  readonly from: () => number;
  /** Undefined when there is none now. Never throws. */
  readonly to: (id: ModuleVersion) => Promise<string | undefined>;
};

/** One request and its answer on the way. */
export type Exchange = {
  readonly request: Request;
  readonly response: Response;
  readonly url: string;
  readonly head: boolean;
};

/** Sends one answer, whole or the part that was asked for. Throws GRANARY_BAD_RANGE, and whatever reading throws. */
export async function sendAnswer(
  use: AnswerUse,
  exchange: Exchange,
  what: { readonly answer: Answer; readonly path: string },
): Promise<void> {
  const { answer } = what;
  const zip = answer.kind === "zip" ? formatModuleVersion(answer.zip.id) : undefined;
  const mod = answer.kind === "bytes" && answer.goModOf !== undefined ? formatModuleVersion(answer.goModOf) : undefined;
  if (!exchange.head) countUse(use, { zip, mod });
  if (answer.kind === "zip" && (await sendLink(use, exchange, answer))) return;
  if (answer.kind === "zip" && answer.size <= use.hot.maxEntryBytes && answer.size > 0) {
    const bytes = await wholeZip(answer).catch((error: unknown) => {
      throw readFailure(error, formatModuleVersion(answer.zip.id));
    });
    sendBytes(use, exchange, { answer: { ...answer, kind: "bytes", bytes }, path: what.path, zip });
    return;
  }
  if (answer.kind === "bytes") sendBytes(use, exchange, { answer, path: what.path, mod });
  else await sendLarge(use, exchange, answer);
}

/** A zip is checked as it is read: its damage shows only here. It is remembered, and the next request fetches anew. */
function readFailure(error: unknown, what: string): unknown {
  return error instanceof StoreDamaged ? damaged(what, error) : (storeFailure(what, error) ?? error);
}

async function wholeZip(answer: ZipAnswer): Promise<Buffer> {
  const source = await answer.zip.open();
  try {
    const bytes = Buffer.allocUnsafe(answer.size);
    const got = await source.read(0, bytes);
    if (got !== answer.size) throw new Error(`read ${got} bytes of ${answer.size}`);
    return bytes;
  } finally {
    await source.close();
  }
}

function sendBytes(use: AnswerUse, exchange: Exchange, what: { answer: BytesAnswer; path: string } & Counted): void {
  const { answer, path, zip, mod } = what;
  const body = Buffer.from(answer.bytes.buffer, answer.bytes.byteOffset, answer.bytes.byteLength);
  remember(use, exchange, { answer, body, path, zip, mod });
  const head = headOf(use, answer, answer.provenance);
  const count = use.counters.of(answer.media, answer.provenance.here);
  const etag = `"${answer.sha256}"`;
  const { headers } = exchange.request;
  if (noneMatch(headers["if-none-match"], etag)) {
    count.n++;
    finish(exchange, { status: 304, head });
    return;
  }
  const range = rangeAsked(exchange, etag, body.length);
  if (range === "unsatisfiable")
    throw new GranaryError("GRANARY_BAD_RANGE", { size: body.length, range: headers.range ?? "" });
  count.n++;
  if (range === "whole") {
    finish(exchange, { status: 200, head }, body);
    return;
  }
  const part = body.subarray(range.start, range.end + 1);
  finish(
    exchange,
    { status: 206, head: [...head, "Content-Range", `bytes ${range.start}-${range.end}/${body.length}`] },
    part,
  );
}

/** 302 to where the bytes are; false when they are to be sent from here. Nobody may remember it: it ends soon. */
async function sendLink(use: AnswerUse, exchange: Exchange, answer: ZipAnswer): Promise<boolean> {
  const from = use.links?.from() ?? 0;
  const isOurs = answer.isPrivate || answer.isListed === true || from === 0 || answer.size < from;
  if (isOurs || exchange.head || exchange.request.headers["if-none-match"] !== undefined) return false;
  const location = await use.links?.to(answer.zip.id);
  if (location === undefined) return false;
  use.counters.of(answer.media, answer.provenance.here).n++;
  const { here, upstream } = answer.provenance;
  redirect(exchange.response, location, [
    ...["X-Go-Proxy-Cache", here === "HIT" || here === "STALE" ? "HIT" : "MISS"],
    ...["X-Go-Proxy-Status", `${upstream}|${here}`, ...use.settings().notices],
  ]);
  return true;
}

async function sendLarge(use: AnswerUse, exchange: Exchange, answer: ZipAnswer): Promise<void> {
  const head = headOf(use, answer, answer.provenance);
  const count = use.counters.of(answer.media, answer.provenance.here);
  const etag = `"${answer.sha256}"`;
  const { headers } = exchange.request;
  if (noneMatch(headers["if-none-match"], etag)) {
    count.n++;
    finish(exchange, { status: 304, head });
    return;
  }
  const range = rangeAsked(exchange, etag, answer.size);
  if (range === "unsatisfiable")
    throw new GranaryError("GRANARY_BAD_RANGE", { size: answer.size, range: headers.range ?? "" });
  count.n++;
  const part = range === "whole" ? { start: 0, end: answer.size - 1 } : range;
  const extra = range === "whole" ? [] : ["Content-Range", `bytes ${part.start}-${part.end}/${answer.size}`];
  const fields = [...head, ...extra, "Content-Length", String(part.end + 1 - part.start)];
  const { response } = exchange;
  const sendHead = () => response.writeHead(range === "whole" ? 200 : 206, fields);
  if (exchange.head) sendHead().end();
  else
    await sendZip(response, answer, { ...part, sendHead }).catch((error: unknown) => {
      throw readFailure(error, formatModuleVersion(answer.zip.id));
    });
}

/** Keeps a public answer ready-made, as the next client will see it: a hit. */
function remember(
  use: AnswerUse,
  exchange: Exchange,
  what: { answer: BytesAnswer; body: Buffer; path: string } & Counted,
): void {
  const { answer, body, path, zip, mod } = what;
  if (answer.reuseMs <= 0 || answer.isPrivate || body.length > use.hot.maxEntryBytes) return;
  const here = answer.provenance.here === "STALE" ? "STALE" : "HIT";
  const head = [...headOf(use, answer, { upstream: "-", here }), "Content-Length", String(body.length)];
  const untilMs = answer.reuseMs === forever ? forever : use.clock.now() + answer.reuseMs;
  const count = use.counters.of(answer.media, here);
  use.hot.set(exchange.url, {
    status: 200,
    head,
    body: hotBody(body),
    etag: `"${answer.sha256}"`,
    untilMs,
    count,
    path,
    ...(zip !== undefined && { zip }),
    ...(mod !== undefined && { mod }),
  });
}

function headOf(use: AnswerUse, answer: Answer, provenance: Answer["provenance"]): string[] {
  const { freshness, notices } = use.settings();
  const size = answer.kind === "zip" ? answer.size : answer.bytes.length;
  const head = [
    "Content-Type",
    contentType(answer.media),
    "Cache-Control",
    answer.isListed === true && !answer.isPrivate
      ? "no-store"
      : cacheControl(answer.media, size, { freshness, isPrivate: answer.isPrivate }),
    "ETag",
    `"${answer.sha256}"`,
    "X-Go-Proxy-Cache",
    provenance.here === "HIT" || provenance.here === "STALE" ? "HIT" : "MISS",
    "X-Go-Proxy-Status",
    `${provenance.upstream}|${provenance.here}`,
    "X-Content-Type-Options",
    "nosniff",
  ];
  if (answer.since !== undefined) head.push("Last-Modified", answer.since.toUTCString());
  if (answer.media === "zip") head.push("Accept-Ranges", "bytes");
  if (answer.isListed === true) head.push("X-Granary-Verified-By", "integrity");
  head.push(...notices);
  return head;
}

function finish({ response }: Exchange, answer: { status: number; head: readonly string[] }, body?: Buffer): void {
  const length = body === undefined ? [] : ["Content-Length", String(body.length)];
  response.writeHead(answer.status, [...answer.head, ...length]).end(body);
}

/** Only a GET has ranges (RFC 9110 §14.2). */
function rangeAsked({ request, head }: Exchange, etag: string, size: number): ReturnType<typeof rangeOf> {
  const { range, "if-range": ifRange } = request.headers;
  return rangeOf({ range: head ? undefined : range, ifRange: one(ifRange) }, etag, size);
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
