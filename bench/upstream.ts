// The emulated upstream as its own process, and the handle that the bench holds it by.
import { join } from "node:path";
import { start, untilSaid } from "./children.ts";
import type { Counts, Injected, Settings } from "./emulator-server.ts";

export type Upstream = {
  readonly url: string;
  /** Where it serves the checksum database by https, when it does. */
  readonly tlsUrl: string | undefined;
  readonly pid: number;
  set(change: Partial<Settings>): Promise<void>;
  counts(): Promise<Counts>;
  /** How often `path` was asked since the last reset. */
  asked(path: string): Promise<number>;
  injected(): Promise<readonly Injected[]>;
  /** Paths it did not have, some of them, since it started. */
  missing(): Promise<readonly string[]>;
  resetCounts(): Promise<void>;
  /** SIGKILL for one that does not hear: it stands still. */
  stop(by?: "SIGKILL"): Promise<void>;
};

export type UpstreamUse = {
  /** GOPROXY layout. */
  readonly root: string;
  /** Base URL of a real proxy for what is missing in `root`. */
  readonly live?: string | undefined;
  readonly keep?: "sumdb" | "all";
  /** Begin of its entity tags. */
  readonly tag?: string;
  /** PEM files, for the database by https. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly database: string };
};

export async function startUpstream(use: UpstreamUse): Promise<Upstream> {
  const { root, live, keep, tag, tls } = use;
  const child = start({
    command: process.execPath,
    args: [
      join(import.meta.dirname, "emulator.ts"),
      `--root=${root}`,
      ...(live === undefined ? [] : [`--live=${live}`]),
      ...(keep === undefined ? [] : [`--keep=${keep}`]),
      ...(tag === undefined ? [] : [`--tag=${tag}`]),
      ...(tls === undefined
        ? []
        : [`--tls-cert=${tls.cert}`, `--tls-key=${tls.key}`, `--tls-database=${tls.database}`]),
    ],
  });
  const [line] = await untilSaid(child, /^\{"url":.*\}$/m);
  const { url, tlsUrl } = JSON.parse(line) as { readonly url: string; readonly tlsUrl?: string };
  const counts = async (): Promise<Counts> => (await (await fetch(`${url}/-/counts`)).json()) as Counts;
  return {
    url,
    tlsUrl,
    pid: child.pid,
    set: (change) => post(`${url}/-/settings`, change),
    counts,
    asked: async (path) => (await counts()).paths[path]?.requests ?? 0,
    missing: async () => (await counts()).missing,
    injected: async () => (await (await fetch(`${url}/-/faults`)).json()) as readonly Injected[],
    resetCounts: () => post(`${url}/-/reset`, {}),
    stop: (by) => child.stop(by),
  };
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  await response.arrayBuffer();
}
