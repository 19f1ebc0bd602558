// `npm test`: every suite, each with a committed minimum of tests, so that a suite that silently shrank fails.
// `npm run test:long` runs the same suites at full size (LONG=1). Arguments name suites: `npm test -- unit http`.
// `npm run test:cluster` runs the one that needs real servers.

import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

import { missingNginx } from "../test/support/servers/nginx.ts";
import { missingPostgres } from "../test/support/servers/postgres.ts";
import { missingRedis } from "../test/support/servers/redis.ts";
import { missingS3 } from "../test/support/servers/s3.ts";

type Suite = {
  readonly name: string;
  readonly files: readonly string[];
  readonly needsGo?: true;
  /** Only when it is named. */ readonly isOptIn?: true;
};
type Count = { readonly tests: number; readonly pass: number; readonly fail: number; readonly skipped: number };
type Minimum = {
  readonly tests: number;
  /** Tests that may be skipped even though `go` is there. */ readonly skipped: number;
};

const suites: readonly Suite[] = [
  { name: "unit", files: ["src/**/*.test.ts", "scripts/**/*.test.ts", "test/support/*.test.ts"] },
  { name: "contract", files: ["test/contract/*.test.ts"] },
  { name: "http", files: ["test/http/*.test.ts"] },
  { name: "fuzz", files: ["test/fuzz/*.test.ts"] },
  { name: "go", files: ["test/go/*.test.ts"], needsGo: true },
  // Real servers beside several Granaries: an S3 server, Redis, PostgreSQL, nginx, as far as this machine has them.
  { name: "cluster", files: cluster("core"), isOptIn: true },
  { name: "cluster-more", files: cluster("more"), isOptIn: true },
];

/** What CI runs of the cluster's tests, in some ninety seconds; the others wait for leases, looks and servers, for some five minutes more. */
function cluster(which: "core" | "more"): readonly string[] {
  const core = ["servers", "s3-contract", "s3-faults", "tier-server", "go", "turns", "herd", "nginx"];
  const files = globSync("test/cluster/*.test.ts");
  return files.filter((file) => core.includes(basename(file, ".test.ts")) === (which === "core"));
}

/** One suite may take this long; the whole must stay below 20 minutes in CI. */
const suiteLimitMs = { normal: 14 * 60_000, long: 60 * 60_000 };
/** One file may take this long, so that one that hangs is named and the others are still run; chaos, the slowest, takes 100 s. */
const fileLimitMs = { normal: 5 * 60_000, long: 58 * 60_000 };

const args = process.argv.slice(2);
const long = args.includes("--long");
const wanted = args.filter((arg) => !arg.startsWith("--"));
const minimums = JSON.parse(readFileSync("test/minimums.json", "utf8")) as Record<string, Minimum | undefined>;
const hasGo = spawnSync("go", ["version"]).status === 0;

/** What node has compiled is compiled once for all suites: half the work of each server that a test starts. */
const compiled = mkdtempSync(join(tmpdir(), "granary-compiled-"));
process.on("exit", () => rmSync(compiled, { recursive: true, force: true, maxRetries: 3 }));

/** Suites that start the program start what ships: it needs half the time of the sources until it listens. */
const program = wanted.some((name) => name !== "unit") || wanted.length === 0 ? bundled() : undefined;

const total = { pass: 0, fail: 0, skipped: 0 };
const complaints: string[] = [];
for (const suite of suites) {
  if (wanted.length > 0 ? !wanted.includes(suite.name) : suite.isOptIn === true) continue;
  const files = suite.files.flatMap((pattern) => globSync(pattern)).sort();
  process.stdout.write(`\n== ${suite.name}: ${files.length} files\n`);
  const count = files.length === 0 ? { tests: 0, pass: 0, fail: 0, skipped: 0 } : await runSuite(files);
  total.pass += count.pass;
  total.fail += count.fail;
  total.skipped += count.skipped;
  complaints.push(...judge(suite, count));
}

/** Why the cluster suite did not run whole. MinIO takes minutes to build, and is asked for by nobody who has another. */
function missingServers(): string[] {
  const all = [missingRedis(), missingNginx(), missingPostgres(), missingS3("versitygw")];
  return all.filter((reason) => reason !== undefined);
}

function bundled(): string {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/bundle.ts"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`no bundle to test: ${stderr}`);
  return resolve("dist/granary.mjs");
}

function judge(suite: Suite, count: Count): string[] {
  const minimum = minimums[suite.name] ?? { tests: 1, skipped: 0 };
  const found: string[] = [];
  const missing = suite.name.startsWith("cluster") ? missingServers() : [];
  for (const reason of missing) process.stdout.write(`SKIPPED: ${reason}\n`);
  if (missing.length === 0 && count.tests < minimum.tests)
    found.push(`suite ${suite.name} ran ${count.tests} tests; its committed minimum is ${minimum.tests}`);
  if (hasGo && missing.length === 0 && count.skipped > minimum.skipped)
    found.push(
      `suite ${suite.name} skipped ${count.skipped} tests although what it needs is here; at most ${minimum.skipped} may be`,
    );
  if (!hasGo && suite.needsGo === true)
    process.stdout.write("SKIPPED: no `go` on PATH, the scenarios with the real client did not run\n");
  return found;
}

async function runSuite(files: readonly string[]): Promise<Count> {
  const dir = mkdtempSync(join(tmpdir(), "granary-test-"));
  const tap = join(dir, "tap");
  const slow = join(dir, "slow");
  const began = performance.now();
  const limitMs = long ? fileLimitMs.long : fileLimitMs.normal;
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--import",
      "./test/support/no-net.ts",
      "--import",
      "./test/support/bounded-file.ts",
      "--test",
      "--test-concurrency=3",
      `--test-timeout=${limitMs}`,
      "--test-reporter=dot",
      "--test-reporter-destination=stdout",
      "--test-reporter=tap",
      `--test-reporter-destination=${tap}`,
      "--test-reporter=./scripts/slowest-files.ts",
      `--test-reporter-destination=${slow}`,
      ...files,
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        ...(long && { LONG: "1" }),
        NODE_NO_WARNINGS: "1",
        NODE_COMPILE_CACHE: compiled,
        ...(program !== undefined && { GRANARY_TEST_PROGRAM: program }),
        // A little later than a test's own limit, which says more.
        GRANARY_TEST_FILE_MS: String(limitMs + 10_000),
      },
    },
  );
  const timer = setTimeout(() => child.kill(), long ? suiteLimitMs.long : suiteLimitMs.normal);
  const code = await new Promise<number>((resolve) => child.on("exit", (exit) => resolve(exit ?? 1)));
  clearTimeout(timer);
  const text = readFileSync(tap, "utf8");
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  process.stdout.write(`\n${seconds} s; ${readFileSync(slow, "utf8")}`);
  rmSync(dir, { recursive: true });
  const number = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  const fail = number("fail") + number("cancelled");
  if (fail > 0) process.stdout.write(failures(text));
  return {
    tests: number("tests"),
    pass: number("pass"),
    skipped: number("skipped"),
    // A runner that died without a summary has failed, whatever it counted.
    fail: code !== 0 && fail === 0 ? 1 : fail,
  };
}

/** The failing tests' lines, for a reader who sees only the log. */
function failures(tap: string): string {
  const lines = tap.split("\n");
  const shown: string[] = [];
  for (const [at, line] of lines.entries()) if (/^\s*not ok /.test(line)) shown.push(...lines.slice(at, at + 14));
  return `${shown.slice(0, 400).join("\n")}\n`;
}

for (const complaint of complaints) process.stdout.write(`FAILED: ${complaint}\n`);
const failed = total.fail + complaints.length;
process.stdout.write(`\n${total.pass} passed, ${failed} failed, ${total.skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
