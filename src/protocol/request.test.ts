import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { parsePath } from "./path.ts";
import { formatTarget, parseTarget } from "./request.ts";
import type { KnownTarget } from "./request.ts";
import { parseVersion } from "./version.ts";
import { maxTargetBytes } from "./wire.ts";

const upstream = { cachedOnly: false };
const kept = { cachedOnly: true };
const azure = parsePath("github.com/Azure/x");
const rsc = parsePath("rsc.io/quote");
const v1 = parseVersion("v1.0.0");
const rc = parseVersion("v1.0.0-RC1");

/** As the go command spells them; parsed and written back. */
const spelled: readonly (readonly [string, KnownTarget])[] = [
  ["/rsc.io/quote/@v/list", { kind: "list", ...upstream, path: rsc }],
  ["/rsc.io/quote/@latest", { kind: "latest", ...upstream, path: rsc }],
  ["/rsc.io/quote/@v/v1.0.0.info", { kind: "info", ...upstream, path: rsc, query: "v1.0.0", version: v1 }],
  ["/rsc.io/quote/@v/v1.0.0.mod", { kind: "mod", ...upstream, path: rsc, version: v1 }],
  ["/rsc.io/quote/@v/v1.0.0.zip", { kind: "zip", ...upstream, path: rsc, version: v1 }],
  ["/github.com/%21azure/x/@v/v1.0.0-%21r%21c1.zip", { kind: "zip", ...upstream, path: azure, version: rc }],
  [
    "/rsc.io/quote/@v/v2.0.0+incompatible.mod",
    { kind: "mod", ...upstream, path: rsc, version: parseVersion("v2.0.0+incompatible") },
  ],
  ["/github.com/@v/list", { kind: "list", ...upstream, path: parsePath("github.com") }],
  ["/rsc.io/quote/@v/master.info", { kind: "info", ...upstream, path: rsc, query: "master" }],
  ["/rsc.io/quote/@v/feat%231.info", { kind: "info", ...upstream, path: rsc, query: "feat#1" }],
  ["/rsc.io/quote/@v/fix%28a%29.info", { kind: "info", ...upstream, path: rsc, query: "fix(a)" }],
  ["/rsc.io/quote/@v/a%2Cb.info", { kind: "info", ...upstream, path: rsc, query: "a,b" }],
  ["/rsc.io/quote/@v/rel%202.info", { kind: "info", ...upstream, path: rsc, query: "rel 2" }],
  ["/rsc.io/quote/@v/a%2541.info", { kind: "info", ...upstream, path: rsc, query: "a%41" }],
  ["/rsc.io/quote/@v/%21main.info", { kind: "info", ...upstream, path: rsc, query: "Main" }],
  ["/rsc.io/quote/@v/list.info", { kind: "info", ...upstream, path: rsc, query: "list" }],
  ["/rsc.io/quote/@v/v1.info", { kind: "info", ...upstream, path: rsc, query: "v1" }],
  ["/rsc.io/quote/@v/v1.2.3+meta.info", { kind: "info", ...upstream, path: rsc, query: "v1.2.3+meta" }],
  // A tag beyond the path's major version may be answered with its +incompatible twin.
  ["/rsc.io/quote/@v/v2.0.0.info", { kind: "info", ...upstream, path: rsc, query: "v2.0.0" }],
  ["/cached-only/rsc.io/quote/@v/v1.0.0.zip", { kind: "zip", ...kept, path: rsc, version: v1 }],
  ["/cached-only/rsc.io/quote/@latest", { kind: "latest", ...kept, path: rsc }],
  ["/-/chunks/github.com/%21azure/x/@v/v1.0.0.zip", { kind: "chunks", path: azure, version: v1 }],
  ["/sum/github.com/%21azure/x/@v/v1.0.0", { kind: "sum", path: azure, version: v1 }],
  [
    "/sumdb/sum.example/supported",
    { kind: "sumdb", ...upstream, name: "sum.example", endpoint: { kind: "supported" } },
  ],
  [
    "/sumdb/sum.example:8080/latest",
    { kind: "sumdb", ...upstream, name: "sum.example:8080", endpoint: { kind: "latest" } },
  ],
  [
    "/sumdb/localhost.localdev/sumdb/lookup/github.com/%21azure/x@v1.0.0-%21r%21c1",
    {
      kind: "sumdb",
      ...upstream,
      name: "localhost.localdev/sumdb",
      endpoint: { kind: "lookup", path: azure, version: rc },
    },
  ],
  [
    "/sumdb/sum.example/lookup/a.com/lookup/b.com/tile@v1.0.0",
    {
      kind: "sumdb",
      ...upstream,
      name: "sum.example",
      endpoint: { kind: "lookup", path: parsePath("a.com/lookup/b.com/tile"), version: v1 },
    },
  ],
  [
    "/cached-only/sumdb/sum.example/tile/8/0/x001/067.p/45",
    { kind: "sumdb", ...kept, name: "sum.example", endpoint: { kind: "tile", text: "tile/8/0/x001/067.p/45" } },
  ],
  [
    "/sumdb/sum.example/tile/8/data/000",
    { kind: "sumdb", ...upstream, name: "sum.example", endpoint: { kind: "tile", text: "tile/8/data/000" } },
  ],
  ...["/", "/-/", "/-/readyz", "/-/api/x.y", "/health", "/healthz", "/readyz", "/metrics"].map(
    (path) => [path, { kind: "house", path }] as const,
  ),
];

for (const [raw, target] of spelled)
  test(`GET ${raw} is read and written back`, () => {
    assert.deepEqual(parseTarget(raw), target);
    assert.equal(formatTarget(target), raw);
  });

const otherSpellings = [
  ["/github.com/!azure/x/@v/v1.0.0-!r!c1.zip", "/github.com/%21azure/x/@v/v1.0.0-%21r%21c1.zip"],
  ["/rsc.io/quote/@v/v2.0.0%2Bincompatible.mod", "/rsc.io/quote/@v/v2.0.0+incompatible.mod"],
  ["/rsc.io/quote/@v/fix(a).info", "/rsc.io/quote/@v/fix%28a%29.info"],
  ["/rsc.io/quote/@v/%6daster.info", "/rsc.io/quote/@v/master.info"],
] as const;
for (const [raw, want] of otherSpellings)
  test(`GET ${raw} means ${want}`, () => {
    assert.deepEqual(parseTarget(raw), parseTarget(want));
  });

const impossible = [
  "/quote/@v/list",
  "/github.com/Azure/x/@v/list",
  "/a.com/v1/@v/list",
  "/a.com/.git/@v/list",
  "/@v/list",
  "/@latest",
  "/a.com/@v/",
  "/a.com/@v",
  "/a.com/",
  "/a.com",
  "/favicon.ico",
  "/a.com/@v/list/",
  "/a.com/@v/.info",
  "/a.com/@v/latest.info",
  "/a.com/@v/v1.0.0.ziphash",
  "/a.com/@v/v1.0.0",
  "/a.com/@v/v1.mod",
  "/a.com/@v/master.zip",
  "/a.com/@v/v1.0.0+meta.zip",
  "/a.com/@v/v2.0.0.mod",
  "/a.com/v2/@v/v1.0.0.zip",
  "/a.com/v2/@v/v2.0.0+incompatible.1.zip",
  "/a.com/@v/v1.0.0-RC1.info",
  "/a.com/@v/%41.info",
  "/a.com/@v/a%3Bb.info",
  "/a.com/@v/a%3Fb.info",
  "/a.com/@v/con.info",
  "/a.com/@v/v1.0.0.inf%6f",
  "/a.com/x/@v/..info",
  "/a.com/x/@v/...info",
  "/sumdb/sum.example/lookup/..@v1.0.0",
  "/health/",
  "/metrics/x",
  "/cached-only",
  "/cached-only/",
  "/cached-only/-/readyz",
  "/cached-only/health",
  "/cached-only/sum/rsc.io/quote/@v/v1.0.0",
  "/sum/rsc.io/quote/@v/v1.0.0.info",
  "/sum/rsc.io/quote/@v/master",
  "/sum/rsc.io/quote",
  "/-/chunks",
  "/-/chunks/rsc.io/quote/@v/v1.0.0",
  "/-/chunks/rsc.io/quote/@v/v1.0.0.mod",
  "/-/chunks/rsc.io/quote/@v/master.zip",
  "/cached-only/-/chunks/rsc.io/quote/@v/v1.0.0.zip",
  "/sumdb",
  "/sumdb/",
  "/sumdb/sum.example",
  "/sumdb/supported",
  "/sumdb/sum.example/supported/x",
  "/sumdb/sum.example/other",
  "/sumdb/sum(example)/supported",
  "/sumdb/sum.example/lookup/rsc.io/quote",
  "/sumdb/sum.example/lookup/rsc.io/quote@master",
  "/sumdb/sum.example/lookup/rsc.io/quote@v2.0.0",
  "/sumdb/sum.example/lookup/rsc.io/quote@v1.0.0@v1.0.0",
  "/sumdb/sum.example/tile/8/0/1",
  "/sumdb/sum.example/tile/8/0/000.p/",
  "/sumdb/sum.example/tile/8/0/x000",
  `/a.com/${"x".repeat(256)}/@v/list`,
  `/a.com/@v/${"x".repeat(251)}.info`,
  `/a.com${"/x".repeat(600)}/@v/list`,
];
for (const raw of impossible)
  test(`GET ${raw.slice(0, 80)} names what cannot exist`, () => {
    assert.equal(parseTarget(raw).kind, "impossible");
  });

test("the longest elements are still served", () => {
  assert.equal(parseTarget(`/a.com/${"x".repeat(255)}/@v/list`).kind, "list");
  assert.equal(parseTarget(`/a.com/@v/${"x".repeat(250)}.info`).kind, "info");
});

/** Strings that try to be read as one path here and as another further on. */
function hostileTargets(): string[] {
  const frames = [
    "/X",
    "/a.com/X/@v/list",
    "/a.com/x/@v/X.info",
    "/sumdb/sum.example/lookup/X@v1.0.0",
    "/-/X",
    "/cached-only/X",
  ];
  const dots = [
    "../..",
    "./x",
    "x/../y",
    "x/./y",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "..%2f",
    "%2e%2e%2f",
    "..%5c",
    "..\\",
    "..;",
    "%252e%252e/..",
  ];
  const slashes = ["//", "a//b", "a%2fb", "a%2Fb", "a%5cb", "a%5Cb", "a\\b", "a/./b", "a/../b", "%2f", "a%2f%2fb"];
  const controls = [
    "\0",
    "a\0",
    "\n",
    "\r\n",
    "\t",
    "\x1b",
    "\x7f",
    "%00",
    "%0a",
    "%0d%0a",
    "%09",
    "%1f",
    "%7f",
    "a b",
    "\x80",
  ];
  const marks = [
    "a;b",
    "a?b",
    "a#b",
    "?",
    "#",
    "a;jsessionid=1",
    "a?x=1",
    "é",
    "\xff",
    "%80",
    "%ff",
    "%c0%af",
    "%c3%a9",
    "%e2%80%ae",
  ];
  const broken = ["%", "%2", "%zz", "%u002e", "%%32%65", "a%", "%g1", "%-1", "% 1"];
  const inFrames = [...dots, ...slashes, ...controls, ...marks, ...broken].flatMap((part) => {
    return frames.map((frame) => frame.replace("X", () => part));
  });
  const absolute = [
    "/..",
    "/.",
    "/-/..",
    "/cached-only/..",
    "",
    "*",
    "a.com/@v/list",
    "http://a.com/@v/list",
    "https://u@h/",
    "a.com:443",
    "\\a.com",
    " /a.com/@v/list",
  ];
  const long = [`/a.com/@v/${"a".repeat(maxTargetBytes)}`, `/${"a/".repeat(maxTargetBytes)}`];
  // An escape of a letter, a digit or a separator in a module path or a database name.
  const hidden = [
    "%61.com/x",
    "a%2ecom",
    "a.com%2fx",
    "a.com/%40v/list",
    "a.com/x%21%2e",
    "a.com/%76%31",
    "a.com/%25",
    "a.com/%2521",
  ];
  return [
    ...inFrames,
    ...absolute,
    ...long,
    ...hidden.flatMap((path) => [
      `/${path}/@v/list`,
      `/${path}/@latest`,
      `/sumdb/${path}/supported`,
      `/sum/${path}/@v/v1.0.0`,
    ]),
  ];
}

suite("hostile targets", () => {
  const targets = hostileTargets();

  test("are many", () => {
    assert.ok(new Set(targets).size >= 300, String(new Set(targets).size));
  });

  for (const raw of targets)
    test(`${JSON.stringify(raw.slice(0, 80))} is refused`, () => {
      assert.throws(() => parseTarget(raw), { name: "ProtocolError", code: "BAD_TARGET" });
    });
});

const element = fc.string({ unit: fc.constantFrom("a", "B", "z", "0", "-", "_"), minLength: 1, maxLength: 12 });
const modulePath = fc
  .tuple(
    fc.constantFrom("a.com", "github.com", "x-y.example"),
    fc.array(
      element.map((e) => `p${e}`),
      { maxLength: 4 },
    ),
  )
  .map(([host, rest]) => parsePath([host, ...rest].join("/")));
const version = fc
  .tuple(fc.nat(1), fc.nat(99), fc.constantFrom("", "-RC.1", "-0.20191109021931-daa7c04131f5"))
  .map(([major, minor, tail]) => parseVersion(`v${major}.${minor}.0${tail}`));
const branch = fc
  .string({
    unit: fc.constantFrom("a", "B", "#", "(", ")", ",", " ", "%", "+", "@", "&", "=", "$", "[", "~", "{"),
    minLength: 1,
  })
  .filter((text) => !text.startsWith(" "));
const name = fc.constantFrom("sum.example", "localhost.localdev/sumdb", "h:80/a/b");
const cachedOnly = fc.boolean();
const target: fc.Arbitrary<KnownTarget> = fc.oneof(
  fc.record({ kind: fc.constantFrom("list", "latest"), cachedOnly, path: modulePath }),
  fc.record({ kind: fc.constant("info"), cachedOnly, path: modulePath, query: branch }),
  fc.record({ kind: fc.constantFrom("mod", "zip"), cachedOnly, path: modulePath, version }),
  fc.record({ kind: fc.constantFrom("sum", "chunks"), path: modulePath, version }),
  fc.record({
    kind: fc.constant("build"),
    turn: fc.integer({ min: 1, max: 9 }),
    target: fc.record({
      kind: fc.constantFrom("mod", "zip"),
      cachedOnly: fc.constant(false),
      path: modulePath,
      version,
    }),
  }),
  fc.record({
    kind: fc.constant("sumdb"),
    cachedOnly,
    name,
    endpoint: fc.oneof(
      fc.record({ kind: fc.constantFrom("supported", "latest") }),
      fc.record({ kind: fc.constant("lookup"), path: modulePath, version }),
      fc.constantFrom("tile/8/0/000", "tile/8/2/x123/456.p/1").map((text) => ({ kind: "tile" as const, text })),
    ),
  }),
);

test("what is written for upstream is read back the same", () => {
  fc.assert(
    fc.property(target, (value) => {
      assert.deepEqual(JSON.stringify(sorted(parseTarget(formatTarget(value)))), JSON.stringify(sorted(value)));
    }),
    { numRuns: 2000 },
  );
});

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

test("a build's id belongs to its target: no other target, turn or spelling is read with it", () => {
  const good = formatTarget({
    kind: "build",
    turn: 1,
    target: { kind: "zip", cachedOnly: false, path: parsePath("rsc.io/quote"), version: parseVersion("v1.0.0") },
  });
  assert.match(good, /^\/_build\/[0-9a-f]{32}-1\/rsc\.io\/quote\/@v\/v1\.0\.0\.zip$/);
  const bad = [
    good.replace("v1.0.0", "v1.0.1"),
    good.replace(".zip", ".mod"),
    good.replace("-1/", "-0/"),
    good.replace("-1/", "-10/"),
    good.replace("-1/", "/"),
    good.replace(/[0-9a-f]{32}/, "0".repeat(32)),
    good.replace(/@v.*/, "@v/list"),
  ];
  for (const raw of bad) assert.throws(() => parseTarget(raw), { code: "BAD_TARGET" }, raw);
  assert.equal(parseTarget(good.replace("_build", "cached-only/_build")).kind, "impossible");
});

test("any string is a target or BAD_TARGET, and every target has one spelling that means the same", () => {
  const near = fc
    .array(
      fc.constantFrom(
        "/",
        "a.com",
        "@v",
        "list",
        "@latest",
        "v1.0.0",
        ".info",
        ".zip",
        "%21a",
        "%2e",
        "sumdb",
        "lookup",
        "sum",
        "-",
        "-/chunks/",
        "cached-only",
        "tile/8/0/000",
        "%20",
        "A",
        ".",
      ),
    )
    .map((parts) => `/${parts.join("")}`);
  fc.assert(
    fc.property(
      fc.oneof(
        near,
        fc.string({ unit: "binary" }),
        fc.string().map((s) => `/a.com/@v/${s}`),
      ),
      (raw) => {
        try {
          const read = parseTarget(raw);
          if (read.kind !== "impossible") assert.deepEqual(parseTarget(formatTarget(read)), read);
        } catch (error) {
          assert.ok(error instanceof ProtocolError && error.code === "BAD_TARGET", String(error));
        }
      },
    ),
    { numRuns: 5000 },
  );
});
