// A store that keeps some versions, the upstream they came from, and the program whose lives are ended on copies of it.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProgram } from "./crash-runner.ts";
import type { Program } from "./crash-runner.ts";
import { openInside } from "./inside-server.ts";
import type { Place } from "./inside-server.ts";
import type { ModuleFixture } from "./modules.ts";
import { pathsOf, truthOf } from "./store-truth.ts";
import type { Truth } from "./store-truth.ts";
import { startUpstreams } from "./world.ts";
import type { Upstreams } from "./world.ts";

export type FilledWorld = Upstreams & {
  readonly program: Program;
  readonly truth: Truth;
  /** Where everything of this world is, for what a test has to put beside it. */
  readonly folder: string;
  /** The store that is copied. */
  readonly template: string;
  /** A folder of its own that does not exist yet. */
  emptyPlace(): Place;
  /** A copy of the store. */
  newPlace(): Promise<Place>;
  close(): Promise<void>;
};

export async function makeFilledWorld(modules: readonly ModuleFixture[]): Promise<FilledWorld> {
  const folder = await mkdtemp(join(tmpdir(), "granary-filled-"));
  const program = await makeProgram();
  const upstreams = await startUpstreams(modules);
  const { stub, database } = upstreams;
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const placeAt = (root: string): Place => ({ root, upstream: stub.url, sumdb });
  const template = join(folder, "template");
  const server = await openInside(placeAt(template), program.verifyEntry);
  for (const path of modules.flatMap(pathsOf)) assert.equal((await server.get(path))?.status, 200);
  await server.close();
  let places = 0;
  const emptyPlace = (): Place => placeAt(join(folder, `store-${places++}`));
  return {
    ...upstreams,
    program,
    truth: truthOf(modules, stub),
    folder,
    template,
    emptyPlace,
    newPlace: async () => {
      const place = emptyPlace();
      await cp(template, place.root, { recursive: true });
      return place;
    },
    close: async () => {
      await program.remove();
      await stub.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
