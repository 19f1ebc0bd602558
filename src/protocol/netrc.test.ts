import assert from "node:assert/strict";
import { test } from "node:test";
import { findNetrc, parseNetrc } from "./netrc.ts";

const a = { machine: "a.example", login: "anna", password: "x" };
const b = { machine: "b.example", login: "bert", password: "y#z" };

for (const [name, text, want] of [
  ["one line each", "machine a.example login anna password x\nmachine b.example login bert password y#z\n", [a, b]],
  ["over lines, with tabs", "machine a.example\n\tlogin anna\n  password x\n", [a]],
  ["password first", "machine a.example password x login anna", [a]],
  ["CRLF", "machine a.example login anna password x\r\n", [a]],
  ["without a password", "machine a.example login anna\nmachine b.example login bert password y#z", [b]],
  ["an account is passed over", "machine a.example login anna account acme password x", [a]],
  ["a macro", "macdef init\nmachine c login c password c\n\nmachine a.example login anna password x", [a]],
  ["default ends it", "default login d password d\nmachine a.example login anna password x", []],
  ["default alone on its line", "machine a.example login anna password x\ndefault\nlogin d password d", [a]],
  ["nothing", "", []],
] as const)
  test(`netrc: ${name}`, () => assert.deepEqual(parseNetrc(text), want));

test("the first entry wins, and one with the port before one without", () => {
  const entries = parseNetrc(
    "machine a.example login one password 1\nmachine a.example login two password 2\nmachine a.example:8443 login p password 3\n",
  );
  assert.equal(findNetrc(entries, "a.example")?.login, "one");
  assert.equal(findNetrc(entries, "a.example", "8443")?.login, "p");
  assert.equal(findNetrc(entries, "a.example", "9000")?.login, "one");
  assert.equal(findNetrc(entries, "b.example"), undefined);
});
