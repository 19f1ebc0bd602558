// The hot path: a request whose answer lies ready, and nothing about the request that would change it.

import type { Top } from "#services/proxy/top.ts";
import type { Uses } from "#services/tending/uses.ts";
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
  /** Learns when a version was used. */
  readonly uses?: Pick<Uses, "asked">;
  /** The askers are workers of this server: they are told how long they may reuse an answer. */
  readonly tellsReuse?: boolean;
};

/** `path@version` of the zip or go.mod that an answer is. */
export type Counted = { readonly zip?: string | undefined; readonly mod?: string | undefined };

/** An answered request for a zip or a go.mod is a use of its version. */
export function countUse({ top, uses }: Pick<ReadyMadeUse, "top" | "uses">, { zip, mod }: Counted): void {
  if (mod !== undefined) uses?.asked(mod, 0, 1);
  if (zip === undefined) return;
  uses?.asked(zip, 1, 0);
  top?.asked(zip);
}

/** Answers and counts the request when its answer lies ready; false: it is the caller's. */
export function answerReadyMade(use: ReadyMadeUse, request: Request, response: Response): boolean {
  const url = request.url ?? "";
  const entry = use.hot.get(url) ?? use.absent.get(url);
  if (entry === undefined || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const now = use.clock.now();
  if (now >= entry.untilMs || !isPlain(request.rawHeaders)) return false;
  entry.count.n++;
  if (request.method === "GET") countUse(use, entry);
  const head = use.tellsReuse === true ? [...entry.head, reuseHeader, formatReuse(entry, now)] : entry.head;
  // Node sends no body in answer to HEAD.
  response.writeHead(entry.status, head).end(entry.body, "latin1");
  return true;
}

/** True when a client's Cache-Control asks past what is remembered. */
export function asksAnew(control: string | undefined): boolean {
  return control !== undefined && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(control);
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
        if (/^cache-control$/i.test(name) && asksAnew(raw[at + 1])) return false;
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
