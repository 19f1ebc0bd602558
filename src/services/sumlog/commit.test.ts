import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCommit, parseCommit } from "./commit.ts";

const commit = {
  from: 12,
  texts: ["a v1.0.0 h1:x\n", "b v1.0.0 h1:y\nb v1.0.0/go.mod h1:z\n"],
  root: Buffer.alloc(32, 5),
};

test("commits round-trip", () => {
  assert.deepEqual(parseCommit(formatCommit(commit)), commit);
});

test("what is cut, changed or something else is no commit", () => {
  const bytes = Buffer.from(formatCommit(commit));
  const bad = [
    "",
    "granary sumlog commit 1\n12 14 x\n\n",
    bytes.subarray(0, -1),
    Buffer.concat([bytes, Buffer.from("c v1.0.0 h1:x\n\n")]),
    bytes.toString().replace("12 14", "12 13"),
    bytes.toString().replace("12 14", "12 12"),
    bytes.toString().replace("12 14", "14 12"),
    bytes.toString().replace("commit 1", "commit 2"),
  ];
  for (const each of bad) assert.throws(() => parseCommit(Buffer.from(each)), { code: "BAD_RECORD" }, String(each));
});
