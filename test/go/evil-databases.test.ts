// Evil checksum databases against real go commands: who is fooled directly, and that nobody is through Granary. Every
// mode with the oldest go, which is fooled most, and every third with the machine's own; LONG=1 takes all versions of
// test/fixtures/evil-databases.txt.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { evilModes } from "../support/evil-modes.ts";
import { play } from "../support/evil-runs.ts";
import { evilTools, evilVersions, everydayVersions, readEvilTable, written } from "../support/evil-table.ts";
import { evil } from "../support/evil-world.ts";
import { skipLoudly } from "../support/go.ts";

const isLong = process.env["LONG"] === "1";
const { tools, missing } = await evilTools(isLong ? evilVersions : await everydayVersions());

suite("evil checksum databases", { concurrency: 10 }, () => {
  for (const [n, mode] of evilModes.entries())
    test(`${mode.name}: go does what the table says, and nobody is fooled through Granary`, async (t) => {
      if (tools.length === 0) {
        skipLoudly(t, "none of the go versions of the table is here");
        return;
      }
      const mine = isLong || n % 3 === 0 ? tools : tools.slice(0, 1);
      const seen = await play(mode, mine);
      assert.equal(seen.length, 3 * mine.length);
      const behind = seen.filter(({ way }) => way !== "direct");
      const wanted = (mode.zip ?? evil) === evil ? "refuses" : "genuine";
      for (const one of behind) assert.equal(one.outcome, wanted, `${one.way}, go ${one.version}\n${one.output}`);
      const row = readEvilTable().get(mode.name);
      const changed = seen.filter((one) => one.outcome !== written(row, one));
      assert.deepEqual(changed, []);
    });
});

for (const reason of missing)
  test(`every go of the table is here: ${reason}`, (t) => {
    skipLoudly(t, reason);
  });

test("the table has every mode, and says of none that Granary lets somebody be fooled", () => {
  const table = readEvilTable();
  assert.ok(table.size >= 40);
  for (const { name, zip = evil } of evilModes) {
    const row = table.get(name);
    const wanted = zip === evil ? "refuses" : "genuine";
    assert.deepEqual([row?.["granary"], row?.["mirror"]], [wanted, wanted], name);
  }
});

test("each hole of 2026 fools a go from before it was closed, and none from after", () => {
  const table = readEvilTable();
  const holes = ["CVE-2026-42501", "CVE-2026-56864", "CVE-2026-56865"];
  for (const hole of holes) {
    const modes = evilModes.filter((mode) => mode.hole === hole);
    assert.ok(modes.length > 0, hole);
    for (const { name } of modes)
      assert.deepEqual(
        evilVersions.map((version) => table.get(name)?.[version]),
        ["fooled", "fooled", "fooled", "refuses", "refuses"],
        name,
      );
  }
  assert.deepEqual([...new Set(evilModes.flatMap(({ hole = [] }) => hole))].sort(), holes);
});
