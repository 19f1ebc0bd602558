// `npm run walls`: dependency-cruiser holds the walls, and this script holds dependency-cruiser: it must have seen
// every module there is, and every service room must stand in its table (with some TypeScript versions it sees
// nothing and is content).

import { spawnSync } from "node:child_process";
import { globSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

type Walls = { readonly uses: Readonly<Record<string, readonly string[]>> };
type Report = {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
};

const { uses } = (await import(pathToFileURL(".dependency-cruiser.mjs").href)) as Walls;
const run = spawnSync(
  process.execPath,
  [
    "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs",
    "--config",
    ".dependency-cruiser.mjs",
    "--output-type",
    "json",
    "src",
    "bin",
  ],
  { encoding: "utf8", maxBuffer: 256 << 20 },
);
if (run.stdout === "") throw new Error(`dependency-cruiser said nothing: ${run.stderr}`);
const report = JSON.parse(run.stdout) as Report;

const problems = report.summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`);
const seen = new Set(report.modules.map(({ source }) => source));
for (const file of globSync("{src,bin}/**/*.ts")) if (!seen.has(file)) problems.push(`not cruised: ${file}`);
for (const room of readdirSync("src/services"))
  if (!Object.hasOwn(uses, room)) problems.push(`services/${room} is not in the table of .dependency-cruiser.mjs`);

for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`walls: ${seen.size} modules, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
