import assert from "node:assert/strict";
import { test } from "node:test";
import { withDoubleDashes } from "./single-dash.ts";

const flags = new Set(["--db", "--addr", "--client-ca", "--help"]);
const cases = [
  ["-db ./sumdb -addr :8081", "--db ./sumdb --addr :8081"],
  ["-client-ca=ca.pem", "--client-ca=ca.pem"],
  ["--db ./sumdb", "--db ./sumdb"],
  ["-d ./sumdb", "-d ./sumdb"],
  ["-nothing -help", "-nothing --help"],
  ["sumweb -- -db", "sumweb -- -db"],
  ["---db", "---db"],
] as const;

for (const [typed, want] of cases)
  test(`${typed} is ${want}`, () => assert.deepEqual(withDoubleDashes(typed.split(" "), flags), want.split(" ")));
