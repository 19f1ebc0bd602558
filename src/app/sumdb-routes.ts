// The ways to a checksum database: through each public upstream's own tunnel, and directly. A database with a URL of
// its own is asked there and nowhere else, as the go command does.

import { sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import type { Meter } from "#services/events/ports.ts";
import type { Manners } from "#services/proxy/origin.ts";
import type { Clock } from "#services/store/ports.ts";
import type { SumdbAnswer, SumdbRoute } from "#services/sumdb/ports.ts";
import { readWhole } from "#services/upstreams/attempt.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import { Health } from "#services/upstreams/health.ts";
import type { UpstreamClient, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { WalkResult } from "#services/upstreams/walk.ts";
import { UpstreamStatus, walk } from "#services/upstreams/walk.ts";

export type RoutesUse = {
  readonly chain: Chain;
  readonly client: UpstreamClient;
  readonly health: Health;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly manners: () => Manners;
};

/** Routes in the order they are tried. */
export function databaseRoutes(
  database: { readonly name: string; readonly url?: string },
  use: RoutesUse,
): SumdbRoute[] {
  if (database.url !== undefined)
    return [route(addressOf(database.name, database.url), { use, prefix: "", knows: true, isAlone: true, others: [] })];
  const prefix = `/sumdb/${database.name}`;
  const tunnelHealth = new Health({ clock: use.clock });
  const upstreams = use.chain.upstreams.filter(mayTunnel);
  const tunnels = upstreams.map((upstream) => {
    const others = upstreams.filter((other) => other !== upstream).map(({ name }) => name);
    return route(upstream, { use, prefix, knows: upstream.authoritative, isAlone: false, others, tunnelHealth });
  });
  const disabled = use.chain.disabled?.filter(mayTunnel) ?? [];
  if (use.chain.hadOff && tunnels.length === 0 && disabled.length === 0) return [];
  // Go's own alias of the public database answers where its first name does not resolve.
  const hosts = database.name === sumdbName ? [database.name, sumdbMirrorChina] : [database.name];
  const isAlone = tunnels.length + hosts.length === 1;
  const direct = hosts.map((host) =>
    route(addressOf(host, `https://${host}`), { use, prefix: "", knows: true, isAlone, others: [] }),
  );
  return [...tunnels, ...direct, ...disabled.map(outOfUse)];
}

/** A tunnel that an operator closed: whoever hears that the database cannot be reached should hear of it too. */
function outOfUse({ name }: Upstream): SumdbRoute {
  const fault = () => new UpstreamFault(name, "disabled", "an operator took it out of use");
  return { name, knows: false, isUp: () => false, fetch: () => Promise.reject(fault()) };
}

type How = {
  readonly use: RoutesUse;
  readonly prefix: string;
  /** A 404 from here is the database's own word. */
  readonly knows: boolean;
  readonly isAlone: boolean;
  /** Upstreams that tunnel the same database. */
  readonly others: readonly string[];
  /** Of tunnels by their upstreams' names: a database that is down behind a tunnel says nothing against the upstream. */
  readonly tunnelHealth?: Health;
};

function route(upstream: Upstream, how: How): SumdbRoute {
  const { use, prefix, knows, isAlone, others, tunnelHealth } = how;
  const { name } = upstream;
  const { health } = use;
  const aloneMs = (): number => use.manners().retryMs ?? defaultAloneMs;
  const isOpen = (): boolean => [health, tunnelHealth].some((each) => each?.condition(name) === "open");
  const isUp = (): boolean => !isOpen();
  const outageMs = (): number => Math.max(health.outageMs(name), tunnelHealth?.outageMs(name) ?? 0);
  const mayInsist = (): boolean => health.mayInsist(name) && (tunnelHealth?.mayInsist(name) ?? true);
  const mayBeBack = (): boolean => isUp() || outageMs() < aloneMs();
  const isWell = (other: string): boolean => health.condition(other) === "closed" && !health.isMute(other);
  /** Silent to everybody, while another tunnel speaks: a lookup must not wait for it, and its module with it. */
  const isPassedBy = (): boolean => health.isMute(name) && others.some(isWell);
  return {
    name,
    knows,
    isUp: mayBeBack,
    fetch: async (path, maxBytes, { signal, retrying, isHurried = false }) => {
      // Whoever waits for a proof has other routes, or better news at once than late.
      if ((!isUp() || isPassedBy()) && !mayInsist())
        throw new UpstreamFault(name, "unreachable", "failed before, not asked again yet");
      const chain = { upstreams: [upstream], hadDirect: false, hadOff: false, own: [] };
      const op = {
        kind: `sumdb ${path.split("/")[1] ?? ""}`,
        path: prefix + path,
        maxBytes,
        ...(retrying && { retrying }),
        ...(tunnelHealth && { behind: (status: number) => tunnelHealth.permit(name).answered(status) }),
        accept: async ({ body }: UpstreamResponse) => await readWhole(body),
      };
      const walkUse = {
        ...use,
        ...use.manners(),
        mode: "resilient",
        privatePatterns: "",
        retryMs: isAlone && !isHurried ? aloneMs() : hurryMs,
      } as const;
      return await unless(
        isPassedBy,
        { ...use, name, lateMs: walkUse.patience?.lateMs(name), signal },
        async (limited) => answerOf(name, await walk(chain, walkUse, { ...op, signal: limited })),
      );
    },
  };
}

/** How often it is looked whether another route should be asked instead. */
const glanceMs = 150;

type Watch = {
  readonly name: string;
  readonly clock: Clock;
  /** So long it may always take to answer; undefined when nobody watches it. */
  readonly lateMs: number | undefined;
  readonly signal: AbortSignal;
};

/** What `ask` says, unless `isPassedBy` becomes true meanwhile: then UpstreamFault "timeout", and `ask` is aborted. */
async function unless<T>(
  isPassedBy: () => boolean,
  watch: Watch,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { name, clock, lateMs, signal } = watch;
  if (lateMs === undefined) return await ask(signal);
  const own = new AbortController();
  const done = new AbortController();
  const looking = async (): Promise<void> => {
    for (let ms = lateMs; ; ms = glanceMs) {
      await clock.sleep(ms, done.signal);
      if (isPassedBy()) own.abort();
    }
  };
  looking().catch(() => undefined); // ended by `done`
  try {
    return await ask(AbortSignal.any([signal, own.signal]));
  } catch (error) {
    if (!own.signal.aborted || signal.aborted) throw error;
    throw new UpstreamFault(name, "timeout", "silent to everybody");
  } finally {
    done.abort();
  }
}

/** Time for retries at the only route, and at one after which others follow. */
const defaultAloneMs = 25_000;
const hurryMs = 2_000;

/** What one route said, as the database's room wants to hear it. Throws UpstreamFault when it said nothing. */
function answerOf(name: string, result: WalkResult<Uint8Array>): SumdbAnswer {
  if (result.kind === "found") return { status: 200, bytes: result.value };
  if (result.kind === "absent") return { status: 404, bytes: Buffer.from(result.text) };
  if (result.kind === "refused")
    return { status: result.quotes[0]?.status ?? 403, bytes: Buffer.from(result.quotes[0]?.text ?? "") };
  const error = result.kind === "failed" ? result.reasons[0]?.error : undefined;
  if (error instanceof UpstreamStatus) return { status: error.status, bytes: Buffer.from(error.text) };
  throw error instanceof UpstreamFault ? error : new UpstreamFault(name, "unreachable", error?.message ?? "not asked");
}

/** A repository relays no database. */
function mayTunnel(upstream: Upstream): boolean {
  return upstream.public && upstream.kind !== "direct";
}

/** A database's own address, asked like an upstream. */
function addressOf(name: string, url: string): Upstream {
  return {
    name,
    url,
    redirectCidrs: [],
    kind: "http",
    separator: "",
    authoritative: false,
    absentStatuses: [404, 410],
    privatePatterns: "",
    public: true,
    priority: 1,
    rollback: false,
  };
}
