// Starts processes that live in a scene and are killed, fast: the life is bundled once, because a process that must strip
// the types of the whole product first takes a second to be born.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { SceneName } from "./crash-scenes.ts";
import type { Place } from "./inside-server.ts";

export type Life = {
  readonly scene: SceneName;
  readonly place: Place;
  readonly args?: readonly string[];
  /** The step at which it kills itself, counted from 1. */
  readonly dies?: { readonly step: number; readonly when: "before" | "after" };
  /** Steps of opening the store count too, or only those after it. */
  readonly counts?: "all" | "scene";
};

export type Death = { readonly lines: readonly string[]; readonly signal: NodeJS.Signals | null };

/** From outside: once it has said so many lines, after so long. */
export type Kill = { readonly lines: number; readonly ms: number };

export type Program = {
  readonly file: string;
  /** What a verification thread of a server in this process may run. */
  readonly verifyEntry: URL;
  /** Lives to the end, or to the step, or until somebody else kills it. */
  live(life: Life, kill?: Kill): Promise<Death>;
  remove(): Promise<void>;
};

export async function makeProgram(): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "granary-life-"));
  const file = join(folder, "life.js");
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  const verifier = join(import.meta.dirname, "../../src/adapters/system/verify-worker.ts");
  await build({
    entryPoints: { life: join(import.meta.dirname, "crash-life.ts"), verify: verifier },
    outdir: folder,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "warning",
    define: { "globalThis.granaryBundled": "true" },
    banner: {
      js: 'import { createRequire as granaryRequire } from "node:module";\nconst require = granaryRequire(import.meta.url);',
    },
  });
  return {
    file,
    verifyEntry: pathToFileURL(join(folder, "verify.js")),
    live: (life, kill) => live(file, life, kill),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Starts a life and does not wait for its end. */
export function startLife(file: string, life: Life, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
    stdio: ["pipe", "pipe", "pipe"],
    // Compiled once for all lives.
    env: { PATH: process.env["PATH"] ?? "", LANG: "en_US.UTF-8", NODE_COMPILE_CACHE: `${file}.cache`, ...env },
  });
  child.stdin.end(`${JSON.stringify(life)}\n`);
  return child;
}

async function live(file: string, life: Life, kill: Kill | undefined): Promise<Death> {
  const child = startLife(file, life);
  const output = { said: "", wrong: "" };
  let timer: NodeJS.Timeout | undefined;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.wrong += text));
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.said += text;
    if (kill !== undefined && output.said.split("\n").length > kill.lines)
      timer ??= setTimeout(() => child.kill("SIGKILL"), kill.ms);
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  assert.ok(code === 0 || signal === "SIGKILL", `${code} ${signal}: ${output.wrong}`);
  // A line that its writer died in was not said.
  return { lines: output.said.split("\n").slice(0, -1), signal };
}
