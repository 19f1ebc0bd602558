// `npm run ok`: everything a change must pass before it is shown to others.

import { spawn } from "node:child_process";

const steps: readonly (readonly [string, readonly string[]])[] = [
  ["format", ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."]],
  ["types", ["node_modules/typescript/bin/tsc", "--noEmit"]],
  ["lint", ["node_modules/eslint/bin/eslint.js", "."]],
  ["walls", ["scripts/walls.ts"]],
  ["unused", ["node_modules/knip/bin/knip.js"]],
  ["glossary", ["scripts/check-glossary.ts"]],
  ["docs", ["scripts/docs.ts"]],
  ["tests", ["scripts/test.ts"]],
];

// CI runs the tests as the README's command; `--without-tests` leaves them to it.
const skipTests = process.argv.includes("--without-tests");
/** Most of them use one core, and the tests all there are: those come last and alone. */
const atOnce = 2;
const checks = steps.filter(([name]) => name !== "tests");
const failed: string[] = [];
const runners = Array.from({ length: atOnce }, async () => {
  for (let step = checks.shift(); step !== undefined; step = checks.shift()) await run(step);
});
await Promise.all(runners);
for (const step of steps) if (step[0] === "tests" && !skipTests) await run(step);
process.stdout.write(failed.length === 0 ? "ok\n" : `FAILED: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** What it says is shown at its end, so that two do not talk at once; the tests are followed as they run. */
async function run([name, args]: (typeof steps)[number]): Promise<void> {
  const isShown = name === "tests";
  const began = performance.now();
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", isShown ? "inherit" : "pipe", isShown ? "inherit" : "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise<number>((resolve) => child.once("close", (exit) => resolve(exit ?? 1)));
  if (code !== 0) failed.push(name);
  process.stdout.write(`-- ${name} (${((performance.now() - began) / 1000).toFixed(0)} s)\n${said}`);
}
