// Builds and runs the Go program of this folder.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type Oracle = AsyncDisposable & {
  /** The program's lines as they come. Throws at the end when it failed. */
  lines(options: { readonly seed: number; readonly sample: boolean }): AsyncGenerator<string>;
};

export function hasGo(): boolean {
  return spawnSync("go", ["version"]).status === 0;
}

/** x/mod is neither on the machine nor to be had. */
export class OracleUnreachable extends Error {
  readonly code = "ORACLE_UNREACHABLE";
}

/** Builds the program into a temporary folder, which goes with it. Throws OracleUnreachable without x/mod. */
export async function buildOracle(): Promise<Oracle> {
  const fetched = runGo(["mod", "download"]);
  if (fetched.status !== 0) throw new OracleUnreachable(`go mod download failed:\n${fetched.stderr}`);
  const folder = await mkdtemp(join(tmpdir(), "granary-oracle-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const program = join(folder, "oracle");
  const built = runGo(["build", "-buildvcs=false", "-o", program, "."]);
  if (built.status !== 0) {
    await remove();
    throw new Error(`go build failed:\n${built.stderr}`);
  }
  return { lines: (options) => linesOf(program, options), [Symbol.asyncDispose]: remove };
}

function runGo(args: readonly string[]): { status: number | null; stderr: string } {
  const env = { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off" };
  return spawnSync("go", args, { cwd: import.meta.dirname, env, encoding: "utf8" });
}

async function* linesOf(program: string, { seed, sample }: { seed: number; sample: boolean }): AsyncGenerator<string> {
  const child = spawn(program, ["-seed", String(seed), ...(sample ? ["-sample"] : [])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    yield* createInterface({ input: child.stdout, crlfDelay: Infinity });
  } finally {
    child.kill();
  }
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`the oracle ended with code ${code}`);
}
