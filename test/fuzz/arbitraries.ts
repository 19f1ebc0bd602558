// Values of every kind for the property tests, and what those tests share.
import { test } from "node:test";
import fc from "fast-check";

import type { Requirement } from "#protocol/gomod.ts";
import type { Info, Origin } from "#protocol/info.ts";
import { parsePath, splitPathVersion } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { KnownTarget, SumdbEndpoint } from "#protocol/request.ts";
import type { Tile } from "#protocol/tile.ts";
import { checkModuleVersion, parseVersion } from "#protocol/version.ts";
import type { ModuleVersion, Version } from "#protocol/version.ts";
import type { ZipFile } from "#protocol/zip-write.ts";
import type { Vector } from "../../scripts/oracle/answers.ts";
import { readSample } from "../../scripts/oracle/sample.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const defaultRuns = process.env["LONG"] === "1" ? 5_000 : 100;

/** How often and with which seed a property is tried. */
export function runs(): { seed: number; numRuns: number } {
  return { seed, numRuns: Number(process.env["FUZZ_RUNS"] ?? defaultRuns) };
}

/** Says the seed even when nothing fails. */
export function announceSeed(): void {
  test("the seed of this run is known", (t) => {
    t.diagnostic(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs().numRuns}`);
  });
}

/** The inputs of the committed vectors of one kind, those that are text. */
export function vectorTexts(kind: string): string[] {
  return readSample(`${kind}.jsonl`)
    .map((line) => (JSON.parse(line) as Vector).i)
    .filter((input) => typeof input === "string");
}

function word(alphabet: string, maxLength = 8): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength: 1, maxLength });
}

const host = fc.constantFrom("example.com", "github.com", "git.corp.example", "x.y", "a-b.c1");
const suffix = fc.constantFrom("", "", "/v2", "/v10");
const element = word("abcXYZ019-_");

export const modulePath: fc.Arbitrary<ModulePath> = fc.oneof(
  fc
    .tuple(host, fc.array(element, { maxLength: 4 }), suffix)
    .map(([name, elements, major]) => parsePath([name, ...elements].join("/") + major)),
  fc
    .tuple(word("abcXYZ"), fc.constantFrom(".v0", ".v1", ".v3", ".v2-unstable"))
    .map(([name, major]) => parsePath(`gopkg.in/${name}${major}`)),
);

const number = fc.oneof(fc.nat(20).map(String), fc.constant("18446744073709551616"));
const prerelease = fc.oneof(
  fc.constant(""),
  fc.array(word("abXY-", 5), { minLength: 1, maxLength: 3 }).map((words) => `-${words.join(".")}`),
);

/** No pseudo-version, no build metadata. */
export const release: fc.Arbitrary<Version> = fc
  .tuple(number, number, number, prerelease)
  .map(([major, minor, patch, pre]) => parseVersion(`v${major}.${minor}.${patch}${pre}`));

export const time: fc.Arbitrary<Date> = fc.integer({ min: 0, max: 253402300799 }).map((s) => new Date(s * 1000));
export const rev = word("0123456789abcdef", 12);

export const version: fc.Arbitrary<Version> = fc
  .tuple(release, fc.constantFrom("", "+incompatible"))
  .map(([text, build]) => parseVersion(text + build));

/** What EscapeVersion takes and a request line can carry. */
export const branch = fc
  .tuple(word("abXY01"), word("abXY#(), %+@&=$[~{-_."), word("abXY01"))
  .map(([first, middle, last]) => `${first}${middle}${last}`);

export const moduleVersion: fc.Arbitrary<ModuleVersion> = fc
  .tuple(modulePath, fc.nat(20), fc.nat(20), prerelease)
  .map(([path, minor, patch, pre]) => {
    const major = /[0-9]+/.exec(splitPathVersion(path)?.pathMajor ?? "")?.[0] ?? "1";
    return checkModuleVersion(path, `v${major}.${minor}.${patch}${pre}`);
  });

const endpoint: fc.Arbitrary<SumdbEndpoint> = fc.oneof(
  fc.record({ kind: fc.constantFrom("supported", "latest") }, { noNullPrototype: true }),
  moduleVersion.map((id) => ({ kind: "lookup" as const, ...id })),
  fc.constantFrom("tile/8/0/x001/067.p/45", "tile/8/data/000").map((text) => ({ kind: "tile" as const, text })),
);

const sumdbTarget: fc.Arbitrary<KnownTarget> = fc.record(
  {
    kind: fc.constant("sumdb"),
    cachedOnly: fc.boolean(),
    name: fc.constantFrom("sum.example", "localhost.localdev/sumdb"),
    endpoint,
  },
  { noNullPrototype: true },
);

export const target: fc.Arbitrary<KnownTarget> = fc.oneof(
  sumdbTarget,
  fc.record(
    { kind: fc.constantFrom("list", "latest"), cachedOnly: fc.boolean(), path: modulePath },
    { noNullPrototype: true },
  ),
  fc
    .tuple(fc.constantFrom("mod", "zip"), fc.boolean(), moduleVersion)
    .map(([kind, cachedOnly, id]) => ({ kind, cachedOnly, ...id })),
  fc.tuple(fc.boolean(), moduleVersion).map(([cachedOnly, id]) => ({
    kind: "info" as const,
    cachedOnly,
    ...id,
    query: id.version,
  })),
  fc.tuple(fc.constantFrom("sum", "chunks"), moduleVersion).map(([kind, id]) => ({ kind, ...id })),
);

const entryURL = fc
  .tuple(fc.constantFrom("http", "https"), host, fc.array(element, { maxLength: 2 }))
  .map(([scheme, name, path]) => [`${scheme}://${name}`, ...path].join("/"));

/** Ends in an entry without separator, as every parsed list does. */
export const proxyList: fc.Arbitrary<readonly ProxyEntry[]> = fc
  .tuple(
    fc.array(
      fc.record(
        { kind: fc.constant("url"), url: entryURL, separator: fc.constantFrom(",", "|") },
        { noNullPrototype: true },
      ),
    ),
    fc.oneof(
      fc.record({ kind: fc.constant("url"), url: entryURL, separator: fc.constant("") }, { noNullPrototype: true }),
      fc.record({ kind: fc.constantFrom("direct", "off"), separator: fc.constant("") }, { noNullPrototype: true }),
    ),
  )
  .map(([first, last]) => [...first, last]);

const origin: fc.Arbitrary<Origin> = fc.record(
  {
    vcs: fc.constantFrom("git", "hg"),
    url: entryURL,
    subdir: element,
    hash: rev,
    ref: fc.constantFrom("refs/heads/main", "refs/tags/v1.0.0"),
  },
  { noNullPrototype: true, requiredKeys: [] },
);

export const info: fc.Arbitrary<Info> = fc.record(
  { version, time: time.map((date) => date.toISOString()), origin },
  { noNullPrototype: true, requiredKeys: ["version"] },
);

export const tile: fc.Arbitrary<Tile> = fc
  .record({ height: fc.integer({ min: 1, max: 30 }), level: fc.integer({ min: -1, max: 63 }), index: fc.nat(2 ** 52) })
  .chain((place) => fc.integer({ min: 1, max: 2 ** place.height }).map((width) => ({ ...place, width })));

export const hash: fc.Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 32, maxLength: 32 });

const printable = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/\p{Cc}|\n/u.test(text));

export const recordText = fc.array(printable, { minLength: 1, maxLength: 4 }).map((lines) => `${lines.join("\n")}\n`);

/** Blank lines are allowed in notes. */
export const noteText = fc.array(fc.oneof(printable, fc.constant(""))).map((lines) => `${lines.join("\n")}\n`);

export const keyName = printable.filter((text) => !/[+\p{White_Space}]/u.test(text));

/** Text that a go.mod can carry as one word, quoted or not. */
export const quotable = fc
  .oneof(modulePath, fc.string({ unit: "grapheme", minLength: 1 }))
  .filter((text) => !/^[()[\]{},]$/.test(text) && !/^\/[/*]/.test(text));

export const requirement: fc.Arbitrary<Requirement> = fc
  .tuple(moduleVersion, fc.boolean())
  .map(([id, indirect]) => ({ ...id, indirect }));

/** Names that differ in more than case, none a directory of another. */
export const zipFiles: fc.Arbitrary<readonly ZipFile[]> = fc.uniqueArray(
  fc.record(
    {
      name: fc
        .tuple(word("abc"), fc.constantFrom("go.mod", "d/x.go", "LICENSE", "y.txt"))
        .map(([folder, file]) => (file === "go.mod" ? file : `${folder}/${file}`)),
      content: fc.uint8Array({ maxLength: 2000 }),
    },
    { noNullPrototype: true },
  ),
  { selector: ({ name }) => name, maxLength: 12 },
);
