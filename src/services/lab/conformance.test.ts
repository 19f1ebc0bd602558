import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { rawHttpTarget } from "#adapters/system/raw-http.ts";
import { makeModule, readModuleFixtures } from "../../../test/support/modules.ts";
import { sampleFixtures } from "../../../test/support/sample-fixtures.ts";
import type { StubUpstream } from "../../../test/support/stub-upstream.ts";
import { startUpstreams } from "../../../test/support/world.ts";
import { conformanceCases, runConformance } from "./conformance.ts";
import type { ConformanceFixtures } from "./conformance.ts";
import type { ProbeRequest, ProbeResponse, ProxyUnderTest } from "./ports.ts";

let stub: StubUpstream;
let fixtures: ConformanceFixtures;
let sound: ReadonlySet<string>;

before(async () => {
  // More than one full tile of records, and a partial one beside it.
  const many = Array.from({ length: 260 }, (_, n) => makeModule({ path: `example.com/many/m${n}`, version: "v1.0.0" }));
  const upstreams = await startUpstreams([...readModuleFixtures(), ...many]);
  stub = upstreams.stub;
  fixtures = { ...sampleFixtures, database: { name: upstreams.database.name, key: upstreams.database.verifierKey } };
  sound = await failures(rawHttpTarget(stub.url));
});
after(() => stub.close());

test("there are at least eighty cases, each with its own id and both titles", () => {
  assert.ok(conformanceCases.length >= 80);
  assert.equal(new Set(conformanceCases.map(({ id }) => id)).size, conformanceCases.length);
  for (const { id, en, zh, spec } of conformanceCases) {
    assert.match(id, /^[A-Z0-9]+(-[A-Z0-9]+)*$/);
    assert.ok(en !== "" && zh !== "" && spec !== "", id);
  }
});

test("a plain proxy fails nothing it must do, but for what its HTTP library lets through", () => {
  const musts = new Set(conformanceCases.filter(({ severity }) => severity === "must").map(({ id }) => id));
  assert.deepEqual([...sound].filter((id) => musts.has(id)).sort(), ["HOSTILE-HOST-TWICE"]);
});

test("cases whose fixtures are missing are skipped, not passed", async () => {
  const bare = { ...sampleFixtures, upperPath: undefined, branch: undefined, tagless: undefined };
  const skipped: string[] = [];
  for await (const { id, outcome } of runConformance(rawHttpTarget(stub.url), bare)) {
    if (outcome === "skip") skipped.push(id);
  }
  for (const id of ["ESCAPE-PATH", "QUERY-BRANCH", "LIST-TAGLESS"]) assert.ok(skipped.includes(id), id);
});

test("a proxy that breaks off every answer fails cases and breaks nothing here", async () => {
  stub.fault(/./, { kind: "reset" });
  const found = await failures(rawHttpTarget(stub.url, { timeoutMs: 5000 }));
  stub.clearFaults();
  assert.ok(found.has("INFO-STATUS") && found.has("LIST-STATUS"));
});

/** A way to be wrong: what becomes of an answer. */
type Defect = {
  readonly name: string;
  readonly spoil: (request: ProbeRequest, answer: ProbeResponse) => ProbeResponse;
  readonly fails: readonly string[];
};

const known = "/example.com/hello/@v/";
const sumdb = "/sumdb/sum.example.test/";
const file = (ext: string): string => `${known}v1.0.0.${ext}`;

const defects: readonly Defect[] = [
  {
    name: "answers an empty list for modules it does not know",
    spoil: (request, answer) =>
      answer.status === 404 && /^[/][a-z0-9./-]+[/]@v[/]list$/.test(request.target) && request.method === "GET"
        ? text(200, "")
        : answer,
    fails: [
      "HOSTILE-BAD-MODULE",
      "HOSTILE-DOTS",
      "HOSTILE-DOUBLE-SLASH",
      "HOSTILE-MANY-ELEMENTS",
      "LIST-UNKNOWN",
      "PROBE-HOST",
      "PROBE-MAJOR",
      "PROBE-PACKAGE",
    ],
  },
  {
    name: "refuses packages inside a module with 403",
    spoil: (request, answer) => (request.target.startsWith("/example.com/hello/granary") ? text(403, "no\n") : answer),
    fails: ["PROBE-PACKAGE"],
  },
  {
    name: "lists pseudo-versions",
    spoil: at(`${known}list`, (answer) => body(answer, `${str(answer)}v1.1.1-0.20240203040506-333333333333\n`)),
    fails: ["LIST-NO-PSEUDO"],
  },
  {
    name: "lists only what it holds",
    spoil: at(`${known}list`, (answer) => body(answer, "v1.1.0\n")),
    fails: ["LIST-COMPLETE"],
  },
  {
    name: "lists versions of another major",
    spoil: at(`${known}list`, (answer) => body(answer, `${str(answer)}v2.0.0\n`)),
    fails: ["LATEST-HIGHEST", "LIST-CANONICAL"],
  },
  {
    name: "names another version in .info",
    spoil: at(file("info"), (answer) => body(answer, str(answer).replace("v1.0.0", "v1.0.0+x"))),
    fails: ["INFO-KNOWN-VERSION-CANONICAL", "INFO-VERSION"],
  },
  {
    name: "writes times its own way",
    spoil: at(file("info"), (answer) => body(answer, str(answer).replace(/"2023[^"]*"/, '"2023-01-02 03:04:05"'))),
    fails: ["INFO-TIME"],
  },
  {
    name: "drops Origin",
    spoil: at(file("info"), (answer) => body(answer, str(answer).replace(/,"Origin".*/, "}"))),
    fails: ["INFO-ORIGIN-KEPT"],
  },
  {
    name: "serves a go.mod of another snapshot",
    spoil: at(file("mod"), (answer) => body(answer, `${str(answer)}// later\n`)),
    fails: ["LOOKUP-MOD", "ZIP-SAME-GOMOD"],
  },
  {
    name: "serves the go.mod of another module",
    spoil: at(file("mod"), (answer) => body(answer, str(answer).replace("/hello", "/fork"))),
    fails: ["LOOKUP-MOD", "MOD-MODULE-LINE", "ZIP-SAME-GOMOD"],
  },
  {
    name: "flips a byte of a zip",
    // In parts too: its cache holds one zip, whichever range of it is asked for.
    spoil: (request, answer) =>
      request.target === file("zip") ? { ...answer, body: flipped(answer.body, firstByteOf(answer)) } : answer,
    fails: ["LOOKUP-ZIP", "ZIP-RULES", "ZIP-SAME-GOMOD"],
  },
  {
    name: "takes parts from another zip than the whole",
    spoil: (request, answer) =>
      request.target === file("zip") && answer.status === 206
        ? { ...answer, body: flipped(answer.body, firstByteOf(answer)) }
        : answer,
    fails: ["RANGE-MIDDLE"],
  },
  {
    name: "gzips zips nobody asked to be gzipped",
    spoil: at(file("zip"), (answer) => header(answer, "content-encoding", "gzip")),
    fails: ["ZIP-PLAIN"],
  },
  {
    name: "does not undo %21",
    spoil: (request, answer) => (request.target.includes("%21") && answer.status === 200 ? text(404, "?\n") : answer),
    fails: ["ESCAPE-PATH", "ESCAPE-PATH-RAW", "ESCAPE-VERSION", "LIST-CASE", "LOOKUP-UPPER"],
  },
  {
    name: "takes upper case as it is",
    spoil: (request, answer) => (request.target.startsWith("/example.com/Upper") ? text(200, "{}") : answer),
    fails: ["ESCAPE-PATH-UPPER", "LIST-CASE"],
  },
  {
    name: "reads + as a space",
    spoil: (request, answer) => (request.target.includes("%20incompatible") ? text(200, "{}") : answer),
    fails: ["INCOMPATIBLE-NO-SPACE"],
  },
  {
    name: "keeps branches for ever",
    spoil: at(`${known}main.info`, (answer) => header(answer, "cache-control", "public, max-age=31536000, immutable")),
    fails: ["QUERY-BRANCH-FRESH"],
  },
  {
    name: "keeps 404s for ever",
    spoil: (_, answer) => (answer.status === 404 ? header(answer, "cache-control", "max-age=31536000") : answer),
    fails: ["LIST-FRESH"],
  },
  {
    name: "serves zips of branches",
    spoil: (request, answer) => (request.target === `${known}main.zip` ? text(200, "PK") : answer),
    fails: ["QUERY-BRANCH-FILES"],
  },
  {
    name: "answers @v/latest.info",
    spoil: (request, answer) => (request.target === `${known}latest.info` ? text(200, '{"Version":"v1.1.0"}') : answer),
    fails: ["QUERY-WORD-LATEST"],
  },
  {
    name: "does not answer HEAD",
    spoil: (request, answer) => (request.method === "HEAD" ? text(405, "") : answer),
    fails: ["HEAD-INFO", "HEAD-LATEST", "HEAD-LIST", "HEAD-MOD", "HEAD-UNKNOWN", "HEAD-ZIP"],
  },
  {
    name: "resumes zips that have changed",
    spoil: (request, answer) =>
      request.headers?.some(([name]) => name === "If-Range") === true
        ? { ...answer, status: 206, body: answer.body.subarray(0, 10) }
        : answer,
    fails: ["IF-RANGE-OTHER", "IF-RANGE-WEAK"],
  },
  {
    name: "sends the whole zip as the first of many parts",
    spoil: (request, answer) =>
      request.headers?.some(([, value]) => value.includes("0-1,4-5")) === true ? { ...answer, status: 206 } : answer,
    fails: ["RANGE-MANY"],
  },
  {
    name: "takes POST",
    spoil: (request, answer) => (request.method === "POST" ? text(200, "") : answer),
    fails: ["METHOD-405", "METHOD-POST"],
  },
  {
    name: "explains itself in HTML",
    spoil: (_, answer) => (answer.status >= 400 ? header(answer, "content-type", "text/html") : answer),
    fails: ["ERROR-TYPE"],
  },
  {
    name: "puts a blank line into its errors",
    spoil: (_, answer) => (answer.status >= 400 && answer.body.length > 0 ? body(answer, "no\n\nask\n") : answer),
    fails: ["ERROR-CLEAN"],
  },
  {
    name: "tells long stories in its errors",
    spoil: (_, answer) => (answer.status >= 400 && answer.body.length > 0 ? body(answer, "no\n".repeat(9)) : answer),
    fails: ["ERROR-SHOWN"],
  },
  {
    name: "breaks on dot segments",
    spoil: (request, answer) => (request.target.includes("/../") ? text(500, "oops\n") : answer),
    fails: ["HOSTILE-DOTS", "HOSTILE-FILES", "SUMDB-OTHER-PATHS"],
  },
  {
    name: "relays any database a client names",
    spoil: (request, answer) =>
      request.target.startsWith("/sumdb/") && !request.target.includes("sum.example.test") ? text(200, "") : answer,
    fails: ["SUMDB-NO-RELAY", "SUMDB-UNKNOWN"],
  },
  {
    name: "does not tunnel the database",
    spoil: at(`${sumdb}supported`, () => text(404, "no\n")),
    fails: ["SUMDB-SUPPORTED"],
  },
  {
    name: "puts other hashes into records",
    spoil: at(`${sumdb}lookup/example.com/hello@v1.0.0`, (answer) =>
      body(answer, str(answer).replace(/(hello v1[.]0[.]0 h1:)./, "$1x")),
    ),
    fails: ["LOOKUP-INCLUDED", "LOOKUP-ZIP"],
  },
  {
    name: "leaves the go.mod line out of records",
    spoil: at(`${sumdb}lookup/example.com/hello@v1.0.0`, (answer) =>
      body(answer, str(answer).replace(/.*[/]go[.]mod h1:.*\n/, "")),
    ),
    fails: ["LOOKUP-INCLUDED", "LOOKUP-MOD", "LOOKUP-RECORD", "LOOKUP-ZIP"],
  },
  {
    name: "changes tree heads",
    spoil: at(`${sumdb}latest`, (answer) => body(answer, str(answer).replace("database tree\n", "database tree\n1"))),
    fails: [
      "LOOKUP-CONSISTENT",
      "SUMDB-LATEST",
      "TILE-FULL",
      "TILE-NARROWER",
      "TILE-NOT-YET",
      "TILE-PARTIAL",
      "TILE-TYPE",
    ],
  },
  {
    name: "pads partial tiles to full ones",
    spoil: (request, answer) =>
      request.target.startsWith(`${sumdb}tile/8/0/001`)
        ? bytes({ ...answer, status: 200 }, Buffer.alloc(99 * 32))
        : answer,
    fails: ["LOOKUP-INCLUDED", "TILE-NARROWER", "TILE-NOT-YET", "TILE-PARTIAL"],
  },
  {
    name: "cuts full tiles",
    spoil: at(`${sumdb}tile/8/0/000`, (answer) => bytes(answer, answer.body.subarray(32))),
    fails: ["LOOKUP-INCLUDED", "TILE-FULL"],
  },
];

for (const { name, spoil, fails } of defects) {
  test(`a proxy that ${name} fails exactly what that breaks`, async () => {
    const found = await failures(spoiled(rawHttpTarget(stub.url), spoil));
    assert.deepEqual([...found].filter((id) => !sound.has(id)).sort(), [...fails].sort());
  });
}

async function failures(target: ProxyUnderTest): Promise<Set<string>> {
  const failed = new Set<string>();
  for await (const { id, outcome } of runConformance(target, fixtures)) if (outcome === "fail") failed.add(id);
  return failed;
}

function spoiled(target: ProxyUnderTest, spoil: Defect["spoil"]): ProxyUnderTest {
  return { send: async (request) => spoil(request, await target.send(request)) };
}

function text(status: number, body: string): ProbeResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(body) };
}

function str(answer: ProbeResponse): string {
  return Buffer.from(answer.body).toString();
}

function body(answer: ProbeResponse, content: string): ProbeResponse {
  return bytes(answer, Buffer.from(content));
}

/** Another body under headers that fit it. */
function bytes(answer: ProbeResponse, content: Uint8Array): ProbeResponse {
  return { ...answer, headers: { ...answer.headers, "content-length": String(content.length) }, body: content };
}

function header(answer: ProbeResponse, name: string, value: string): ProbeResponse {
  return { ...answer, headers: { ...answer.headers, [name]: value } };
}

/** A bit of the last entry's data, somewhere in the middle of the zip, when it is among the bytes from `from` on. */
function flipped(part: Uint8Array, from: number): Uint8Array {
  const at = 200 - from;
  const copy = Uint8Array.from(part);
  if (at >= 0 && at < copy.length) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Where the body begins in the file: 0 unless it is a part. */
function firstByteOf({ status, headers }: ProbeResponse): number {
  return status === 206 ? Number(/^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1]) : 0;
}

/** Spoils the answer for one path, where there is one. HEAD keeps silent about the length it can no longer know. */
function at(target: string, spoil: (answer: ProbeResponse) => ProbeResponse): Defect["spoil"] {
  return (request, answer) => {
    if (request.target !== target || answer.status !== 200) return answer;
    if (request.method === "GET") return spoil(answer);
    return { ...answer, headers: Object.fromEntries(Object.entries(answer.headers).filter(isNotLength)) };
  };
}

function isNotLength([name]: readonly [string, string]): boolean {
  return name !== "content-length";
}
