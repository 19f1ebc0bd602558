// A real Redis, alone or as a cluster of three, without persistence.
import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { freePort } from "../loopback.ts";
import { programPath } from "./programs.ts";
import { serverFolder, startServer } from "./server.ts";
import type { RunningServer } from "./server.ts";

export type RedisServer = RunningServer & { /** `redis://127.0.0.1:PORT` */ readonly url: string };

/** Why there is none on this machine, for a skip; undefined when there is. */
export function missingRedis(): string | undefined {
  return programPath("redis-server") === undefined ? "no redis-server on this machine (apt: redis-server)" : undefined;
}

export async function startRedis(
  t: Pick<TestContext, "after">,
  { flags = [] }: { readonly flags?: readonly string[] } = {},
): Promise<RedisServer> {
  const program = programPath("redis-server");
  if (program === undefined) throw new Error(missingRedis());
  const folder = await serverFolder(t, "redis");
  const port = await freePort();
  const running = await startServer(t, {
    name: "redis-server",
    port,
    folder,
    command: [
      program,
      ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
      ...["--save", "", "--appendonly", "no", ...flags],
    ],
  });
  return { ...running, url: `redis://127.0.0.1:${port}` };
}

/** Three masters that share the slots. Undefined where there is no redis-cli. */
export async function startRedisCluster(t: Pick<TestContext, "after">): Promise<readonly RedisServer[] | undefined> {
  const cli = programPath("redis-cli");
  if (cli === undefined) return undefined;
  const nodes: RedisServer[] = [];
  for (let n = 0; n < 3; n++) {
    const bus = await freePort();
    nodes.push(
      await startRedis(t, {
        flags: ["--cluster-enabled", "yes", "--cluster-port", String(bus), "--cluster-node-timeout", "2000"],
      }),
    );
  }
  const made = spawnSync(
    cli,
    ["--cluster", "create", ...nodes.map(({ port }) => `127.0.0.1:${port}`), "--cluster-yes"],
    { encoding: "utf8", timeout: 30_000 },
  );
  if (made.status !== 0) throw new Error(`no cluster: ${made.stdout}${made.stderr}`);
  return nodes;
}
