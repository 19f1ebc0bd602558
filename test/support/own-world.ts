// A Granary with a checksum database of its own, between a public upstream and a private one.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey, parseVerifierKey, type Verifier } from "#protocol/note.ts";
import { startGranary } from "./granary.ts";
import type { RunningGranary } from "./granary.ts";
import type { ModuleFixture } from "./modules.ts";
import { makeModule } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream } from "./stub-upstream.ts";
import { startUpstreams } from "./world.ts";
import type { Upstreams } from "./world.ts";

export const ownName = "sum.corp.example.test";
export const secret = makeModule({ path: "corp.example/team/secret", version: "v1.0.0" });

export type OwnWorld = Upstreams & {
  readonly corp: StubUpstream;
  readonly folder: string;
  readonly store: string;
  readonly keyFile: string;
  /** GOSUMDB of the own database. */
  readonly verifierKey: string;
  readonly verifier: Verifier;
  /** Starts a Granary over the store; ended by close(). */
  start(flags?: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunningGranary>;
  close(): Promise<void>;
};

export async function ownWorld(modules?: readonly ModuleFixture[]): Promise<OwnWorld> {
  const folder = await mkdtemp(join(tmpdir(), "granary-own-"));
  const upstreams = await startUpstreams(modules);
  const corp = await startStubUpstream({ modules: [secret] });
  const { signerKey, verifierKey } = generateKey(ownName, Buffer.alloc(32, 9));
  const keyFile = join(folder, "sumlog.key");
  await writeFile(keyFile, `${signerKey}\n`, { mode: 0o600 });
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/team/*\n`);
  const store = join(folder, "store");
  const running: RunningGranary[] = [];
  const { stub, database } = upstreams;
  return {
    ...upstreams,
    corp,
    folder,
    store,
    keyFile,
    verifierKey,
    verifier: parseVerifierKey(verifierKey),
    start: async (flags = [], env = {}) => {
      const granary = await startGranary({
        upstream: `${corp.url},${stub.url}`,
        sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
        private: "corp.example/team/*",
        store,
        env,
        flags: [`--config=${config}`, `--sumlog-key=${keyFile}`, ...flags],
      });
      running.push(granary);
      return granary;
    },
    close: async () => {
      for (const granary of running) await granary.stop();
      await stub.close();
      await corp.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
