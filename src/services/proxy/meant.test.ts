import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath } from "#protocol/path.ts";
import { meantVersion } from "./meant.ts";

const path = parsePath("m.test/a");
const lists = [
  ["v1.0.0\nv1.1.0\nv1.2.0-rc.1\n", "v1.1.0"],
  ["v1.0.0\nv2.0.0+incompatible\n", "v1.0.0"],
  ["v2.0.0+incompatible\nv3.0.0+incompatible\n", "v3.0.0+incompatible"],
  ["v1.0.0-alpha\nv1.0.0-beta\n", "v1.0.0-beta"],
  ["", undefined],
  ["v2.0.0\n", undefined],
] as const;

for (const [list, meant] of lists)
  test(`of the list ${JSON.stringify(list)} go takes ${meant ?? "nothing"}`, () =>
    assert.equal(meantVersion({ kind: "list", path, bytes: Buffer.from(list) })?.version, meant));

test("@latest and a branch mean the version they name", () => {
  const info = Buffer.from('{"Version":"v0.0.0-20260101000000-abcdefabcdef"}');
  for (const kind of ["latest", "query"] as const)
    assert.equal(meantVersion({ kind, path, bytes: info })?.version, "v0.0.0-20260101000000-abcdefabcdef");
  assert.equal(meantVersion({ kind: "latest", path, bytes: Buffer.from("not json") }), undefined);
});
