// One process's way to the upstreams: requests with virtual latency, and all that can go wrong with an answer.
import { parseTarget } from "#protocol/request.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import type { FaultReason, UpstreamClient, UpstreamEndpoint, UpstreamRequest } from "#services/upstreams/ports.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { databaseName } from "../support/world.ts";
import { catalogue, sha256 } from "./catalogue.ts";
import type { Entry } from "./catalogue.ts";
import type { Chance } from "./chance.ts";
import type { LifeLine } from "./life-line.ts";
import type { Mirror, Mirrors, Trouble } from "./mirrors.ts";

export type SimClientUse = {
  readonly mirrors: Mirrors;
  readonly life: LifeLine;
  readonly chance: Chance;
  readonly tell: (what: string) => void;
};

type Found = {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
};

/** As long as the real client waits for a header, and for the next piece of a body. */
const silentMs = 20_000;
const chunkBytes = 24_000;
const troubleShare = 0.6;

export class SimClient implements UpstreamClient {
  readonly #use: SimClientUse;
  #requests = 0;

  constructor(use: SimClientUse) {
    this.#use = use;
  }

  async get(endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    const { name } = endpoint;
    const { tell, mirrors, chance } = this.#use;
    const number = ++this.#requests;
    const mirror = mirrors.all.find((each) => each.name === name);
    const trouble = (): Trouble | undefined => (mirror ?? mirrors.databaseTrouble).trouble;
    await this.#wait(name, trouble() === "slow" ? chance.between(800, 9_000) : chance.skewed(4, 400), request.signal);
    if (trouble() === "refused") throw this.#fault(name, "refused", request.path);
    if (trouble() === "silent") await this.#keepSilent(name, request.signal);
    const answer = await this.#answer(mirror, request);
    const spoilt = this.#spoil(answer, trouble(), request.path);
    tell(`net ${name} ${request.method ?? "GET"} ${request.path}: ${spoilt.status}`);
    const { status, body } = spoilt;
    const headers = { "content-length": String(body.length), ...spoilt.headers };
    const how = { number, trouble, maxBytes: request.maxBytes, signal: request.signal };
    return {
      status,
      headers,
      url: endpoint.url + request.path,
      body: this.#body(name, body, how),
      cancel: () => undefined,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async *#body(
    name: string,
    body: Uint8Array,
    how: { readonly trouble: () => Trouble | undefined; readonly maxBytes: number; readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const { chance } = this.#use;
    if (body.length > how.maxBytes) throw new UpstreamFault(name, "too-large", "larger than allowed");
    const breaksAt =
      how.trouble() === "truncated" && chance.is(troubleShare) ? chance.below(body.length + 1) : Infinity;
    for (let at = 0; at < body.length; at += chunkBytes) {
      await this.#wait(
        name,
        how.trouble() === "slow" ? chance.between(100, 3_000) : chance.skewed(0.5, 60),
        how.signal,
      );
      if (how.trouble() === "silent") await this.#keepSilent(name, how.signal);
      if (how.trouble() === "refused") throw this.#fault(name, "reset", "under way");
      const end = Math.min(at + chunkBytes, body.length, breaksAt);
      if (end > at) yield body.subarray(at, end);
      if (end === breaksAt) throw this.#fault(name, "truncated", `after ${end} bytes`);
    }
  }

  async #keepSilent(name: string, signal: AbortSignal): Promise<void> {
    await this.#wait(name, silentMs, signal);
    throw this.#fault(name, "timeout", "silent");
  }

  async #wait(name: string, ms: number, signal: AbortSignal): Promise<void> {
    await this.#use.life.pauseUnless(signal, ms).catch(() => {
      throw new UpstreamFault(name, "aborted", "given up");
    });
  }

  #fault(name: string, reason: FaultReason, what: string): UpstreamFault {
    this.#use.tell(`net ${name} ${reason}: ${what}`);
    return new UpstreamFault(name, reason, what);
  }

  async #answer(mirror: Mirror | undefined, request: UpstreamRequest): Promise<Found> {
    const { mirrors } = this.#use;
    if (request.method === "HEAD") return { status: 200, body: nothing };
    const tunnel = `/sumdb/${databaseName}`;
    if (mirror === undefined) return await this.#database(request.path);
    if (request.path.startsWith(`${tunnel}/`)) {
      if (!mirror.hasTunnel) return notFound;
      const isOut = mirrors.databaseTrouble.trouble === "refused" || mirrors.databaseTrouble.trouble === "silent";
      return isOut ? badGateway : await this.#database(request.path.slice(tunnel.length));
    }
    const target = parseTarget(request.path);
    if (!("path" in target) || target.kind === "house" || target.kind === "sum" || target.kind === "chunks")
      return notFound;
    const found = this.#file(mirror, target);
    return found === undefined ? notFound : ranged(found, request, `"${mirror.name}-${sha256(found).slice(0, 12)}"`);
  }

  async #database(path: string): Promise<Found> {
    const { status, bytes } = await this.#use.mirrors.database.answer(path);
    return { status, body: bytes };
  }

  #file(mirror: Mirror, target: ModuleTarget): Uint8Array | undefined {
    const there = catalogue.filter(
      (entry) => entry.id.path === target.path && mirror.has(entry, this.#use.life.time.nowMs),
    );
    switch (target.kind) {
      case "list":
        return there.length === 0
          ? undefined
          : Buffer.from(there.map(({ id, isListed }) => (isListed ? `${id.version}\n` : "")).join(""));
      case "latest":
        return there.at(-1)?.infos[mirror.infoKind];
      case "info":
      case "mod":
      case "zip": {
        const entry = there.find(({ id }) => id.version === target.version);
        if (entry === undefined) return undefined;
        return target.kind === "info" ? entry.infos[mirror.infoKind] : this.#fileOf(mirror, entry, target.kind);
      }
    }
  }

  #fileOf(mirror: Mirror, entry: Entry, kind: "mod" | "zip"): Uint8Array {
    const isLie = mirror.trouble === "wrong" && this.#use.chance.is(0.5);
    return isLie ? entry.lie[kind] : entry[kind];
  }

  #spoil(found: Found, trouble: Trouble | undefined, path: string): Found {
    const { chance } = this.#use;
    if (trouble === undefined || !chance.is(troubleShare)) return found;
    switch (trouble) {
      case "errors":
        return { status: chance.pick([500, 502, 503, 504]), body: Buffer.from("out of order\n") };
      case "busy":
        return { status: 429, body: nothing, headers: { "retry-after": String(1 + chance.below(20)) } };
      case "page":
        return { status: 200, body: page, headers: { "content-type": "text/html" } };
      case "forgetful":
        return notFound;
      case "wrong":
        // Nothing proves a list or the time in an .info, so that a lie there would be nobody's to find.
        return /(\/list|\.info|\/@latest)$/.test(path) ? found : { ...found, body: flipped(found.body, chance) };
      case "refused":
      case "silent":
      case "slow":
      case "truncated":
        return found;
    }
  }
}

const nothing = new Uint8Array();
const page = Buffer.from("<html>please log in</html>");
const notFound: Found = { status: 404, body: Buffer.from("not found\n") };
const badGateway: Found = { status: 502, body: Buffer.from("bad gateway\n") };

function flipped(bytes: Uint8Array, chance: Chance): Uint8Array {
  const copy = new Uint8Array(bytes);
  if (copy.length === 0 || chance.is(0.5)) return copy;
  const at = chance.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
  return copy;
}

function ranged(body: Uint8Array, { headers }: UpstreamRequest, etag: string): Found {
  if (headers?.["if-none-match"] === etag) return { status: 304, body: nothing, headers: { etag } };
  const [, from] = /^bytes=(\d+)-$/.exec(headers?.["range"] ?? "") ?? [];
  const isSame = headers?.["if-range"] === undefined || headers["if-range"] === etag;
  if (from === undefined || !isSame || Number(from) >= body.length) return { status: 200, body, headers: { etag } };
  const range = `bytes ${from}-${body.length - 1}/${body.length}`;
  return { status: 206, body: body.subarray(Number(from)), headers: { etag, "content-range": range } };
}
