import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { errorPatterns, patternOf } from "./error-hits.ts";
import { explainErrors } from "./error-report.ts";

type Sample = { readonly code: string; readonly text: string; readonly below: string[] };

const samples: Sample[] = [];
for (const line of readFileSync("test/fixtures/error-lines.txt", "utf8").split("\n")) {
  if (line === "" || line.startsWith("#")) continue;
  const [code = "", text = ""] = line.split("\t");
  if (code === "") samples.at(-1)?.below.push(text.trim());
  else samples.push({ code, text, below: [] });
}

suite("a line of a log has its code", () => {
  for (const { code, text, below } of samples)
    test(text, () => {
      assert.equal(errorPatterns[patternOf(text, below)]?.code, code);
      const { causes, follows, notices } = explainErrors([text, ...below.map((each) => `\t${each}`)].join("\n"));
      assert.equal([...causes, ...notices, ...follows][0]?.finding.code, code);
    });
});

test("every pattern is reached by a line, before any other pattern is", () => {
  const reached = new Set(samples.map(({ text, below }) => patternOf(text, below)));
  const idle = errorPatterns.filter((_, at) => !reached.has(at)).map(({ code, find }) => `${code}: ${find}`);
  assert.deepEqual(idle, []);
  assert.ok(errorPatterns.length >= 70);
});
