// Everything that is not a module: health, readiness, metrics, the status page, explanations, and the routes that
// change something. Each route declares its scope here; a route without one does not compile.

import { ProtocolError } from "#protocol/errors.ts";
import { parsePath, unescapePath } from "#protocol/path.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import type { Access, Verdict } from "#services/access/access.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import type { EventSink } from "#services/events/ports.ts";
import { maxTopListed } from "#services/proxy/top.ts";
import type { Top } from "#services/proxy/top.ts";
import type { Publisher } from "#services/proxy/publish.ts";
import type { Refresh } from "#services/proxy/refresh.ts";
import { maxKeyLetters } from "#services/proxy/repeat-keys.ts";
import type { RetryQueue } from "#services/proxy/retry-queue.ts";
import type { Forge } from "#services/sync/hooks.ts";
import type { Webhooks } from "#services/sync/webhooks.ts";
import { wireName } from "#services/upstreams/desk.ts";
import type { UpstreamDesk } from "#services/upstreams/desk.ts";
import type { Offer, OfferReport } from "#services/sumdb/offered.ts";
import type { Explainer } from "./explainer.ts";
import { noneMatch } from "./conditional.ts";
import { addressOf, callerOf } from "./caller.ts";
import { maxRefreshBytes, parseRefresh } from "./refresh-body.ts";
import { maxOfferBytes, parseOffer } from "./offer.ts";
import type { Request, Response } from "./send.ts";
import { statusPage } from "./status-page.ts";
import type { Status } from "./status-page.ts";

export type HouseUse = {
  readonly access: Access;
  readonly explainer: Explainer;
  readonly events: EventSink;
  readonly lang: () => Lang;
  readonly status: () => Promise<Status>;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Forgets what upstreams said of a module, and every ready-made answer about it. */
  readonly refresh: (path: string) => Promise<void>;
  /** Asks upstreams anew, now. */
  readonly again: Pick<Refresh, "list" | "info">;
  readonly webhooks: Pick<Webhooks, "deliver">;
  readonly publisher: Pick<Publisher, "publish">;
  readonly upstreams: UpstreamDesk;
  readonly jobs: Pick<RetryQueue, "list" | "retry" | "drop">;
  readonly top: Pick<Top, "list">;
  /** Holds tree heads of checksum databases against ours. */
  readonly heads: (offer: Offer) => Promise<readonly OfferReport[]>;
  /** The signed list of the hashes kept here; undefined when none is published. */
  readonly integrityList?: (() => Promise<{ readonly bytes: Buffer; readonly sha256: string }>) | undefined;
};

type Exchange = { readonly request: Request; readonly response: Response };

/** `open`: anybody. `readers`: those who may read private modules. `write`: a write token. `signed`: the body's proof. */
type Scope = "open" | "readers" | "write" | "signed";
/** Who asks, how long, and what came with the question. */
type Asking = {
  readonly by: string;
  readonly signal: AbortSignal;
  readonly headers: Request["headers"];
  /** The connection is encrypted, or of this machine. */
  readonly isConfidential: boolean;
  /** The client's address. */
  readonly caller: string;
  /** The body. Throws GRANARY_BAD_REQUEST when it is longer, and what `came`, told of each piece, throws. */
  readonly body: (maxBytes: number, came?: (bytes: number) => void) => Promise<Buffer>;
};
type Reply = { readonly status: number; readonly type: string; readonly body: string | Buffer; readonly etag?: string };
type Route = {
  readonly method: "GET" | "POST";
  readonly scope: Scope;
  readonly answer: (use: HouseUse, rest: string, asking: Asking) => Promise<Reply> | Reply;
};

const exact: Readonly<Record<string, Route>> = {
  "/": { method: "GET", scope: "open", answer: page },
  "/-/": { method: "GET", scope: "open", answer: page },
  "/-/livez": { method: "GET", scope: "open", answer: () => text(200, "ok\n") },
  "/-/readyz": { method: "GET", scope: "open", answer: ready },
  "/-/metrics": { method: "GET", scope: "open", answer: metrics },
  "/-/api/status": { method: "GET", scope: "open", answer: async (use) => json(200, await use.status()) },
  "/-/api/upstreams": { method: "GET", scope: "open", answer: (use) => json(200, { upstreams: use.upstreams.list() }) },
  // Versions of private modules may be among them.
  "/-/api/jobs": { method: "GET", scope: "readers", answer: async (use) => json(200, { jobs: await use.jobs.list() }) },
  "/-/api/sumdb/heads": { method: "POST", scope: "write", answer: takeHeads },
  "/-/api/refresh": { method: "POST", scope: "write", answer: askAgain },
  "/webhook/github": { method: "POST", scope: "signed", answer: delivery("github") },
  "/webhook/gitlab": { method: "POST", scope: "signed", answer: delivery("gitlab") },
  "/webhook/gitea": { method: "POST", scope: "signed", answer: delivery("gitea") },
  "/integrity.txt": { method: "GET", scope: "open", answer: integrityList },
  // Names that other tools probe by habit.
  "/health": { method: "GET", scope: "open", answer: () => text(200, "ok\n") },
  "/healthz": { method: "GET", scope: "open", answer: () => text(200, "ok\n") },
  "/readyz": { method: "GET", scope: "open", answer: ready },
  "/metrics": { method: "GET", scope: "open", answer: metrics },
};

const prefixed: readonly (Route & { readonly prefix: string })[] = [
  { prefix: "/-/explain/", method: "GET", scope: "readers", answer: explain },
  // Versions of private modules may be among them.
  { prefix: "/-/api/top/", method: "GET", scope: "readers", answer: top },
  { prefix: "/-/api/refresh/", method: "POST", scope: "write", answer: refresh },
  { prefix: "/-/api/upstreams/", method: "POST", scope: "write", answer: turnUpstream },
  { prefix: "/-/api/jobs/", method: "POST", scope: "write", answer: turnJob },
];

/** Every route with its scope: what is not here is no route. */
export const houseRoutes: readonly {
  readonly path: string;
  readonly method: Route["method"];
  readonly scope: Scope;
}[] = [
  ...Object.entries(exact).map(([path, { method, scope }]) => ({ path, method, scope })),
  ...prefixed.map(({ prefix, method, scope }) => ({ path: prefix, method, scope })),
];

export class House {
  readonly #use: HouseUse;

  constructor(use: HouseUse) {
    this.#use = use;
  }

  /** @param signal aborts when the client goes away */
  async answer(exchange: Exchange, path: string, signal: AbortSignal): Promise<void> {
    const { request } = exchange;
    const { route, rest } = find(path);
    const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
    if (method !== route.method)
      throw new GranaryError("GRANARY_METHOD_NOT_ALLOWED", {
        method,
        allowed: route.method === "GET" ? "GET, HEAD" : route.method,
      });
    const who = await this.#admit(request, { scope: route.scope, path });
    const body: Asking["body"] = (maxBytes, came) => bodyOf(request, { target: path, maxBytes, came });
    const { loopback, secure } = callerOf(request);
    const { headers } = request;
    const asking = { by: who, signal, headers, isConfidential: loopback || secure, caller: addressOf(request), body };
    const reply = await route.answer(this.#use, rest, asking);
    if (route.scope === "write") this.#use.events.emit({ name: "write.done", route: path, token: who });
    send(exchange, reply);
  }

  /**
   * `POST /<module>/@v/<query>.info`: asked of upstreams anew. Answers with the JSON that a GET has from now on.
   *
   * @param more.hops the Granaries that the request has passed
   */
  async refreshInfo(
    exchange: Exchange & { readonly url: string },
    target: Extract<ModuleTarget, { readonly kind: "info" }>,
    more: { readonly hops: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const { request, url } = exchange;
    const who = await this.#admit(request, { scope: "write", path: url });
    const { bytes } = await this.#use.again.info(target, { ...more, caller: addressOf(request) });
    this.#use.events.emit({ name: "write.done", route: url, token: who });
    send(exchange, { status: 200, type: "application/json", body: Buffer.from(bytes) });
  }

  /** `PUT /<module>/@v/<version>.zip`: the body is a version's zip. 201 when it is new, 200 when it was there. */
  async publish(
    exchange: Exchange & { readonly url: string },
    { path, version }: Extract<ModuleTarget, { readonly kind: "mod" | "zip" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { request, url } = exchange;
    // What is refused early is read to its end nevertheless, or its sender would never read why.
    try {
      const by = await this.#admit(request, { scope: "write", path: url });
      const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
      const upload = { id: { path, version }, body, key: keyOf(request), by };
      const published = await this.#use.publisher.publish(upload, signal);
      this.#use.events.emit({ name: "write.done", route: url, token: by });
      send(exchange, json(published.isNew ? 201 : 200, { module: path, version, ...published }));
    } finally {
      request.resume();
    }
  }

  /** The one check that every route passes. Returns who asks. */
  async #admit(request: Request, asked: { readonly scope: Scope; readonly path: string }): Promise<string> {
    const { scope, path } = asked;
    switch (scope) {
      case "open":
        return "anyone";
      case "signed":
        // The route holds the body against its proof; nobody's token helps or is looked at.
        return "webhook";
      case "readers":
        return this.#verdict(await this.#use.access.mayReadPrivate(callerOf(request)), { scope, path });
      case "write":
        return this.#verdict(await this.#use.access.mayWrite(callerOf(request)), { scope, path });
    }
  }

  #verdict(verdict: Verdict, asked: { readonly scope: "readers" | "write"; readonly path: string }): string {
    const { scope, path } = asked;
    if (verdict.verdict === "allow") return verdict.who;
    if (scope === "write") this.#use.events.emit({ name: "write.refused", route: path, token: "-" });
    if (verdict.verdict === "closed") throw new GranaryError("GRANARY_WRITE_DISABLED", { route: path });
    if (verdict.reason === "insecure") throw new GranaryError("GRANARY_TOKEN_NEEDS_TLS", { what: path });
    if (scope === "write") throw new GranaryError("GRANARY_NEEDS_WRITE_TOKEN", { route: path });
    throw new GranaryError("GRANARY_UNAUTHORIZED", { what: path });
  }
}

/** Throws GRANARY_BAD_REQUEST for a key that is none. */
function keyOf(request: Request): string | undefined {
  const { "idempotency-key": key } = request.headers;
  if (key === undefined) return undefined;
  if (typeof key === "string" && key.length > 0 && key.length <= maxKeyLetters && /^[\x20-\x7e]+$/.test(key))
    return key;
  const reason = `Idempotency-Key is not 1 … ${maxKeyLetters} printable ASCII characters`;
  throw new GranaryError("GRANARY_BAD_REQUEST", { target: request.url ?? "", reason });
}

function send({ request, response }: Exchange, reply: Reply): void {
  const isKnown = reply.etag !== undefined && noneMatch(request.headers["if-none-match"], reply.etag);
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  const head = [
    "Content-Type",
    reply.type,
    "Content-Length",
    String(body.length),
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
    "Content-Security-Policy",
    "default-src 'none'; frame-ancestors 'none'",
  ];
  if (reply.etag !== undefined) head.push("ETag", reply.etag);
  if (isKnown) response.writeHead(304, head.slice(4)).end();
  else response.writeHead(reply.status, head).end(body);
}

function find(path: string): { readonly route: Route; readonly rest: string } {
  const route = Object.hasOwn(exact, path) ? exact[path] : undefined;
  if (route !== undefined) return { route, rest: "" };
  for (const route of prefixed)
    if (path.startsWith(route.prefix)) return { route, rest: path.slice(route.prefix.length) };
  throw new GranaryError("GRANARY_NO_ROUTE", { target: path });
}

async function page(use: HouseUse): Promise<Reply> {
  return { status: 200, type: "text/html; charset=utf-8", body: statusPage(await use.status(), use.lang()) };
}

async function ready(use: HouseUse): Promise<Reply> {
  const status = await use.status();
  if (!status.ready) throw new GranaryError("GRANARY_DRAINING", {});
  // A server that takes nothing new still serves what it keeps: out of service it would serve nothing (ADR 0026).
  const lines = [
    status.degraded.length === 0 ? "ready" : "ready, degraded",
    ...status.degraded.map((line) => `degraded: ${line}`),
    ...status.alarms.map((line) => `alarm: ${line}`),
    ...status.warnings.map((line) => `warning: ${line}`),
  ];
  return text(200, `${lines.join("\n")}\n`);
}

async function metrics(use: HouseUse): Promise<Reply> {
  const { contentType, text } = await use.metrics();
  return { status: 200, type: contentType, body: text };
}

async function integrityList({ integrityList: list }: HouseUse): Promise<Reply> {
  if (list === undefined) throw new GranaryError("GRANARY_NO_ROUTE", { target: "/integrity.txt" });
  const { bytes, sha256 } = await list();
  return { ...text(200, ""), body: bytes, etag: `"${sha256}"` };
}

function explain(use: HouseUse, id: string): Reply {
  const found = use.explainer.find(id);
  if (found === undefined) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "request", id });
  return json(200, found);
}

/** @param rest a module path as it stands in every other target: case-escaped (`github.com/!azure/x`), or as it is written */
async function refresh(use: HouseUse, rest: string): Promise<Reply> {
  const path = modulePath(rest);
  await use.refresh(path);
  return json(200, { refreshed: path });
}

/** A module, or a version or branch of it, asked of upstreams now. */
async function askAgain({ again }: HouseUse, _rest: string, { body, caller, signal }: Asking): Promise<Reply> {
  const target = parseRefresh((await body(maxRefreshBytes)).toString("utf8"));
  const options = { hops: "", caller, signal };
  if (target.kind === "list") {
    const versions = await again.list(target.path, options);
    return json(200, { refreshed: target.path, versions: versions.length });
  }
  const { bytes } = await again.info(target, options);
  return json(200, {
    refreshed: `${target.path}@${target.query}`,
    info: JSON.parse(Buffer.from(bytes).toString()) as unknown,
  });
}

/** 202: fetching goes on behind. 200: nothing is left to do. */
function delivery(forge: Forge): Route["answer"] {
  return async ({ webhooks }, _rest, { headers, body, isConfidential }) => {
    const delivered = await webhooks.deliver(forge, { headers, body, isConfidential });
    return json(delivered.outcome === "accepted" ? 202 : 200, delivered);
  };
}

/** @param rest how many: `100` */
function top(use: HouseUse, rest: string): Reply {
  const limit = /^[1-9]\d{0,3}$/.test(rest) ? Number(rest) : 0;
  if (limit < 1 || limit > maxTopListed)
    throw new GranaryError("GRANARY_BAD_REQUEST", {
      target: `/-/api/top/${rest}`,
      reason: `not a number from 1 to ${maxTopListed}`,
    });
  return json(200, { top: use.top.list(limit) });
}

/** @param rest `NAME/probe`, `NAME/disable`, `NAME/enable`, or `probe` for all */
async function turnUpstream({ upstreams }: HouseUse, rest: string, { by, signal }: Asking): Promise<Reply> {
  if (rest === "probe") return json(200, { probes: await upstreams.probe(undefined, signal) });
  const { name: asked, verb } = split(rest);
  if (verb !== "probe" && verb !== "disable" && verb !== "enable") throw noRoute("upstreams", rest);
  const names = upstreams.list().map(({ name }) => name);
  const name = names.find((known) => known === asked || wireName(known) === asked);
  if (name === undefined) throw noSuch("upstream", asked, names);
  if (verb === "probe") return json(200, { probes: await upstreams.probe(name, signal) });
  await upstreams[verb](name, by);
  return json(200, { upstreams: upstreams.list().filter((upstream) => upstream.name === name) });
}

/** @param rest `ID/retry` or `ID/drop` */
async function turnJob({ jobs }: HouseUse, rest: string): Promise<Reply> {
  const { name: id, verb } = split(rest);
  if (verb !== "retry" && verb !== "drop") throw noRoute("jobs", rest);
  if (!(await jobs[verb](id))) throw noSuch("job", id, []);
  return json(200, { [verb === "retry" ? "retried" : "dropped"]: id });
}

async function takeHeads({ heads }: HouseUse, _rest: string, { body }: Asking): Promise<Reply> {
  return json(200, { heads: await heads(parseOffer((await body(maxOfferBytes)).toString("utf8"))) });
}

async function bodyOf(
  request: Request,
  how: {
    readonly target: string;
    readonly maxBytes: number;
    readonly came: ((bytes: number) => void) | undefined;
  },
): Promise<Buffer> {
  const { target, maxBytes, came } = how;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    size += piece.length;
    came?.(piece.length);
    if (size > maxBytes)
      throw new GranaryError("GRANARY_BAD_REQUEST", { target, reason: `the body is longer than ${maxBytes} bytes` });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function split(rest: string): { readonly name: string; readonly verb: string } {
  const cut = rest.lastIndexOf("/");
  return { name: rest.slice(0, Math.max(cut, 0)), verb: rest.slice(cut + 1) };
}

function noRoute(what: "upstreams" | "jobs", rest: string): GranaryError {
  return new GranaryError("GRANARY_NO_ROUTE", { target: `/-/api/${what}/${rest}` });
}

function noSuch(kind: "upstream" | "job", id: string, known: readonly string[]): GranaryError {
  const guess = nearest(id, known);
  return new GranaryError("GRANARY_NO_SUCH_ID", { kind, id, ...(guess !== undefined && { nearest: guess }) });
}

function text(status: number, body: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body };
}

function json(status: number, value: unknown): Reply {
  return { status, type: "application/json", body: `${JSON.stringify(value, null, 1)}\n` };
}

/** Throws GRANARY_BAD_REQUEST. */
function modulePath(text: string): string {
  try {
    return text.includes("!") ? unescapePath(text) : parsePath(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_BAD_REQUEST", { target: text, reason: error.message }, { cause: error });
  }
}
