import assert from "node:assert/strict";
import test from "node:test";
import { hashGoMod } from "#protocol/dirhash.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { SumdbCode } from "#services/sumdb/errors.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom } from "../../../test/support/proxy-room.ts";
import type { Database } from "./sums.ts";
import { HashMismatch } from "./sums.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const id = idOf(module);
const modHash = hashGoMod(Buffer.from("module example.com/m\n\ngo 1.19\n"));
const { signal } = new AbortController();

function failing(name: string, code: SumdbCode): Database & { asked: number } {
  const database = {
    name,
    asked: 0,
    lookup: () => {
      database.asked++;
      return Promise.reject(new SumdbError(code, name, { message: code }));
    },
  };
  return database;
}

test("a public module is held against the record", async () => {
  const { sums } = await openRoom({ recorded: [module] });
  const expectation = await sums.expect(id, signal);
  assert.equal(expectation.by, "sumdb");
  await sums.check(id, expectation, { what: "mod", found: modHash });
  for (const what of ["mod", "zip"] as const)
    await assert.rejects(sums.check(id, expectation, { what, found: hashGoMod(Buffer.from("x")) }), HashMismatch);
});

test("a record without a hash for the file vouches for nothing", async () => {
  const { sums, mirror } = await openRoom({ recorded: [module] });
  const record = { ...(await mirror.lookup(id, { signal })), sums: { mod: modHash } };
  const expectation = { by: "sumdb", record, refs: [] } as const;
  await sums.check(id, expectation, { what: "mod", found: modHash });
  await assert.rejects(sums.check(id, expectation, { what: "zip", found: modHash }), HashMismatch);
});

test("with no database configured nothing is expected", async () => {
  const { sums } = await openRoom({ databases: [] });
  assert.deepEqual(await sums.expect(id, signal), { by: "off" });
});

for (const code of ["SUMDB_UNREACHABLE", "SUMDB_ABSENT", "SUMDB_BEHIND", "SUMDB_NOT_KEPT"] as const) {
  test(`${code} passes the question on; when nobody knows, the first failure is told`, async () => {
    const { mirror } = await openRoom({ recorded: [module] });
    const first = failing("first", code);
    const good = await openRoom({ databases: [first, mirror] });
    assert.equal((await good.sums.expect(id, signal)).by, "sumdb");
    const bad = await openRoom({ databases: [first, failing("second", "SUMDB_UNREACHABLE")] });
    await assert.rejects(bad.sums.expect(id, signal), { code, database: "first" });
  });
}

test("one that is out of reach gets little patience while another can be asked, and all of it in the end", async () => {
  const { mirror } = await openRoom({ recorded: [module] });
  const patience: (boolean | undefined)[] = [];
  const away: Database = {
    name: "away",
    lookup: (_id, { isHurried }) => {
      patience.push(isHurried);
      return Promise.reject(new SumdbError("SUMDB_UNREACHABLE", "away", { message: "refused" }));
    },
  };
  await (await openRoom({ databases: [away, mirror] })).sums.expect(id, signal);
  assert.deepEqual(patience, [true]);
  const nobody = await openRoom({ databases: [away, failing("second", "SUMDB_ABSENT")] });
  await assert.rejects(nobody.sums.expect(id, signal), { code: "SUMDB_UNREACHABLE", database: "away" });
  assert.deepEqual(patience, [true, true, undefined]);
  await assert.rejects((await openRoom({ databases: [away] })).sums.expect(id, signal), { database: "away" });
  assert.deepEqual(patience, [true, true, undefined, false]);
});

for (const code of ["SUMDB_FORK", "SUMDB_INVALID"] as const) {
  test(`${code} is an alarm: no other database is asked`, async () => {
    const second = failing("second", "SUMDB_ABSENT");
    const { sums } = await openRoom({ databases: [failing("first", code), second] });
    await assert.rejects(sums.expect(id, signal), { code });
    assert.equal(second.asked, 0);
  });
}

test("a private module is pinned at first sight, a later change is refused, and no database hears of it", async () => {
  const database = failing("public", "SUMDB_ABSENT");
  const { sums, emitted } = await openRoom({ private: "example.com", databases: [database] });
  const expectation = await sums.expect(id, signal);
  assert.deepEqual(expectation, { by: "pin" });
  await sums.check(id, expectation, { what: "mod", found: modHash });
  await sums.check(id, expectation, { what: "mod", found: modHash });
  await assert.rejects(sums.check(id, expectation, { what: "mod", found: hashGoMod(Buffer.from("other")) }), {
    expected: modHash,
    source: { kind: "pin" },
  });
  assert.equal(database.asked, 0);
  assert.equal(emitted.filter(({ name }) => name === "pin.set").length, 1);
});

test("mod and zip are pinned apart, and versions are", async () => {
  const { sums } = await openRoom({ private: "*" });
  const pin = { by: "pin" } as const;
  const other = idOf({ path: "example.com/m", version: "v1.0.1" });
  const [a, b, c] = ["a", "b", "c"].map((text) => hashGoMod(Buffer.from(text)));
  await sums.check(id, pin, { what: "mod", found: a ?? "" });
  await sums.check(id, pin, { what: "zip", found: b ?? "" });
  await sums.check(other, pin, { what: "mod", found: c ?? "" });
  await assert.rejects(sums.check(id, pin, { what: "zip", found: a ?? "" }), HashMismatch);
});

test("toolchains are checked against the database whatever is private", async () => {
  const toolchain = idOf({ path: "golang.org/toolchain", version: "v0.0.1-go1.26.0.linux-amd64" });
  for (const patterns of ["*", "golang.org", "golang.org/toolchain"]) {
    const database = failing("public", "SUMDB_ABSENT");
    const { sums } = await openRoom({ private: patterns, databases: [database] });
    await assert.rejects(sums.expect(toolchain, signal), { code: "SUMDB_ABSENT" });
    assert.equal(database.asked, 1);
  }
});
