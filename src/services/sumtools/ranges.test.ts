import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "#protocol/errors.ts";
import { needsList, parseRange, versionsIn } from "./ranges.ts";

const listed = ["v1.10.0", "v1.9.0", "v1.8.0", "v1.8.1", "v1.7.0", "v1.11.0-rc.1"];
const named = (text: string, list: readonly string[] = listed): string[] =>
  versionsIn(parseRange(text), list).map(({ version }) => version);

test("a range names every listed version between its ends, in the order of versions", () => {
  assert.deepEqual(named("a.test/m@v1.8.0:latest"), ["v1.8.0", "v1.8.1", "v1.9.0", "v1.10.0"]);
  assert.deepEqual(named("a.test/m@v1.8.0:v1.9.0"), ["v1.8.0", "v1.8.1", "v1.9.0"]);
  assert.deepEqual(named("a.test/m@:v1.8.0"), ["v1.7.0", "v1.8.0"]);
  assert.deepEqual(named("a.test/m@v1.9.0:v1.11.0-rc.1"), ["v1.9.0", "v1.10.0", "v1.11.0-rc.1"]);
});

test("latest is a release where there is one, else the newest pre-release; of nothing it is nothing", () => {
  assert.deepEqual(named("a.test/m@latest"), ["v1.10.0"]);
  assert.deepEqual(named("a.test/m@latest", ["v1.0.0-rc.1", "v1.0.0-rc.2"]), ["v1.0.0-rc.2"]);
  assert.deepEqual(named("a.test/m@v1.0.0:latest", []), []);
  // The first is newer than the latest.
  assert.deepEqual(named("a.test/m@v1.12.0:latest"), []);
});

test("what is named outright needs no list, and may be in none", () => {
  const one = "a.test/m@v0.0.0-20200101000000-0123456789ab";
  assert.equal(needsList(parseRange(one)), false);
  assert.equal(needsList(parseRange("a.test/m@latest")), true);
  assert.equal(needsList(parseRange("a.test/m@v1.0.0:v1.2.0")), true);
  assert.deepEqual(named(one, []), ["v0.0.0-20200101000000-0123456789ab"]);
  assert.deepEqual(named("a.test/m@v1.7.5:v1.8.0"), ["v1.7.5", "v1.8.0"]);
});

for (const text of [
  "a.test/m",
  "a.test/m@",
  "a.test/m@v1",
  "a.test/m@v1.0.0:",
  "a.test/m@:",
  "a.test/m@latest:v1.0.0",
  "a.test/m@v2.0.0:latest",
  "a.test/m@v1.9.0:v1.8.0",
  "/m@v1.0.0",
])
  test(`no range: ${text}`, () => {
    assert.throws(() => parseRange(text), ProtocolError);
  });
