// Nodes of one service, each at an address that stays its own when it is started again, behind a real nginx whose
// configuration is the generated one.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { nginxConfig } from "#services/generate/nginx.ts";
import type { NginxOptions } from "#services/generate/nginx.ts";
import { atEnd } from "./at-end.ts";
import { startGranary } from "./granary.ts";
import type { RunningGranary } from "./granary.ts";
import { freePort } from "./loopback.ts";
import type { ModuleFixture } from "./modules.ts";
import { startNginx } from "./servers/nginx.ts";
import { serverFolder } from "./servers/server.ts";
import type { RunningServer } from "./servers/server.ts";
import type { StubUpstream } from "./stub-upstream.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import { startUpstreams } from "./world.ts";
import type { Upstreams } from "./world.ts";

export type Node = {
  readonly port: number;
  readonly url: string;
  readonly store: string;
  readonly running: () => RunningGranary;
  /** Starts it again, on the same port over the same store. */
  readonly start: () => Promise<void>;
  /** SIGTERM, and until it has ended. Returns its exit code. */
  readonly stop: () => Promise<number>;
  /** SIGKILL, and until it is gone. */
  readonly kill: () => Promise<void>;
};

export type NodesWorld = Upstreams & {
  /** Has what is private. */
  readonly corp: StubUpstream;
  readonly folder: string;
  readonly nodes: readonly Node[];
  readonly gosumdb: string;
};

/** Private modules of these tests. */
export const privatePattern = "corp.example/*";

/** `count` nodes, each with a store of its own unless `flags` say otherwise. */
export async function startNodes(
  t: Pick<TestContext, "after">,
  use: {
    readonly count: number;
    readonly modules?: readonly ModuleFixture[];
    readonly secrets?: readonly ModuleFixture[];
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<NodesWorld> {
  const folder = await serverFolder(t, "nodes");
  const upstreams = await startUpstreams(use.modules);
  atEnd(t, () => upstreams.stub.close());
  const corp = await startStubUpstream({ modules: use.secrets ?? [] });
  atEnd(t, () => corp.close());
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: ${privatePattern}\n`);
  const { stub, database } = upstreams;
  const nodes: Node[] = [];
  for (let at = 0; at < use.count; at++) {
    const port = await freePort();
    const store = join(folder, `store${at}`);
    nodes.push(
      await startNode(t, port, () =>
        startGranary({
          upstream: `${corp.url},${stub.url}`,
          sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
          private: privatePattern,
          store,
          flags: [`--config=${config}`, `--listen=127.0.0.1:${port}`, ...(use.flags ?? [])],
          ...(use.env !== undefined && { env: use.env }),
        }),
      ),
    );
  }
  return { ...upstreams, corp, folder, nodes, gosumdb: database.verifierKey };
}

async function startNode(
  t: Pick<TestContext, "after">,
  port: number,
  start: () => Promise<RunningGranary>,
): Promise<Node> {
  let running = await start();
  atEnd(t, () => running.stop());
  const again = async (): Promise<void> => {
    running = await start();
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    store: running.store,
    running: () => running,
    start: again,
    stop: () => running.stop(),
    kill: async () => {
      running.signal("SIGKILL");
      await running.ended;
    },
  };
}

export type Front = RunningServer & { readonly url: string; readonly cacheDir: string };

/** The generated configuration in front of nodes. */
export async function startFront(
  t: Pick<TestContext, "after">,
  nodes: readonly Pick<Node, "port">[],
  more: Partial<NginxOptions> = {},
): Promise<Front> {
  const folder = await serverFolder(t, "nginx");
  const port = await freePort();
  const cacheDir = join(folder, "cache");
  await mkdir(cacheDir);
  const options: NginxOptions = {
    ...frontOptions(nodes, port),
    cache: { dir: cacheDir, size: "100m", zone: "10m" },
    ...more,
  };
  const running = await startNginx(t, { folder, port, http: nginxConfig(options) });
  return { ...running, url: `http${options.tls === undefined ? "" : "s"}://127.0.0.1:${port}`, cacheDir };
}

export function frontOptions(nodes: readonly Pick<Node, "port">[], port: number): NginxOptions {
  return {
    nodes: nodes.map((node) => ({ host: "127.0.0.1", port: node.port, isTls: false })),
    nodeTrust: undefined,
    serverName: "localhost",
    listen: `127.0.0.1:${port}`,
    tls: undefined,
    cache: undefined,
  };
}
