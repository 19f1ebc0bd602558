// `npm run evil-databases`: lets go commands of five versions meet every evil checksum database, directly and through
// Granary, and prints test/fixtures/evil-databases.txt; `-- --write` writes it (then `npm run docs` writes the page).
// Words name modes. Takes some minutes and downloads the versions that are not here.

import { writeFile } from "node:fs/promises";
import { evilModes } from "../test/support/evil-modes.ts";
import type { EvilMode } from "../test/support/evil-modes.ts";
import { play } from "../test/support/evil-runs.ts";
import { evilTableFile, evilTools, evilVersions, formatEvilHeader, formatEvilRow } from "../test/support/evil-table.ts";

const introduction = `# Evil checksum databases: what go does with each (docs/evil-databases.md says what the modes are), and what it does behind
# Granary. genuine: the right zip; fooled: the wrong one, exit code 0; refuses: exit code 1; hangs: until it was ended.
# granary: modules and database through Granary; mirror: the database only. Held by test/go/evil-databases.test.ts.
# Measured by \`npm run evil-databases -- --write\`.
`;

/** Most of the time goes by in waiting for Granary's second tries. */
const atOnce = 6;

const { tools, missing } = await evilTools(evilVersions);
if (missing.length > 0) {
  process.stderr.write(`not all versions of go can be had here:\n${missing.join("\n")}\n`);
  process.exitCode = 3;
} else {
  const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const modes = evilModes.filter(({ name }) => names.length === 0 || names.includes(name));
  const rows = await playAll(modes);
  const table = `${introduction}${formatEvilHeader()}\n${modes.map(({ name }) => rows.get(name)).join("\n")}\n`;
  if (process.argv.includes("--write") && names.length === 0) await writeFile(evilTableFile, table);
  else process.stdout.write(table);
}

async function playAll(modes: readonly EvilMode[]): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  const waiting = [...modes];
  const work = async (): Promise<void> => {
    for (let mode = waiting.shift(); mode !== undefined; mode = waiting.shift())
      rows.set(mode.name, formatEvilRow(mode.name, await play(mode, tools)));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return rows;
}
