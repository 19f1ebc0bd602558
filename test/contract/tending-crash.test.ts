// Commands that change a whole store, killed before every call that changes the disk: `store gc`, `store migrate`, `store
// import`. Nothing torn is seen, an evicted version is whole or gone and must come back as the same bytes, and the same
// command once more finishes what the dead one began.
// Every day some of the calls, others each day; LONG=1 takes every call, and kills on both sides of it.
import assert from "node:assert/strict";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import type { Life } from "../support/crash-runner.ts";
import { makeFilledWorld } from "../support/filled-world.ts";
import type { FilledWorld } from "../support/filled-world.ts";
import type { Place } from "../support/inside-server.ts";
import { arrivalFacts, moduleVersion } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import { runHere } from "../support/run-here.ts";
import { checkStore, checkSurvey, pathsOf } from "../support/store-truth.ts";
import type { Expected } from "../support/store-truth.ts";

const long = process.env["LONG"] === "1";
const seed = Number(process.env["SEED"] ?? Math.floor(Date.now() / 86_400_000));
const modules = ["v1.0.0", "v1.1.0", "v1.2.0"].map((version) => makeModule({ path: "example.com/many", version }));
const paths = modules.flatMap(pathsOf);
/** Nobody may evict it. */
const pinned = makeModule({ path: "example.com/many", version: "v1.1.0" });
const staying = pathsOf(pinned);

/** What `granary.json` of a store said that knew no tombstones. */
const oldLayout = '{"layout":1}\n';

/** Its stores keep all of them. */
let world: FilledWorld;

before(async () => {
  world = await makeFilledWorld(modules);
  await runHere(["pin", "add", `${pinned.path}@${pinned.version}`, `--store=${world.template}`]);
});
after(() => world.close());

type Killing = {
  readonly scene: Life["scene"];
  readonly args: readonly string[];
  /** Of the calls that are looked at in CI. */
  readonly stride: number;
  readonly fill: () => Promise<Place>;
  /** Looks at what the dead one left. */
  readonly check: (place: Place) => Promise<void>;
};

/** Kills the command at one call after the other until it lives. Resolves to how many died. */
async function killAtEach(t: TestContext, { scene, args, stride, fill, check }: Killing): Promise<number> {
  const kinds = new Map<string, number>();
  const width = long ? 1 : stride;
  for (const when of long ? (["before", "after"] as const) : (["before"] as const)) {
    for (let step = 1 + (seed % width); ; step += width) {
      const place = await fill();
      const { lines, signal } = await world.program.live({ scene, place, args, dies: { step, when }, counts: "all" });
      const last = lines.at(-1) ?? "";
      if (signal === null) assert.match(lines.at(-2) ?? "", /^done 0 /);
      await check(place).catch((error: unknown) => {
        throw new Error(`after ${last}: ${String(error)}`, { cause: error });
      });
      await rm(place.root, { recursive: true, force: true });
      if (signal === null) break;
      const kind = last.replace(/^dies (\w+) step \d+, (\w+).*/, "$1 $2");
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
  }
  const deaths = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`${deaths} deaths: ${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  return deaths;
}

/** The same command in this process, to its end. */
async function again(place: Place, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(["store", ...words, `--store=${place.root}`]);
  assert.equal(code, 0, `${words.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Everything that must be true of a store, with a server started on it. */
const isRight = (place: Place, asked: Pick<Expected, "acknowledged" | "wanted">): Promise<void> =>
  checkStore({ place, truth: world.truth, verifyEntry: world.program.verifyEntry, ...asked });

const isThere = (root: string, path: string): Promise<boolean> =>
  stat(join(root, "modules", path)).then(
    () => true,
    () => false,
  );

/** Other bytes under an evicted version's name are a conflict. */
async function refusesOthers(root: string): Promise<void> {
  const store = new ModuleStore(await openDiskStorage(root, { fsync: "never" }));
  try {
    const [module = pinned] = modules;
    const id = moduleVersion(module.path, module.version);
    const forged = Buffer.from(`module ${module.path}\n\ngo 1.99\n`);
    const info = Buffer.from(`{"Version":"${module.version}"}`);
    await assert.rejects(store.keepMod({ id, info, mod: forged, facts: arrivalFacts }), StoreDamaged);
  } finally {
    await store.close();
  }
}

test("killed at every call of `store gc` that changes the disk", async (t) => {
  // One of the three fits in: the pinned one.
  const args = ["--max-size=450B"];
  const deaths = await killAtEach(t, {
    scene: "gc",
    args,
    stride: 16,
    fill: () => world.newPlace(),
    check: async (place) => {
      const { root } = place;
      for (const { path, version } of modules) {
        const name = `/${path}/@v/${version}`;
        const left = await Promise.all(pathsOf({ path, version }).map((file) => isThere(root, file)));
        // Manifests stay whatever happens; what misses a file has a tombstone that says so.
        for (const manifest of ["mod.manifest", "zip.manifest"])
          assert.ok(await isThere(root, `${name}.${manifest}`), `${name}.${manifest} is gone`);
        assert.ok(version !== pinned.version || !left.includes(false), `${name} is pinned, and gone`);
        if (left.includes(false))
          assert.ok(await isThere(root, `${name}.tombstone`), `${name}: gone without a tombstone`);
      }
      await checkSurvey(root, { mayBeUnlisted: true });
      await again(place, ["gc", ...args]);
      for (const path of paths)
        assert.equal(await isThere(root, path), staying.includes(path), `${path} stays, or leaves, against its pin`);
      await again(place, ["fsck", "--deep"]);
      await refusesOthers(root);
      // They come back as they were, and stay.
      await isRight(place, { acknowledged: staying, wanted: paths });
    },
  });
  assert.ok(deaths > (long ? 40 : 2), `${deaths} deaths`);
});

test("killed at every call of `store migrate` that changes the disk", async (t) => {
  const deaths = await killAtEach(t, {
    scene: "migrate",
    args: [],
    stride: 5,
    fill: async () => {
      const place = await world.newPlace();
      await writeFile(join(place.root, "granary.json"), oldLayout);
      return place;
    },
    check: async (place) => {
      await again(place, ["migrate"]);
      const storage = await openDiskStorage(place.root, { fsync: "never" });
      assert.equal(await storage.layout(), 2);
      await again(place, ["fsck", "--deep"]);
      await isRight(place, { acknowledged: paths, wanted: [] });
    },
  });
  assert.ok(deaths > (long ? 8 : 0), `${deaths} deaths`);
});

test("killed at every call of `store import` that changes the disk", async (t) => {
  const source = join(world.folder, "source");
  for (const path of paths) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), world.stub.bytes(path));
  }
  const args = [source, `--sumdb=${world.emptyPlace().sumdb}`];
  const deaths = await killAtEach(t, {
    scene: "import",
    args,
    stride: 80,
    fill: async () => {
      const place = world.emptyPlace();
      await mkdir(place.root);
      return place;
    },
    check: async (place) => {
      await checkSurvey(place.root, { mayBeUnlisted: true });
      await again(place, ["import", ...args]);
      for (const path of paths)
        assert.ok(
          (await readFile(join(place.root, "modules", path))).equals(world.truth.get(path) ?? Buffer.alloc(0)),
          path,
        );
      await again(place, ["fsck", "--deep"]);
      await isRight(place, { acknowledged: paths, wanted: [] });
    },
  });
  assert.ok(deaths > (long ? 100 : 0), `${deaths} deaths`);
});
