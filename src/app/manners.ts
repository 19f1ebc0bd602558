// How upstreams are asked, from settings: in which order, how patiently, how often again, how many at a time.

import type { Manners } from "#services/proxy/origin.ts";
import type { Clock } from "#services/store/ports.ts";
import { RetryBudget } from "#services/upstreams/budget.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import type { Health } from "#services/upstreams/health.ts";
import { UpstreamLanes } from "#services/upstreams/lanes.ts";
import { Latency } from "#services/upstreams/latency.ts";
import { Nearness } from "#services/upstreams/nearness.ts";
import { orderFor } from "#services/upstreams/order.ts";
import type { Values } from "./config.ts";

export type MannersUse = {
  readonly chain: () => Chain;
  readonly values: () => Values;
  readonly health: Health;
  readonly clock: Clock;
  /** Share of its time in which this process is busy, 0 to 1. */
  readonly busy: () => number;
  /** In [0, 1), for the jitter of waits; Math.random without it. */
  readonly random?: () => number;
};

export type Engine = {
  readonly manners: () => Manners;
  readonly latency: Latency;
  readonly nearness: Nearness;
  readonly lanes: UpstreamLanes;
};

export function makeEngine({ chain, values, health, clock, busy, random = Math.random }: MannersUse): Engine {
  const latency = new Latency(clock);
  const nearness = new Nearness();
  // A database's own address may be out of reach for ever, and nobody is the worse for it: its tunnels count.
  const isOpen = ({ name }: Upstream): boolean => health.condition(name) === "open";
  const retries = new RetryBudget({ clock, anyOpen: () => chain().upstreams.some(isOpen) });
  const rateOf = (name: string) => chain().upstreams.find((upstream) => upstream.name === name)?.perSecond;
  const lanes = new UpstreamLanes({
    clock,
    busy,
    options: (name) => {
      const perSecond = rateOf(name);
      return { max: values()["upstreamClient.maxIdleConnsPerHost"], ...(perSecond !== undefined && { perSecond }) };
    },
    onEnter: () => retries.asked(),
  });
  const patience = {
    get silenceMs() {
      return values()["upstreamClient.silence"];
    },
    lateMs: (upstream: string) => latency.lateMs(upstream),
    hedgeMs: (upstream: string) => (values()["upstreamClient.hedge"] ? latency.hedgeMs(upstream) : undefined),
    hedged: () => latency.hedged(),
  };
  return {
    latency,
    nearness,
    lanes,
    manners: () => ({
      order: (upstreams, module) => orderFor(upstreams, module, regionWeights(values().regions), nearness),
      patience,
      retryMs: values()["upstreamClient.retryTime"],
      retries,
      random,
      lanes,
      onHead: (upstream, ms) => latency.add(upstream, ms),
    }),
  };
}

/** `cn=3`, `global=1` as a table. */
function regionWeights(entries: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    entries.flatMap((entry): [string, number][] => {
      const [name = "", weight = ""] = entry.split("=");
      return name === "" ? [] : [[name, Number(weight)]];
    }),
  );
}
