// A whole cluster on loopback: an upstream with its checksum database, VersityGW, Redis, PostgreSQL if asked, and nodes over
// them, each with a directory and a name of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import type { Agent } from "node:http";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "./at-end.ts";
import { startGranary } from "./granary.ts";
import type { RunningGranary } from "./granary.ts";
import type { ModuleFixture } from "./modules.ts";
import { makeBucket } from "./s3-store.ts";
import { missingPostgres, startPostgres } from "./servers/postgres.ts";
import type { PostgresServer } from "./servers/postgres.ts";
import { missingRedis, startRedis } from "./servers/redis.ts";
import type { RedisServer } from "./servers/redis.ts";
import { missingS3, startS3 } from "./servers/s3.ts";
import type { S3Server } from "./servers/s3.ts";
import { startSlowLink } from "./slow-link.ts";
import type { SlowLink } from "./slow-link.ts";
import { startUpstreams } from "./world.ts";
import type { Upstreams } from "./world.ts";

export type ClusterWorld = Upstreams & {
  readonly s3: S3Server;
  readonly redis: RedisServer;
  /** GOSUMDB of a client. */
  readonly gosumdb: string;
  /** What the nodes ask the services through, if asked: this process must then not be too busy. */
  readonly links: Links | undefined;
  readonly postgres: PostgresServer | undefined;
  /** The environment that makes a command use the same store and Redis. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a node; the directory is its own for the whole test. */
  readonly start: (node: string, more?: Readonly<Record<string, string>>) => Promise<RunningGranary>;
};

export type Links = { readonly s3: SlowLink; readonly redis: SlowLink; readonly postgres: SlowLink | undefined };

export type ClusterOptions = {
  readonly modules?: readonly ModuleFixture[];
  readonly withPostgres?: boolean;
  readonly withLinks?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
};

/** Why no cluster can be started here, for a skip. */
export function missingCluster({ withPostgres = false }: ClusterOptions = {}): string | false {
  return missingS3("versitygw") ?? missingRedis() ?? (withPostgres ? missingPostgres() : undefined) ?? false;
}

const bucket = "granary";

export async function startCluster(t: TestContext, options: ClusterOptions = {}): Promise<ClusterWorld> {
  const folder = await mkdtemp(join(tmpdir(), "granary-cluster-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const upstreams = await startUpstreams(options.modules);
  atEnd(t, () => upstreams.stub.close());
  const { stub, database } = upstreams;
  const s3 = await startS3(t, "versitygw");
  await makeBucket(s3, bucket);
  const redis = await startRedis(t);
  const postgres = options.withPostgres === true ? await startPostgres(t) : undefined;
  const links: Links | undefined =
    options.withLinks === true
      ? {
          s3: await startSlowLink(t, s3.port),
          redis: await startSlowLink(t, redis.port),
          postgres: postgres && (await startSlowLink(t, postgres.port)),
        }
      : undefined;
  const postgresPort = links?.postgres?.port ?? postgres?.port;
  const env = {
    GRANARY_S3_BUCKET: bucket,
    GRANARY_S3_ENDPOINT: `http://127.0.0.1:${links?.s3.port ?? s3.port}`,
    GRANARY_S3_ACCESS_KEY: s3.accessKey,
    GRANARY_S3_SECRET_KEY: s3.secretKey,
    GRANARY_REDIS_URL: `redis://127.0.0.1:${links?.redis.port ?? redis.port}`,
    ...(postgresPort !== undefined && { GRANARY_POSTGRES_URL: `postgres://admin@127.0.0.1:${postgresPort}/postgres` }),
    AWS_EC2_METADATA_DISABLED: "true",
    GRANARY_CLUSTER_LEASE: "2s",
    // What a busy machine is late with is not to be taken for an upstream's silence, and asked for twice.
    GRANARY_UPSTREAM_CLIENT_SILENCE: "60s",
    GRANARY_UPSTREAM_CLIENT_HEDGE: "off",
    ...options.env,
  };
  const start: ClusterWorld["start"] = async (node, more = {}) => {
    const granary = await startGranary({
      upstream: stub.url,
      sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
      store: join(folder, node),
      flags: options.flags ?? ["--prefetch=off"],
      env: { ...env, GRANARY_CLUSTER_NODE: node, ...more },
    });
    atEnd(t, () => granary.stop());
    return granary;
  };
  return { ...upstreams, s3, redis, postgres, links, env, start, gosumdb: database.verifierKey };
}

export type Told = {
  readonly status: number;
  readonly etag: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly ms: number;
  /** The first of it, for messages. */
  readonly start: string;
};

/** One GET, of which the hash is kept. Rejects when the connection breaks or nobody answers in a minute. */
export async function tell(url: string, agent?: Agent): Promise<Told> {
  const since = performance.now();
  return await new Promise((resolve, reject) => {
    const asked = get(url, { agent: agent ?? false, timeout: 60_000 }, (response) => {
      const hash = createHash("sha256");
      let bytes = 0;
      let start = "";
      response.on("data", (piece: Buffer) => {
        if (bytes === 0) start = piece.toString("utf8", 0, 400);
        bytes += piece.length;
        hash.update(piece);
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          etag: response.headers.etag ?? "",
          sha256: hash.digest("hex"),
          ms: performance.now() - since,
          bytes,
          start,
        }),
      );
    });
    asked.on("timeout", () => asked.destroy(new Error(`${url}: silent for a minute`)));
    asked.on("error", reject);
  });
}

/** Waits until it is so; throws what was waited for otherwise. Returns the milliseconds it took. */
export async function until(what: string, isSo: () => Promise<boolean>, withinMs = 30_000): Promise<number> {
  const since = performance.now();
  while (!(await isSo().catch(() => false))) {
    if (performance.now() - since > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await passed(50);
  }
  return performance.now() - since;
}

/** Sum of a metric's samples; 0 when there is none. */
export async function metric(node: Pick<RunningGranary, "url">, sample: string): Promise<number> {
  const text = await (await fetch(`${node.url}/-/metrics`)).text();
  const lines = text.split("\n").filter((line) => new RegExp(`^${sample}[ {]`).test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
