// The worker's way to the owner of the store: a request goes over the private socket as it came, and the answer comes
// back as it is, streamed. An answer that the owner itself has ready-made is kept here too.

import { Agent, request as send } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { forever } from "#services/proxy/answer.ts";
import type { Clock } from "#services/store/ports.ts";
import { clientOf } from "./caller.ts";
import type { Counters } from "./counters.ts";
import { hotBody } from "./hot.ts";
import type { HotCache } from "./hot.ts";
import { formatClient, parseReuse, relayHeader, reuseHeader } from "./relay-wire.ts";
import type { Reuse } from "./relay-wire.ts";
import type { Request, Response } from "./send.ts";

export type RelayUse = {
  /** Socket path or named pipe of the owner. */
  readonly path: string;
  readonly key: string;
  readonly hot: HotCache;
  readonly absent: HotCache;
  readonly counters: Counters;
  readonly clock: Clock;
};

/** Idle connections to the owner; each costs a file descriptor on both sides. */
const maxIdle = 256;

/** Belong to one connection (RFC 9110 §7.6.1), or were answered already (`Expect`). */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "http2-settings",
  "expect",
]);

export class Relay {
  readonly #use: RelayUse;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: maxIdle });
  #forgotten = 0;

  constructor(use: RelayUse) {
    this.#use = use;
  }

  /** Answers on the way now were made before something was forgotten: they are passed on but not kept. */
  forgotten(): void {
    this.#forgotten++;
  }

  /** Passes a request on and its answer back. A client that leaves ends the relay, not the owner's work. */
  forward(request: Request, response: Response): void {
    const forgotten = this.#forgotten;
    const relayed = send({
      socketPath: this.#use.path,
      agent: this.#agent,
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers: fieldsOf(request, formatClient(this.#use.key, clientOf(request))),
    });
    let answer: IncomingMessage | undefined;
    response.once("close", () => {
      if (answer?.complete !== true) relayed.destroy();
    });
    relayed.once("response", (arrived) => {
      answer = arrived;
      this.#pass(arrived, { request, response, isCurrent: () => this.#forgotten === forgotten });
    });
    relayed.on("error", () => {
      // After an answer the owner may close on a body it does not want; before one, the owner is gone.
      if (answer === undefined) response.destroy();
    });
    sendBody(request, relayed);
  }

  close(): void {
    this.#agent.destroy();
  }

  #pass(answer: IncomingMessage, to: Passing): void {
    const { request, response } = to;
    const { head, reuse } = headOf(answer.rawHeaders, request.httpVersionMajor);
    const status = answer.statusCode ?? 502;
    // Behind a refused request may stand what it smuggled in: the client's connection ends with it.
    const ends = fields(head).some(([name]) => name.toLowerCase() === "connection");
    if (status === 400 && request.httpVersionMajor === 1 && !ends) head.push("Connection", "close");
    answer.on("error", () => response.destroy());
    const length = Number(answer.headers["content-length"] ?? Infinity);
    if (reuse === undefined || request.method !== "GET" || length > this.#cacheFor(reuse).maxEntryBytes) {
      response.writeHead(status, head);
      answer.pipe(response);
      return;
    }
    const pieces: Buffer[] = [];
    answer.on("data", (piece: Buffer) => pieces.push(piece));
    answer.once("end", () => {
      const body = Buffer.concat(pieces);
      response.writeHead(status, head).end(body);
      if (to.isCurrent()) this.#keep(request.url ?? "", { status, head, body, reuse });
    });
  }

  #cacheFor(reuse: Reuse): HotCache {
    return reuse.kind === "error" ? this.#use.absent : this.#use.hot;
  }

  #keep(url: string, what: { status: number; head: readonly string[]; body: Buffer; reuse: Reuse }): void {
    const { status, body, reuse } = what;
    // Node dates each answer anew.
    const head = fields(what.head).flatMap(([name, value]) => (name.toLowerCase() === "date" ? [] : [name, value]));
    const etag = fields(head).find(([name]) => name.toLowerCase() === "etag")?.[1];
    const untilMs = reuse.ms === forever ? forever : this.#use.clock.now() + reuse.ms;
    const count = this.#use.counters.named(reuse.kind, reuse.outcome);
    this.#cacheFor(reuse).set(url, { status, head, body: hotBody(body), etag, untilMs, count, path: reuse.path });
  }
}

type Passing = { readonly request: Request; readonly response: Response; readonly isCurrent: () => boolean };

function sendBody(request: Request, relayed: ClientRequest): void {
  const { headers } = request;
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (hasBody) request.pipe(relayed);
  else relayed.end();
}

/**
 * The client's header lines as they came, duplicates too, and ours; never one of ours that the client wrote. Lines that
 * `Connection` names stay: with `Connection: X-Forwarded-For` a stranger would take away what tells of a proxy.
 */
function fieldsOf({ rawHeaders, headers }: Request, client: string): string[] {
  const authority = headers[":authority"];
  const out: string[] = typeof authority === "string" ? ["Host", authority] : [];
  for (const [name, value] of fields(rawHeaders)) {
    const lower = name.toLowerCase();
    if (lower === "host" && authority !== undefined) continue;
    if (lower.startsWith(":") || ofConnection.has(lower) || lower === relayHeader) continue;
    out.push(name, value);
  }
  out.push(relayHeader, client);
  return out;
}

/** The answer's header lines for the client, and what the owner says of reuse. */
function headOf(raw: readonly string[], major: number): { readonly head: string[]; readonly reuse: Reuse | undefined } {
  const head: string[] = [];
  let reuse: Reuse | undefined;
  for (const [name, value] of fields(raw)) {
    const lower = name.toLowerCase();
    if (lower === reuseHeader) reuse = parseReuse(value);
    // The owner ends a connection that sent nonsense; the one that did is the client's.
    else if (lower === "connection" && value === "close" && major === 1) head.push(name, value);
    else if (!ofConnection.has(lower) && lower !== "transfer-encoding") head.push(name, value);
  }
  return { head, reuse };
}

function fields(raw: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return pairs;
}
