// One ingest and everything around it: a store that keeps a version already, and an upstream that offers a second one.
import { makeFilledWorld } from "./filled-world.ts";
import type { FilledWorld } from "./filled-world.ts";
import { makeModule } from "./modules.ts";
import { pathsOf, truthOf } from "./store-truth.ts";
import { recordModule } from "./world.ts";

/** What every store keeps before anything happens. */
export const warm = makeModule({ path: "example.com/warm", version: "v1.0.0" });
export const warmPaths: readonly string[] = pathsOf(warm);
/** Its folders must be made, and the database's newest head is replaced for it. */
export const fresh = makeModule({ path: "example.com/fresh/deep", version: "v1.2.3" });
export const freshPaths: readonly string[] = pathsOf(fresh);

/** The truth is that of both versions; stores keep the warm one. */
export async function makeIngestWorld(): Promise<FilledWorld> {
  const world = await makeFilledWorld([warm]);
  world.stub.add(fresh);
  await recordModule(world.database, fresh);
  return { ...world, truth: truthOf([warm, fresh], world.stub) };
}
