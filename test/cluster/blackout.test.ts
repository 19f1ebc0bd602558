// N14: S3, Redis and PostgreSQL each dead, each silent, each slow, each back, and at last all three and the upstream at once.
// What two nodes have is served all the while; what is new is fetched while somebody has it; nothing has to be started
// again; and a node that has nothing finds at the end, without upstream, everything that anybody was answered with.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import pg from "pg";
import { atEnd } from "../support/at-end.ts";
import { metric, missingCluster, startCluster, tell, until } from "../support/cluster-world.ts";
import type { ClusterWorld, Links, Told } from "../support/cluster-world.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { freezePostgres } from "../support/servers/postgres.ts";

const isLong = process.env["LONG"] !== undefined;
/** How long a state lasts at least, under load; each target is asked for in it at least once at each node. */
const stateMs = isLong ? 30_000 : 2_000;
const slowMs = 2_000;
const clientsOfANode = 6;
/** A client that waits for longer has been failed. */
const mostMs = 10_000;
const warmCount = isLong ? 60 : 30;

const filesOf = (path: string): string[] => ["info", "mod", "zip"].map((file) => `/${path}/@v/v1.0.0.${file}`);
const warm = Array.from({ length: warmCount }, (_, n) => `example.com/warm${n}`);
const services = ["s3", "redis", "postgres"] as const;
type Service = (typeof services)[number];
const states = ["dead", "silent", "slow"] as const;
type State = (typeof states)[number];
/** Each day the bucket in every way, the others dead. */
const statesOf = (service: Service): readonly State[] => (isLong || service === "s3" ? states : ["dead"]);
const fresh = (of: string, node: string): string => `example.com/new-${of}-${node}`;
const moments = [...services.flatMap((service) => statesOf(service).map((state) => `${service}-${state}`)), "after"];

type Times = { readonly p50: number; readonly p99: number; readonly most: number };
/** Files, lookups and tiles never change; lists and `@latest` are asked for again while this goes on. */
type Load = { readonly requests: number; readonly perSecond: number; readonly still: Times; readonly moving: Times };

const isMoving = (target: string): boolean => /\/@(v\/list|latest)$/.test(target);

suite("a blackout", { skip: missingCluster({ withPostgres: true }), timeout: isLong ? 1_200_000 : 240_000 }, () => {
  test("each service dead, silent, slow, back; then all of them and the upstream", async (t) => {
    const modules = [...warm, ...moments.flatMap((of) => ["a", "b"].map((node) => fresh(of, node)))];
    const world = await startCluster(t, {
      modules: modules.map((path) => makeModule({ path, version: "v1.0.0" })),
      withPostgres: true,
      withLinks: true,
      // Lists grow old within each state, so that nobody lives from what was said before it.
      env: { GRANARY_S3_TIMEOUT: "5s", GRANARY_FRESHNESS_LIST: "1s" },
    });
    const nodes = await Promise.all(["a", "b"].map((name) => world.start(name)));
    const room = new Room(t, world, nodes);
    await room.warmUp();
    room.tell("all well", await room.load());
    for (const service of services)
      for (const state of statesOf(service)) {
        const end = await room.trouble(service, state);
        const [load] = await Promise.all([room.load(), room.fetchNew(`${service}-${state}`)]);
        await end();
        room.tell(`${service} ${state}`, load, await room.untilWell());
      }
    const ends = [];
    for (const service of services) ends.push(await room.trouble(service, "dead"));
    await world.stub.cut();
    const load = await room.load();
    for (const end of ends) await end();
    await world.stub.restore();
    room.tell("all three and the upstream dead", load, await room.untilWell());
    await room.fetchNew("after");
    await room.untilWell();
    await room.untilIndexed(modules.length);
    await world.stub.cut();
    await room.nothingIsLost(await world.start("c"));
  });
});

class Room {
  readonly #t: TestContext;
  readonly #world: ClusterWorld;
  readonly #nodes: readonly RunningGranary[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  /** What was answered, by target: the bytes that everybody must get from then on. */
  readonly #answered = new Map<string, string>();
  #targets: readonly string[] = [];

  constructor(t: TestContext, world: ClusterWorld, nodes: readonly RunningGranary[]) {
    this.#t = t;
    this.#world = world;
    this.#nodes = nodes;
    atEnd(t, () => this.#agent.destroy());
  }

  /** Everything once at both nodes. */
  async warmUp(): Promise<void> {
    const sumdb = `/sumdb/${this.#world.database.name}`;
    const ofModules = warm.flatMap((path) => [
      ...filesOf(path),
      `/${path}/@v/list`,
      `/${path}/@latest`,
      `${sumdb}/lookup/${path}@v1.0.0`,
    ]);
    for (const node of this.#nodes)
      await inTurns(ofModules, 8, async (target) => {
        this.#same(target, await this.#ask(node, target));
      });
    const tiles = [...this.#world.stub.counts().keys()].filter((path) => path.startsWith(`${sumdb}/tile/`));
    const rest = [`${sumdb}/supported`, `${sumdb}/latest`, ...new Set(tiles)];
    this.#targets = [...ofModules, ...rest];
    for (const node of this.#nodes) for (const target of rest) this.#same(target, await this.#ask(node, target));
    // What is written is read once more, so that it was seen.
    await passed(1_500);
  }

  /** Brings trouble; returns how it ends. */
  async trouble(service: Service, state: State): Promise<() => Promise<void>> {
    const { [service]: server, links } = this.#world;
    const link = (links as Links)[service];
    if (server === undefined || link === undefined) throw new Error(`no ${service}`);
    if (state === "dead") {
      await server.kill();
      return () => server.start();
    }
    if (state === "slow") {
      link.delayMs = slowMs;
      return () => {
        link.delayMs = 0;
        return Promise.resolve();
      };
    }
    if (service === "postgres" && this.#world.postgres !== undefined) {
      const thaw = await freezePostgres(this.#world.postgres);
      return () => {
        thaw();
        return Promise.resolve();
      };
    }
    server.pause();
    return () => {
      server.resume();
      return Promise.resolve();
    };
  }

  /** The warm set from both nodes, each target at least once. Every answer is right, or this throws. */
  async load(): Promise<Load> {
    const begun = performance.now();
    const still: number[] = [];
    const moving: number[] = [];
    await Promise.all(
      this.#nodes.map(async (node) => {
        let at = 0;
        const isOver = (): boolean => at >= this.#targets.length && performance.now() - begun > stateMs;
        const client = async (): Promise<void> => {
          while (!isOver()) {
            const target = this.#targets[at++ % this.#targets.length] ?? "";
            const told = await this.#ask(node, target);
            this.#same(target, told);
            (isMoving(target) ? moving : still).push(told.ms);
          }
        };
        await Promise.all(Array.from({ length: clientsOfANode }, client));
      }),
    );
    const seconds = (performance.now() - begun) / 1_000;
    const requests = still.length + moving.length;
    return { requests, perSecond: Math.round(requests / seconds), still: timesOf(still), moving: timesOf(moving) };
  }

  /** A version of each node's own, which the other is then asked for as well. */
  async fetchNew(of: string): Promise<void> {
    const { stub } = this.#world;
    await Promise.all(
      ["a", "b"].map(async (name, at) => {
        const paths = filesOf(fresh(of, name));
        for (const node of at === 0 ? this.#nodes : this.#nodes.toReversed())
          for (const target of paths) this.#same(target, await this.#ask(node, target));
        for (const target of paths) assert.ok(stub.requests(target) <= 2, `${stub.requests(target)} × ${target}`);
      }),
    );
  }

  /** Until both nodes say that nothing is amiss and nothing waits. Milliseconds. */
  async untilWell(): Promise<number> {
    const took = await Promise.all(
      this.#nodes.map((node) =>
        until(
          `well again: ${node.url}`,
          async () => {
            const { status, start } = await tell(`${node.url}/-/readyz`);
            if (status !== 200 || start.includes("degraded")) return false;
            if ((await metric(node, "granary_upload_queue_objects")) !== 0) return false;
            return (await metric(node, "granary_coordination_up")) === 1;
          },
          60_000,
        ),
      ),
    );
    return Math.round(Math.max(...took));
  }

  /** Until PostgreSQL knows so many versions: what was kept while it was away was told later. */
  async untilIndexed(versions: number): Promise<void> {
    const client = new pg.Client({ connectionString: this.#world.postgres?.url });
    await client.connect();
    atEnd(this.#t, () => client.end());
    const count = async (): Promise<number> => {
      const { rows } = await client.query<{ readonly count: string }>("SELECT count(*) AS count FROM granary.versions");
      return Number(rows[0]?.count);
    };
    const took = await until(`${versions} versions in PostgreSQL`, async () => (await count()) === versions, 90_000);
    this.#t.diagnostic(`PostgreSQL knows all ${versions} versions after ${Math.round(took)} ms more`);
  }

  /** A node that has nothing, and nobody to ask but the bucket. */
  async nothingIsLost(node: RunningGranary): Promise<void> {
    let checked = 0;
    for (const [target, sha256] of this.#answered) {
      const told = await this.#ask(node, target);
      assert.equal(told.status, 200, `${target}: ${told.start}`);
      assert.equal(told.sha256, sha256, target);
      checked++;
    }
    this.#t.diagnostic(`a new node, upstream away: all ${checked} answers of before`);
  }

  tell(what: string, { requests, perSecond, still, moving }: Load, wellMs?: number): void {
    const well = wellMs === undefined ? "" : `; well again after ${wellMs} ms`;
    const words = ({ p50, p99, most }: Times): string => `p50 ${p50} p99 ${p99} max ${most} ms`;
    this.#t.diagnostic(
      `${what}: ${requests} of ${requests} right, ${perSecond}/s; files ${words(still)}; lists ${words(moving)}${well}`,
    );
  }

  #same(target: string, told: Told): void {
    assert.equal(told.status, 200, `${target}: ${told.start}`);
    assert.ok(told.ms < mostMs, `${target} took ${Math.round(told.ms)} ms`);
    const before = this.#answered.get(target);
    if (before === undefined) this.#answered.set(target, told.sha256);
    else assert.equal(told.sha256, before, `${target}: ${told.start}`);
  }

  async #ask(node: RunningGranary, target: string): Promise<Told> {
    return await tell(node.url + target, this.#agent);
  }
}

function timesOf(ms: number[]): Times {
  ms.sort((one, other) => one - other);
  const at = (share: number): number => Math.round(ms[Math.floor((ms.length - 1) * share)] ?? 0);
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

/** So many at a time. */
async function inTurns<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  let at = 0;
  const worker = async (): Promise<void> => {
    for (let one = all[at++]; one !== undefined; one = all[at++]) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
