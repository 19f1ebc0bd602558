// A whole little world on loopback: an upstream with the fixture modules, a checksum database that has recorded
// them, and a Granary between them and whoever asks.
import { hashGoMod } from "#protocol/dirhash.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { fixtureZip } from "./fixture-zip.ts";
import { startGranary } from "./granary.ts";
import type { GranaryOptions, RunningGranary } from "./granary.ts";
import { goModOf, readModuleFixtures } from "./modules.ts";
import type { ModuleFixture } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubOptions, StubUpstream } from "./stub-upstream.ts";

/** Reserved for documentation (RFC 2606): a direct route to it cannot exist. */
export const databaseName = "sum.example.test";

export type Upstreams = { readonly stub: StubUpstream; readonly database: TestDatabase };

export type World = Upstreams & {
  readonly granary: RunningGranary;
  /** GOSUMDB for a client that asks the database through its GOPROXY. */
  readonly gosumdb: string;
  close(): Promise<void>;
};

export type WorldOptions = Partial<Omit<GranaryOptions, "upstream" | "sumdb">> & {
  /** Another upstream in front of the stub in Granary's list. */
  readonly before?: string;
  /** Another upstream behind it. */
  readonly after?: string;
  readonly modules?: readonly ModuleFixture[];
};

/** Upstream, database and a Granary that knows both. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { before, after, modules, ...rest } = options;
  const upstreams = await startUpstreams(modules);
  const { stub, database } = upstreams;
  const list = [before, stub.url, after];
  try {
    const upstream = list.filter((entry) => entry !== undefined).join(",");
    const granary = await startGranary({ upstream, sumdb: sumdbSetting(options, upstreams), ...rest });
    const close = async (): Promise<void> => {
      await granary.stop();
      await stub.close();
    };
    return { ...upstreams, granary, gosumdb: database.verifierKey, close };
  } catch (error) {
    await stub.close();
    throw error;
  }
}

/** A lookup's 404 through a tunnel is hearsay; at the database's own URL it is the database's word. */
function sumdbSetting(options: WorldOptions, { stub, database }: Upstreams): string | string[] {
  if (options.flags?.includes("--sumdb=off") === true) return [];
  return `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
}

/** An upstream and its database. Modules under `corp.example` are known to the upstream and to no database. */
export async function startUpstreams(
  modules: readonly ModuleFixture[] = readModuleFixtures(),
  options: Partial<StubOptions> = {},
): Promise<Upstreams> {
  // The same seed everywhere: two upstreams of one test tunnel one and the same database.
  const database = new TestDatabase({ name: databaseName, seed: Buffer.alloc(32, 7) });
  for (const module of modules) if (!module.path.startsWith("corp.example/")) await recordModule(database, module);
  return { stub: await startStubUpstream({ modules, database, ...options }), database };
}

/** Puts a version's true hashes on record. */
export async function recordModule(database: TestDatabase, module: ModuleFixture): Promise<void> {
  const { h1 } = checkModuleZip(bytesSource(fixtureZip(module)), module);
  await database.addModule(checkModuleVersion(module.path, module.version), {
    zip: h1,
    mod: hashGoMod(Buffer.from(goModOf(module))),
  });
}
