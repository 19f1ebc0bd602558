// What a mirror can do today, from small requests for a module that everybody has. Its go.mod and zip are held against
// hashes that never change, so that no database is needed.

import { equalHash, hashGoMod } from "#protocol/dirhash.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxInfoBytes, maxListBytes, parseList } from "#protocol/info.ts";
import { sumdbName } from "#protocol/official.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { urlBelow } from "#services/analysers/http-chain.ts";
import { fetchAsGo } from "#services/analysers/http-fetch.ts";
import type { Fetch } from "#services/analysers/http-fetch.ts";
import { ownUserAgent } from "#services/analysers/http-go.ts";
import { isHtml, lastExchange, outcomeOf } from "#services/analysers/http-outcome.ts";
import type { HttpProber } from "#services/analysers/http-ports.ts";
import type { Ability, Known } from "./registry.ts";

export type ProbeUse = {
  readonly prober: HttpProber;
  /** Our own version. */
  readonly version: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
};

export type MirrorProbe = {
  readonly abilities: Readonly<Record<Ability, Known>>;
  /** Whether go.mod and zip are what the whole world has; `unknown` when they did not come. */
  readonly identity: "same" | "other" | "unknown";
  /** Of .info; undefined when it did not come. */
  readonly firstByteMs: number | undefined;
  /** Why nothing is known, `dns` or `403`; undefined when it answered .info. */
  readonly failure: string | undefined;
  /** It asked to be left alone. */
  readonly isBusy: boolean;
};

/** In go's own tutorials since 2018, 3 kB, and in every mirror. Its hashes stand in countless go.sum files. */
const wellKnown = {
  path: "rsc.io/quote",
  version: "v1.5.2",
  zip: "h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=",
  mod: "h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=",
} as const;
const at = `/${wellKnown.path}/@v/${wellKnown.version}`;
/** The oldest toolchain that is a module. */
const toolchain = "/golang.org/toolchain/@v/v0.0.1-go1.21.0.linux-amd64.info";

/** The zip has 3 kB; a mirror that sends more sends something else. */
const maxZipBytes = 1 << 20;
const defaultTimeoutMs = 10_000;

/** Seven small GETs, one after the other. Throws the signal's reason. */
export async function probeMirror(url: string, use: ProbeUse): Promise<MirrorProbe> {
  const asker = new Asker(url, use);
  const info = await asker.ask(`${at}.info`, maxInfoBytes);
  const abilities: Record<Ability, Known> = {
    list: "unknown",
    latest: "unknown",
    zip: "unknown",
    sumdb: "unknown",
    toolchain: "unknown",
  };
  const last = lastExchange(info);
  if (outcomeOf(info) !== "ok" || (last !== undefined && isHtml(last))) {
    const failure = last !== undefined && last.status === 200 ? "HTML" : failureOf(info);
    return { abilities, identity: "unknown", firstByteMs: undefined, failure, isBusy: asker.isBusy };
  }
  const list = bytesOf(await asker.ask("/rsc.io/quote/@v/list", maxListBytes));
  abilities.list = asker.known(list !== undefined && parseList(list).length > 0);
  abilities.latest = asker.known(bytesOf(await asker.ask("/rsc.io/quote/@latest", maxInfoBytes)) !== undefined);
  const mod = bytesOf(await asker.ask(`${at}.mod`, maxGoModBytes));
  const zip = bytesOf(await asker.ask(`${at}.zip`, maxZipBytes));
  abilities.zip = asker.known(zip !== undefined);
  abilities.sumdb = asker.known(bytesOf(await asker.ask(`/sumdb/${sumdbName}/supported`, maxInfoBytes)) !== undefined);
  abilities.toolchain = asker.known(bytesOf(await asker.ask(toolchain, maxInfoBytes)) !== undefined);
  return {
    abilities,
    identity: identityOf(mod, zip),
    firstByteMs: last?.phases.firstByteMs,
    failure: undefined,
    isBusy: asker.isBusy,
  };
}

function identityOf(mod: Uint8Array | undefined, zip: Uint8Array | undefined): MirrorProbe["identity"] {
  const isModOther = mod !== undefined && !equalHash(hashGoMod(mod), wellKnown.mod);
  const isZipOther = zip !== undefined && !equalHash(checkModuleZip(bytesSource(zip), wellKnown).h1, wellKnown.zip);
  if (isModOther || isZipOther) return "other";
  return mod === undefined || zip === undefined ? "unknown" : "same";
}

/** Asks one mirror, until it asks to be left alone. */
class Asker {
  readonly #url: string;
  readonly #use: ProbeUse;
  isBusy = false;

  constructor(url: string, use: ProbeUse) {
    this.#url = url;
    this.#use = use;
  }

  async ask(target: string, maxBytes: number): Promise<Fetch> {
    if (this.isBusy) return unasked;
    const { prober, version, signal, timeoutMs = defaultTimeoutMs } = this.#use;
    const ask = { prober, signal, timeoutMs, maxBytes, route: "usual", userAgent: ownUserAgent(version) } as const;
    const fetched = await fetchAsGo(urlBelow(this.#url, target), ask);
    const { end } = fetched;
    if (end.kind === "answer" && (end.status === 429 || end.exchange.headers["retry-after"] !== undefined))
      this.isBusy = end.status !== 200;
    return fetched;
  }

  known(isThere: boolean): Known {
    return isThere ? "yes" : this.isBusy ? "unknown" : "no";
  }
}

const unasked: Fetch = { exchanges: [], end: { kind: "refused", why: "no-location", text: "" } };

function bytesOf({ end }: Fetch): Uint8Array | undefined {
  return end.kind === "answer" && end.status === 200 && !isHtml(end.exchange) ? end.exchange.body : undefined;
}

function failureOf({ end }: Fetch): string {
  if (end.kind === "answer") return String(end.status);
  return end.kind === "fault" ? end.fault.kind : end.why;
}
