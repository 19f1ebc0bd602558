import assert from "node:assert/strict";
import { test } from "node:test";
import { Numbers } from "./numbers.ts";

test("every key finds its number, unknown keys find none", () => {
  const numbers = new Numbers();
  for (let n = 0; n < 50_000; n++) numbers.add(`example.com/m${n}@v1.0.0`);
  for (let n = 0; n < 50_000; n++) assert.deepEqual(numbers.find(`example.com/m${n}@v1.0.0`), [n]);
  for (let n = 0; n < 1000; n++) assert.deepEqual(numbers.find(`example.com/other${n}@v1.0.0`), []);
  assert.equal(numbers.upTo, 50_000);
});

test("one key of two records finds both, oldest first", () => {
  const numbers = new Numbers();
  for (const key of ["a", "b", "a"]) numbers.add(key);
  assert.deepEqual(numbers.find("a"), [0, 2]);
});

test("the table survives as bytes; damaged bytes do not pass", () => {
  const numbers = new Numbers();
  for (let n = 0; n < 3000; n++) numbers.add(`key ${n}`);
  const bytes = numbers.toBytes();
  const again = Numbers.from(bytes);
  assert.equal(again.upTo, 3000);
  for (let n = 0; n < 3000; n++) assert.deepEqual(again.find(`key ${n}`), [n]);
  again.add("more");
  assert.deepEqual(again.find("more"), [3000]);
  assert.equal(Numbers.from(new Numbers().toBytes()).upTo, 0);
  for (const at of [0, 70, 100, bytes.length - 1]) {
    const bad = Buffer.from(bytes);
    bad[at]! ^= 1;
    assert.throws(() => Numbers.from(bad), { code: "BAD_RECORD" }, `${at}`);
  }
  assert.throws(() => Numbers.from(bytes.subarray(0, -12)), { code: "BAD_RECORD" });
  assert.throws(() => Numbers.from(new Uint8Array()), { code: "BAD_RECORD" });
});
