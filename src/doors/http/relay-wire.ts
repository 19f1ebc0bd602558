// What a worker and the owner of the store tell each other beside the request and the answer: two headers that exist
// only on the private socket between them.
//
//   request   X-Granary-Relay: <key> <client address> tls|plain
//   answer    X-Granary-Reuse: <milliseconds> <kind> <outcome> <module path>

import { createHash, timingSafeEqual } from "node:crypto";
import type { ClientFacts } from "./caller.ts";
import type { HotEntry } from "./hot.ts";

export const relayHeader = "x-granary-relay";
export const reuseHeader = "x-granary-reuse";

/** How long a worker may answer with the same bytes, how such an answer is counted, and whose refresh ends it. */
export type Reuse = {
  /** `forever` for committed bytes. */
  readonly ms: number;
  readonly kind: string;
  readonly outcome: string;
  /** Module path; empty when no module is meant. */
  readonly path: string;
};

export function formatClient(key: string, { address, secure }: ClientFacts): string {
  return `${key} ${address === "" ? "-" : address} ${secure ? "tls" : "plain"}`;
}

/** The client that a holder of `key` speaks for; undefined for anybody else. */
export function parseClient(text: string | undefined, key: string): ClientFacts | undefined {
  const [said = "", address = "", transport = ""] = (text ?? "").split(" ");
  if (!isSame(said, key) || (transport !== "tls" && transport !== "plain")) return undefined;
  return { address: address === "-" ? "" : address, secure: transport === "tls" };
}

/** Equal in constant time; digests, because the texts may differ in length. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** @param now milliseconds since the Unix epoch */
export function formatReuse({ untilMs, count, path }: HotEntry, now: number): string {
  return `${untilMs === Number.MAX_SAFE_INTEGER ? untilMs : untilMs - now} ${count.kind} ${count.outcome} ${path}`;
}

export function parseReuse(text: string): Reuse | undefined {
  const [ms = "", kind = "", outcome = "", path = ""] = text.split(" ");
  if (!/^\d{1,16}$/.test(ms) || kind === "" || outcome === "") return undefined;
  return { ms: Number(ms), kind, outcome, path };
}
