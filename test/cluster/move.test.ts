// A store moved into a bucket of a real service while its server answers and keeps what is new; the mover is killed again
// and again. And the way back.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { generateKey } from "#protocol/note.ts";
import type { Storage } from "#services/store/ports.ts";
import { makeFilledWorld } from "../support/filled-world.ts";
import type { FilledWorld } from "../support/filled-world.ts";
import { startBetween } from "../support/between-http.ts";
import { openInside } from "../support/inside-server.ts";
import type { InsideServer } from "../support/inside-server.ts";
import { makeModule } from "../support/modules.ts";
import { makeBucket, s3StorageOf } from "../support/s3-store.ts";
import { missingS3, s3Kinds, startS3 } from "../support/servers/s3.ts";
import type { S3Kind, S3Server } from "../support/servers/s3.ts";
import { contents, damage, fillStore, isWhole, keepVersion, Memory, put, textOf } from "../support/snapshot-world.ts";
import { pathsOf } from "../support/store-truth.ts";
import { verifyStore } from "#services/store/survey.ts";

const kills = process.env["LONG"] === undefined ? 10 : 100;
const program = process.env["GRANARY_TEST_PROGRAM"] ?? resolve(import.meta.dirname, "../../bin/granary.ts");

/** Not to be squeezed, so that its zip is sent from where it lies. */
const noise = Buffer.from(Array.from({ length: 1_500_000 }, (_, n) => (n * 2_654_435_761) >>> 13)).toString("hex");
const early = Array.from({ length: 20 }, (_, n) => makeModule({ path: `example.com/m${n}`, version: "v1.0.0" }));
const large = makeModule({
  path: "example.com/large",
  version: "v1.0.0",
  files: { "go.mod": "module example.com/large\n", "noise.txt": noise },
});
const late = Array.from({ length: 20 }, (_, n) => makeModule({ path: `example.com/late${n}`, version: "v1.0.0" }));

type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs `granary store migrate …`; killed as soon as `isTime` says so. */
async function migrate(
  server: Pick<S3Server, "endpoint" | "accessKey" | "secretKey">,
  args: readonly string[],
  isTime: () => boolean = () => false,
): Promise<Ran> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", program, "store", "migrate", "--s3-endpoint", server.endpoint, ...args],
    {
      env: {
        PATH: process.env["PATH"],
        HOME: tmpdir(),
        GOENV: "off",
        MINIO_ACCESS_KEY: server.accessKey,
        MINIO_SECRET_KEY: server.secretKey,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  const timer = setInterval(() => {
    if (isTime()) child.kill("SIGKILL");
  }, 1);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(timer);
  return { code, ...said };
}

/** Asks for files that are kept, one after the other, until it is told to end. */
class Readers {
  asked = 0;
  readonly failed: string[] = [];
  #isOver = false;
  readonly #work: Promise<unknown>;

  constructor(server: InsideServer, world: FilledWorld, paths: readonly string[]) {
    this.#work = Promise.all(
      [0, 1].map(async (offset) => {
        for (let n = offset; !this.#isOver; n += 7) {
          const path = paths[n % paths.length] ?? "";
          const answer = await server.get(path);
          this.asked++;
          if (answer?.status !== 200 || world.truth.get(path)?.equals(answer.body) !== true) this.failed.push(path);
          await passed(10);
        }
      }),
    );
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }
}

/** What has to be the same in both. */
async function moved(storage: Storage): Promise<Record<string, string>> {
  const all = Object.entries(await contents(storage));
  return Object.fromEntries(all.filter(([key]) => !/^state\/(moved|events)/.test(key)));
}

/** Without asking an upstream. */
async function servesAll(server: InsideServer, { truth }: FilledWorld): Promise<void> {
  for (const [path, bytes] of truth) {
    const answer = await server.get(`/cached-only${path}`);
    assert.equal(answer?.status, 200, `${path}: ${answer?.body.toString() ?? "broken off"}`);
    assert.ok(bytes.equals(answer.body), path);
  }
  await server.close();
}

for (const kind of s3Kinds) suite(`moving a store: ${kind}`, { skip: missingS3(kind) ?? false }, () => movesOf(kind));

function movesOf(kind: S3Kind): void {
  let server: S3Server;
  let folder: string;
  let world: FilledWorld;
  const ends: (() => unknown)[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "granary-move-"));
    server = await startS3({ after: (work) => void ends.push(work as () => unknown) }, kind);
    await makeBucket(server, "bucket");
    world = await makeFilledWorld([...early, large, ...late]);
  });
  after(async () => {
    await world.close();
    for (const end of ends.reverse()) await end();
    await rm(folder, { recursive: true, force: true });
  });
  const bucketAt = (prefix: string) =>
    s3StorageOf(server, { bucket: "bucket", prefix, folder: join(folder, `stages-${prefix}`) });

  test(
    `killed ${kills} times beside a server that answers and keeps: the same in the end, no request failed`,
    { timeout: 240_000 },
    async (t) => {
      const place = world.emptyPlace();
      const inside = await openInside(place, world.program.verifyEntry);
      const known = [...early, large].flatMap(pathsOf);
      for (const path of known) assert.equal((await inside.get(path))?.status, 200);
      const readers = new Readers(inside, world, known);
      const args = ["--to", "s3", "--store", place.root, "--s3", "bucket/killed"];
      const between = await startBetween(t, server.endpoint);
      let ended = 0;
      for (let round = 0; round < kills; round++) {
        const from = between.seen.length;
        const requests = 1 + Math.floor(Math.random() * 100);
        const coming = Promise.all(
          late
            .slice(round * 2, round * 2 + 2)
            .flatMap(pathsOf)
            .map((path) => inside.get(path)),
        );
        const { code, stderr } = await migrate(
          { ...server, endpoint: between.endpoint },
          args,
          () => between.seen.length - from >= requests,
        );
        if (code !== null) ended++;
        assert.ok(code === null || code === 0, stderr);
        for (const answer of await coming) assert.equal(answer?.status, 200);
      }
      t.diagnostic(`${kills - ended} of ${kills} runs were killed`);
      assert.ok(ended < kills / 2, `${ended} runs ended before they were killed`);
      const last = await migrate(server, args);
      assert.equal(last.code, 0, last.stdout + last.stderr);
      await readers.end();
      assert.ok(readers.asked > 100);
      assert.deepEqual(readers.failed, []);
      await inside.close();
      const again = await migrate(server, [...args, "--deep", "--json"]);
      const report = JSON.parse(again.stdout) as {
        readonly found: unknown[];
        readonly counts: { readonly verifiedFiles: number; readonly same: number };
      };
      assert.deepEqual([again.code, report.found], [0, []]);
      assert.ok(report.counts.verifiedFiles >= 41 * 3);
      const bucket = await bucketAt("killed");
      const disk = await openDiskStorage(place.root);
      assert.deepEqual(await moved(bucket), await moved(disk));
      const { findings } = await verifyStore(bucket, () => undefined);
      assert.deepEqual(findings, []);
      await bucket.close();
      const shared = {
        "s3.bucket": "bucket/killed",
        "s3.endpoint": server.endpoint,
        "s3.accessKey": server.accessKey,
        "s3.secretKey": server.secretKey,
      };
      await servesAll(await openInside(world.emptyPlace(), world.program.verifyEntry, shared), world);
      const handed = await migrate(server, [...args, "--hand-over"]);
      assert.equal(handed.code, 0, handed.stdout + handed.stderr);
      assert.match(handed.stdout, /copies of s3:\/\/bucket\/killed from now on/);
      await servesAll(await openInside(place, world.program.verifyEntry, shared), world);
      const refused = await migrate(server, args);
      assert.match(refused.stderr, /GRANARY_STORE_IS_COPY/);
    },
  );

  test("everything of a store, an own log of 300 records too, and back again; a dry run changes nothing", async () => {
    const [root, back, key] = ["there", "back", "log.key"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const disk = await openDiskStorage(root, { fsync: "never" });
    await fillStore(disk, new Memory(), 300);
    await writeFile(key, `${generateKey("log.example", Buffer.alloc(32, 7)).signerKey}\n`, { mode: 0o600 });
    const there = ["--s3", "bucket/whole", "--sumlog-key", key];
    const dry = await migrate(server, ["--to", "s3", "--store", root, ...there, "--dry-run"]);
    assert.equal(dry.code, 0, dry.stdout + dry.stderr);
    const bucket = await bucketAt("whole");
    assert.deepEqual(await contents(bucket), {});
    const real = await migrate(server, ["--to", "s3", "--store", root, ...there]);
    assert.equal(real.code, 0, real.stdout + real.stderr);
    assert.deepEqual(await moved(bucket), await moved(disk));
    assert.equal(await isWhole(bucket), 300);
    const home = await migrate(server, ["--to", "disk", "--store", back, ...there]);
    assert.equal(home.code, 0, home.stdout + home.stderr);
    const disk2 = await openDiskStorage(back, { fsync: "never" });
    assert.deepEqual(await moved(disk2), await moved(disk));
    assert.equal(await isWhole(disk2), 300);
    await bucket.close();
  });

  test("other bytes in the bucket and damage on the disk are named, exit 1; everything else is moved", async () => {
    const root = join(folder, "damaged");
    const disk = await openDiskStorage(root, { fsync: "never" });
    await fillStore(disk, new Memory(), 0);
    await damage(disk, "modules/example.com/!upper/@v/v1.0.0.zip");
    const bucket = await bucketAt("found");
    await mkdir(join(folder, "stages-found"), { recursive: true });
    await keepVersion(bucket, { path: "example.com/Upper", version: "v1.1.0", seed: 77 });
    await put(bucket, "state/tokens.json", "tokens of the bucket");
    const before = await contents(bucket);
    const ran = await migrate(server, ["--to", "s3", "--store", root, "--s3", "bucket/found", "--json"]);
    const { found } = JSON.parse(ran.stdout) as { readonly found: readonly { what: string; is: string }[] };
    assert.equal(ran.code, 1);
    assert.deepEqual(
      found.map(({ what, is }) => `${is} ${what}`),
      [
        "damaged modules/example.com/!upper/@v/v1.0.0",
        "conflict modules/example.com/!upper/@v/v1.1.0",
        "conflict state/tokens.json",
      ],
    );
    const now = await contents(bucket);
    for (const [key, hash] of Object.entries(before)) assert.equal(now[key], hash, key);
    assert.equal(await textOf(bucket, "modules/sumdb/sum.example/latest"), "a head");
    assert.ok("modules/corp.example/secret/@v/v0.1.0.mod.manifest" in now);
    await bucket.close();
  });

  test("no bucket, a bucket that is not there, no store: said, exit 2 or 3", async () => {
    const none = await migrate(server, ["--to", "s3", "--store", join(folder, "there"), "--s3", "none-such"]);
    assert.match(none.stderr, /none-such/);
    assert.equal(none.code, 3);
    const nowhere = await migrate(server, ["--to", "s3", "--store", join(folder, "nowhere"), "--s3", "bucket/x"]);
    assert.match(nowhere.stderr, /there is no store in .*nowhere/);
    const unnamed = await migrate(server, ["--to", "s3", "--store", join(folder, "there")]);
    assert.deepEqual([unnamed.code, /--s3 BUCKET/.test(unnamed.stderr)], [2, true]);
  });
}
