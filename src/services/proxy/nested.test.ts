import assert from "node:assert/strict";
import test from "node:test";
import { parsePath } from "#protocol/path.ts";
import { versionKey } from "#services/store/layout.ts";
import { NestedModules } from "#services/proxy/nested.ts";
import type { Verifier } from "#services/proxy/ports.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom, patient, plainVerifier } from "../../../test/support/proxy-room.ts";

const parent = makeModule({
  path: "example.com/m",
  version: "v1.0.0",
  files: { "go.mod": "module example.com/m\n", "cmd/x/main.go": "package main\n", "lib.go": "package m\n" },
});

async function keeping(...modules: readonly (typeof parent)[]) {
  const room = await openRoom({ recorded: modules });
  room.client.serve("a", modules);
  for (const module of modules) await room.jobs.fetchZip(idOf(module), patient());
  return room;
}

const at = (path: string, version = "v1.0.0") => ({
  path: parsePath(path),
  version: idOf({ ...parent, version }).version,
});

test("a directory of a kept module's zip is no module of that version", async () => {
  const { nested } = await keeping(parent);
  for (const path of ["example.com/m/cmd", "example.com/m/cmd/x"])
    assert.equal(await nested.isDirectoryOfKept(at(path)), true, path);
});

test("files, other paths, other versions and the module itself prove nothing", async () => {
  const { nested } = await keeping(parent);
  for (const path of [
    "example.com/m",
    "example.com/m/lib.go",
    "example.com/m/other",
    "example.com/m/cmd/x/y",
    "example.com/mm/cmd",
  ])
    assert.equal(await nested.isDirectoryOfKept(at(path)), false, path);
  assert.equal(await nested.isDirectoryOfKept(at("example.com/m/cmd", "v1.0.1")), false);
});

test("a module of which only the go.mod is kept proves nothing", async () => {
  const room = await openRoom({ recorded: [parent] });
  room.client.serve("a", [parent]);
  await room.jobs.fetchMod(idOf(parent), patient());
  assert.equal(await room.nested.isDirectoryOfKept(at("example.com/m/cmd")), false);
});

test("a kept nested module is one, and its own directories are found through it", async () => {
  const nestedModule = makeModule({
    path: "example.com/m/tools",
    version: "v1.0.0",
    files: { "go.mod": "module example.com/m/tools\n", "gen/main.go": "package main\n" },
  });
  const { nested } = await keeping(parent, nestedModule);
  assert.equal(await nested.isDirectoryOfKept(at("example.com/m/tools")), false);
  assert.equal(await nested.isDirectoryOfKept(at("example.com/m/tools/gen")), true);
});

test("offline, a damaged parent proves nothing, and the reason is still that nobody can be reached", async () => {
  const room = await keeping(parent);
  const key = versionKey(idOf(parent), "zip");
  const stored = await room.storage.get(key, 1 << 20);
  const bytes = Buffer.from(stored?.bytes ?? []);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await room.storage.replace(key, bytes, stored?.token);
  for (const upstream of ["a", "b"]) room.client.play(upstream, ".info", "refused");
  const target = { kind: "mod", cachedOnly: false, ...at("example.com/m/cmd/x") } as const;
  for (let n = 0; n < 2; n++) {
    const answer = room.proxy.answer(target, { keptOnly: false, ...patient() });
    await assert.rejects(answer, { code: "GRANARY_OFFLINE" });
  }
});

test("many questions at once read one zip once", async () => {
  const { store } = await keeping(parent);
  let reads = 0;
  const verifier: Verifier = {
    ...plainVerifier,
    directories: async (where, id, signal) => {
      reads++;
      return await plainVerifier.directories(where, id, signal);
    },
  };
  const nested = new NestedModules(store, verifier);
  const answers = Array.from({ length: 50 }, () => nested.isDirectoryOfKept(at("example.com/m/cmd/x")));
  assert.deepEqual(new Set(await Promise.all(answers)), new Set([true]));
  assert.equal(reads, 1);
});
