import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRefusal, headersFor, parseGoAuth } from "./goauth.ts";

const good = [
  ["nothing", "", {}],
  [
    "one of each",
    "https://a.example/team\n\nAuthorization: Bearer x\n\n",
    { "a.example/team": [["Authorization", "Bearer x"]] },
  ],
  [
    "two URLs, two headers, two blocks",
    "https://a.example\nhttps://b.example/x/\n\nA: 1\nB:  2 \n\nhttps://c.example:8443\n\nC: 3\n\n",
    {
      "a.example": [
        ["A", "1"],
        ["B", "2"],
      ],
      "b.example/x": [
        ["A", "1"],
        ["B", "2"],
      ],
      "c.example:8443": [["C", "3"]],
    },
  ],
  ["void credentials", "https://a.example\n\n\n", { "a.example": [] }],
  ["headers of no URL", "\nA: 1\n\n", {}],
] as const;
for (const [name, text, want] of good)
  test(`parseGoAuth() reads ${name}`, () => assert.deepEqual(Object.fromEntries(parseGoAuth(text)), want));

const secret = "hunter2";
for (const text of [
  `https://a.example`,
  `https://a.example\n`,
  `https://a.example\n\n`,
  `https://a.example\n\nA: ${secret}`,
  `https://a.example\n\nA: ${secret}\n`,
  `http://a.example\n\nA: ${secret}\n\n`,
  `https://u:${secret}@a.example\n\nA: 1\n\n`,
  ` https://a.example\n\nA: 1\n\n`,
  `https://a.example\n\n${secret}\n\n`,
  `https://a.example\n\nA:${secret}\n\n`,
  `https://a.example\n\nA b: ${secret}\n\n`,
  `https://a.example\n\nA: ${secret}\r\n\n`,
  `https://a.example\n\nHost: ${secret}\n\n`,
  `https://a.example\n\nProxy-Authorization: ${secret}\n\n`,
  `https://a.example\n\nContent-Length: 5\n\n`,
])
  test(`parseGoAuth() refuses ${JSON.stringify(text)}, and quotes none of it`, () =>
    assert.throws(
      () => parseGoAuth(text),
      (error: unknown) =>
        error instanceof Error && "code" in error && error.code === "BAD_GOAUTH" && !error.message.includes(secret),
    ));

test("the longest prefix decides, at a slash", () => {
  const answer = parseGoAuth("https://a.example\n\nA: host\n\nhttps://a.example/team\n\nA: team\n\n");
  const of = (url: string) => headersFor(answer, new URL(url))?.[0]?.[1];
  assert.equal(of("https://a.example/team/x?go-get=1"), "team");
  assert.equal(of("https://a.example/teams"), "host");
  assert.equal(of("https://a.example"), "host");
  assert.equal(of("https://a.example:8443/team"), undefined);
  assert.equal(of("https://b.example/team"), undefined);
});

test("a refusal is told as go tells it", () =>
  assert.equal(
    formatRefusal({ status: 401, reason: "Unauthorized", headers: [["Www-Authenticate", "Basic"]] }),
    "HTTP/1.1 401 Unauthorized\nWww-Authenticate: Basic\n\n",
  ));
