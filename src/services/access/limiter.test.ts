import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey, Limiter, limiterProfiles } from "./limiter.ts";

const start = Date.parse("2026-11-21T12:00:00Z");

for (const [name, onset] of [
  ["official", 6],
  ["gocenter", 11],
] as const) {
  test(`${name}: request ${onset} of one second starts a pause of 60 s, and exactly then it ends`, () => {
    const limiter = new Limiter(limiterProfiles[name]);
    for (let n = 1; n < onset; n++) assert.equal(limiter.admit("a", start + n), 0, `request ${n}`);
    const onsetMs = start + onset;
    assert.equal(limiter.admit("a", onsetMs), 60_000);
    assert.equal(limiter.admit("a", onsetMs + 30_000), 30_000);
    assert.equal(limiter.admit("a", onsetMs + 59_999), 1);
    assert.equal(limiter.admit("a", onsetMs + 60_000), 0);
  });

  test(`${name}: after the pause a whole second's worth passes again, and the next one is over`, () => {
    const limiter = new Limiter(limiterProfiles[name]);
    for (let n = 1; n <= onset; n++) limiter.admit("a", start);
    const later = start + 60_000;
    for (let n = 1; n < onset; n++) assert.equal(limiter.admit("a", later), 0, `request ${n}`);
    assert.equal(limiter.admit("a", later), 60_000);
  });
}

test("a refused request that is sent again does not prolong the pause", () => {
  const limiter = new Limiter(limiterProfiles.official);
  for (let n = 0; n < 6; n++) limiter.admit("a", start);
  for (let at = 10; at < 60_000; at += 10) assert.equal(limiter.admit("a", start + at), 60_000 - at);
  assert.equal(limiter.admit("a", start + 60_000), 0);
});

test("the second slides: five at the end of one and one at the start of the next are six within a second", () => {
  const limiter = new Limiter(limiterProfiles.official);
  for (let n = 0; n < 5; n++) assert.equal(limiter.admit("a", start + 900 + n), 0);
  assert.equal(limiter.admit("a", start + 1_100), 60_000);
});

test("five a second, evenly, pass for ever", () => {
  const limiter = new Limiter(limiterProfiles.official);
  for (let n = 0; n < 1_000; n++) assert.equal(limiter.admit("a", start + n * 200), 0, `request ${n}`);
});

test("the sixth request exactly one second after the first passes, a millisecond earlier it does not", () => {
  const limiter = new Limiter(limiterProfiles.official);
  for (let n = 0; n < 5; n++) {
    limiter.admit("a", start);
    limiter.admit("b", start);
  }
  assert.equal(limiter.admit("a", start + 1_000), 0);
  assert.equal(limiter.admit("b", start + 999), 60_000);
});

test("one client's pause is nobody else's", () => {
  const limiter = new Limiter(limiterProfiles.official);
  for (let n = 0; n < 6; n++) limiter.admit("a", start);
  assert.equal(limiter.admit("b", start), 0);
});

test("a clock that is put back an hour neither pauses for an hour nor starts a pause", () => {
  const limiter = new Limiter(limiterProfiles.official);
  for (let n = 0; n < 6; n++) limiter.admit("paused", start);
  for (let n = 0; n < 5; n++) limiter.admit("busy", start);
  assert.equal(limiter.admit("paused", start - 3_600_000), 0);
  assert.equal(limiter.admit("busy", start - 3_600_000), 0);
});

test("the table has a size: the client heard of longest ago is forgotten, a paused one that goes on asking is not", () => {
  const limiter = new Limiter(limiterProfiles.official, { maxKeys: 3 });
  for (let n = 0; n < 6; n++) limiter.admit("paused", start);
  for (let n = 0; n < 50; n++) {
    limiter.admit(`other ${n}`, start);
    assert.notEqual(limiter.admit("paused", start + 1), 0);
  }
  assert.equal(limiter.size, 3);
  for (let n = 0; n < 3; n++) limiter.admit(`more ${n}`, start);
  assert.equal(limiter.admit("paused", start + 1), 0);
});

const addresses = [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::", "2001:db8:0:0::/64"],
  ["2001:0DB8:0001:0002::", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
  ["", ""],
] as const;

for (const [address, key] of addresses)
  test(`the client behind ${address === "" ? "no address" : address} is ${key === "" ? "one as well" : key}`, () => {
    assert.equal(addressKey(address), key);
  });
