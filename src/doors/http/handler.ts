// The data plane's door. Read downwards: the hot path first, then everything that is not ready-made.
//
//   (rate) ─> raw target ─> hot cache ─> guards ─> Target ─> access ─> proxy | sumdb | house ─> answer ─> hot cache

import type { SumdbTarget, Target } from "#protocol/request.ts";
import type { Access } from "#services/access/access.ts";
import { render } from "#services/errors/catalogue.ts";
import { GranaryError, asGranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import { currentTrace, newTrace, traced } from "#services/events/trace.ts";
import type { Answer } from "#services/proxy/answer.ts";
import type { AskOptions, Proxy, ProxyTarget } from "#services/proxy/proxy.ts";
import { sendAnswer } from "./answers.ts";
import type { AnswerUse, Exchange } from "./answers.ts";
import { guard, readTarget } from "./arrival.ts";
import { addressOf, callerOf, isRelayed } from "./caller.ts";
import type { Explainer } from "./explainer.ts";
import { hotBody } from "./hot.ts";
import type { HotEntry } from "./hot.ts";
import type { House } from "./house.ts";
import { isSteady, statusFor } from "./problems.ts";
import { answerReadyMade } from "./ready-made.ts";
import type { ReadyMadeUse } from "./ready-made.ts";
import type { RateGuard } from "./rate.ts";
import type { Request, Response } from "./send.ts";
import type { SumdbDoor } from "./sumdb.ts";

export type HttpUse = AnswerUse &
  ReadyMadeUse & {
    readonly proxy: Pick<Proxy, "answer">;
    readonly sumdb: SumdbDoor;
    readonly house: House;
    readonly access: Access;
    readonly explainer: Explainer;
    readonly events: EventSink;
    readonly meter: Meter;
    /** Undefined when no client's rate is limited. */
    readonly rate: () => RateGuard | undefined;
    /** This server's name in the hop header. */
    readonly instance: string;
  };

/** Granaries a request has passed through; one that passes twice is a loop. */
export const hopHeader = "x-granary-hops";
/** Some forty names. In a longer list our own could be missed, and a loop would have no end. */
const maxHopsLength = 512;
/** As much of the list as an error shows. */
const maxShownHops = 120;

export function makeHandler(use: HttpUse): (request: Request, response: Response) => void {
  return (request, response) => {
    const rate = use.rate();
    if (rate !== undefined) void handleRated(use, rate, { request, response });
    else answer(use, request, response);
  };
}

function answer(use: HttpUse, request: Request, response: Response): void {
  if (answerReadyMade(use, request, response)) return;
  traced(() => void handle(use, exchangeOf(request, response)));
}

async function handleRated(
  use: HttpUse,
  rate: RateGuard,
  { request, response }: { readonly request: Request; readonly response: Response },
): Promise<void> {
  const checked = rate.check(request);
  const refusal = checked instanceof Promise ? await checked : checked;
  if (response.destroyed) return;
  if (refusal === undefined) {
    answer(use, request, response);
    return;
  }
  endAfterUpgrade(request, response);
  problem(use, exchangeOf(request, response), { error: refusal, target: undefined });
}

function exchangeOf(request: Request, response: Response): Exchange {
  return { request, response, url: request.url ?? "", head: request.method === "HEAD" };
}

/** Node drops what follows an upgrade in the same packet: whoever sent it must not wait for it. */
function endAfterUpgrade(request: Request, response: Response): void {
  if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
}

async function handle(use: HttpUse, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  let target: Target | undefined;
  try {
    endAfterUpgrade(request, response);
    guard(request);
    target = readTarget(url, use.settings().requestLine);
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

async function route(use: HttpUse, exchange: Exchange, asked: { target: Target; signal: AbortSignal }): Promise<void> {
  const { target, signal } = asked;
  if (target.kind === "house") {
    await use.house.answer(exchange, target.path, signal);
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
  await sendAnswer(use, exchange, { answer, path: target.kind === "sumdb" ? "" : target.path });
}

function refuseLoop(use: HttpUse, { request, url }: Exchange): void {
  const hops = hopsOf(request);
  if (hops.length > maxHopsLength || hops.split(",").some((hop) => hop.trim() === use.instance))
    throw new GranaryError("GRANARY_LOOP", { what: url, via: hops.slice(0, maxShownHops) });
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
    caller: addressOf(exchange.request),
    signal,
  });
}

function hopsOf(request: Request): string {
  const hops = request.headers[hopHeader];
  return typeof hops === "string" ? hops : "";
}

function keptOnly(request: Request, target: ProxyTarget): AskOptions["keptOnly"] {
  if (target.kind === "sum" || target.kind === "chunks" || target.cachedOnly) return "cached-only";
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

/** Answers with an error: text/plain, few lines, a request id that `granary explain` knows. */
function problem(
  use: HttpUse,
  exchange: Exchange,
  what: { readonly error: GranaryError; readonly target: Target | undefined },
): void {
  const { error, target } = what;
  const { lang, notices, privacy } = use.settings();
  // A limited client could push everybody's last errors out of memory; its own says all there is to say.
  const isRemembered = error.code !== "GRANARY_RATE_LIMITED";
  const id = currentTrace() ?? newTrace();
  const path = target !== undefined && "path" in target && target.kind !== "house" ? target.path : "";
  const isPrivate = path !== "" && privacy.mustNotTravel(path);
  const at = new Date(use.clock.now()).toISOString();
  if (isRemembered)
    use.explainer.add({ id, at, target: exchange.url, code: error.code, fields: error.fields, isPrivate });
  const status = statusFor(error.code);
  const body = Buffer.from(`${render(error, lang, isRemembered ? id : error.code).join("\n")}\n`);
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
    ...moreHead(error),
    ...notices,
  ];
  // What was refused may be followed by what it smuggled in. A worker's own connection goes on: it closes its client's.
  if (status === 400 && exchange.request.httpVersionMajor === 1 && !isRelayed(exchange.request))
    head.push("Connection", "close");
  exchange.response.writeHead(status, head).end(body);
  if (!steady) return;
  const untilMs = use.clock.now() + use.settings().freshness.negativeSeconds * 1000;
  const entry: HotEntry = { status, head, body: hotBody(body), etag: undefined, untilMs, count, path };
  use.absent.set(exchange.url, entry);
}

/** Header lines that a status asks for. */
function moreHead(error: GranaryError): string[] {
  if (isGranaryError(error, "GRANARY_BAD_RANGE")) return ["Content-Range", `bytes */${error.fields.size}`];
  if (error.code === "GRANARY_UNAUTHORIZED" || error.code === "GRANARY_NEEDS_WRITE_TOKEN")
    return ["WWW-Authenticate", 'Basic realm="granary", charset="UTF-8"'];
  if (isGranaryError(error, "GRANARY_METHOD_NOT_ALLOWED")) return ["Allow", error.fields.allowed];
  if (isGranaryError(error, "GRANARY_RATE_LIMITED") || isGranaryError(error, "GRANARY_UPSTREAM_BUSY"))
    return ["Retry-After", String(error.fields.waitSeconds)];
  if (error.code === "GRANARY_OVERLOADED" || error.code === "GRANARY_DRAINING") return ["Retry-After", "5"];
  return [];
}
