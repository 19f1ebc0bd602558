// `npm run oracle`: asks golang.org/x/mod, golang.org/x/net/http/httpproxy and our own functions the same generated questions and reports every
// difference. Needs `go`. `-- --write` also stores the committed sample, `-- --seed N` asks other questions.

import { compareAll, formatReport } from "./oracle/compare.ts";
import { buildOracle, hasGo } from "./oracle/run-go.ts";
import { writeSample } from "./oracle/sample.ts";

const args = process.argv.slice(2);
const seed = args.includes("--seed") ? Number(args[args.indexOf("--seed") + 1]) : 1;

if (!Number.isSafeInteger(seed) || seed < 0) {
  process.stderr.write("--seed wants a number\n");
  process.exitCode = 2;
} else if (hasGo()) {
  await main();
} else {
  process.stderr.write(
    "no `go` on PATH: the differential oracle needs one (see scripts/oracle/go.mod for its version)\n",
  );
  process.exitCode = 1;
}

async function main(): Promise<void> {
  await using oracle = await buildOracle();
  if (args.includes("--write")) await writeSample(oracle, seed);
  const report = await compareAll(oracle.lines({ seed, sample: false }));
  process.stdout.write(formatReport(report));
  process.exitCode = report.differences === 0 ? 0 : 1;
}
