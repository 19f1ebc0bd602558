import assert from "node:assert/strict";
import { test } from "node:test";
import { parseH1 } from "#protocol/dirhash.ts";
import { checkModuleVersion, formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { SumdbError, type SumdbCode } from "#services/sumdb/errors.ts";
import type { RouteView } from "#services/sumdb/mirror.ts";
import { checkGoSums } from "./go-sums.ts";
import { keepFresh, type FreshDatabase, type Round } from "./gopher.ts";
import type { Asking } from "./ports.ts";
import { preload } from "./preload.ts";

const zip = parseH1("h1:g61tztE5qeGQ89tm6NTjjM9VPIm088od1l6aSorWRWg=");
const mod = parseH1("h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=");

/** A database that has what it was told, once as news and from then on as kept. */
class Told implements FreshDatabase {
  readonly name: string;
  readonly asked: string[] = [];
  treeSize: number | undefined = 40;
  readonly #answers: Readonly<Record<string, number | SumdbCode>>;

  constructor(name: string, answers: Readonly<Record<string, number | SumdbCode>>) {
    this.name = name;
    this.#answers = answers;
  }

  lookup(id: ModuleVersion) {
    const what = formatModuleVersion(id);
    const route = this.asked.includes(what) ? "store" : "far";
    this.asked.push(what);
    const answer = this.#answers[what] ?? "SUMDB_ABSENT";
    if (typeof answer === "string") return Promise.reject(new SumdbError(answer, this.name, { message: answer }));
    const sums = { zip, mod };
    return Promise.resolve({
      id: answer,
      text: "",
      sums,
      treeSize: 40,
      bytes: new Uint8Array(),
      database: this.name,
      route,
    });
  }

  compareRoutes(): Promise<readonly RouteView[]> {
    return Promise.resolve([
      { route: "a", atMs: 0, verdict: "agrees", treeSize: 40 },
      { route: "b", atMs: 0, verdict: "silent", reason: "timeout" },
    ]);
  }
}

const id = (text: string): ModuleVersion => {
  const [path = "", version = ""] = text.split("@");
  return checkModuleVersion(path, version);
};

const asking = (databases: readonly Told[], facts: Partial<Asking> = {}) => ({
  databases,
  cachedOnly: false,
  jobs: 2,
  signal: new AbortController().signal,
  isPrivate: (path: string) => path.startsWith("corp.test/"),
  ...facts,
});

test("each version is asked for once, private ones never, and what is missing is told", async () => {
  const first = new Told("one", {
    "a.test/m@v1.0.0": 3,
    "a.test/m@v1.1.0": "SUMDB_UNREACHABLE",
    "a.test/m@v1.2.0": "SUMDB_INVALID",
  });
  const second = new Told("two", { "a.test/m@v1.1.0": 5, "a.test/m@v1.2.0": 6 });
  const versions = [
    "a.test/m@v1.0.0",
    "a.test/m@v1.0.0",
    "a.test/m@v1.1.0",
    "a.test/m@v1.2.0",
    "a.test/m@v1.3.0",
    "corp.test/x@v1.0.0",
  ].map(id);
  const progress: string[] = [];
  const report = await preload(versions, asking([first, second]), (done, total) => progress.push(`${done}/${total}`));
  assert.deepEqual(report, {
    wanted: 5,
    kept: 0,
    fetched: 2,
    private: 1,
    failures: [
      // A bad proof is never a reason to ask somebody else.
      { what: "a.test/m@v1.2.0", code: "SUMDB_INVALID", reason: "SUMDB_INVALID" },
      { what: "a.test/m@v1.3.0", code: "SUMDB_ABSENT", reason: "SUMDB_ABSENT" },
    ],
    wasInterrupted: false,
  });
  assert.deepEqual(progress, ["1/4", "2/4", "3/4", "4/4"]);
  assert.deepEqual(second.asked.toSorted(), ["a.test/m@v1.1.0", "a.test/m@v1.3.0"]);
  const again = await preload([id("a.test/m@v1.0.0")], asking([first, second]));
  assert.deepEqual([again.kept, again.fetched], [1, 0]);
});

test("a preload that is stopped begins nothing more", async () => {
  const database = new Told("one", { "a.test/m@v1.0.0": 3 });
  const report = await preload([id("a.test/m@v1.0.0")], asking([database], { signal: AbortSignal.abort() }));
  assert.deepEqual([report.wasInterrupted, report.fetched, database.asked], [true, 0, []]);
});

test("every line of a go.sum has its verdict, and its place", async () => {
  const database = new Told("one", {
    "a.test/m@v1.0.0": 3,
    "a.test/dead@v1.0.0": "SUMDB_UNREACHABLE",
    "a.test/liar@v1.0.0": "SUMDB_INVALID",
    "a.test/fork@v1.0.0": "SUMDB_FORK",
  });
  const text = [
    `a.test/m v1.0.0 ${zip}`,
    `a.test/m v1.0.0/go.mod ${zip}`,
    `nonsense`,
    `a.test/m v1.0.0/go.mod ${mod}`,
    `a.test/m v1.0.0 h2:other`,
    `a.test/dead v1.0.0 ${zip}`,
    `a.test/liar v1.0.0 ${zip}`,
    `a.test/fork v1.0.0 ${zip}`,
    `a.test/gone v1.0.0 ${zip}`,
    `corp.test/x v1.0.0 ${zip}`,
  ].join("\n");
  const { lines, files } = await checkGoSums([{ file: "go.sum", text }], asking([database]));
  assert.deepEqual(files, ["go.sum"]);
  assert.deepEqual(
    lines.map(({ line, verdict }) => `${line} ${verdict}`),
    [
      "1 ok",
      "2 mismatch",
      "3 malformed",
      "4 ok",
      "5 foreign",
      "6 unverified",
      "7 unproven",
      "8 unproven",
      "9 unrecorded",
      "10 private",
    ],
  );
  assert.deepEqual(lines[1]?.recorded, { hash: mod, database: "one", number: 3 });
  assert.ok(!database.asked.some((what) => what.startsWith("corp.test/")));
  assert.equal(database.asked.filter((what) => what === "a.test/m@v1.0.0").length, 1);
});

test("a round asks for what is followed and for the newest of each module, then waits", async () => {
  const database = new Told("one", { "a.test/m@v1.0.0": 3, "a.test/m@v1.1.0": 4 });
  const stop = new AbortController();
  const slept: number[] = [];
  const rounds: Round[] = [];
  const last = await keepFresh(
    {
      ...asking([database], { signal: stop.signal }),
      databases: [database],
      clock: {
        now: () => 0,
        sleep: (ms) => {
          slept.push(ms);
          if (slept.length === 2) stop.abort();
          return Promise.resolve();
        },
      },
      everyMs: 600,
      followed: () => Promise.resolve([id("a.test/m@v1.0.0"), id("corp.test/x@v1.0.0"), id("b.test/n@v1.0.0")]),
      newest: (path) => Promise.resolve(path === "a.test/m" ? id("a.test/m@v1.1.0") : undefined),
    },
    (round) => rounds.push(round),
  );
  assert.deepEqual(slept, [600, 600]);
  assert.deepEqual(
    rounds.map(({ fetched, kept, unlisted, private: secret }) => ({ fetched, kept, unlisted, secret })),
    [
      { fetched: 2, kept: 0, unlisted: 1, secret: 1 },
      { fetched: 0, kept: 2, unlisted: 1, secret: 1 },
    ],
  );
  assert.deepEqual(rounds[0]?.heads, [{ database: "one", treeSize: 40, troubles: ["b: silent: timeout"] }]);
  assert.equal(last, rounds[1]);
});
