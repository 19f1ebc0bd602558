// The part of the configuration that the doors need, as they need it.

import type { HttpSettings } from "#doors/http/answers.ts";
import type { Limits } from "#doors/http/listener.ts";
import type { ModulePath } from "#protocol/path.ts";
import { parseRewriteRule, rewritePath } from "#protocol/rewrite.ts";
import type { AheadLimits } from "#services/proxy/ahead.ts";
import { limiterProfiles } from "#services/access/limiter.ts";
import type { LimiterRule } from "#services/access/limiter.ts";
import { privacyOf, withRewrites } from "#services/proxy/privacy.ts";
import type { Values } from "./config.ts";

export function httpSettings(values: Values): HttpSettings {
  const seconds = (ms: number) => Math.round(ms / 1000);
  return {
    lang: values.lang,
    privacy: withRewrites(privacyOf(values.private), rewriteOf(values)),
    notices: values.sumdb.some((text) => text !== "off")
      ? []
      : ["X-Granary-Warning", "checksum database off: nothing is verified"],
    requestLine: values["limits.requestLine"],
    freshness: {
      infoSeconds: seconds(values["freshness.info"]),
      zipSmallSeconds: seconds(values["freshness.zipSmall"]),
      zipLargeSeconds: seconds(values["freshness.zipLarge"]),
      largeFromBytes: values["freshness.largeFrom"],
      staleWhileRevalidateSeconds: seconds(values["freshness.swr"]),
      listSeconds: seconds(values["freshness.list"]),
      negativeSeconds: seconds(values["freshness.negative"]),
    },
  };
}

/** The rewrite rules in force, as a function. */
export function rewriteOf(values: Values): (path: string) => ModulePath | undefined {
  const rules = values.rewrite.map(parseRewriteRule);
  return (path) => rewritePath(rules, path);
}

export function limitsOf(values: Values): Limits {
  return {
    connections: values["limits.connections"],
    connectionsPerAddress: values["limits.connectionsPerIp"],
    headerBytes: values["limits.headerBytes"],
    headersTimeoutMs: values["limits.headersTimeout"],
    requestTimeoutMs: values["proxy.timeout.read"],
    keepAliveMs: values["limits.keepAlive"],
  };
}

export function aheadLimits(values: Values): AheadLimits {
  return {
    isOn: values.prefetch,
    mods: values["limits.prefetchMods"],
    zips: values["limits.prefetchZips"],
    bytes: values["limits.prefetchBytes"],
  };
}

/** What one client may send; undefined when nobody counts. */
export function limiterRule(values: Values): LimiterRule | undefined {
  const profile = values["limiter.profile"];
  if (profile === "none") return undefined;
  if (profile !== "custom") return limiterProfiles[profile];
  return { perSecond: values["limiter.perSecond"], coolDownMs: values["limiter.coolDown"] };
}

/** Space for ready-made 404 answers: small, because a flood of unknown paths fills it. */
const absentCacheBytes = 2 << 20;

/** The two caches of ready-made answers that each process has, as HotCache takes them. */
export function hotLimits(values: Values): Record<"hot" | "absent", { maxBytes: number; maxEntryBytes: number }> {
  return {
    hot: {
      maxBytes: values["cache.enabled"] ? values["cache.bytes"] : 0,
      maxEntryBytes: values["cache.enabled"] ? values["cache.entryBytes"] : -1,
    },
    absent: { maxBytes: absentCacheBytes, maxEntryBytes: 4096 },
  };
}
