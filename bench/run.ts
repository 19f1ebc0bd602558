// `npm run bench -- [W1 W2 …] [--quick] [--rounds N] [--seconds N] [--project PATH@VERSION]`
//
// Measures Granary beside a bare node:http server, nginx and other Go proxies, in one run, on loopback. README.md here
// says what each work means. Prints Markdown on stdout and its progress on stderr.
import { parseArgs } from "node:util";
import { cleanUp } from "./children.ts";
import { defaultProject } from "./corpus.ts";
import { w7 } from "./herd.ts";
import { generator } from "./load.ts";
import { describeRun, formatWork } from "./report.ts";
import type { Work } from "./report.ts";
import { setUp } from "./setup.ts";
import type { Bench } from "./setup.ts";
import { w10 } from "./kept.ts";
import { w1, w2, w3, w4, w5, w6 } from "./works.ts";

const works: Readonly<Record<string, (bench: Bench) => Promise<Work>>> = {
  W1: w1,
  W2: w2,
  W3: w3,
  W4: w4,
  W5: w5,
  W6: w6,
  W7: w7,
  W10: w10,
};

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      project: { type: "string", default: defaultProject },
    },
  });
  const wanted = positionals.length === 0 ? Object.keys(works) : positionals;
  const unknown = wanted.filter((id) => works[id] === undefined);
  if (unknown.length > 0) {
    process.stderr.write(
      `bench: no work ${unknown.join(", ")}; there are ${Object.keys(works).join(" ")} (W9: bench/cold.ts)\n`,
    );
    return 2;
  }
  const { quick, project } = values;
  say("building the corpus and filling the store");
  const bench = await setUp({
    quick,
    project,
    rounds: Number(values.rounds ?? (quick ? 2 : 5)),
    seconds: Number(values.seconds ?? (quick ? 2 : 4)),
  });
  try {
    process.stdout.write(`${header(bench)}\n`);
    let failed = 0;
    for (const id of wanted) failed += await runWork(id, bench);
    return failed === 0 ? 0 : 1;
  } finally {
    await bench.far.stop();
  }
}

function header(bench: Bench): string {
  const { corpus, rounds, seconds, seeding } = bench;
  return describeRun({
    corpus: `${corpus.about}: ${corpus.small.length} .info and .mod, ${corpus.zips.length} zips`,
    seeding,
    load: `${generator}, ${rounds} interleaved rounds of ${seconds} s; medians, ratios within a round`,
  });
}

/** One work that fails does not take the others with it. */
async function runWork(id: string, bench: Bench): Promise<number> {
  say(id);
  try {
    const work = await works[id]?.(bench);
    if (work !== undefined) process.stdout.write(`${formatWork(work)}\n`);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stdout.write(`### ${id}\n\nfailed: ${message}\n\n`);
    return 1;
  }
}

function say(what: string): void {
  process.stderr.write(`bench: ${new Date().toISOString().slice(11, 19)} ${what}\n`);
}
