// The data plane's door. Read downwards: the hot path first, then everything that is not ready-made.
//
//   raw target ─> hot cache ─> guards ─> Target ─> access ─> proxy | sumdb | house ─> answer ─> hot cache

import { randomBytes } from "node:crypto";
import { ProtocolError } from "#protocol/errors.ts";
import { parseTarget } from "#protocol/request.ts";
import type { SumdbTarget, Target } from "#protocol/request.ts";
import type { Access } from "#services/access/access.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { render } from "#services/errors/catalogue.ts";
import { GranaryError, asGranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import type { Answer, BytesAnswer, ZipAnswer } from "#services/proxy/answer.ts";
import { forever } from "#services/proxy/answer.ts";
import type { AskOptions, Proxy, ProxyTarget } from "#services/proxy/proxy.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import type { Clock } from "#services/store/ports.ts";
import { addressOf, callerOf } from "./caller.ts";
import { noneMatch, rangeOf } from "./conditional.ts";
import type { Counters } from "./counters.ts";
import type { Explainer } from "./explainer.ts";
import { cacheControl, contentType } from "./freshness.ts";
import type { Freshness } from "./freshness.ts";
import { hotBody } from "./hot.ts";
import type { HotCache, HotEntry } from "./hot.ts";
import type { House } from "./house.ts";
import { isSteady, statusFor } from "./problems.ts";
import type { Request, Response } from "./send.ts";
import { sendZip } from "./send.ts";
import type { SumdbDoor } from "./sumdb.ts";

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

export type HttpUse = {
  readonly settings: () => HttpSettings;
  readonly proxy: Proxy;
  readonly sumdb: SumdbDoor;
  readonly house: House;
  readonly access: Access;
  readonly hot: HotCache;
  /** Ready-made 404 answers, apart from the good ones so that a flood of unknown paths cannot push these out. */
  readonly absent: HotCache;
  readonly explainer: Explainer;
  readonly counters: Counters;
  readonly events: EventSink;
  readonly meter: Meter;
  readonly clock: Clock;
  /** This server's name in the hop header. */
  readonly instance: string;
};

/** Granaries a request has passed through; one that passes twice is a loop. */
export const hopHeader = "x-granary-hops";
/** Some forty names; a longer chain of Granaries is a mistake that the first forty show. */
const maxHopsLength = 512;

type Exchange = {
  readonly request: Request;
  readonly response: Response;
  readonly url: string;
  readonly head: boolean;
};

export function makeHandler(use: HttpUse): (request: Request, response: Response) => void {
  return (request, response) => {
    const url = request.url ?? "";
    const entry = use.hot.get(url) ?? use.absent.get(url);
    if (entry !== undefined && isPlain(request.rawHeaders) && use.clock.now() < entry.untilMs) {
      if (request.method === "GET" || request.method === "HEAD") {
        entry.count.n++;
        // Node sends no body in answer to HEAD.
        response.writeHead(entry.status, entry.head).end(entry.body, "latin1");
        return;
      }
    }
    void handle(use, { request, response, url, head: request.method === "HEAD" });
  };
}

/** True when no header changes what a ready-made answer would be. Header names are compared by length first. */
function isPlain(raw: readonly string[]): boolean {
  let hosts = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    switch (name.length) {
      case 4:
        if (/^host$/i.test(name)) hosts++;
        break;
      case 5:
        if (/^range$/i.test(name)) return false;
        break;
      case 13:
        if (/^if-none-match$/i.test(name)) return false;
        break;
      case 14:
        if (/^(content-length|x-granary-hops)$/i.test(name)) return false;
        break;
      case 17:
        if (/^(transfer-encoding|if-modified-since)$/i.test(name)) return false;
        break;
      default:
    }
  }
  return hosts <= 1;
}

async function handle(use: HttpUse, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  let target: Target | undefined;
  try {
    guard(request);
    target = parse(url, use.settings().requestLine);
    await route(use, exchange, { target, signal: gone.signal });
  } catch (error) {
    if (gone.signal.aborted || response.destroyed) return;
    if (response.headersSent) {
      // Part of a good answer has left: only a broken connection says that the rest is missing.
      response.destroy();
      return;
    }
    problem(use, exchange, { error: asGranaryError(error), target });
  }
}

/** What no parser downstream should have to think of. */
function guard(request: Request): void {
  const raw = request.rawHeaders;
  let hosts = 0;
  for (let at = 0; at < raw.length; at += 2) if (/^host$/i.test(raw[at] ?? "")) hosts++;
  if (hosts > 1) throw badRequest(request, "two Host headers");
  const bodied =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  if (bodied && (request.method === "GET" || request.method === "HEAD"))
    throw badRequest(request, "a GET request with a body");
}

function badRequest(request: Request, reason: string): GranaryError {
  return new GranaryError("GRANARY_BAD_REQUEST", { target: request.url ?? "", reason });
}

function parse(url: string, maxLength: number): Target {
  if (url.length > maxLength)
    throw new GranaryError("GRANARY_BAD_REQUEST", {
      target: url.slice(0, 80),
      reason: `the request target is longer than ${maxLength} bytes`,
    });
  try {
    return parseTarget(url);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_BAD_REQUEST", { target: url, reason: error.message }, { cause: error });
  }
}

async function route(use: HttpUse, exchange: Exchange, asked: { target: Target; signal: AbortSignal }): Promise<void> {
  const { target, signal } = asked;
  if (target.kind === "house") {
    await use.house.answer(exchange, target.path);
    return;
  }
  const { method = "" } = exchange.request;
  if (method !== "GET" && method !== "HEAD")
    throw new GranaryError("GRANARY_METHOD_NOT_ALLOWED", { method, allowed: "GET, HEAD" });
  if (target.kind === "impossible")
    throw new GranaryError("GRANARY_IMPOSSIBLE", { what: exchange.url, reason: target.reason });
  refuseLoop(use, exchange);
  const answer =
    target.kind === "sumdb" ? await askSumdb(use, target, signal) : await askProxy(use, exchange, { target, signal });
  await send(use, exchange, { answer, path: target.kind === "sumdb" ? "" : target.path });
}

function refuseLoop(use: HttpUse, { request, url }: Exchange): void {
  const hops = request.headers[hopHeader];
  if (typeof hops === "string" && hops.split(",").some((hop) => hop.trim() === use.instance))
    throw new GranaryError("GRANARY_LOOP", { what: url, via: hops });
}

async function askSumdb(use: HttpUse, target: SumdbTarget, signal: AbortSignal): Promise<Answer> {
  return await use.sumdb.answer(target, { signal, keptOnly: target.cachedOnly });
}

async function askProxy(
  use: HttpUse,
  exchange: Exchange,
  asked: { target: ProxyTarget; signal: AbortSignal },
): Promise<Answer> {
  const { target, signal } = asked;
  const { privacy } = use.settings();
  if (privacy.mustNotTravel(target.path)) {
    if (privacy.isPrivate(target.path)) await requireReader(use, exchange.request, target.path);
    use.meter.privateNameKept(addressOf(exchange.request));
  }
  return await use.proxy.answer(target, {
    keptOnly: keptOnly(exchange.request, target),
    hops: hopsOf(exchange.request),
    signal,
  });
}

function hopsOf(request: Request): string {
  const hops = request.headers[hopHeader];
  return typeof hops === "string" ? hops.slice(0, maxHopsLength) : "";
}

function keptOnly(request: Request, target: ProxyTarget): AskOptions["keptOnly"] {
  if (target.kind === "sum" || target.cachedOnly) return "cached-only";
  const header = request.headers["disable-module-fetch"];
  return typeof header === "string" && header.toLowerCase() === "true" ? "fetch-disabled" : false;
}

async function requireReader(use: HttpUse, request: Request, what: string): Promise<void> {
  const verdict = await use.access.mayReadPrivate(callerOf(request));
  if (verdict.verdict === "allow") return;
  if (verdict.verdict === "challenge" && verdict.reason === "insecure")
    throw new GranaryError("GRANARY_TOKEN_NEEDS_TLS", { what });
  throw new GranaryError("GRANARY_UNAUTHORIZED", { what });
}

// ---- answers ----

async function send(use: HttpUse, exchange: Exchange, what: { answer: Answer; path: string }): Promise<void> {
  const { answer } = what;
  if (answer.kind === "zip" && answer.size <= use.hot.maxEntryBytes && answer.size > 0) {
    const bytes = await wholeZip(answer);
    sendBytes(use, exchange, { answer: { ...answer, kind: "bytes", bytes }, path: what.path });
    return;
  }
  if (answer.kind === "bytes") sendBytes(use, exchange, { answer, path: what.path });
  else await sendLarge(use, exchange, answer);
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

function sendBytes(use: HttpUse, exchange: Exchange, what: { answer: BytesAnswer; path: string }): void {
  const { answer, path } = what;
  const body = Buffer.from(answer.bytes.buffer, answer.bytes.byteOffset, answer.bytes.byteLength);
  remember(use, exchange, { answer, body, path });
  const head = headOf(use, answer, answer.provenance);
  use.counters.of(answer.media, answer.provenance.here).n++;
  const etag = `"${answer.sha256}"`;
  const { headers } = exchange.request;
  if (noneMatch(headers["if-none-match"], etag)) {
    finish(exchange, { status: 304, head });
    return;
  }
  const range = rangeOf({ range: headers.range, ifRange: one(headers["if-range"]) }, etag, body.length);
  if (range === "unsatisfiable") {
    badRange(use, exchange, { size: body.length, range: headers.range ?? "" });
    return;
  }
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

async function sendLarge(use: HttpUse, exchange: Exchange, answer: ZipAnswer): Promise<void> {
  const head = headOf(use, answer, answer.provenance);
  use.counters.of(answer.media, answer.provenance.here).n++;
  const etag = `"${answer.sha256}"`;
  const { headers } = exchange.request;
  if (noneMatch(headers["if-none-match"], etag)) {
    finish(exchange, { status: 304, head });
    return;
  }
  const range = rangeOf({ range: headers.range, ifRange: one(headers["if-range"]) }, etag, answer.size);
  if (range === "unsatisfiable") {
    badRange(use, exchange, { size: answer.size, range: headers.range ?? "" });
    return;
  }
  const part = range === "whole" ? { start: 0, end: answer.size - 1 } : range;
  const extra = range === "whole" ? [] : ["Content-Range", `bytes ${part.start}-${part.end}/${answer.size}`];
  const fields = [...head, ...extra, "Content-Length", String(part.end + 1 - part.start)];
  exchange.response.writeHead(range === "whole" ? 200 : 206, fields);
  if (exchange.head) exchange.response.end();
  else await sendZip(exchange.response, answer, part);
}

/** Keeps a public answer ready-made, as the next client will see it: a hit. */
function remember(use: HttpUse, exchange: Exchange, what: { answer: BytesAnswer; body: Buffer; path: string }): void {
  const { answer, body, path } = what;
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
  });
}

function headOf(use: HttpUse, answer: Answer, provenance: Answer["provenance"]): string[] {
  const { freshness, notices } = use.settings();
  const size = answer.kind === "zip" ? answer.size : answer.bytes.length;
  const head = [
    "Content-Type",
    contentType(answer.media),
    "Cache-Control",
    cacheControl(answer.media, size, { freshness, isPrivate: answer.isPrivate }),
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
  head.push(...notices);
  return head;
}

function finish({ response }: Exchange, answer: { status: number; head: readonly string[] }, body?: Buffer): void {
  const length = body === undefined ? [] : ["Content-Length", String(body.length)];
  response.writeHead(answer.status, [...answer.head, ...length]).end(body);
}

function badRange(use: HttpUse, exchange: Exchange, asked: { range: string; size: number }): void {
  problem(use, exchange, {
    error: new GranaryError("GRANARY_BAD_RANGE", asked),
    target: undefined,
    extra: ["Content-Range", `bytes */${asked.size}`],
  });
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

// ---- problems ----

/** Answers with an error: text/plain, few lines, a request id that `granary explain` knows. */
export function problem(
  use: HttpUse,
  exchange: Exchange,
  what: { readonly error: GranaryError; readonly target: Target | undefined; readonly extra?: readonly string[] },
): void {
  const { error, target, extra = [] } = what;
  const { lang, notices, privacy } = use.settings();
  const id = randomBytes(4).toString("hex");
  const path = target !== undefined && "path" in target && target.kind !== "house" ? target.path : "";
  const isPrivate = path !== "" && privacy.mustNotTravel(path);
  const at = new Date(use.clock.now()).toISOString();
  use.explainer.add({ id, at, target: exchange.url, code: error.code, fields: error.fields, isPrivate });
  const status = statusFor(error.code);
  const body = Buffer.from(`${render(error, lang, id).join("\n")}\n`);
  const steady = isSteady(error.code) && !isPrivate;
  const count = use.counters.problem(error.code);
  count.n++;
  const head = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(body.length),
    "Cache-Control",
    steady ? `public, max-age=${use.settings().freshness.negativeSeconds}` : "no-store",
    "X-Go-Proxy-Cache",
    "MISS",
    "X-Go-Proxy-Status",
    "-|MISS",
    "X-Request-Id",
    id,
    "X-Content-Type-Options",
    "nosniff",
    ...challenge(error),
    ...notices,
    ...extra,
  ];
  if (status === 400 && exchange.request.httpVersionMajor === 1) head.push("Connection", "close");
  exchange.response.writeHead(status, head).end(body);
  if (!steady) return;
  const untilMs = use.clock.now() + use.settings().freshness.negativeSeconds * 1000;
  const entry: HotEntry = { status, head, body: hotBody(body), etag: undefined, untilMs, count, path };
  use.absent.set(exchange.url, entry);
}

function challenge(error: GranaryError): string[] {
  if (error.code === "GRANARY_UNAUTHORIZED") return ["WWW-Authenticate", 'Basic realm="granary", charset="UTF-8"'];
  if (isGranaryError(error, "GRANARY_METHOD_NOT_ALLOWED")) return ["Allow", error.fields.allowed];
  if (error.code === "GRANARY_OVERLOADED" || error.code === "GRANARY_DRAINING") return ["Retry-After", "5"];
  return [];
}
