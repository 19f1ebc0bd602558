// The disk lies: what was kept is not what is there. Nothing of it leaves, and the upstream mends it. 200 damages of every
// kind, to every kind of file, with the server stopped and while it runs. LONG=1: 10,000. SEED=n: others.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseLookup } from "#protocol/record.ts";
import { parseTree } from "#protocol/checkpoint.ts";
import { atEnd } from "../support/at-end.ts";
import { harm, harms } from "../support/damage.ts";
import { makeFilledWorld } from "../support/filled-world.ts";
import type { FilledWorld } from "../support/filled-world.ts";
import { startGranary } from "../support/granary.ts";
import { openInside } from "../support/inside-server.ts";
import type { InsideServer } from "../support/inside-server.ts";
import { someBytes } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import { seeded } from "../support/own-log-world.ts";
import { startWorld } from "../support/world.ts";

const stem = "/example.com/hello/@v/v1.0.0";

for (const ext of ["info", "mod", "zip"] as const)
  test(`a .${ext} damaged on disk never leaves, and is fetched and proven again`, async (t) => {
    const store = await mkdtemp(join(tmpdir(), "granary-damage-"));
    atEnd(t, () => rm(store, { recursive: true }));
    const world = await startWorld({ store });
    atEnd(t, () => world.close());
    const url = `${world.granary.url}${stem}.${ext}`;
    await (await fetch(`${world.granary.url}${stem}.zip`)).arrayBuffer();
    const first = Buffer.from(await (await fetch(url)).arrayBuffer());
    const file = join(store, "modules", `${stem}.${ext}`);
    const bytes = await readFile(file);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(file, bytes);
    // Another process: what the first one holds in memory is good.
    const upstream = world.stub.url;
    const sumdb = `${world.database.verifierKey} ${world.stub.url}/sumdb/${world.database.name}`;
    await world.granary.stop();
    const granary = await startGranary({ upstream, sumdb, store });
    atEnd(t, () => granary.stop());
    const statuses: number[] = [];
    for (let round = 0; round < 3; round++) {
      const answer = await fetch(`${granary.url}${stem}.${ext}`);
      const body = Buffer.from(await answer.arrayBuffer());
      statuses.push(answer.status);
      if (answer.status === 200) assert.deepEqual(body, first);
    }
    assert.deepEqual(statuses, [200, 200, 200]);
    assert.deepEqual(await readFile(file), first);
  });

// ---- many damages ----

const long = process.env["LONG"] === "1";
const seed = Number(process.env["SEED"] ?? 20261128);
/** Half of them while no server runs, half while one does. */
const damages = long ? 10_000 : 200;
const perRound = 10;

const modules = ["a", "b", "c", "d"].flatMap((name, m) =>
  ["v1.0.0", "v1.1.0", "v2.0.0-rc.1"].map((version, n) => {
    const noise = Buffer.from(someBytes(m === 0 ? 200_000 : 3_000, 10 * m + n + 1)).toString("base64");
    return makeModule({
      path: `example.com/${name}`,
      version: version.startsWith("v2") ? "v1.2.0-rc.1" : version,
      files: { "go.mod": `module example.com/${name}\n`, "noise.txt": noise },
    });
  }),
);
const lists = [...new Set(modules.map(({ path }) => `/${path}/@v/list`))];

/** Its stores keep all of it. */
let world: FilledWorld;

before(async () => (world = await makeFilledWorld(modules)));
after(() => world.close());

const spared = /^granary[.]|^events[.]jsonl$|-shm$/;

type Tally = { done: number; asked: number; right: number; refused: number; brokenOff: number; beyond: number };
const newTally = (): Tally => ({ done: 0, asked: 0, right: 0, refused: 0, brokenOff: 0, beyond: 0 });

/**
 * Damages files of a store at random, kept ones and those of the checksum database alike. Not the memory that SQLite shares
 * between processes: whoever cuts that file ends them all (docs/crash-proofs.md).
 */
async function damageSome(root: string, count: number, random: () => number): Promise<string[]> {
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  const files = all
    .filter((entry) => entry.isFile() && !spared.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const harmed: string[] = [];
  while (harmed.length < count) {
    const file = files[Math.floor(random() * files.length)] ?? "";
    const kind = harms[Math.floor(random() * harms.length)] ?? "flip";
    if (await harm(file, kind, random)) harmed.push(`${kind} ${file.slice(root.length + 1)}`);
  }
  return harmed;
}

/** Asks for everything once; throws when anything wrong comes. */
async function askAll(server: InsideServer, tally: Tally, story: string): Promise<void> {
  const { database, truth } = world;
  const judge = async (path: string, isRight: (body: Buffer) => boolean | Promise<boolean>): Promise<void> => {
    const answer = await server.get(path);
    tally.asked++;
    if (answer === undefined) tally.brokenOff++;
    else if (answer.status === 200) {
      assert.ok(
        await isRight(answer.body),
        `${path}: wrong bytes left after ${story}: ${answer.body.toString().slice(0, 300)}`,
      );
      tally.right++;
    } else {
      assert.ok(answer.status >= 500, `${path}: ${answer.status} after ${story}`);
      assert.match(answer.body.toString(), /^GRANARY_/, story);
      tally.refused++;
    }
  };
  for (const [path, bytes] of truth) await judge(path, (body) => bytes.equals(body));
  for (const list of lists) {
    const versions = "v1.0.0\nv1.1.0\nv1.2.0-rc.1\n";
    for (const path of [list, `/cached-only${list}`]) await judge(path, (body) => body.toString() === versions);
  }
  for (const { path, version } of modules)
    await judge(`/sumdb/${database.name}/lookup/${path}@${version}`, async (body) => {
      const want = parseLookup((await database.answer(`/lookup/${path}@${version}`)).bytes);
      const { id, text, checkpointNote } = parseLookup(body);
      const head = Buffer.from(checkpointNote).toString();
      return id === want.id && text === want.text && head === (await database.head(parseTree(head).size));
    });
  for (const tile of [`/tile/8/0/000.p/${modules.length}`, `/tile/8/data/000.p/${modules.length}`, "/tile/8/0/000.p/3"])
    await judge(`/sumdb/${database.name}${tile}`, async (body) =>
      body.equals(Buffer.from((await database.answer(tile)).bytes)),
    );
}

/** Asks until all is right again; versions whose own manifest was damaged stay refused, and nothing else does. */
async function checkHealed(server: InsideServer, tally: Tally, harmed: readonly string[]): Promise<void> {
  const story = harmed.join(", ");
  // A zip's damage is found while it is read, and mended for the next who asks.
  for (let round = 0; round < 2; round++) await askAll(server, tally, story);
  for (const [path, bytes] of world.truth) {
    const answer = await server.get(path);
    if (answer?.status === 200) assert.ok(bytes.equals(answer.body), path);
    else {
      const stem = path.slice(0, -".zip".length).slice(1).replace(/\.$/, "");
      const isBeyond = harmed.some((each) => each.includes(`modules/${stem}`) && each.endsWith(".manifest"));
      assert.ok(isBeyond, `${path} was not mended after ${story}: ${answer?.body.toString() ?? "broken off"}`);
      tally.beyond++;
    }
  }
}

const told = (tally: Tally): string =>
  `seed ${seed}: ${tally.done} damages, ${tally.asked} answers looked at: ${tally.right} right, ${tally.refused} refused, ` +
  `${tally.brokenOff} broken off, 0 wrong; ${tally.beyond} files left refused because of their manifests`;

test(`${damages / 2} damages while no server runs: no wrong byte leaves, and the upstream mends them`, async (t) => {
  const random = seeded(seed);
  const tally = newTally();
  for (; tally.done < damages / 2; tally.done += perRound) {
    const place = await world.newPlace();
    const harmed = await damageSome(place.root, perRound, random);
    const server = await openInside(place, world.program.verifyEntry);
    try {
      await askAll(server, tally, harmed.join(", "));
      await checkHealed(server, tally, harmed);
    } finally {
      await server.close();
    }
    await rm(place.root, { recursive: true, force: true });
  }
  t.diagnostic(told(tally));
  assert.ok(tally.refused + tally.brokenOff > 0);
});

test(`${damages / 2} damages while a server runs: no wrong byte leaves, and the upstream mends them`, async (t) => {
  const random = seeded(seed + 1);
  const tally = newTally();
  let root = "";
  const rounds = Math.ceil(damages / 2 / perRound);
  let server: InsideServer | undefined;
  let harmed: string[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      // Damaged manifests stay so: after some rounds a new store, and a server that has looked at all of it.
      if (round % 5 === 0) {
        await server?.close();
        if (root !== "") await rm(root, { recursive: true, force: true });
        const place = await world.newPlace();
        root = place.root;
        harmed = [];
        // Nothing from memory: what is damaged would not be seen.
        server = await openInside(place, world.program.verifyEntry, { "cache.bytes": "0" });
        await askAll(server, newTally(), "nothing");
      }
      const running = server!;
      const [now] = await Promise.all([
        damageSome(root, perRound, random),
        askAll(running, tally, "damage while it is read"),
      ]);
      tally.done += now.length;
      harmed.push(...now);
      await checkHealed(running, tally, harmed);
    }
  } finally {
    await server?.close();
  }
  t.diagnostic(told(tally));
  assert.ok(tally.refused + tally.brokenOff > 0);
});
