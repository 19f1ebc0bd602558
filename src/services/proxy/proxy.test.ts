import assert from "node:assert/strict";
import test from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { parseTarget } from "#protocol/request.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { versionKey } from "#services/store/layout.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom, patient, playedUpstream } from "../../../test/support/proxy-room.ts";
import type { Room } from "../../../test/support/proxy-room.ts";
import { recordModule } from "../../../test/support/world.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { AskOptions, ProxyTarget } from "./proxy.ts";
import type { Database } from "./sums.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0", queries: ["main"] });
const id = idOf(module);
const base = "/example.com/m/@v/v1.0.0";

function targetOf(url: string): ProxyTarget {
  const target = parseTarget(url);
  if (target.kind === "house" || target.kind === "impossible") throw new Error(url);
  if (target.kind === "sumdb" || target.kind === "tlog" || target.kind === "build") throw new Error(url);
  return target;
}

async function honest(options: Parameters<typeof openRoom>[0] = {}): Promise<Room> {
  const room = await openRoom({ recorded: [module], ...options });
  room.client.serve("a", [module]);
  return room;
}

async function ask({ proxy }: Room, url: string, keptOnly: AskOptions["keptOnly"] = false) {
  return await proxy.answer(targetOf(url), { keptOnly, ...patient() });
}

async function text(room: Room, url: string, keptOnly: AskOptions["keptOnly"] = false): Promise<string> {
  const answer = await ask(room, url, keptOnly);
  assert.ok(answer.kind === "bytes");
  return Buffer.from(answer.bytes).toString();
}

function cutOff(room: Room): void {
  for (const upstream of ["a", "b"]) room.client.play(upstream, "", "refused");
}

test("the first answer is a miss, the next a hit that asks nobody", async () => {
  const room = await honest();
  for (const ending of [".info", ".mod", ".zip"]) await ask(room, base + ending);
  cutOff(room);
  for (const ending of [".info", ".mod", ".zip"]) {
    const answer = await ask(room, base + ending);
    assert.deepEqual(answer.provenance, { upstream: "-", here: "HIT" }, ending);
    assert.equal(answer.reuseMs, Number.MAX_SAFE_INTEGER);
    assert.ok(answer.since);
  }
});

test("a branch is answered with the canonical version, for a while only", async () => {
  const room = await honest();
  const answer = await ask(room, "/example.com/m/@v/main.info");
  assert.equal(answer.media, "query");
  assert.ok(answer.reuseMs <= 60_000);
  assert.equal(answer.since, undefined);
  assert.equal(await room.store.findMod(id), undefined);
});

test("kept only: what is not kept is said so, and nobody is asked", async () => {
  for (const keptOnly of ["cached-only", "fetch-disabled"] as const) {
    const room = await honest();
    for (const url of [`${base}.info`, `${base}.zip`, "/example.com/m/@v/list", "/example.com/m/@latest"])
      await assert.rejects(ask(room, url, keptOnly), {
        code: "GRANARY_NOT_KEPT",
        fields: { because: keptOnly, what: whatOf(url) },
      });
    assert.deepEqual(room.client.asked, []);
    await ask(room, `${base}.zip`);
    assert.equal(await text(room, "/example.com/m/@v/list", keptOnly), "v1.0.0\n");
  }
});

function whatOf(url: string): string {
  return url.startsWith(base) ? "example.com/m@v1.0.0" : "example.com/m";
}

const silent: Database = {
  name: "sum.silent.test",
  lookup: () => Promise.reject(new SumdbError("SUMDB_UNREACHABLE", "sum.silent.test", { message: "no route" })),
};
const bothLines = /^example\.com\/m v1\.0\.0 h1:\S+\nexample\.com\/m v1\.0\.0\/go\.mod h1:\S+\n$/;
const sum = "/sum/example.com/m/@v/v1.0.0";

test("the lines of go.sum: of what is not kept the record's, of what is kept the manifest's, and they are the same", async () => {
  const room = await honest();
  await assert.rejects(ask(room, sum, "cached-only"), { code: "GRANARY_NOT_KEPT" });
  const recorded = await text(room, sum);
  assert.match(recorded, bothLines);
  assert.equal(await room.store.findZip(id), undefined, "no zip is fetched for its hash");
  await ask(room, `${base}.zip`);
  assert.equal(await text(room, sum, "cached-only"), recorded);
});

test("while no database can be reached, the line of a zip that is not kept is left out", async () => {
  const room = await honest();
  await ask(room, `${base}.mod`);
  const later = await openRoom({ storage: room.storage, databases: [silent] });
  assert.match(await text(later, sum, "cached-only"), /^example\.com\/m v1\.0\.0\/go\.mod h1:\S+\n$/);
});

test("nothing is fetched to say the hash of a private version, or of an ancestor of one", async () => {
  for (const pattern of ["example.com/m", "example.com/m/secret"]) {
    const room = await honest({ private: pattern });
    await assert.rejects(ask(room, sum), { code: "GRANARY_NOT_KEPT" }, pattern);
    assert.deepEqual(room.client.asked, []);
  }
});

test("an unreachable database is 'cannot know', in our words", async () => {
  const room = await honest();
  room.wire.cut = true;
  await assert.rejects(ask(room, `${base}.info`), { code: "GRANARY_SUMDB_UNREACHABLE" });
});

test("while the shared store is out of reach, upstreams do not say that a file of a chosen version is nowhere", async () => {
  const room = await honest();
  const absent = "/example.com/m/@v/v1.9.0";
  for (const ending of [".info", ".mod", ".zip"])
    await assert.rejects(ask(room, absent + ending), { code: "GRANARY_NOT_FOUND" }, ending);
  Object.defineProperty(room.storage, "isAway", { value: true });
  // go tries names that are no modules: what it asks for then is as absent as upstreams say.
  await assert.rejects(ask(room, `${absent}.info`), { code: "GRANARY_NOT_FOUND" });
  for (const ending of [".mod", ".zip"])
    await assert.rejects(ask(room, absent + ending), { code: "GRANARY_STORE_UNAVAILABLE" }, ending);
  await assert.rejects(ask(room, `${absent}.info`, "cached-only"), { code: "GRANARY_STORE_UNAVAILABLE" });
});

test("offline, a directory of a kept zip is proof that no such module exists", async () => {
  const files = { "go.mod": "module example.com/m\n", "cmd/x/main.go": "package main\n" };
  const withCommand = makeModule({ path: "example.com/m", version: "v1.0.0", files });
  const room = await openRoom({ recorded: [withCommand] });
  room.client.serve("a", [withCommand]);
  await ask(room, `${base}.zip`);
  cutOff(room);
  await assert.rejects(ask(room, "/example.com/m/cmd/x/@v/v1.0.0.info"), { code: "GRANARY_IMPOSSIBLE" });
  await assert.rejects(ask(room, "/example.com/m/cmd/y/@v/v1.0.0.info"), { code: "GRANARY_OFFLINE" });
});

test("with every upstream disabled, kept files are answered, others are doubt, and a directory is no module", async () => {
  const files = { "go.mod": "module example.com/m\n", "cmd/x/main.go": "package main\n" };
  const withCommand = makeModule({ path: "example.com/m", version: "v1.0.0", files });
  const room = await openRoom({ recorded: [withCommand] });
  room.client.serve("a", [withCommand]);
  await ask(room, `${base}.zip`);
  room.disable("a", "b");
  const before = room.client.asked.length;
  for (const ending of [".info", ".mod", ".zip"]) await ask(room, base + ending);
  await assert.rejects(ask(room, "/example.com/m/cmd/x/@v/v1.0.0.info"), { code: "GRANARY_IMPOSSIBLE" });
  for (const url of [
    "m/@v/v1.1.0.info",
    "m/@v/v1.1.0.mod",
    "m/@v/v1.1.0.zip",
    "m/@latest",
    "m/@v/main.info",
    "n/@v/list",
  ])
    await assert.rejects(ask(room, `/example.com/${url}`), { code: "GRANARY_UPSTREAMS_DISABLED" }, url);
  await assert.rejects(ask(room, "/example.com/m/@v/v1.1.0.zip", "cached-only"), { code: "GRANARY_NOT_KEPT" });
  assert.equal(room.client.asked.length, before);
});

test("with every upstream disabled, a damaged file is damage", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  await ask(room, `${base}.zip`);
  const stat = await storage.stat(versionKey(id, "mod"));
  await storage.replace(versionKey(id, "mod"), Buffer.from("x"), stat?.token);
  room.disable("a", "b");
  await assert.rejects(ask(room, `${base}.mod`), { code: "GRANARY_STORE_DAMAGED" });
});

test("a private module is marked as such in every kind of answer", async () => {
  const room = await honest();
  for (const ending of [".info", ".mod", ".zip"]) await ask(room, base + ending);
  const later = await openRoom({ storage: room.storage, private: "example.com" });
  for (const url of [
    `${base}.info`,
    `${base}.mod`,
    `${base}.zip`,
    "/example.com/m/@v/list",
    "/sum/example.com/m/@v/v1.0.0",
    `/-/chunks${base}.zip`,
  ])
    assert.equal((await ask(later, url, "cached-only")).isPrivate, true, url);
});

test("an unfinished publication is looked for once, whether or not anybody may be asked", async () => {
  const secret = makeModule({ path: "corp.example/m", version: "v1.0.0" });
  const room = await openRoom({
    private: "corp.example",
    upstreams: [playedUpstream("a", { public: false, privatePatterns: "corp.example" })],
  });
  const looked: string[] = [];
  const look = room.store.unfinishedZip.bind(room.store);
  room.store.unfinishedZip = (version) => {
    looked.push(version.path);
    return look(version);
  };
  room.client.serve("a", [secret]);
  await ask(room, "/corp.example/m/@v/v1.0.0.mod");
  await ask(room, "/corp.example/m/@v/v1.0.0.zip", "cached-only").catch(() => undefined);
  assert.deepEqual(looked.splice(0), ["corp.example/m"]);
  await ask(room, "/corp.example/m/@v/v1.0.0.zip").catch(() => undefined);
  assert.deepEqual(looked, ["corp.example/m"]);
});

test("a client may ask past what is remembered, and a flood of such clients costs one question in five seconds", async () => {
  const room = await honest();
  const flood = async (url: string): Promise<string[]> => {
    const asking = { keptOnly: false, anew: true, ...patient() } as const;
    const told = await Promise.all(
      Array.from({ length: 50 }, () =>
        room.proxy.answer(targetOf(url), asking).then(
          ({ provenance }) => `${provenance.upstream}|${provenance.here}`,
          (error: unknown) => (isGranaryError(error) ? error.code : String(error)),
        ),
      ),
    );
    return [...new Set(told)];
  };
  for (const [url, ending, first] of [
    ["/example.com/m/@v/list", "/m/@v/list", "MISS|MISS"],
    ["/example.com/m/@latest", "/m/@latest", "MISS|MISS"],
    ["/example.com/m/@v/main.info", "/main.info", "MISS|MISS"],
    ["/example.com/m/@v/v9.0.0.info", "/v9.0.0.info", "GRANARY_NOT_FOUND"],
  ] as const) {
    assert.deepEqual(await flood(url), [first], url);
    const once = room.client.count("a", ending);
    assert.equal(once, 1, url);
    const again = first === "MISS|MISS" ? "-|HIT" : first;
    assert.deepEqual(await flood(url), [again], url);
    room.clock.pass(4_999);
    assert.deepEqual(await flood(url), [again], url);
    assert.equal(room.client.count("a", ending), once, url);
    room.clock.pass(1);
    await ask(room, url).catch(() => undefined);
    assert.equal(room.client.count("a", ending), once, "whoever does not insist is answered by what is remembered");
    assert.deepEqual(await flood(url), [first === "MISS|MISS" ? "BYPASS|MISS" : first], url);
    assert.equal(room.client.count("a", ending), 2, url);
  }
  await ask(room, `${base}.zip`);
  const before = room.client.asked.length;
  for (const kept of [".info", ".mod", ".zip"]) assert.deepEqual(await flood(base + kept), ["-|HIT"]);
  assert.equal(room.client.asked.length, before, "what is kept never changes");
});

test("a damaged kept file is told, restored from upstream, and else an error that is no 404", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  await ask(room, `${base}.mod`);
  const key = versionKey(id, "mod");
  const stat = await storage.stat(key);
  await storage.replace(key, Buffer.from("module example.com/evil\n"), stat?.token);
  cutOff(room);
  await assert.rejects(ask(room, `${base}.mod`), { code: "GRANARY_OFFLINE" });
  room.client.stopPlaying();
  room.clock.pass(1000);
  assert.match(await text(room, `${base}.mod`), /^module example\.com\/m\n/);
  assert.ok(room.emitted.some((event) => event.name === "store.damaged" && event.key === key));
});

for (const file of ["mod", "zip"] as const) {
  test(`a damaged ${file} that upstreams have forgotten is damage with its sha256, never absence`, async () => {
    const storage = new MemoryStorage();
    const room = await honest({ storage });
    await ask(room, `${base}.zip`);
    const kept =
      file === "zip" ? (await room.store.findZip(id))?.manifest.zip : (await room.store.findMod(id))?.manifest.mod;
    const stat = await storage.stat(versionKey(id, file));
    await storage.replace(versionKey(id, file), Buffer.from("x"), stat?.token);
    await ask(room, `${base}.zip`, "cached-only")
      .then(async (answer) => answer.kind === "zip" && (await answer.zip.open()))
      .catch(() => undefined);
    for (const upstream of ["a", "b"]) room.client.serve(upstream, []);
    const isDamage = (error: unknown) => {
      assert.ok(isGranaryError(error, "GRANARY_STORE_DAMAGED"));
      assert.equal(error.fields.sha256, kept?.sha256);
      return true;
    };
    for (let times = 0; times < 2; times++) await assert.rejects(ask(room, `${base}.${file}`), isDamage);
    await assert.rejects(ask(room, `${base}.${file}`, "cached-only"), isDamage);
    for (const upstream of ["a", "b"]) room.client.serve(upstream, [module]);
    room.clock.pass(61_000);
    await ask(room, `${base}.${file}`);
  });
}

for (const [rollback, code] of [
  [true, "GRANARY_UPSTREAM_FAILED"],
  [false, "GRANARY_NOT_FOUND"],
] as const) {
  test(`a zip gone whose go.mod is kept is ${code} with rollback ${rollback ? "on" : "off"}`, async () => {
    const room = await honest({ upstreams: [playedUpstream("a", { rollback })] });
    await ask(room, `${base}.mod`);
    room.client.serve("a", []);
    await assert.rejects(ask(room, `${base}.zip`), { code });
    await assert.rejects(ask(room, "/example.com/m/@v/v1.9.0.mod"), { code: "GRANARY_NOT_FOUND" });
  });
}

test("a damaged manifest is never healed by other bytes: 503 in our words", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  await ask(room, `${base}.mod`);
  const key = versionKey(id, "mod.manifest");
  const stat = await storage.stat(key);
  await storage.replace(key, Buffer.from("{}"), stat?.token);
  await assert.rejects(ask(room, `${base}.mod`), { code: "GRANARY_STORE_DAMAGED" });
});

for (const [kind, code] of [
  ["full", "GRANARY_STORE_FULL"],
  ["unavailable", "GRANARY_STORE_UNAVAILABLE"],
] as const) {
  test(`a store that is ${kind} is told as ${code}`, async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const room = await honest({ storage });
    await ask(room, `${base}.mod`);
    storage.arm({ on: "create", does: { kind, when: "before" }, times: 100 });
    await assert.rejects(ask(room, `${base}.zip`), { code });
  });
}

test("a store that cannot be read is no 'not kept'", async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const room = await honest({ storage });
  storage.arm({ on: ["get", "stat"], does: { kind: "unavailable", when: "before" }, times: 100 });
  await assert.rejects(ask(room, `${base}.mod`), { code: "GRANARY_STORE_UNAVAILABLE" });
  assert.deepEqual(room.client.asked, []);
});

test("refresh() forgets listings and absences; kept versions stay", async () => {
  const room = await honest();
  await ask(room, `${base}.mod`);
  await assert.rejects(ask(room, "/example.com/m/@v/v1.1.0.info"), { code: "GRANARY_NOT_FOUND" });
  assert.equal(await text(room, "/example.com/m/@v/list"), "v1.0.0\n");
  const newer = makeModule({ path: "example.com/m", version: "v1.1.0" });
  await recordModule(room.database, newer);
  room.client.serve("a", [module, newer]);
  assert.equal(await text(room, "/example.com/m/@v/list"), "v1.0.0\n");
  room.proxy.refresh("example.com/m");
  assert.equal(await text(room, "/example.com/m/@v/list"), "v1.0.0\nv1.1.0\n");
  await ask(room, "/example.com/m/@v/v1.1.0.info");
  assert.equal(room.client.count("a", "v1.0.0.mod"), 1);
});
