// A store is trimmed, pinned, examined, mended and indexed anew beside a running server, with and without workers: what
// clients are told stays right all the while.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { runGranary } from "../support/granary.ts";
import { someBytes } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const versions = ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0"] as const;
const path = "example.com/kept";
const modules = versions.map((version, n) =>
  makeModule({
    path,
    version,
    files: {
      "go.mod": `module ${path}\n`,
      "noise.txt": Buffer.from(someBytes(40_000, n + 1)).toString("base64"),
    },
  }),
);
const target = (version: string, ext = "zip") => `/${path}/@v/${version}.${ext}`;

type Scene = { readonly world: World; readonly store: string; readonly truth: ReadonlyMap<string, Buffer> };

/** A server that has kept all versions. */
async function scene(t: TestContext, flags: readonly string[]): Promise<Scene> {
  const store = await mkdtemp(join(tmpdir(), "granary-tending-"));
  atEnd(t, () => rm(store, { recursive: true, force: true }));
  // What is in memory already would be answered from there.
  const world = await startWorld({ store, modules, flags: [...flags], env: { GRANARY_CACHE_ENABLED: "off" } });
  atEnd(t, () => world.close());
  const truth = new Map<string, Buffer>();
  for (const version of versions)
    for (const ext of ["info", "mod", "zip"]) {
      const answer = await fetch(world.granary.url + target(version, ext));
      assert.equal(answer.status, 200);
      truth.set(target(version, ext), Buffer.from(await answer.arrayBuffer()));
    }
  return { world, store, truth };
}

/** Of `fsck`: what was found; of `stats --hot`: what was used. */
type Said = {
  readonly findings: readonly { readonly kind: string }[];
  readonly versions: readonly { readonly version: string; readonly uses: number }[];
};

/** The exit code and what was said, as JSON. */
async function told(store: string, args: readonly string[]): Promise<{ code: number; said: Said }> {
  const { code, stdout, stderr } = await runGranary(["store", ...args, `--store=${store}`, "--json"]);
  assert.ok(code === 0 || code === 1, stderr);
  return { code, said: JSON.parse(stdout) as Said };
}

async function statusOf({ world, truth }: Scene, what: string, prefix = ""): Promise<number> {
  const answer = await fetch(world.granary.url + prefix + what);
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status === 200) assert.ok(truth.get(what)?.equals(body), `wrong bytes of ${what}`);
  return answer.status;
}

/** Kept or not; what the server has open it may answer once more. */
async function isKept(at: Scene, version: string): Promise<boolean> {
  const statuses: number[] = [];
  for (let n = 0; n < 6; n++) statuses.push(await statusOf(at, target(version), "/cached-only"));
  assert.ok(
    statuses.every((status) => status === 200 || status === 404),
    String(statuses),
  );
  return statuses.at(-1) === 200;
}

async function usesOf(store: string, version: string): Promise<number> {
  const { said } = await told(store, ["stats", "--hot", "10"]);
  return said.versions.find((one) => one.version === version)?.uses ?? 0;
}

/** Uses are told to the index every two seconds. */
async function untilUsed(store: string, version: string, uses: number): Promise<void> {
  for (let n = 0; n < 60 && (await usesOf(store, version)) < uses; n++) await sleep(500);
  assert.ok((await usesOf(store, version)) >= uses, `${version} was used ${await usesOf(store, version)} times`);
}

/** Every day with workers, whose owner does what one process does. LONG=1: also with one process. */
const lives = [
  ["workers", ["--workers=2"]],
  ["one process", []],
] as const;

for (const [name, flags] of process.env["LONG"] === "1" ? lives : lives.slice(0, 1))
  suite(`tending beside a server: ${name}`, () => {
    test("gc lets go what clients did not ask for lately, keeps what is pinned, and all of it comes again", async (t) => {
      const at = await scene(t, flags);
      for (const version of versions) await untilUsed(at.store, version, 1);
      // Each on a connection of its own, so that both workers have answered.
      for (let n = 0; n < 8; n++)
        assert.equal(
          (await fetch(at.world.granary.url + target("v1.0.0"), { headers: { connection: "close" } })).status,
          200,
        );
      await untilUsed(at.store, "v1.0.0", 9);
      const pinned = await runGranary(["pin", "add", `${path}@v1.1.0`, `--store=${at.store}`]);
      assert.equal(pinned.code, 0, pinned.stderr);
      const size = at.truth.get(target("v1.0.0"))!.length * 2.5;
      const { code } = await told(at.store, ["gc", "--order", "lru", `--max-size=${Math.round(size)}`]);
      assert.equal(code, 0);
      assert.deepEqual(await Promise.all(versions.map((version) => isKept(at, version))), [true, true, false, false]);
      for (const version of versions) assert.equal(await statusOf(at, target(version)), 200);
      assert.deepEqual((await told(at.store, ["fsck", "--deep"])).said.findings, []);
    });

    test("fsck --repair and rollback mend what rots, and no client sees it", async (t) => {
      const at = await scene(t, flags);
      const file = join(at.store, "modules", target("v1.2.0"));
      const right = await readFile(file);
      const other = join(at.store, "state", "other.zip");
      await writeFile(other, right);
      const harm = async () => {
        const wrong = Buffer.from(right);
        wrong[1_000] = wrong[1_000]! ^ 1;
        await writeFile(file, wrong);
      };
      await harm();
      const { said, code } = await told(at.store, [...["fsck", "--deep", "--repair"]]);
      assert.deepEqual([code, said.findings.map(({ kind }) => kind)], [0, ["damaged"]]);
      assert.equal(await statusOf(at, target("v1.2.0")), 200);
      await harm();
      const sha256 =
        /"zip":\{[^}]*"sha256":"([0-9a-f]{64})"/.exec(await readFile(`${file}.manifest`, "utf8"))?.[1] ?? "";
      const back = await runGranary([
        ...["store", "rollback", `${path}@v1.2.0`, "--sha256", sha256, "--from", other, `--store=${at.store}`],
      ]);
      assert.equal(back.code, 0, back.stderr);
      assert.deepEqual(await readFile(file), right);
      for (let n = 0; n < 4; n++) assert.equal(await statusOf(at, target("v1.2.0")), 200);
    });

    test("the index is made anew while clients are answered", async (t) => {
      const at = await scene(t, flags);
      const rebuilding = told(at.store, ["fsck", "--rebuild"]);
      const state = { isOver: false };
      const over = rebuilding.finally(() => (state.isOver = true));
      let answers = 0;
      while (!state.isOver)
        for (const version of versions) {
          assert.equal(await statusOf(at, target(version)), 200);
          answers++;
        }
      assert.equal((await over).code, 0);
      assert.ok(answers >= versions.length);
      await untilUsed(at.store, "v1.3.0", 1);
    });
  });
