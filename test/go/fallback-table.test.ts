// Mode `go`, cell by cell against the real go command: two upstreams, everything that can go wrong with each of them,
// both separators. LONG=1 runs every cell, and the go command's side with older and newer Go as well.
import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { cells, FallbackWorld, operations, sampledCells } from "../support/fallback-cells.ts";
import type { Cell, Seen, Separator } from "../support/fallback-cells.ts";
import { askGo } from "../support/fallback-go.ts";
import type { Table } from "../support/fallback-go.ts";
import { askGranary, differences, expected, tooOften, wrong } from "../support/fallback-granary.ts";
import { readPage, separators } from "../support/fallback-page.ts";
import { machineGo, skipLoudly } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { obtainGo, wantedGoVersions } from "../support/toolchains.ts";

const isLong = process.env["LONG"] === "1";
const asked: readonly Cell[] = isLong ? cells : sampledCells;
const tool = await machineGo();

type Drawn = { readonly go: Table; readonly granary: Table };
const drawn = new Map<Separator, Drawn>();

/** What was drawn; undefined, and said loudly, when there is no go to draw with. */
function needsTables(t: TestContext, separator: Separator): Drawn | undefined {
  const tables = drawn.get(separator);
  if (tables === undefined) skipLoudly(t, "no `go` on PATH");
  return tables;
}

async function drawGo(go: GoTool, separator: Separator): Promise<Table> {
  const world = await FallbackWorld.start();
  return await askGo(go, world, { separator, cells: asked }).finally(() => world.close());
}

async function drawGranary(separator: Separator): Promise<Table> {
  const world = await FallbackWorld.start();
  return await askGranary(world, { separator, cells: asked }).finally(() => world.close());
}

const name = ({ operation, a, b }: Cell, separator: Separator): string => `.${operation} ${a} ${separator} ${b}`;
const format = (seen: Seen | undefined): string => `${seen?.asked}: ${seen?.result}`;

suite("two upstreams", { concurrency: true }, () => {
  // Both at once: most of the time goes by in waiting for silence.
  before(async () => {
    if (tool === undefined) return;
    const draw = async (separator: Separator): Promise<void> => {
      drawn.set(separator, { go: await drawGo(tool, separator), granary: await drawGranary(separator) });
    };
    await Promise.all(separators.map(draw));
  });

  for (const separator of separators) {
    for (const operation of operations)
      test(`with "${separator}" mode go does with .${operation} what the go command does`, (t) => {
        const tables = needsTables(t, separator);
        if (tables === undefined) return;
        const mine = asked.filter((cell) => cell.operation === operation);
        assert.ok(mine.length >= (operation === "info" ? 64 : 10), String(mine.length));
        const complaints = mine.flatMap((cell) => {
          const complaint = wrong(expected(cell, separator, tables.go), tables.granary.get(cell));
          return complaint === undefined ? [] : [`${name(cell, separator)}: ${complaint}`];
        });
        assert.deepEqual(complaints, []);
      });

    test(`with "${separator}" mode go asks again only whose connection died, and not for long`, (t) => {
      const tables = needsTables(t, separator);
      if (tables === undefined) return;
      const complaints = asked
        .filter((cell) => tooOften(cell, tables.granary.get(cell)).length > 0)
        .map((cell) => `${name(cell, separator)}: ${format(tables.granary.get(cell))}`);
      assert.deepEqual(complaints, []);
    });

    test(`with "${separator}" the go command still does what docs/fallback-table.md says`, (t) => {
      const tables = needsTables(t, separator);
      if (tables === undefined) return;
      const page = readPage();
      const changed = [...tables.go].flatMap(([cell, seen]) => {
        const written = page.get(name(cell, separator));
        return written === format(seen) ? [] : [`${name(cell, separator)}: ${written}, now ${format(seen)}`];
      });
      assert.deepEqual(changed, []);
    });
  }

  test("every difference is one: the go command does something else there", (t) => {
    for (const { outcome, operations: which } of differences)
      for (const operation of which) {
        const cell = asked.find((one) => one.operation === operation && one.a === outcome && one.b === "200")!;
        const isDifferent = separators.some((separator) => {
          const go = needsTables(t, separator)?.go;
          return go === undefined || format(go.get(cell)) !== format(expected(cell, separator, go));
        });
        assert.ok(isDifferent, `${operation} ${outcome}`);
      }
  });

  for (const version of isLong ? wantedGoVersions : [])
    test(`go ${version} does the same`, async (t) => {
      const other = await obtainGo(version);
      if (typeof other === "string") {
        skipLoudly(t, other);
        return;
      }
      const changed = await Promise.all(
        separators.map(async (separator) => {
          const tables = needsTables(t, separator);
          const table = await drawGo(other, separator);
          return [...(tables?.go ?? [])].flatMap(([cell, seen]) => {
            const here = format(table.get(cell));
            return here === format(seen) ? [] : [`${name(cell, separator)}: ${format(seen)}, here ${here}`];
          });
        }),
      );
      assert.deepEqual(changed.flat(), []);
    });
});
