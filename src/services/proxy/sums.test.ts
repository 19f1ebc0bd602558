import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { silentEvents } from "#services/events/ports.ts";
import { Pins } from "#services/store/pins.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { SumdbCode } from "#services/sumdb/errors.ts";
import { privacyOf } from "./privacy.ts";
import type { Database, Expectation } from "./sums.ts";
import { HashMismatch, Sums } from "./sums.ts";

const never = new AbortController().signal;
const [first, other] = ["A", "B"].map((letter) => `h1:${letter.repeat(43)}=`) as [string, string];

/** A database that notes what it is asked, and fails with `code`, or knows everything. */
function database(name: string, heard: string[], code?: SumdbCode): Database {
  return {
    name,
    lookup: (id) => {
      heard.push(`${name}: ${id.path}`);
      if (code !== undefined) return Promise.reject(new SumdbError(code, name, { message: code }));
      const record = {
        id: 7,
        text: "",
        sums: {},
        treeSize: 9,
        bytes: new Uint8Array(),
        database: name,
        route: "direct",
      };
      return Promise.resolve(record);
    },
  };
}

function makeSums(databases: readonly Database[], patterns = ""): Sums {
  const pins = new Pins(new MemoryStorage(), silentEvents);
  return new Sums({ databases, privacy: privacyOf(patterns), pins });
}

function module(path: string, version = "v1.0.0") {
  return checkModuleVersion(parsePath(path), version);
}

function nameOf(expectation: Expectation): string {
  return expectation.by === "sumdb" ? expectation.record.database : expectation.by;
}

void test("no database hears of a private module, nor of an ancestor of one", async () => {
  const heard: string[] = [];
  const sums = makeSums([database("sum.example", heard)], "git.corp.example/team/*");
  for (const path of ["git.corp.example/team/auth", "git.corp.example/team/auth/v2", "git.corp.example/team"]) {
    const version = path.endsWith("/v2") ? "v2.0.0" : "v1.0.0";
    assert.equal((await sums.expect(module(path, version), never)).by, "pin");
  }
  assert.deepEqual(heard, []);
  assert.equal((await sums.expect(module("git.corp.example/other"), never)).by, "sumdb");
  assert.deepEqual(heard, ["sum.example: git.corp.example/other"]);
});

void test("a toolchain is held against the database whatever the patterns say", async () => {
  const sums = makeSums([database("sum.example", [])], "*");
  const id = checkModuleVersion(parsePath("golang.org/toolchain"), "v0.0.1-go1.26.0.linux-amd64");
  assert.equal((await sums.expect(id, never)).by, "sumdb");
});

void test("a database that cannot answer passes the question on, one whose answer is bad does not", async () => {
  for (const code of ["SUMDB_UNREACHABLE", "SUMDB_ABSENT", "SUMDB_BEHIND"] as const) {
    const sums = makeSums([database("first.example", [], code), database("second.example", [])]);
    assert.equal(nameOf(await sums.expect(module("example.com/m"), never)), "second.example");
  }
  for (const code of ["SUMDB_FORK", "SUMDB_INVALID"] as const) {
    const sums = makeSums([database("first.example", [], code), database("second.example", [])]);
    await assert.rejects(sums.expect(module("example.com/m"), never), { code });
  }
});

void test("without an answer the first database's failure is told", async () => {
  const sums = makeSums([database("a.example", [], "SUMDB_ABSENT"), database("b.example", [], "SUMDB_UNREACHABLE")]);
  await assert.rejects(sums.expect(module("example.com/m"), never), { code: "SUMDB_ABSENT" });
  assert.equal((await makeSums([]).expect(module("example.com/m"), never)).by, "off");
});

void test("the first sight of a private module decides, later bytes do not", async () => {
  const sums = makeSums([], "git.corp.example");
  const id = module("git.corp.example/m");
  const expectation = await sums.expect(id, never);
  await sums.check(id, expectation, { what: "mod", found: first });
  await sums.check(id, expectation, { what: "mod", found: first });
  await assert.rejects(sums.check(id, expectation, { what: "mod", found: other }), HashMismatch);
  // The zip is another sight.
  await sums.check(id, expectation, { what: "zip", found: other });
});
