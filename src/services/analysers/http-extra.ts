// Requests that go would not make: one more by another name to a host that refused go, one more list where the first is
// empty. They tell causes apart, and there are few of them.

import { maxInfoBytes, maxListBytes, parseList } from "#protocol/info.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { formatTarget } from "#protocol/request.ts";
import { sortVersions } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { bodyOf, urlBelow } from "./http-chain.ts";
import type { Fetch } from "./http-fetch.ts";
import { browserLikeUserAgent } from "./http-go.ts";
import { hostOf, isHtml, lastExchange, outcomeOf } from "./http-outcome.ts";
import type { HttpAsk } from "./http-ports.ts";
import type { Extra, Step } from "./http-simulation.ts";

export type LookFurtherUse = {
  readonly id: ModuleVersion;
  readonly entries: readonly ProxyEntry[];
  /** By go's name without one. */
  readonly fetch: (url: string, maxBytes: number, userAgent?: HttpAsk["userAgent"]) => Promise<Fetch>;
  /** Our own version. */
  readonly version: string;
};

export async function lookFurther(steps: readonly Step[], use: LookFurtherUse): Promise<Extra> {
  return { letsOthersIn: await tryOtherNames(steps, use), knownVersion: await knownVersion(steps, use) };
}

/** Each host that refused go is asked once more by another name: a filter shows. */
async function tryOtherNames(steps: readonly Step[], use: LookFurtherUse): Promise<ReadonlyMap<string, boolean>> {
  const letsIn = new Map<string, boolean>();
  for (const { fetch } of steps.flatMap(({ walk }) => walk.tries)) {
    const refused = lastExchange(fetch);
    if (refused === undefined || !looksFiltered(fetch) || letsIn.has(hostOf(refused.url))) continue;
    const again = await use.fetch(refused.url, maxInfoBytes, browserLikeUserAgent(use.version));
    const isLetIn = outcomeOf(again) === "ok" && !isPage(again);
    // A server that fails now and then is no filter: go must be refused again.
    const isFilter = isLetIn && outcomeOf(await use.fetch(refused.url, maxInfoBytes)) !== "ok";
    letsIn.set(hostOf(refused.url), isFilter);
  }
  return letsIn;
}

/** Answers that are about what was asked, not about who asks. */
const notOfNames: ReadonlySet<number> = new Set([401, 404, 407, 410, 429, 500]);

/** A refusal that a client's name may have brought about. */
function looksFiltered({ end }: Fetch): boolean {
  if (end.kind === "fault") return end.fault.kind === "reset" && end.fault.during === "answer";
  return end.kind === "answer" && end.status >= 400 && !notOfNames.has(end.status);
}

/** When the list is empty: a version that exists all the same, "" for none known. */
async function knownVersion(steps: readonly Step[], use: LookFurtherUse): Promise<string> {
  const list = steps.find(({ name }) => name === "list")?.walk;
  const body = list && bodyOf(list);
  const asked = list?.tries.at(-1);
  if (body === undefined || asked === undefined || isPage(asked.fetch) || parseList(body).length > 0) return "";
  const info = steps.find(({ name }) => name === "info")?.walk;
  if (info?.end === "ok" && !isPseudoVersion(use.id.version)) return use.id.version;
  return await listedElsewhere(asked.hop, use);
}

/** @param hop whose list is empty */
async function listedElsewhere(hop: number, { id, entries, fetch }: LookFurtherUse): Promise<string> {
  const next = entries.slice(hop).find((entry) => entry.kind === "url");
  if (next === undefined) return "";
  const target = formatTarget({ kind: "list", path: id.path, cachedOnly: false });
  const { end } = await fetch(urlBelow(next.url, target), maxListBytes);
  if (end.kind !== "answer" || end.status !== 200 || isHtml(end.exchange)) return "";
  return sortVersions(parseList(end.exchange.body)).at(-1) ?? "";
}

function isPage(fetch: Fetch): boolean {
  const last = lastExchange(fetch);
  return last !== undefined && isHtml(last);
}
