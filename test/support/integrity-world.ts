// Two Granaries: one that publishes its integrity list, and one that believes it while its database is dead.
import { createServer } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { generateKey } from "#protocol/note.ts";
import { atEnd } from "./at-end.ts";
import { startGranary } from "./granary.ts";
import type { RunningGranary } from "./granary.ts";
import { makeModule } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import { listen } from "./loopback.ts";
import { startUpstreams } from "./world.ts";
import type { Upstreams } from "./world.ts";

export const listName = "list.example.test";
export const secret = makeModule({ path: "corp.example/team/secret", version: "v1.0.0" });

export type IntegrityWorld = Upstreams & {
  /** `integrity.from` of the publisher's list, and one with a key that signs nothing. */
  readonly from: string;
  readonly strangersFrom: string;
  readonly publisher: RunningGranary;
  /** The reader's database: dead until it is revived. */
  readonly revive: (alive: boolean) => void;
  /** Starts the Granary that has no database; `store` lets it go on where another stopped. */
  startReader(options?: { readonly from?: string; readonly store?: string }): Promise<RunningGranary>;
};

export async function integrityWorld(t: TestContext): Promise<IntegrityWorld> {
  const folder = await mkdtemp(join(tmpdir(), "granary-integrity-"));
  const upstreams = await startUpstreams();
  const { stub, database } = upstreams;
  const corp = await startStubUpstream({ modules: [secret] });
  const [keys, strangers] = [generateKey(listName, Buffer.alloc(32, 5)), generateKey(listName, Buffer.alloc(32, 6))];
  const keyFile = join(folder, "list.key");
  await writeFile(keyFile, `${keys.signerKey}\n`, { mode: 0o600 });
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/team/*\n`);
  let isAlive = false;
  const gate = createServer((request, response) => {
    if (!isAlive) {
      request.socket.destroy();
      return;
    }
    void database.answer(request.url ?? "").then(({ status, bytes }) => response.writeHead(status).end(bytes));
  });
  const address = `http://127.0.0.1:${await listen(t, gate)}`;
  const running: RunningGranary[] = [];
  atEnd(t, async () => {
    for (const granary of running) await granary.stop();
    await stub.close();
    await corp.close();
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (options: Parameters<typeof startGranary>[0]): Promise<RunningGranary> => {
    const granary = await startGranary(options);
    running.push(granary);
    return granary;
  };
  const publisher = await start({
    upstream: `${corp.url},${stub.url}`,
    sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
    private: "corp.example/team/*",
    flags: [`--config=${config}`],
    env: { GRANARY_INTEGRITY_PUBLISH: keyFile },
  });
  const from = `${publisher.url}/integrity.txt ${keys.verifierKey}`;
  return {
    ...upstreams,
    from,
    strangersFrom: `${publisher.url}/integrity.txt ${strangers.verifierKey}`,
    publisher,
    revive: (alive) => (isAlive = alive),
    startReader: (options = {}) =>
      start({
        upstream: stub.url,
        sumdb: `${database.verifierKey} ${address}`,
        // A dead database is waited for this long; half a minute by default.
        env: { GRANARY_INTEGRITY_FROM: options.from ?? from, GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" },
        ...(options.store !== undefined && { store: options.store }),
      }),
  };
}

/** The publisher keeps a version, zip and all. */
export async function keep({ publisher }: IntegrityWorld, path: string, version: string): Promise<void> {
  const answer = await fetch(`${publisher.url}/${path}/@v/${version}.zip`);
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`${path}@${version}: status ${answer.status}`);
}
