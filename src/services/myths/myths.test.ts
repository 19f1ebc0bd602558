import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { langs } from "#services/errors/sentences.ts";
import { rowCounts } from "./articles.ts";
import { myths } from "./catalogue.ts";
import { topics, verdicts } from "./myth.ts";
import { proofs } from "./proofs.ts";
import { countVerdicts, selectMyths } from "./select.ts";

/** Titles of tests in a source file, as they stand there. */
function titlesIn(file: string): string[] {
  const titles = readFileSync(file, "utf8").matchAll(/^\s*test\(\s*"((?:[^"\\]|\\.)+)"/gm);
  return [...titles].map(([, title = ""]) => JSON.parse(`"${title}"`) as string);
}

test("every row of every list has one myth", () => {
  const wanted = Object.entries(rowCounts).flatMap(([list, rows]) =>
    Array.from({ length: rows }, (_, i) => `${list}-${i + 1}`),
  );
  assert.deepEqual(
    myths.map(({ myth }) => myth.row),
    wanted,
  );
});

test("every proof is a test in test/go, and every test of myths proves one", () => {
  const files = globSync("test/go/*.test.ts");
  const here = new Set(files.flatMap(titlesIn));
  for (const title of Object.values(proofs)) assert.ok(here.has(title), `no test "${title}"`);
  const used = new Set(myths.flatMap(({ proof }) => ("tests" in proof ? proof.tests : [])));
  for (const [name, title] of Object.entries(proofs)) assert.ok(used.has(title), `no myth needs ${name}`);
  const own = files.filter((file) => file.includes("myths-")).flatMap(titlesIn);
  assert.ok(own.length >= 50, String(own.length));
  for (const title of own) assert.ok(used.has(title), `"${title}" proves no myth`);
});

test("what is said of go is shown; only what is not about go is not", () => {
  const unshown = myths.filter(({ proof }) => !("tests" in proof)).map(({ code }) => code);
  assert.ok(unshown.length <= 11, unshown.join(" "));
  for (const { code, myth, proof } of myths) {
    if (myth.verdict === "unverifiable") assert.ok("unshown" in proof, code);
    if ("tests" in proof) assert.ok(proof.tests.length > 0, code);
  }
});

suite("every myth", () => {
  test("has a code of its own, and every topic and verdict has myths", () => {
    assert.equal(new Set(myths.map(({ code }) => code)).size, myths.length);
    for (const topic of topics) assert.ok(selectMyths(myths, { about: [topic] }).length > 0, topic);
    for (const verdict of verdicts) assert.ok(selectMyths(myths, { verdict }).length > 0, verdict);
  });
  for (const { code, myth } of myths)
    test(code, () => {
      assert.match(code, /^MYTH(_[A-Z0-9]+)+$/);
      const [list] = myth.row.split("-");
      assert.ok(list === "common" || myth.said.some((article) => article === list), "its article says it");
      assert.deepEqual([...new Set(myth.about)], [...myth.about]);
      for (const lang of langs)
        for (const words of Object.values(myth[lang])) {
          assert.match(words, lang === "en" ? /[.]\)?$/ : /。）?$/);
          assert.ok(words.length <= 240, `${words.length}: a screen's column cannot hold it`);
          // A quotation mark of print in a value would be pasted into a shell.
          assert.doesNotMatch(words, lang === "en" ? /[“”‘’]|\p{Script=Han}/u : /GO[A-Z]+=“|！/u);
        }
      assert.match(myth["zh-CN"].claim, /\p{Script=Han}/u);
      // A truth may say what a setting does not do; it never tells anybody to switch verification off.
      assert.doesNotMatch(myth.en.truth, /(?:set|use|write) (?:GOSUMDB=off|GONOSUMDB=\*|GOINSECURE)|curl -k/i);
    });
});

test("selectMyths() takes any of the topics, and the verdict", () => {
  const chosen = selectMyths(myths, { about: ["dns", "GO111MODULE"], verdict: "false" });
  assert.deepEqual(
    chosen.map(({ code }) => code),
    ["MYTH_NETDNS_SHOWS_DIALS", "MYTH_ALWAYS_ASKED_AGAIN", "MYTH_OFF_CLONES_TO_GOPATH"],
  );
  assert.deepEqual(countVerdicts(chosen), { false: 3, partly: 0, true: 0, unverifiable: 0 });
  assert.equal(selectMyths(myths, {}).length, myths.length);
});
