// A server killed before every call that changes its disk while a version is published: the version is wholly there or not
// at all, the same upload once more gets it there, and once it was there nothing else takes its place.
// Every day some of the calls, others each day; LONG=1 takes every call, and kills on both sides of it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { generateKey } from "#protocol/note.ts";
import { Tokens } from "#services/access/tokens.ts";
import { makeProgram } from "../support/crash-runner.ts";
import type { Program } from "../support/crash-runner.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import type { InsideServer, Place } from "../support/inside-server.ts";
import { makeModule } from "../support/modules.ts";
import { runHere } from "../support/run-here.ts";
import { checkSurvey } from "../support/store-truth.ts";
import { openPublishing, upload } from "../support/upload.ts";

const long = process.env["LONG"] === "1";
const seed = Number(process.env["SEED"] ?? Math.floor(Date.now() / 86_400_000));
/** Of the calls that are looked at in CI. */
const stride = long ? 1 : 7;

const path = "corp.example/tool";
const version = "v1.0.0";
const what = `${path}@${version}`;
const zipOf = (text: string): Uint8Array =>
  fixtureZip(makeModule({ path, version, files: { "go.mod": `module ${path}\n`, "a.go": text } }));
const right = Buffer.from(zipOf("package tool\n"));
const wrong = zipOf("package wrong\n");

let folder: string;
let program: Program;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "granary-publish-crash-"));
  program = await makeProgram();
  await writeFile(join(folder, "right.zip"), right);
  await writeFile(join(folder, "wrong.zip"), wrong);
});
after(async () => {
  await program.remove();
  await rm(folder, { recursive: true, force: true });
});

type Fresh = { readonly place: Place; readonly token: string };

async function newPlace(): Promise<Fresh> {
  const home = await mkdtemp(join(folder, "place-"));
  const root = join(home, "store");
  await mkdir(root);
  await writeFile(join(home, "sumlog.key"), `${generateKey("sum.corp.example").signerKey}\n`, { mode: 0o600 });
  const storage = await openDiskStorage(root, { fsync: "never" });
  const { text } = await new Tokens(storage, systemClock).add("write", "");
  return { place: { root, upstream: "off", sumdb: "off" }, token: text };
}

/** All three files, right, or none of them. */
async function isWhole(server: InsideServer): Promise<boolean> {
  const found = new Map<string, boolean>();
  for (const ending of ["info", "mod", "zip"]) {
    const answer = await server.get(`/${path}/@v/${version}.${ending}`);
    assert.ok(
      answer?.status === 200 || answer?.status === 404,
      `${ending}: ${answer?.body.toString() ?? "broken off"}`,
    );
    if (answer.status === 200 && ending === "zip") assert.ok(right.equals(answer.body), "wrong bytes");
    found.set(ending, answer.status === 200);
  }
  assert.equal(
    new Set(found.values()).size,
    1,
    `in part: ${[...found].map(([name, is]) => `${name} ${is}`).join(", ")}`,
  );
  return found.get("zip") === true;
}

async function check({ place, token }: Fresh, wasAcknowledged: boolean): Promise<void> {
  await checkSurvey(place.root, { mayBeUnlisted: true });
  const server = await openPublishing(place, program.verifyEntry);
  try {
    const isThere = await isWhole(server);
    assert.ok(isThere || !wasAcknowledged, "it was acknowledged, and is gone");
    const list = async () => (await server.get(`/${path}/@v/list`))?.body.toString();
    if (wasAcknowledged) assert.equal(await list(), `${version}\n`);
    const other = isThere ? await upload(server.url, [join(folder, "wrong.zip"), what, token]) : undefined;
    assert.equal(other?.status ?? 409, 409, other?.body.toString());
    // The same request once more, with its key: the answer of the first time.
    const again = await upload(server.url, [join(folder, "right.zip"), what, token, "one"]);
    assert.equal(again.status, 201, again.body.toString());
    assert.ok(await isWhole(server));
    assert.equal(await list(), `${version}\n`);
    const lookup = await server.get(`/sumdb/sum.corp.example/lookup/${what}`);
    assert.equal(lookup?.status, 200, lookup?.body.toString());
  } finally {
    await server.close();
  }
  const fsck = await runHere(["store", "fsck", "--deep", `--store=${place.root}`]);
  assert.equal(fsck.code, 0, fsck.stdout);
}

test("killed at every call of a publication that changes the disk", async (t) => {
  const kinds = new Map<string, number>();
  for (const when of long ? (["before", "after"] as const) : (["before"] as const))
    for (let step = 1 + (seed % stride); ; step += stride) {
      const fresh = await newPlace();
      const args = [join(folder, "right.zip"), what, fresh.token, "one"];
      const { lines, signal } = await program.live({
        scene: "publish",
        place: fresh.place,
        args,
        dies: { step, when },
      });
      const last = lines.at(-1) ?? "";
      await check(fresh, lines.includes("ack 201")).catch((error: unknown) => {
        throw new Error(`after ${last}: ${String(error)}`, { cause: error });
      });
      await rm(join(fresh.place.root, ".."), { recursive: true, force: true });
      if (signal === null) {
        assert.ok(lines.includes("ack 201"), lines.join("\n"));
        break;
      }
      const kind = last.replace(/^dies (\w+) step \d+, (\w+).*/, "$1 $2");
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
  const deaths = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`${deaths} deaths: ${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  assert.ok(deaths >= (long ? 40 : 4), `${deaths} deaths`);
});
