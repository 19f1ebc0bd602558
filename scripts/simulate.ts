// `npm run simulate -- SEED [--trace] [--defect NAME]`: one seed of the simulation once more, or a range of them:
// `npm run simulate -- 1..2000`. The story of a failing seed ends with what went wrong.

import { defects, isDefect } from "../test/simulation/defects.ts";
import { simulate } from "../test/simulation/simulation.ts";
import type { Report } from "../test/simulation/simulation.ts";
import { onThreads, seedsOf } from "../test/simulation/threads.ts";

const usage = `usage: npm run simulate -- SEED|FROM..TO [--trace] [--defect NAME]
defects: ${Object.keys(defects).join(", ")}\n`;

function refuse(): never {
  process.stderr.write(usage);
  process.exit(2);
}

const args = process.argv.slice(2);
const at = args.indexOf("--defect");
const [, defect] = at < 0 ? [] : args.splice(at, 2);
if (at >= 0 && (defect === undefined || !isDefect(defect))) refuse();
const keepsTrace = args.includes("--trace");
const ranges = args.filter((arg) => arg !== "--trace");
if (ranges.length !== 1 || !/^\d+([.][.]\d+)?$/.test(ranges[0] ?? "")) refuse();
const seeds = seedsOf(ranges[0] ?? "");

const began = performance.now();
const planted = defect !== undefined && isDefect(defect) ? defect : undefined;
const [only = 0] = seeds;
const reports =
  seeds.length === 1 ? [await simulate(only, { keepsTrace, defect: planted })] : await onThreads(seeds, planted);
const seconds = (performance.now() - began) / 1000;

const total: Record<string, number> = {};
for (const { counts } of reports)
  for (const [what, count] of Object.entries(counts)) total[what] = (total[what] ?? 0) + count;
const failed = reports.filter(({ failure }) => failure !== undefined);
for (const report of seeds.length === 1 ? reports : failed) tell(report);
const hours = reports.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 3_600_000;
process.stdout.write(
  `${reports.length} seeds, ${failed.length} failed, ${seconds.toFixed(1)} s, ${(reports.length / seconds).toFixed(1)} a second, ` +
    `${hours.toFixed(1)} h of virtual time\n` +
    `${Object.entries(total)
      .map(([what, count]) => `${what} ${count}`)
      .join(", ")}\n`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

function tell({ seed, lines, failure, digest }: Report): void {
  if (keepsTrace || failure !== undefined) process.stdout.write(`${lines.join("\n")}\n`);
  const again = `npm run simulate -- ${seed}${planted === undefined ? "" : ` --defect ${planted}`} --trace`;
  process.stdout.write(
    `seed ${seed}: ${failure === undefined ? `sound, trace ${digest.slice(0, 16)}` : `failed; once more: ${again}`}\n`,
  );
}
