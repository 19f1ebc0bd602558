// One operation of go along its GOPROXY list: each entry is asked until one answers; the separator after an entry says
// which failures lead on. Source: cmd/go modfetch.TryProxies; protocol reference §2.6.

import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { Fetch } from "./http-fetch.ts";
import { outcomeOf } from "./http-outcome.ts";
import type { Outcome } from "./http-outcome.ts";

export type Try = {
  /** From 1, as the entry stands in the list. */
  readonly hop: number;
  /** The entry's URL. */
  readonly base: string;
  readonly fetch: Fetch;
  readonly outcome: Outcome;
  /** An answer of 200 that go cannot use counts as an error; why. */
  readonly unusable: string | undefined;
};

export type Walk = {
  readonly tries: readonly Try[];
  /**
   * `ok`: the last try has it. `stopped`: the last try failed, and go asks nobody else. `absent`: all said so.
   * `direct`, `off`: the end of the list was reached.
   */
  readonly end: "ok" | "stopped" | "absent" | "direct" | "off";
};

export type WalkUse = {
  readonly entries: readonly ProxyEntry[];
  readonly fetch: (url: string) => Promise<Fetch>;
  /** Why a 200 cannot be used; where go finds out before it leaves the list. */
  readonly check?: (body: Uint8Array) => Promise<string | undefined>;
};

/** @param target as `formatTarget` has it */
export async function walkEntries(target: string, { entries, fetch, check }: WalkUse): Promise<Walk> {
  const tries: Try[] = [];
  let isFailed = false;
  for (const [at, entry] of entries.entries()) {
    if (entry.kind !== "url") return { tries, end: entry.kind };
    const one = await tryEntry(urlBelow(entry.url, target), { hop: at + 1, base: entry.url, fetch, check });
    tries.push(one);
    if (one.outcome === "ok") return { tries, end: "ok" };
    isFailed ||= one.outcome === "error";
    if (one.outcome === "error" && entry.separator !== "|") return { tries, end: "stopped" };
  }
  return { tries, end: isFailed ? "stopped" : "absent" };
}

async function tryEntry(
  url: string,
  {
    hop,
    base,
    fetch,
    check,
  }: Pick<Try, "hop" | "base"> & Pick<WalkUse, "fetch"> & { readonly check: WalkUse["check"] },
): Promise<Try> {
  const fetched = await fetch(url);
  const outcome = outcomeOf(fetched);
  const body = outcome === "ok" && fetched.end.kind === "answer" ? fetched.end.exchange.body : undefined;
  const unusable = body === undefined ? undefined : await check?.(body);
  return { hop, base, fetch: fetched, outcome: unusable === undefined ? outcome : "error", unusable };
}

/** A target below a base URL; a query of the base goes with every request. */
export function urlBelow(base: string, target: string): string {
  const at = base.search(/[?#]|$/);
  return base.slice(0, at).replace(/\/+$/, "") + target + base.slice(at);
}

/** The body that the walk ended with. */
export function bodyOf({ tries, end }: Walk): Uint8Array | undefined {
  const fetched = tries.at(-1)?.fetch.end;
  return end === "ok" && fetched?.kind === "answer" ? fetched.exchange.body : undefined;
}
