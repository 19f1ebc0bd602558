import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { granaryCodes } from "#services/errors/catalogue.ts";
import { settingKeys, variableOf } from "#app/config-schema.ts";
import { findAvoided, parseGlossary } from "../../scripts/check-glossary.ts";
import { configPage, errorsPage } from "../../scripts/docs.ts";
import { evilDatabasesPage } from "../support/evil-page.ts";

suite("generated documents", () => {
  test("every code and every setting is documented, and nothing reads undefined", () => {
    const errors = errorsPage();
    for (const code of granaryCodes) assert.ok(errors.includes(`### ${code}\n`), code);
    const config = configPage();
    for (const key of settingKeys)
      assert.ok(config.includes(`### \`${key}\``) && config.includes(variableOf(key)), key);
    assert.doesNotMatch(errors + config + evilDatabasesPage(), /undefined|\[object/);
  });
});

suite("the glossary", () => {
  const terms = parseGlossary(
    "x\n| English | 中文 | 不用 |\n| --- | --- | --- |\n| hash | 哈希 | 散列、杂凑 |\n| pin | 固定 | |\n",
  );

  test("rows become terms, and a malformed row is an error", () => {
    assert.deepEqual(terms, [
      { english: "hash", chosen: "哈希", avoided: ["散列", "杂凑"] },
      { english: "pin", chosen: "固定", avoided: [] },
    ]);
    assert.throws(() => parseGlossary("| a | b | c |\n| --- | --- | --- |\n| only one |\n"));
  });

  test("avoided words are found with their line and the word to use", () => {
    assert.deepEqual(findAvoided("ok\n固定散列\n", terms), [{ line: 2, word: "散列", use: "哈希" }]);
    assert.deepEqual(findAvoided("固定哈希\nhash\n", terms), []);
  });

  test("the committed glossary never avoids a word that it chooses", async () => {
    const committed = parseGlossary(await readFile(new URL("../../docs/glossary.md", import.meta.url), "utf8"));
    assert.ok(committed.length >= 50);
    for (const { avoided } of committed)
      for (const word of avoided) assert.ok(!committed.some(({ chosen }) => chosen.includes(word)), word);
    assert.equal(new Set(committed.map(({ english }) => english)).size, committed.length);
  });
});
