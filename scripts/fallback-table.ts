// `npm run fallback-table`: measures what the installed go command does with a list of two upstreams after each kind of
// failure, and prints docs/fallback-table.md; `-- --write` writes it. Takes some minutes: the go command has no timeout.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { cells, FallbackWorld } from "../test/support/fallback-cells.ts";
import { askGo } from "../test/support/fallback-go.ts";
import type { Table } from "../test/support/fallback-go.ts";
import { formatPage } from "../test/support/fallback-page.ts";
import { machineGo } from "../test/support/go.ts";

const tool = await machineGo();
if (tool === undefined) {
  process.stderr.write("no `go` on PATH: this table is measured with one\n");
  process.exitCode = 1;
} else {
  const draw = async (separator: "," | "|"): Promise<Table> => {
    const world = await FallbackWorld.start();
    return await askGo(tool, world, { separator, cells }).finally(() => world.close());
  };
  const [comma, pipe] = await Promise.all([draw(","), draw("|")]);
  const file = join(import.meta.dirname, "../docs/fallback-table.md");
  const page = formatPage({ ",": comma, "|": pipe }, tool.version);
  const formatted = await format(page, { ...(await resolveConfig(file)), filepath: file });
  if (process.argv.includes("--write")) await writeFile(file, formatted);
  else process.stdout.write(formatted);
}
