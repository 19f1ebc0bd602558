// One ingest and everything around it: a store that keeps a version already, an upstream that offers a second one, and
// the program whose lives are ended in the middle of it.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProgram } from "./crash-runner.ts";
import type { Program } from "./crash-runner.ts";
import { openInside } from "./inside-server.ts";
import type { Place } from "./inside-server.ts";
import { makeModule } from "./modules.ts";
import { pathsOf, truthOf } from "./store-truth.ts";
import type { Truth } from "./store-truth.ts";
import { recordModule, startUpstreams } from "./world.ts";
import type { Upstreams } from "./world.ts";

/** What every store keeps before anything happens. */
export const warm = makeModule({ path: "example.com/warm", version: "v1.0.0" });
export const warmPaths: readonly string[] = pathsOf(warm);
/** Its folders must be made, and the database's newest head is replaced for it. */
export const fresh = makeModule({ path: "example.com/fresh/deep", version: "v1.2.3" });
export const freshPaths: readonly string[] = pathsOf(fresh);

export type IngestWorld = {
  readonly program: Program;
  readonly upstreams: Upstreams;
  /** Of both versions. */
  readonly truth: Truth;
  /** A store of its own that keeps the warm version. */
  newPlace(): Promise<Place>;
  close(): Promise<void>;
};

export async function makeIngestWorld(): Promise<IngestWorld> {
  const folder = await mkdtemp(join(tmpdir(), "granary-ingest-"));
  const program = await makeProgram();
  const upstreams = await startUpstreams([warm]);
  const { stub, database } = upstreams;
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const placeAt = (root: string): Place => ({ root, upstream: stub.url, sumdb });
  const template = join(folder, "template");
  const server = await openInside(placeAt(template), program.verifyEntry);
  for (const path of warmPaths) assert.equal((await server.get(path))?.status, 200);
  await server.close();
  stub.add(fresh);
  await recordModule(database, fresh);
  let places = 0;
  return {
    program,
    upstreams,
    truth: truthOf([warm, fresh], stub),
    newPlace: async () => {
      const root = join(folder, `store-${places++}`);
      await cp(template, root, { recursive: true });
      return placeAt(root);
    },
    close: async () => {
      await program.remove();
      await stub.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
