// The operator's desk over the chain and its health.

import type { EventSink } from "#services/events/ports.ts";
import { storeFailure } from "#services/proxy/store-failure.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import type { ProbeView, UpstreamDesk, UpstreamView } from "#services/upstreams/desk.ts";
import type { Health } from "#services/upstreams/health.ts";
import type { Latency } from "#services/upstreams/latency.ts";
import type { OutOfUse } from "#services/upstreams/out-of-use.ts";
import type { Prober } from "#services/upstreams/prober.ts";
import { maskText } from "./config.ts";

export type DeskUse = {
  /** The configured chain, disabled upstreams too. */
  readonly chain: () => Chain;
  readonly health: Health;
  readonly prober: Prober;
  readonly latency: Latency;
  readonly events: EventSink;
  readonly outOfUse: OutOfUse;
  /** Called when the set of disabled upstreams changed. */
  readonly changed: () => void;
};

export type Desk = UpstreamDesk & {
  /** `chain` without what is disabled. */
  readonly enabled: (chain: Chain) => Chain;
};

export function makeDesk(use: DeskUse): Desk {
  const { health, events, prober, latency, outOfUse: disabled } = use;
  const isKnown = (name: string): boolean => {
    const { upstreams, shadows = [] } = use.chain();
    return [...upstreams, ...shadows.map(({ upstream }) => upstream)].some((upstream) => upstream.name === name);
  };
  const change = async (name: string, by: string, event: "upstream.disabled" | "upstream.enabled"): Promise<void> => {
    if (!isKnown(name)) return;
    try {
      if (!(await disabled.set(name, event === "upstream.disabled", isKnown))) return;
    } catch (error) {
      throw inOurWords(error, name);
    }
    use.changed();
    events.emit({ name: event, upstream: name, by });
  };
  return {
    enabled: (chain) => ({
      ...chain,
      upstreams: chain.upstreams.filter(({ name }) => !disabled.has(name)),
      shadows: chain.shadows?.filter(({ upstream }) => !disabled.has(upstream.name)) ?? [],
      disabled: chain.upstreams.filter(({ name }) => disabled.has(name)),
    }),
    list: () => {
      const { upstreams, shadows = [] } = use.chain();
      const view = (upstream: Upstream, role: "normal" | "shadow" | "canary"): UpstreamView => {
        const { name, url, priority, weight } = upstream;
        const { condition, requests, failures, errorRate, until, lastFault } = health.snapshotOf(name);
        const lastProbe = prober.last(name);
        const usual = latency.of(name);
        return {
          name,
          url: maskText(url),
          condition: disabled.has(name) ? "disabled" : condition,
          priority,
          role,
          requests,
          failures,
          ...(requests > 0 && { errorRate }),
          ...(weight !== undefined && { weight }),
          ...(usual !== undefined && { p50Ms: Math.round(usual.p50), p95Ms: Math.round(usual.p95) }),
          ...(until !== undefined && { until }),
          ...(lastFault !== undefined && { lastFault }),
          ...(lastProbe !== undefined && { lastProbe }),
        };
      };
      return [
        ...upstreams.map((upstream) => view(upstream, upstream.canary === undefined ? "normal" : "canary")),
        ...shadows.map(({ upstream }) => view(upstream, "shadow")),
      ];
    },
    probe: async (name, signal) => {
      const asked = use.chain().upstreams.filter((upstream) => name === undefined || upstream.name === name);
      return await Promise.all(
        asked.map(async (upstream): Promise<ProbeView> => {
          return { name: upstream.name, ...(await prober.probe(upstream, signal)) };
        }),
      );
    },
    disable: (name, by) => change(name, by, "upstream.disabled"),
    enable: (name, by) => change(name, by, "upstream.enabled"),
  };
}

/** Nothing has changed when it could not be written down: an operator should not count on it. */
function inOurWords(error: unknown, name: string): unknown {
  return storeFailure(`the state of upstream ${name}`, error) ?? error;
}
