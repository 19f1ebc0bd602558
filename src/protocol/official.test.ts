import assert from "node:assert/strict";
import { test } from "node:test";
import { parseVerifierKey } from "./note.ts";
import * as official from "./official.ts";

test("the composed hosts are those of the Go project", () => {
  assert.equal(official.officialProxyURL, `https://${["proxy", "golang", "org"].join(".")}`);
  assert.equal(official.sumdbName, ["sum", "golang", "org"].join("."));
  assert.equal(official.sumdbMirrorChina, ["sum", "golang", "google", "cn"].join("."));
  assert.equal(official.goDefaultProxyList, `${official.officialProxyURL},direct`);
});

test("the built-in database key is a valid key of that database", () => {
  const key = parseVerifierKey(official.sumdbKey);
  assert.equal(key.name, official.sumdbName);
  assert.equal(key.keyHash, 0x033de0ae);
});
