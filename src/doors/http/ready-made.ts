// The hot path: a request whose answer lies ready, and nothing about the request that would change it.

import type { Top } from "#services/proxy/top.ts";
import type { Clock } from "#services/store/ports.ts";
import type { HotCache } from "./hot.ts";
import { formatReuse, reuseHeader } from "./relay-wire.ts";
import type { Request, Response } from "./send.ts";

export type ReadyMadeUse = {
  readonly hot: HotCache;
  /** Ready-made 404 answers, apart from the good ones so that a flood of unknown paths cannot push these out. */
  readonly absent: HotCache;
  readonly clock: Clock;
  /** Counts zips; a worker has none. */
  readonly top?: Top;
  /** The askers are workers of this server: they are told how long they may reuse an answer. */
  readonly tellsReuse?: boolean;
};

/** Answers and counts the request when its answer lies ready; false: it is the caller's. */
export function answerReadyMade(use: ReadyMadeUse, request: Request, response: Response): boolean {
  const url = request.url ?? "";
  const entry = use.hot.get(url) ?? use.absent.get(url);
  if (entry === undefined || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const now = use.clock.now();
  if (now >= entry.untilMs || !isPlain(request.rawHeaders)) return false;
  entry.count.n++;
  if (entry.zip !== undefined && request.method === "GET") use.top?.asked(entry.zip);
  const head = use.tellsReuse === true ? [...entry.head, reuseHeader, formatReuse(entry, now)] : entry.head;
  // Node sends no body in answer to HEAD.
  response.writeHead(entry.status, head).end(entry.body, "latin1");
  return true;
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
      case 7:
        if (/^upgrade$/i.test(name)) return false;
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
