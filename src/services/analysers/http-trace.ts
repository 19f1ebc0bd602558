// One URL, hop by hop: what each phase took, where redirects led, and which phase took most. Directly, through the
// egress proxy, or both side by side.

import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import { readCacheHeaders } from "./http-cache.ts";
import type { CacheReading } from "./http-cache.ts";
import { failure } from "./http-causes.ts";
import { fetchAsGo } from "./http-fetch.ts";
import type { Fetch } from "./http-fetch.ts";
import { userAgentOf } from "./http-go.ts";
import { hostOf, lastExchange, seen } from "./http-outcome.ts";
import type { HttpExchange, HttpProber, Phases } from "./http-ports.ts";

export type TraceUse = {
  readonly prober: HttpProber;
  readonly go: string;
  readonly authorizationFor?: (url: URL) => string | undefined;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
};

export type TimedPhase = Exclude<keyof Phases, "totalMs"> | "bodyMs";

export type Bottleneck = {
  /** From 0, of the exchanges. */
  readonly hop: number;
  readonly phase: TimedPhase;
  readonly ms: number;
  /** Of the whole way, 0 to 1. */
  readonly share: number;
};

export type Path = {
  readonly route: "direct" | "usual";
  readonly fetch: Fetch;
  readonly totalMs: number;
  readonly bottleneck: Bottleneck | undefined;
  /** Of the last answer. */
  readonly cache: CacheReading;
  readonly findings: readonly Finding[];
};

/** Enough for a page or a list; a trace is about the way, not the goods. */
const maxTraceBytes = 256 * 1024;
const defaultTraceMs = 20_000;

/** Throws the signal's reason. */
export async function trace(url: string, route: "direct" | "usual", use: TraceUse): Promise<Path> {
  const { prober, go, authorizationFor, signal, timeoutMs = defaultTraceMs } = use;
  const ask = {
    prober,
    authorizationFor,
    signal,
    timeoutMs,
    route,
    userAgent: userAgentOf(go),
    maxBytes: maxTraceBytes,
  };
  const fetch = await fetchAsGo(url, ask);
  const totalMs = fetch.exchanges.reduce((sum, { phases }) => sum + phases.totalMs, 0);
  const cache = readCacheHeaders(lastExchange(fetch)?.headers ?? {});
  return {
    route,
    fetch,
    totalMs,
    bottleneck: bottleneckOf(fetch.exchanges),
    cache,
    findings: judge(url, fetch, cache),
  };
}

/** Phases of an exchange that took any time, in their order. */
export function phasesOf({ phases }: HttpExchange): readonly (readonly [TimedPhase, number])[] {
  const { totalMs, ...timed } = phases;
  const names = ["dnsMs", "tcpMs", "tunnelMs", "tlsMs", "firstByteMs"] as const;
  const known = names.flatMap((name) => (timed[name] === undefined ? [] : [[name, timed[name]] as const]));
  const rest = totalMs - known.reduce((sum, [, ms]) => sum + ms, 0);
  return [...known, ["bodyMs", Math.max(0, rest)]];
}

export function bottleneckOf(exchanges: readonly HttpExchange[]): Bottleneck | undefined {
  const all = exchanges.flatMap((exchange, hop) => phasesOf(exchange).map(([phase, ms]) => ({ hop, phase, ms })));
  const total = all.reduce((sum, { ms }) => sum + ms, 0);
  const [most] = all.toSorted((a, b) => b.ms - a.ms);
  return most === undefined || total === 0 ? undefined : { ...most, share: most.ms / total };
}

function judge(url: string, fetch: Fetch, cache: CacheReading): readonly Finding[] {
  const host = hostOf(url);
  const last = lastExchange(fetch);
  if (last === undefined) return [found(httpFindings, "HTTP_PLAIN_CREDENTIALS", { host })];
  const { end } = fetch;
  const stale = cache.layers.find(({ verdict }) => verdict === "stale");
  const caches =
    stale === undefined
      ? []
      : [
          found(
            httpFindings,
            "HTTP_STALE_CACHE",
            { host: hostOf(last.url), layer: stale.layer },
            { evidence: [{ kind: "value", text: `${stale.header}: ${stale.value}` }] },
          ),
        ];
  if (end.kind === "refused") return [refusal(fetch, host, end), ...caches];
  // Which statuses are right for a URL that is no module's, nobody knows here; silence is never.
  const isTold = end.kind === "answer" && end.status < 500 && end.status !== 407;
  const isLong = end.kind === "fault" && end.fault.kind === "too-large";
  return isTold || isLong ? caches : [failure(fetch, last, { step: "GET", host: hostOf(last.url) }), ...caches];
}

function refusal(fetch: Fetch, host: string, end: Fetch["end"] & { readonly kind: "refused" }): Finding {
  const evidence = seen(fetch);
  const to = hostOf(end.text);
  switch (end.why) {
    case "loop":
      return found(httpFindings, "HTTP_REDIRECT_LOOP", { host, count: fetch.exchanges.length - 1 }, { evidence });
    case "insecure":
      return found(httpFindings, "HTTP_REDIRECT_INSECURE", { host, to }, { evidence });
    case "no-location":
      return found(
        httpFindings,
        "HTTP_REDIRECT_LOST",
        { host, said: String(lastExchange(fetch)?.status) },
        { evidence },
      );
    case "credentials":
      return found(httpFindings, "HTTP_PLAIN_CREDENTIALS", { host: to }, { evidence });
  }
}
