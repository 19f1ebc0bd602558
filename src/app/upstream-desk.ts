// The operator's desk over the chain and its health.

import type { EventSink } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import type { LastProbe, ProbeView, UpstreamDesk } from "#services/upstreams/desk.ts";
import type { Health } from "#services/upstreams/health.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { UpstreamClient } from "#services/upstreams/ports.ts";
import { maskText } from "./config.ts";

export type DeskUse = {
  /** The configured chain, disabled upstreams too. */
  readonly chain: () => Chain;
  readonly health: Health;
  readonly client: UpstreamClient;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Called when the set of disabled upstreams changed. */
  readonly changed: () => void;
};

export type Desk = UpstreamDesk & {
  /** `chain` without what is disabled. */
  readonly enabled: (chain: Chain) => Chain;
};

/** A probe asks for the root, which every proxy answers somehow; nobody waits longer for a sign of life. */
const probeMs = 10_000;
const maxProbeBytes = 64 * 1024;

export function makeDesk(use: DeskUse): Desk {
  const { health, clock, events } = use;
  const disabled = new Set<string>();
  const probes = new Map<string, LastProbe>();
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
      const known = new Map(health.snapshot().map((state) => [state.upstream, state]));
      return use.chain().upstreams.map(({ name, url }, index) => {
        const { condition = "closed", until, lastFault } = known.get(name) ?? {};
        const lastProbe = probes.get(name);
        return {
          name,
          url: maskText(url),
          condition: disabled.has(name) ? "disabled" : condition,
          priority: index + 1,
          ...(until !== undefined && { until }),
          ...(lastFault !== undefined && { lastFault }),
          ...(lastProbe !== undefined && { lastProbe }),
        };
      });
    },
    probe: async (name, signal) => {
      const asked = use.chain().upstreams.filter((upstream) => name === undefined || upstream.name === name);
      return await Promise.all(
        asked.map(async (upstream): Promise<ProbeView> => {
          const result = await probe(use, upstream, AbortSignal.any([signal, AbortSignal.timeout(probeMs)]));
          probes.set(upstream.name, { at: clock.now(), ...result });
          return { name: upstream.name, at: clock.now(), ...result };
        }),
      );
    },
    disable: (name, by) => change(name, by, "upstream.disabled"),
    enable: (name, by) => change(name, by, "upstream.enabled"),
  };
}

/** An answer of any status is a sign of life; it closes the breaker as any other answer does. */
async function probe(
  { client, health, clock }: DeskUse,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<Omit<LastProbe, "at">> {
  const started = clock.now();
  const permit = health.permit(upstream.name);
  try {
    const response = await client.get(upstream, { path: "/", maxBytes: maxProbeBytes, signal });
    response.cancel();
    permit.answered(response.status);
    return { ok: true, ms: clock.now() - started };
  } catch (error) {
    if (!(error instanceof UpstreamFault)) {
      permit.abandoned();
      throw error;
    }
    const reason = error.reason === "aborted" ? "timeout" : error.reason;
    if (error.reason === "aborted") permit.abandoned();
    else permit.failed(error.reason);
    return { ok: false, ms: clock.now() - started, reason };
  }
}
