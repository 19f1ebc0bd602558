// The data plane's door. Read downwards: the hot path first, then everything that is not ready-made.
//
//   (rate) ─> raw target ─> hot cache ─> guards ─> Target ─> access ─> proxy | sumdb | house ─> answer ─> hot cache

import { formatTarget } from "#protocol/request.ts";
import type { BuildTarget, SumdbTarget, Target, TlogTarget } from "#protocol/request.ts";
import type { Access } from "#services/access/access.ts";
import { GranaryError, asGranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import { traced } from "#services/events/trace.ts";
import type { HeldVersions } from "#services/store/held.ts";
import type { Answer } from "#services/proxy/answer.ts";
import type { Misses } from "#services/proxy/misses.ts";
import type { AskOptions, Proxy, ProxyTarget } from "#services/proxy/proxy.ts";
import { sendAnswer } from "./answers.ts";
import type { AnswerUse, Exchange } from "./answers.ts";
import { guard, readTarget } from "./arrival.ts";
import { addressOf } from "./caller.ts";
import { answerError } from "./error-answer.ts";
import { sendElsewhere, untilTurnIsOver } from "./elsewhere.ts";
import type { Explainer } from "./explainer.ts";
import type { House } from "./house.ts";
import { requireReader } from "./reader.ts";
import { answerReadyMade, asksAnew } from "./ready-made.ts";
import type { ReadyMadeUse } from "./ready-made.ts";
import type { RateGuard } from "./rate.ts";
import type { Request, Response } from "./send.ts";
import type { SumdbDoor } from "./sumdb.ts";

export type HttpUse = AnswerUse &
  ReadyMadeUse & {
    readonly proxy: Pick<Proxy, "answer">;
    /** Where a client is sent for what is not kept; without it everybody waits. */
    readonly misses?: Pick<Misses, "elsewhere">;
    readonly sumdb: SumdbDoor;
    readonly house: House;
    readonly held: Pick<HeldVersions, "of">;
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
  answerError(use, exchangeOf(request, response), { error: refusal, target: undefined });
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
    answerError(use, exchange, { error: asGranaryError(error), target });
  }
}

async function route(use: HttpUse, exchange: Exchange, asked: { target: Target; signal: AbortSignal }): Promise<void> {
  const { target, signal } = asked;
  if (target.kind === "house") {
    await use.house.answer(exchange, target.path, signal);
    return;
  }
  const { method = "" } = exchange.request;
  if (method === "POST" && target.kind === "info" && !target.cachedOnly) {
    refuseLoop(use, exchange);
    await use.house.refreshInfo(exchange, target, { hops: hopsOf(exchange.request), signal });
    return;
  }
  if (method === "PUT" && target.kind === "zip" && !target.cachedOnly) {
    refuseLoop(use, exchange);
    await use.house.publish(exchange, target, signal);
    return;
  }
  if (method !== "GET" && method !== "HEAD") {
    throw new GranaryError("GRANARY_METHOD_NOT_ALLOWED", { method, allowed: methodsOf(target) });
  }
  if (target.kind === "impossible")
    throw new GranaryError("GRANARY_IMPOSSIBLE", { what: exchange.url, reason: target.reason });
  refuseLoop(use, exchange);
  refuseHeld(use, target);
  if (target.kind === "build") {
    await answerBuild(use, exchange, { target, signal });
    return;
  }
  if (target.kind === "sumdb" || target.kind === "tlog") {
    const answer = await askSumdb(use, exchange, { target, signal });
    await sendAnswer(use, exchange, { answer, path: "" });
    return;
  }
  if (target.kind !== "sum" && target.kind !== "chunks") {
    const options = { keptOnly: keptOnly(exchange.request, target), hops: hopsOf(exchange.request) };
    const elsewhere = await use.misses?.elsewhere(target, options);
    if (elsewhere !== undefined) {
      use.counters.of(target.kind === "zip" || target.kind === "mod" ? target.kind : "info", "MISS").n++;
      sendElsewhere(exchange, target, elsewhere);
      return;
    }
  }
  await answerModule(use, exchange, { target, signal });
}

async function answerModule(
  use: HttpUse,
  exchange: Exchange,
  asked: { readonly target: ProxyTarget; readonly signal: AbortSignal },
): Promise<void> {
  const { path, kind } = asked.target;
  try {
    await sendAnswer(use, exchange, { answer: await askProxy(use, exchange, asked), path });
  } catch (error) {
    // A zip's damage shows only when it is read. While nothing has left, the committed bytes can still be fetched anew.
    if (kind !== "zip" || exchange.response.headersSent || !isGranaryError(error, "GRANARY_STORE_DAMAGED")) throw error;
    await sendAnswer(use, exchange, { answer: await askProxy(use, exchange, asked), path });
  }
}

/** Waits for the file as if it had been asked for by its own name, which is the one its answer is remembered by. */
async function answerBuild(
  use: HttpUse,
  exchange: Exchange,
  asked: { readonly target: BuildTarget; readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = asked;
  const { target } = asked.target;
  const work = askProxy(use, exchange, { target, signal });
  const answer = await untilTurnIsOver(exchange, asked.target, { work, clock: use.clock, signal });
  if (answer !== undefined)
    await sendAnswer(use, { ...exchange, url: formatTarget(target) }, { answer, path: target.path });
}

/** Throws GRANARY_HELD: also where a client would only be sent elsewhere for it. */
function refuseHeld({ held }: HttpUse, target: Target): void {
  const asked = target.kind === "build" ? target.target : target;
  if (!("version" in asked)) return;
  const { path, version } = asked;
  const found = held.of(path, version);
  if (found === undefined) return;
  const { reason, since } = found;
  throw new GranaryError("GRANARY_HELD", { what: `${path}@${version}`, reason, since });
}

function methodsOf(target: Target): string {
  if ("cachedOnly" in target && !target.cachedOnly) {
    if (target.kind === "info") return "GET, HEAD, POST";
    if (target.kind === "zip") return "GET, HEAD, PUT";
  }
  return "GET, HEAD";
}

function refuseLoop(use: HttpUse, { request, url }: Exchange): void {
  const hops = hopsOf(request);
  if (hops.length > maxHopsLength || hops.split(",").some((hop) => hop.trim() === use.instance))
    throw new GranaryError("GRANARY_LOOP", { what: url, via: hops.slice(0, maxShownHops) });
}

async function askSumdb(
  use: HttpUse,
  exchange: Exchange,
  { target, signal }: { readonly target: SumdbTarget | TlogTarget; readonly signal: AbortSignal },
): Promise<Answer> {
  const requireReaderOf = (what: string): Promise<void> => requireReader(use.access, exchange.request, what);
  const options = { signal, requireReader: requireReaderOf };
  if (target.kind === "tlog") return await use.sumdb.answerTiled(target, { ...options, keptOnly: false });
  return await use.sumdb.answer(target, { ...options, keptOnly: target.cachedOnly });
}

async function askProxy(
  use: HttpUse,
  exchange: Exchange,
  asked: { target: ProxyTarget; signal: AbortSignal },
): Promise<Answer> {
  const { target, signal } = asked;
  const { privacy } = use.settings();
  if (privacy.mustNotTravel(target.path)) {
    if (privacy.isPrivate(target.path)) await requireReader(use.access, exchange.request, target.path);
    use.meter.privateNameKept(addressOf(exchange.request));
  }
  return await use.proxy.answer(target, {
    keptOnly: keptOnly(exchange.request, target),
    hops: hopsOf(exchange.request),
    caller: addressOf(exchange.request),
    anew: asksAnew(exchange.request.headers["cache-control"]),
    signal,
  });
}

function hopsOf(request: Request): string {
  const hops = request.headers[hopHeader];
  return typeof hops === "string" ? hops : "";
}

function keptOnly(request: Request, target: ProxyTarget): AskOptions["keptOnly"] {
  if (target.kind === "chunks" || ("cachedOnly" in target && target.cachedOnly)) return "cached-only";
  const header = request.headers["disable-module-fetch"];
  return typeof header === "string" && header.toLowerCase() === "true" ? "fetch-disabled" : false;
}
