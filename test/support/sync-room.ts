// The room of sync with everything around it played: modules as a table, a clock that a test moves.
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import { Follower } from "#services/sync/follower.ts";
import type { Hook } from "#services/sync/hooks.ts";
import type { Brought, Modules } from "#services/sync/ports.ts";
import { Webhooks } from "#services/sync/webhooks.ts";
import { HandClock } from "./hand-clock.ts";

export const kept: Brought = { outcome: "kept" };
export const absent: Brought = { outcome: "absent" };
export function failed(code: string, more: { isFinal?: boolean; isUnproven?: boolean } = {}): Brought {
  return { outcome: "failed", code, isFinal: false, isUnproven: false, ...more };
}

export function openSyncRoom(options: { readonly hooks?: readonly Hook[] } = {}) {
  const clock = new HandClock();
  const storage = new MemoryStorage();
  const emitted: GranaryEvent[] = [];
  const events = { emit: (event: GranaryEvent) => void emitted.push(event) };
  const counted: string[] = [];
  const meter = {
    syncDelay: (source: string, ms: number) => void counted.push(`delay ${source} ${ms}`),
    webhook: (forge: string, outcome: string) => void counted.push(`webhook ${forge} ${outcome}`),
    indexLines: (outcome: string, count: number) => {
      if (count > 0) counted.push(`lines ${outcome} ${count}`);
    },
  };
  /** What happens to a version when it is brought; the last entry stays. Without any it is absent. */
  const table = new Map<string, Brought[]>();
  const known = new Set<string>();
  const asked: string[] = [];
  const listed = new Map<string, string[]>();
  const modules: Modules = {
    forget: (path) => {
      asked.push(`forget ${path}`);
      return Promise.resolve();
    },
    list: (path) => {
      asked.push(`list ${path}`);
      return Promise.resolve(listed.get(path) ?? []);
    },
    bring: (id) => {
      asked.push(`bring ${formatModuleVersion(id)}`);
      const ways = table.get(formatModuleVersion(id)) ?? [absent];
      const way = (ways.length > 1 ? ways.shift() : ways[0]) ?? absent;
      if (way.outcome === "kept") listed.set(id.path, [...(listed.get(id.path) ?? []), id.version]);
      return Promise.resolve(way);
    },
    isKnown: (path) => Promise.resolve(known.has(path)),
    isPrivate: (path) => path.startsWith("corp.example/"),
    listed: () => Promise.resolve(undefined),
  };
  const stop = new AbortController();
  const follower = new Follower({ modules, clock, events, meter, stop: stop.signal });
  const webhooks = new Webhooks({ hooks: () => options.hooks ?? [], modules, follower, events, meter });
  /** `state detail` of one version, in order. */
  const states = (what: string): string[] =>
    emitted.flatMap((event) =>
      event.name === "sync.state" && `${event.module}@${event.version}` === what
        ? [`${event.state} ${event.detail ?? ""}`.trim()]
        : [],
    );
  const of = <N extends GranaryEvent["name"]>(name: N) =>
    emitted.filter((event): event is Extract<GranaryEvent, { readonly name: N }> => event.name === name);
  return {
    clock,
    storage,
    events,
    emitted,
    meter,
    counted,
    table,
    known,
    asked,
    listed,
    modules,
    stop,
    follower,
    webhooks,
    states,
    of,
  };
}
