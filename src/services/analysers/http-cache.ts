// Which cache answered: the headers that proxies and CDNs leave behind, decoded. go reads none of them; people do.
// Sources: RFC 9111 (Age), RFC 9211 (Cache-Status), docs/http.md (X-Go-Proxy-…), vendors' documentation.

export type CacheVerdict =
  | "hit"
  | "miss"
  /** Old, and answered without asking anew. */
  | "stale"
  /** Old, and asked anew before it answered. */
  | "expired"
  /** Passed by on purpose. */
  | "bypass"
  /** Nobody was asked behind the layer in front of it. */
  | "unasked"
  /** It passed through and says nothing of a cache. */
  | "through";

export type CacheLayer = {
  /** Whose word it is: `go-proxy` the module proxy, `upstream` what stands behind it, `cdn`, `nginx`, `cache`, `via`. */
  readonly layer: "go-proxy" | "upstream" | "cloudflare" | "cdn" | "nginx" | "cache" | "via";
  readonly header: string;
  readonly value: string;
  readonly verdict: CacheVerdict;
};

export type CacheReading = {
  /** From the client on: the nearest first. */
  readonly layers: readonly CacheLayer[];
  /** The layer whose copy came; undefined when nobody says that it had one. */
  readonly answeredBy: CacheLayer | undefined;
  /** How long the copy has been in caches, seconds; undefined when nobody says. */
  readonly ageSeconds: number | undefined;
};

type Headers = Readonly<Record<string, string>>;
type Rule = readonly [header: string, layer: CacheLayer["layer"]];

/** Nearest first: a CDN stands before nginx, nginx before the module proxy. */
const rules: readonly Rule[] = [
  ["via", "via"],
  ["cf-cache-status", "cloudflare"],
  ["x-cache", "cdn"],
  ["x-cache-lookup", "cdn"],
  ["x-swift-cachetime", "cdn"],
  ["eagleid", "cdn"],
  ["cache-status", "cache"],
  ["x-cache-status", "nginx"],
  ["x-nginx-cache", "nginx"],
  ["x-proxy-cache", "nginx"],
  ["x-go-proxy-cache", "go-proxy"],
];

/** Longest value that is shown. */
const maxValue = 200;

export function readCacheHeaders(headers: Headers): CacheReading {
  const simple = rules.flatMap(([header, layer]) => layersOf(headers, header, layer));
  const status = goProxyStatus(headers);
  // Both of our headers say the same of the same cache; the longer one says it better.
  const own = status.length > 0 ? simple.filter(({ layer }) => layer !== "go-proxy") : simple;
  const layers = [...own, ...status, ...agedOut(headers)];
  const age = /^\d{1,9}$/.test(headers["age"] ?? "") ? Number(headers["age"]) : undefined;
  const answeredBy = layers.find(({ verdict }) => verdict === "hit" || verdict === "stale");
  return { layers, answeredBy, ageSeconds: age };
}

function layersOf(headers: Headers, header: string, layer: CacheLayer["layer"]): CacheLayer[] {
  const value = headers[header];
  if (value === undefined || value.trim() === "") return [];
  return [{ layer, header, value: value.slice(0, maxValue), verdict: layer === "via" ? "through" : verdictOf(value) }];
}

/** `<upstream>|<here>`: what the proxy's upstream said of its cache, and what the proxy itself did. */
function goProxyStatus(headers: Headers): CacheLayer[] {
  const value = headers["x-go-proxy-status"]?.slice(0, maxValue);
  if (value === undefined) return [];
  const [upstream = "", here] = value.split("|").map((part) => part.trim());
  const header = "x-go-proxy-status";
  if (here === undefined) return [{ layer: "go-proxy", header, value, verdict: verdictOf(upstream) }];
  return [
    { layer: "go-proxy", header, value, verdict: verdictOf(here) },
    { layer: "upstream", header, value, verdict: upstream === "-" ? "unasked" : verdictOf(upstream) },
  ];
}

/** Older than its own lifetime: a cache gave what it should have asked for anew. `Warning: 110` says it in words. */
function agedOut(headers: Headers): CacheLayer[] {
  if (/\b11[01]\b/.test(headers["warning"] ?? ""))
    return [
      { layer: "cache", header: "warning", value: (headers["warning"] ?? "").slice(0, maxValue), verdict: "stale" },
    ];
  const { age = "", "cache-control": control = "" } = headers;
  const [, lifetime] = /\bs-maxage=(\d{1,9})\b/.exec(control) ?? /\bmax-age=(\d{1,9})\b/.exec(control) ?? [];
  if (lifetime === undefined || !/^\d{1,9}$/.test(age) || Number(age) <= Number(lifetime)) return [];
  return [{ layer: "cache", header: "age", value: `${age} > ${lifetime}`, verdict: "stale" }];
}

/** The word decides, wherever it stands: `HIT`, `TCP_MEM_HIT from cache-3`, `cdn; hit; ttl=30`, `Miss from cloudfront`. */
function verdictOf(value: string): CacheVerdict {
  if (/\bstale\b|updating|refresh_fail_hit/i.test(value)) return "stale";
  if (/expired|revalidated|refresh/i.test(value)) return "expired";
  if (/bypass|dynamic|uncacheable|no-?cache|fwd=bypass/i.test(value)) return "bypass";
  if (/hit/i.test(value)) return "hit";
  return /miss|fwd=/i.test(value) ? "miss" : "through";
}
