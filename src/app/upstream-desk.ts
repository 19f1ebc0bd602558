// The operator's desk over the chain and its health.

import type { EventSink } from "#services/events/ports.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import type { ProbeView, UpstreamDesk, UpstreamView } from "#services/upstreams/desk.ts";
import type { Health } from "#services/upstreams/health.ts";
import type { Latency } from "#services/upstreams/latency.ts";
import type { Prober } from "#services/upstreams/prober.ts";
import { maskText } from "./config.ts";

export type DeskUse = {
  /** The configured chain, disabled upstreams too. */
  readonly chain: () => Chain;
  readonly health: Health;
  readonly prober: Prober;
  readonly latency: Latency;
  readonly events: EventSink;
  /** Called when the set of disabled upstreams changed. */
  readonly changed: () => void;
};

export type Desk = UpstreamDesk & {
  /** `chain` without what is disabled. */
  readonly enabled: (chain: Chain) => Chain;
};

export function makeDesk(use: DeskUse): Desk {
  const { health, events, prober, latency } = use;
  const disabled = new Set<string>();
  const change = (name: string, by: string, event: "upstream.disabled" | "upstream.enabled"): Promise<void> => {
    const isKnown = use.chain().upstreams.some((upstream) => upstream.name === name);
    const isDisabled = event === "upstream.disabled";
    if (isKnown && disabled.has(name) !== isDisabled) {
      if (isDisabled) disabled.add(name);
      else disabled.delete(name);
      use.changed();
      events.emit({ name: event, upstream: name, by });
    }
    return Promise.resolve();
  };
  return {
    enabled: (chain) => ({ ...chain, upstreams: chain.upstreams.filter(({ name }) => !disabled.has(name)) }),
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
