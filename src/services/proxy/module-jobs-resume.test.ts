// Zips whose way breaks off or whose bytes are flipped: they arrive all the same, and only the guilty are accused.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import { fixtureZip } from "../../../test/support/fixture-zip.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, keysOf, openRoom, patient, playedUpstream } from "../../../test/support/proxy-room.ts";
import type { PlayedAnswer, Room } from "../../../test/support/proxy-room.ts";

/** Text that does not shrink much, so that the zip is worth going on with. */
const noise = Array.from({ length: 6000 }, (_, i) => `// ${createHash("sha256").update(String(i)).digest("hex")}\n`);
const files = { "go.mod": "module example.com/m\n\ngo 1.19\n", "doc.go": `package m\n${noise.join("")}` };
const module = makeModule({ path: "example.com/m", version: "v1.0.0", files });
const id = idOf(module);
const zip = Buffer.from(fixtureZip(module));
const cut = 120_000;
/** With a flipped byte before the place where zips break off here. */
const flipped = Buffer.from(zip);
flipped[100_000] = (flipped[100_000] ?? 0) ^ 1;

/** A room whose upstreams (`a` and `b` when not told) serve the module in ranges. */
async function open(names: readonly string[] = ["a", "b"]): Promise<Room> {
  const room = await openRoom({ recorded: [module], upstreams: names.map((name) => playedUpstream(name)) });
  for (const upstream of names) room.client.serve(upstream, [module]);
  room.client.servesRanges = true;
  return room;
}

/** Answers the n-th request for the zip with the n-th answer, the last one for ever. */
function play(room: Room, upstream: string, ...answers: readonly (PlayedAnswer | undefined)[]): void {
  let n = 0;
  room.client.play(upstream, ".zip", () => answers[Math.min(n++, answers.length - 1)]);
}

async function assertKept(room: Room, from: string): Promise<void> {
  const kept = await room.store.findZip(id);
  assert.ok(kept);
  const source = await kept.open();
  const bytes = Buffer.alloc(source.size);
  await source.read(0, bytes);
  await source.close();
  assert.ok(bytes.equals(zip));
  assert.equal(kept.manifest.origin.upstream, from);
}

test("a zip that breaks off at one upstream goes on at the next from the very byte", async () => {
  assert.ok(zip.length > 200_000);
  const room = await open();
  play(room, "a", { status: 200, body: zip, breaksAfter: cut });
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "b");
  assert.deepEqual(room.client.ranges("a", ".zip"), ["-"]);
  assert.deepEqual(room.client.ranges("b", ".zip"), [`bytes=${cut}-`]);
  assert.deepEqual(await room.quarantine.list(), []);
});

test("a sole upstream that breaks off again and again gives the zip in the end, each byte once", async () => {
  const room = await open(["a"]);
  let sent = 0;
  room.client.play("a", ".zip", ({ headers }) => {
    const from = Number(/\d+/.exec(headers?.["range"] ?? "0")?.[0]);
    const breaksAfter = Math.min(80_000, zip.length - from);
    sent += breaksAfter;
    return {
      status: 200,
      body: zip,
      headers: { etag: '"v1"' },
      ...(from + breaksAfter < zip.length && { breaksAfter }),
    };
  });
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "a");
  assert.equal(sent, zip.length);
  const ranges = room.client.ranges("a", ".zip");
  assert.deepEqual(ranges.slice(0, 3), ["-", "bytes=80000-", "bytes=160000-"]);
  const tags = room.client.requests
    .map(({ request }) => request.headers?.["if-range"])
    .filter((tag) => tag !== undefined);
  assert.deepEqual([...new Set(tags)], ['"v1"']);
});

test("upstreams that know no ranges are asked for a range and give the whole", async () => {
  const room = await open();
  room.client.servesRanges = false;
  const headers = { "content-length": String(zip.length) };
  play(room, "a", { status: 200, body: zip, headers, breaksAfter: cut });
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "b");
  assert.deepEqual(room.client.ranges("b", ".zip"), [`bytes=${cut}-`]);
});

test("an upstream that says with a page that there is no such range is asked for the whole", async () => {
  const room = await open(["a"]);
  const page = { status: 416, headers: { "content-type": "text/html" }, body: "<html></html>" };
  play(room, "a", { status: 200, body: zip, breaksAfter: cut }, page, undefined);
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "a");
  assert.deepEqual(room.client.ranges("a", ".zip"), ["-", `bytes=${cut}-`, "-"]);
});

test("a flipped byte at a sole mirror: asked again from the start, right at last", async () => {
  const room = await open(["a"]);
  play(room, "a", { status: 200, body: flipped }, { status: 200, body: flipped }, undefined);
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "a");
  assert.deepEqual(room.client.ranges("a", ".zip"), ["-", "-", "-"]);
  assert.equal(room.health.condition("a"), "closed");
});

/** The same version with other code: a good zip with a wrong hash, of the same length. */
const evil = makeModule({ ...module, files: { ...files, "doc.go": files["doc.go"].replace("// 5", "// 6") } });

test("other code at a sole mirror is told and quarantined once, however often it is sent", async () => {
  const room = await open(["a"]);
  const wrong = { status: 200, body: fixtureZip(evil) };
  play(room, "a", wrong, wrong, undefined);
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "a");
  assert.deepEqual(
    (await room.quarantine.list()).map(({ upstream, kind }) => `${upstream} ${kind}`),
    ["a zip"],
  );
});

test("a splice of two mirrors that is not the recorded zip accuses neither, and is asked for whole", async () => {
  const room = await open();
  play(room, "a", { status: 200, body: flipped, breaksAfter: cut }, undefined);
  await room.jobs.fetchZip(id, patient());
  const [first, second] = [room.client.ranges("a", ".zip"), room.client.ranges("b", ".zip")];
  assert.deepEqual([first[0], second[0]], ["-", `bytes=${cut}-`]);
  assert.deepEqual([...first.slice(1), ...second.slice(1)], ["-"]);
  assert.deepEqual(await room.quarantine.list(), []);
  assert.equal(room.emitted.filter(({ name }) => name === "module.denied").length, 0);
});

test("a wrong splice and a break after it: from then on nothing is joined without a tag", async () => {
  const room = await open();
  play(room, "a", { status: 200, body: flipped, breaksAfter: cut });
  play(room, "b", undefined, { status: 200, body: zip, breaksAfter: cut }, undefined);
  await room.jobs.fetchZip(id, patient());
  await assertKept(room, "b");
  const joined = [...room.client.ranges("a", ".zip"), ...room.client.ranges("b", ".zip")].filter(
    (range) => range !== "-",
  );
  assert.deepEqual(joined, [`bytes=${cut}-`]);
});

test("whatever breaks and whoever flips, the zip is right in the end", async () => {
  const act = fc.record({
    bytes: fc.constantFrom(zip, zip, flipped),
    breaksAfter: fc.option(fc.integer({ min: 0, max: zip.length }), { nil: undefined }),
    etag: fc.option(fc.constantFrom('"v1"', 'W/"v1"'), { nil: undefined }),
    ranges: fc.boolean(),
  });
  const acts = fc.array(act, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(acts, acts, async (ofA, ofB) => {
      const room = await open();
      for (const [name, list] of [
        ["a", ofA],
        ["b", ofB],
      ] as const)
        play(
          room,
          name,
          ...list.map(({ bytes, breaksAfter, etag }) => ({
            status: 200,
            body: bytes,
            ...(etag !== undefined && { headers: { etag } }),
            ...(breaksAfter !== undefined && { breaksAfter }),
          })),
          undefined,
        );
      room.client.servesRanges = ofA[0]?.ranges ?? true;
      await room.jobs.fetchZip(id, patient());
      const kept = await room.store.findZip(id);
      assert.equal(kept?.manifest.zip.sha256, createHash("sha256").update(zip).digest("hex"));
      assert.equal(room.jobs.running, 0);
    }),
    { numRuns: 15 },
  );
});

// ---- the go.mod beside its .info ----

test("a version that is known to exist is asked for both its files at once, another one first for its .info", async () => {
  for (const exists of [true, false]) {
    const room = await open(["a"]);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    room.client.gate = promise;
    const fetching = room.jobs.fetchMod(id, { ...patient(), exists });
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(room.client.asked.map((line) => line.slice(-5)).sort(), exists ? [".info", "0.mod"] : [".info"]);
    resolve(undefined);
    const { kept } = await fetching;
    assert.equal(Buffer.from(kept.mod).toString(), files["go.mod"]);
    assert.equal(room.client.asked.length, 2);
  }
});

test("a version that is not there leaves nothing of the go.mod that was asked for with it", async () => {
  const room = await openRoom({ recorded: [module] });
  await assert.rejects(room.jobs.fetchMod(id, { ...patient(), exists: true }), { code: "GRANARY_NOT_FOUND" });
  assert.deepEqual(await keysOf(room.storage, "modules/example.com/"), []);
});
