// The chain: a GOPROXY list joined with what the operator says of each upstream. Pure; built once per configuration.

import { ProtocolError } from "#protocol/errors.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { UpstreamEndpoint } from "./ports.ts";

export type Upstream = UpstreamEndpoint & {
  /** `direct`: the modules' own repositories, read by the go command. Its health is that of many hosts: nobody counts it. */
  readonly kind: "http" | "file" | "direct";
  /** What stands after the entry: mode `go` moves on after "," only when absent, after "|" on any error. */
  readonly separator: "," | "|" | "";
  /** Its 404 is final (mode `resilient`). */
  readonly authoritative: boolean;
  /** Statuses that mean absence here (mode `resilient`); 404 and 410 always among them. */
  readonly absentStatuses: readonly number[];
  /** GOPRIVATE globs: private modules it may be asked for. */
  readonly privatePatterns: string;
  /** True when it may see no private name at all. */
  readonly public: boolean;
  /** Asked about the modules of its private patterns and nothing else. */
  readonly privateOnly?: boolean;
  /** Its level: upstreams of a lower number are asked before. */
  readonly priority: number;
  /** Its share among those of its level; the configured order without it. */
  readonly weight?: number;
  readonly region?: string;
  /** Share of modules for which it is asked first, 0 to 1; the others ask it last. */
  readonly canary?: number;
  /** What it does not have is no statement about what we once kept of it. */
  readonly rollback: boolean;
  /** Requests a second it is sent at most. */
  readonly perSecond?: number;
  /** Silence after which the next one is asked as well, in milliseconds, instead of the common setting. */
  readonly silenceMs?: number;
  /** A Granary that this one is an edge of: what it gave is shown to it again when its lifetime is over. */
  readonly isOrigin?: boolean;
};

/** One that stands in no chain and is asked for nothing: events and manifests name it. */
export function upstreamInName(name: string, url: string): Upstream {
  return {
    name,
    url,
    redirectCidrs: [],
    kind: "file",
    separator: "",
    authoritative: false,
    absentStatuses: [],
    privatePatterns: "",
    public: false,
    priority: 1,
    rollback: false,
  };
}

/** What the operator (or a preset) says of an upstream; everything but the URL may be left out. */
export type UpstreamDetails = {
  readonly url: string;
  readonly name?: string;
  readonly authoritative?: boolean;
  readonly absent?: readonly number[];
  readonly private?: string;
  readonly redirectCidrs?: readonly string[];
  readonly priority?: number;
  readonly weight?: number;
  readonly region?: string;
  readonly notFound?: "return404" | "tryNext" | "rollback";
  /** Shares, 0 to 1. */
  readonly shadow?: number;
  readonly canary?: number;
  readonly perSecond?: number;
  readonly silenceMs?: number;
  readonly origin?: boolean;
};

/** An upstream that is asked as well, for a share of what was kept, only to compare hashes. */
export type Shadow = { readonly upstream: Upstream; readonly share: number };

export type Chain = {
  readonly upstreams: readonly Upstream[];
  readonly shadows?: readonly Shadow[];
  /** Configured, and not asked by an operator's word: that they say nothing says nothing. */
  readonly disabled?: readonly Upstream[];
  /** The list ended in `direct`, which nobody had configured here, and which left the chain. */
  readonly hadDirect: boolean;
  /** The list ended in `off`. */
  readonly hadOff: boolean;
  /** Names of the entries that are this server itself and left the chain. */
  readonly own: readonly string[];
};

export type ChainOptions = {
  readonly details?: readonly UpstreamDetails[];
  /** Where this server listens, `HOST:PORT` with the real port. */
  readonly listening?: readonly string[];
  readonly direct?: DirectOptions;
};

export type DirectOptions = {
  /** GOPRIVATE globs of modules that are built from their repositories; "" for none. */
  readonly modules: string;
  /** `direct` in the list is the operator's word: whatever no entry before it has is built as well. */
  readonly isInList: boolean;
  /** Silence of one question, in milliseconds: a child that is still at work has said nothing yet. */
  readonly silenceMs: number;
};

/** The endpoint of `direct`; its host and path are those of each module. */
export const directUrl = "direct:";

const alwaysAbsent: readonly number[] = [404, 410];

type UrlEntry = Extract<ProxyEntry, { readonly kind: "url" }>;

/** Builds the chain of a parsed list. Throws BAD_PROXY_LIST for a URL that cannot be requested. */
export function buildChain(list: readonly ProxyEntry[], options: ChainOptions = {}): Chain {
  const upstreams: Upstream[] = [];
  const shadows: Shadow[] = [];
  const own: string[] = [];
  for (const entry of list) {
    if (entry.kind !== "url") continue;
    const upstream = describe(entry, options.details ?? [], upstreams);
    const share = detailsOf(upstream.url, options.details ?? [])?.shadow;
    if (upstream.kind === "http" && isOwn(upstream.url, options.listening ?? [])) own.push(upstream.name);
    else if (share !== undefined) shadows.push({ upstream, share });
    else upstreams.push(upstream);
  }
  const ends = (kind: string): boolean => list.some((entry) => entry.kind === kind);
  const direct = options.direct && directUpstream(options.direct, ends("direct"));
  if (direct !== undefined) upstreams.push(direct);
  const hadDirect = ends("direct") && options.direct?.isInList !== true;
  return { upstreams, shadows, hadDirect, hadOff: ends("off"), own };
}

/** The last of the chain, as in Go: nothing may follow `direct`. Its 404 is final, for it asks the source. */
function directUpstream({ modules, isInList, silenceMs }: DirectOptions, isListed: boolean): Upstream | undefined {
  const isForAll = isInList && isListed;
  if (modules === "" && !isForAll) return undefined;
  return {
    name: "direct",
    url: directUrl,
    redirectCidrs: [],
    kind: "direct",
    separator: "",
    authoritative: true,
    absentStatuses: alwaysAbsent,
    privatePatterns: modules,
    public: modules === "",
    privateOnly: !isForAll,
    priority: lastPriority,
    rollback: false,
    silenceMs,
  };
}

/** Beyond what an operator can give to others: a repository is asked when no proxy has it. */
const lastPriority = 100;

function describe(entry: UrlEntry, details: readonly UpstreamDetails[], taken: readonly Upstream[]): Upstream {
  // Go takes hosts that no URL can carry (`goproxy.cn，direct` with a full-width comma) and fails at the first request.
  if (!URL.canParse(entry.url))
    throw new ProtocolError("BAD_PROXY_LIST", "a proxy URL with an impossible host or port");
  const url = new URL(entry.url);
  const known = detailsOf(entry.url, details);
  const privatePatterns = known?.private ?? "";
  return {
    name: uniqueName(known?.name ?? defaultName(url), entry.url, taken),
    url: entry.url,
    redirectCidrs: known?.redirectCidrs ?? [],
    kind: url.protocol === "file:" ? "file" : "http",
    separator: entry.separator,
    authoritative: known?.notFound === undefined ? (known?.authoritative ?? false) : known.notFound === "return404",
    absentStatuses: [...new Set([...alwaysAbsent, ...(known?.absent ?? [])])],
    privatePatterns,
    public: privatePatterns === "",
    priority: known?.priority ?? 1,
    rollback: known?.notFound === "rollback",
    ...(known?.weight !== undefined && { weight: known.weight }),
    ...(known?.region !== undefined && { region: known.region }),
    ...(known?.canary !== undefined && { canary: known.canary }),
    ...(known?.perSecond !== undefined && { perSecond: known.perSecond }),
    ...(known?.silenceMs !== undefined && { silenceMs: known.silenceMs }),
    ...(known?.origin === true && { isOrigin: true }),
  };
}

function detailsOf(entry: string, details: readonly UpstreamDetails[]): UpstreamDetails | undefined {
  const url = plainUrl(new URL(entry));
  return details.find((detail) => URL.canParse(detail.url) && plainUrl(new URL(detail.url)) === url);
}

/** The URL without userinfo, query and trailing slashes: what makes two entries the same upstream. */
function plainUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

function defaultName(url: URL): string {
  const path = url.pathname.replace(/\/+$/, "");
  return url.protocol === "file:" ? `file://${path}` : url.host + path;
}

/** Health and metrics are kept by name, so two upstreams never share one. */
function uniqueName(name: string, url: string, taken: readonly Upstream[]): string {
  const clashes = (candidate: string): boolean => taken.some((other) => other.name === candidate && other.url !== url);
  let unique = name;
  for (let n = 2; clashes(unique); n++) unique = `${name}#${n}`;
  return unique;
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const wildcard = /^(0\.0\.0\.0|\[::\])$/;

/** True when the URL is one of our own listeners, also by another name of the loopback. */
function isOwn(text: string, listening: readonly string[]): boolean {
  const url = new URL(text);
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return listening.some((address) => {
    const cut = address.lastIndexOf(":");
    const host = address.slice(0, cut).toLowerCase();
    if (address.slice(cut + 1) !== port) return false;
    if (host === url.hostname) return true;
    return (loopback.test(host) || wildcard.test(host)) && (loopback.test(url.hostname) || wildcard.test(url.hostname));
  });
}
