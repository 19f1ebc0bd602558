// `npm run ok`: everything a change must pass before it is shown to others.

import { spawnSync } from "node:child_process";

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
const failed: string[] = [];
for (const [name, args] of steps) {
  if (name === "tests" && skipTests) continue;
  process.stdout.write(`-- ${name}\n`);
  if (
    spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], { stdio: "inherit" }).status !== 0
  )
    failed.push(name);
}
process.stdout.write(failed.length === 0 ? "ok\n" : `FAILED: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
