import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeRequest, ProxyUnderTest } from "#services/lab/ports.ts";
import { parseScript, runScript } from "./http-script.ts";

function echo(seen: ProbeRequest[]): ProxyUnderTest {
  return {
    send: (request) => {
      seen.push(request);
      const headers = { "content-type": "text/plain", etag: '"x"' };
      return Promise.resolve({ status: 200, headers, body: Buffer.from("one\ntwo\n") });
    },
  };
}

const run = (text: string): Promise<void> => runScript(parseScript(text), echo([]));

test("a script sends what it says and keeps values for later", async () => {
  const seen: ProbeRequest[] = [];
  const script = parseScript(`
    @flags --private corp.example/*
    # first
    GET /a
    code == 200
    keep tag = header ETag
    GET /b\\x00
    > If-None-Match: $tag
    code == 304 | 200
    RAW
    > GET /c HTTP/1.1
    > Host: a\\tb
    body lines <= 2
  `);
  await runScript(script, echo(seen));
  assert.deepEqual(script.flags, ["--private", "corp.example/*"]);
  assert.deepEqual(seen[1], { method: "GET", target: "/b\0", headers: [["If-None-Match", '"x"']] });
  assert.equal(seen[2]?.raw, "GET /c HTTP/1.1\r\nHost: a\tb\r\n\r\n");
});

for (const check of [
  "code == 404",
  "code != 200",
  "header content-type == application/json",
  "header etag absent",
  "header age present",
  "header content-type lacks plain",
  "body == one",
  "body contains three",
  "body lines <= 1",
  "body bytes == 0",
  "keep x = header age",
  "status is fine",
]) {
  test(`\`${check}\` fails where it does not hold`, async () => {
    await assert.rejects(run(`GET /\n${check}\n`), /line 2/);
  });
}

for (const check of [
  "code == 200",
  "header content-type == text/plain",
  "header content-type contains plain",
  "header age absent",
  "header etag present",
  "body == one\\ntwo\\n",
  "body contains two",
  "body lacks three",
  "body lines <= 2",
  "body bytes == 8",
]) {
  test(`\`${check}\` passes where it holds`, () => run(`GET /\n${check}\n`));
}

test("a request without a check, a check without a request and an unknown hook are mistakes", async () => {
  await assert.rejects(run("GET /\n"), /proves nothing/);
  assert.throws(() => parseScript("code == 200\n"), /no request/);
  await assert.rejects(run("@explode\n"), /no hook/);
});

test("hooks run between requests", async () => {
  const seen: ProbeRequest[] = [];
  let asked = -1;
  const hook = (): Promise<void> => {
    asked = seen.length;
    return Promise.resolve();
  };
  await runScript(parseScript("GET /\ncode == 200\n@cut\nGET /\ncode == 200\n"), echo(seen), { cut: hook });
  assert.equal(asked, 1);
});
