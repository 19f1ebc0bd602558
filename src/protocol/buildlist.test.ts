// The vectors are what the real go did (test/fixtures/build-lists); the tests below them are what they cannot hold.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { GraphOutcome } from "../../scripts/oracle/graph-go.ts";
import { comparable, ourAnswer } from "../../scripts/oracle/graph-ours.ts";
import type { GraphCase } from "../../scripts/oracle/graph-random.ts";
import { BuildList, buildListLimits, nextGoMods } from "./buildlist.ts";
import { parseGoMod } from "./gomod.ts";

const vectors = readFileSync(join(import.meta.dirname, "../../test/fixtures/build-lists/graphs.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { readonly i: GraphCase; readonly o: GraphOutcome });

suite("build lists as go makes them", () => {
  test("the vectors hold pruned and unpruned modules, workspaces, exclusions and replacements", () => {
    const count = (pattern: RegExp): number =>
      vectors.filter(({ i }) => Object.values(i.files).some((text) => pattern.test(text))).length;
    assert.ok(vectors.length >= 250, `${vectors.length} graphs`);
    for (const pattern of [
      /^go 1\.1[36]$/m,
      /^go 1\.2/m,
      /^use /m,
      /^exclude /m,
      /^replace .*=> ex/m,
      /^replace .*=> \.\//m,
    ])
      assert.ok(count(pattern) >= 20, `${count(pattern)} graphs have ${pattern}`);
    assert.ok(vectors.some(({ o }) => o.graph.length > o.zips.length + 5));
  });

  for (const { i, o } of vectors)
    test(`graph ${i.seed}: the same go.mod files, the same selection, the same zips as go`, () => {
      const ours = ourAnswer(i);
      assert.deepEqual(comparable(ours), comparable(o));
      assert.equal(ours.failed, 0);
    });
});

/** A list of a main module `example.com/main`, and what was asked for, in order. */
function listOf(main: string, modules: Readonly<Record<string, string>>, limits = buildListLimits) {
  const list = new BuildList(parseGoMod(`module example.com/main\n${main}`), limits);
  const asked: string[] = [];
  for (let wanted = list.wanted(); wanted.length > 0; wanted = list.wanted())
    for (const source of wanted) {
      const id = `${source.path}@${source.version}`;
      asked.push(id);
      const text = modules[id];
      list.give(source, text === undefined ? undefined : parseGoMod(text, { lax: true }));
    }
  return { list, asked };
}

const line = ({ path, version }: { path: string; version: string }): string => `${path}@${version}`;

suite("a build list that is not whole", () => {
  test("names each go.mod once, and is complete when all were given", () => {
    const list = new BuildList(parseGoMod("module example.com/main\ngo 1.20\nrequire example.com/a v1.0.0\n"));
    const [first] = list.wanted();
    assert.ok(first !== undefined);
    assert.deepEqual([list.wanted().length, list.isComplete], [0, false]);
    list.give({ path: "example.com/other", version: "v1.0.0" }, undefined);
    assert.equal(list.isComplete, false);
    list.give(first, parseGoMod("module example.com/a\n", { lax: true }));
    assert.equal(list.isComplete, true);
  });

  test("the order in which files arrive does not matter", () => {
    for (const { i, o } of vectors.slice(0, 60)) {
      const main = i.files["go.mod"];
      if (main === undefined) continue;
      const list = new BuildList(parseGoMod(main));
      const waiting: ReturnType<typeof list.wanted>[number][] = [];
      for (waiting.push(...list.wanted()); waiting.length > 0; waiting.push(...list.wanted())) {
        const [source] = waiting.splice(i.seed % waiting.length, 1);
        assert.ok(source !== undefined);
        const text = i.modules[line(source)] ?? i.files[`${source.path.slice(2)}/go.mod`] ?? "";
        list.give(source, parseGoMod(text, { lax: true }));
      }
      assert.deepEqual(list.asked().map(line).sort(), o.graph);
    }
  });

  test("an absent go.mod and one of another module are failures, and nothing behind them is read", () => {
    const { list, asked } = listOf("go 1.16\nrequire (\n\texample.com/a v1.0.0\n\texample.com/b v1.0.0\n)\n", {
      "example.com/b@v1.0.0": "module example.com/else\nrequire example.com/c v1.0.0\n",
    });
    assert.deepEqual(list.failed.map(line), ["example.com/a@v1.0.0", "example.com/b@v1.0.0"]);
    assert.deepEqual(asked, ["example.com/a@v1.0.0", "example.com/b@v1.0.0"]);
    assert.equal(list.isComplete, true);
  });

  test("a replaced module may be named as itself or as its replacement; in a directory anything goes", () => {
    const main = "go 1.20\nrequire example.com/a v1.0.0\nrequire example.com/b v1.0.0\n";
    const replaced = "replace example.com/a => example.com/fork v1.5.0\nreplace example.com/b => ../b\n";
    const files = { "example.com/fork@v1.5.0": "module example.com/a\n", "../b@": "module whatever\n" };
    const { list } = listOf(main + replaced, files);
    assert.deepEqual(list.failed, []);
    assert.deepEqual(list.asked().map(line), ["example.com/fork@v1.5.0"]);
    assert.deepEqual(
      list.downloads().map(({ source }) => source && line(source)),
      ["example.com/fork@v1.5.0", undefined],
    );
  });
});

suite("the limits of a build list", () => {
  const chain = (from: number): string => `module example.com/m${from}\nrequire example.com/m${from + 1} v1.0.0\n`;
  const endless = new Proxy({}, { get: (_, id) => chain(Number(/\d+/.exec(String(id))?.[0])) });
  const main = "go 1.16\nrequire example.com/m0 v1.0.0\n";

  test("no more versions than maxVersions are asked for", () => {
    const { list, asked } = listOf(main, endless, { ...buildListLimits, maxVersions: 7 });
    assert.deepEqual([asked.length, list.isCutShort, list.isComplete], [7, true, true]);
  });

  test("no chain is followed beyond maxDepth", () => {
    const { list, asked } = listOf(main, endless, { ...buildListLimits, maxDepth: 5 });
    assert.deepEqual([asked.length, list.isCutShort], [5, true]);
  });

  test("no more requirements than maxRequirements are followed", () => {
    const { list, asked } = listOf(main, endless, { ...buildListLimits, maxRequirements: 9 });
    assert.ok(asked.length <= 10);
    assert.equal(list.isCutShort, true);
  });

  test("roots are raised at most maxPasses times", () => {
    // Each version raises the other module's root by one.
    const climbing = new Proxy(
      {},
      {
        get: (_, id) => {
          const [path, minor] = String(id)
            .split("@v1.")
            .map((part) => part.replace(/\.0$/, ""));
          const other = path === "example.com/a" ? "example.com/b" : "example.com/a";
          return `module ${path}\ngo 1.20\nrequire ${other} v1.${Number(minor) + 1}.0\n`;
        },
      },
    );
    const two = "go 1.20\nrequire example.com/a v1.0.0\nrequire example.com/b v1.0.0\n";
    const { list } = listOf(two, climbing, { ...buildListLimits, maxPasses: 4 });
    assert.equal(list.isCutShort, true);
    assert.equal(list.isComplete, true);
  });

  test("a graph within the limits is not cut short", () => {
    assert.equal(listOf(main, { "example.com/m0@v1.0.0": "module example.com/m0\n" }).list.isCutShort, false);
  });
});

test("nextGoMods: before go 1.17 all requirements follow for certain, later ones only perhaps", () => {
  const require = "require example.com/b v1.2.0\nrequire example.com/c v1.3.0 // indirect\n";
  for (const [go, certain, perhaps] of [
    ["", 2, 0],
    ["go 1.16\n", 2, 0],
    ["go 1.17\n", 0, 2],
    ["go 1.26.0\n", 0, 2],
  ] as const) {
    const next = nextGoMods(parseGoMod(`module example.com/a\n${go}${require}`, { lax: true }));
    assert.deepEqual([next.certain.length, next.perhaps.length], [certain, perhaps], go);
  }
});
