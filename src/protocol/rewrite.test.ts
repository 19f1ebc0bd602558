import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkRewriteRules, formatRewriteRule, parseRewriteRule, rewritePath } from "./rewrite.ts";

const rulesOf = (...texts: string[]) => texts.map(parseRewriteRule);

const found = [
  ["old.corp/x/foo", "new.corp/x/foo"],
  ["old.corp/x/foo/v2", "new.corp/x/foo/v2"],
  ["old.corp/x/a/b", "new.corp/x/a/b"],
  ["old.corp/x", undefined],
  ["old.corp/xy/foo", undefined],
  ["old.corp/one", "new.corp/other"],
  ["old.corp/one/v2", undefined],
  ["new.corp/x/foo", undefined],
] as const;
for (const [path, want] of found)
  test(`rewritePath(${path})`, () => {
    const rules = rulesOf("old.corp/x/* => new.corp/x/*", "old.corp/one=>new.corp/other");
    assert.equal(rewritePath(rules, path), want);
  });

for (const text of [
  "",
  "old.corp/x",
  "old.corp/x =>",
  "old.corp/x/* => new.corp/x",
  "old.corp/x => new.corp/x/*",
  "old.corp/* /x => new.corp/x",
  "old.corp/x => a => b.corp/x",
  "old.corp/x => nodot/x",
  "*.corp/x/* => new.corp/x/*",
  "old.corp/../x => new.corp/x",
  "old.corp/x/v2 => new.corp/x",
  "gopkg.in/* => new.corp/*",
  "golang.org/toolchain => new.corp/toolchain",
])
  test(`${JSON.stringify(text)} is no rule`, () => {
    assert.throws(() => parseRewriteRule(text), { code: "BAD_PATH" });
  });

for (const texts of [
  ["a.corp/* => a.corp/x/*"],
  ["a.corp/x/* => a.corp/*"],
  ["a.corp/x => a.corp/x"],
  ["a.corp/* => b.corp/*", "b.corp/* => a.corp/*"],
  ["a.corp/* => b.corp/*", "b.corp/x => c.corp/x"],
  ["a.corp/x => b.corp/x", "b.corp/* => c.corp/*"],
])
  test(`${texts.join("; ")}: what a rule leads to, no rule leads on from`, () => {
    assert.throws(() => checkRewriteRules(rulesOf(...texts)), { code: "BAD_PATH" });
  });

test("rules that pass the check lead anywhere in one step", () => {
  const path = fc
    .array(fc.constantFrom("a.corp", "b.corp", "x", "y", "v2"), { minLength: 1, maxLength: 4 })
    .map((all) => all.join("/"));
  const rule = fc
    .tuple(path, path, fc.boolean())
    .map(([from, to, below]) => (below ? `${from}/* => ${to}/*` : `${from} => ${to}`));
  let checked = 0;
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), path, (texts, asked) => {
      let rules;
      try {
        rules = rulesOf(...texts);
        checkRewriteRules(rules);
      } catch {
        return;
      }
      checked++;
      assert.deepEqual(rules.map(formatRewriteRule).map(parseRewriteRule), rules);
      const target = rewritePath(rules, asked);
      if (target !== undefined) assert.equal(rewritePath(rules, target), undefined);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(checked > 50, `${checked}`);
});
