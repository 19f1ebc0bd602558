// An upstream whose tunnel shows one history of a checksum database or another, as a test says.
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import type { ModuleFixture } from "./modules.ts";
import { makeModule } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream, TunnelledDatabase } from "./stub-upstream.ts";
import { databaseName, recordModule } from "./world.ts";

export type SwitchedDatabase = {
  readonly stub: StubUpstream;
  readonly honest: TestDatabase;
  /** Shows another history from now on. */
  readonly show: (database: TunnelledDatabase) => void;
  /** `--sumdb`: the database at the upstream's own URL. */
  readonly setting: string;
  /** The module versions that the upstream has. */
  readonly modules: readonly ModuleFixture[];
};

/** Records of other modules, up to so many in all. */
export async function fillTo(database: TestDatabase, size: number, word = "filler"): Promise<void> {
  while (database.size < size) await database.add(`example.com/${word} v0.0.${database.size} h1:x\n`);
}

/** An upstream with some versions of one module, all on record, and the rest of `size` records. */
export async function startSwitchedDatabase(versions: readonly string[], size: number): Promise<SwitchedDatabase> {
  const modules = versions.map((version) => makeModule({ path: "example.com/hello", version }));
  const honest = new TestDatabase({ name: databaseName, seed: Buffer.alloc(32, 7) });
  for (const module of modules) await recordModule(honest, module);
  await fillTo(honest, size);
  let shown: TunnelledDatabase = honest;
  const database = { name: databaseName, answer: (path: string) => shown.answer(path) };
  const stub = await startStubUpstream({ modules, database });
  return {
    stub,
    honest,
    show: (next) => (shown = next),
    setting: `${honest.verifierKey} ${stub.url}/sumdb/${databaseName}`,
    modules,
  };
}
