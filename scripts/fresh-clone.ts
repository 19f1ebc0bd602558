// A newcomer's first minutes: clone into an empty folder with an empty HOME, `npm start`, and a module is served
// from a stub upstream. Also: SIGTERM to npm leaves no orphan behind.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { startUpstreams } from "../test/support/world.ts";

const startLimitMs = 5 * 60_000;
/** A module of test/fixtures/modules. */
const sample = { path: "example.com/hello", version: "v1.0.0" };
const dir = mkdtempSync(join(tmpdir(), "granary-fresh-"));
const home = join(dir, "home");
const clone = join(dir, "granary");
mkdirSync(home);
// Which registry npm uses is this machine's matter, not the newcomer's: that one file comes along.
const npmrc = join(homedir(), ".npmrc");
if (existsSync(npmrc)) cpSync(npmrc, join(home, ".npmrc"));

function run(command: string, args: readonly string[], cwd: string): void {
  if (spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2] }).status !== 0)
    throw new Error(`${command} ${args.join(" ")} failed`);
}

const { stub, database } = await startUpstreams();
try {
  run("git", ["clone", "--quiet", process.cwd(), clone], dir);
  const env: NodeJS.ProcessEnv = { PATH: pathWithoutOurs(), HOME: home };
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const child = spawn(
    "npm",
    ["start", "--", "--listen", "127.0.0.1:0", "--upstream", stub.url, "--sumdb", sumdb, "--store", join(dir, "store")],
    {
      cwd: clone,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const url = await listening(child.stdout);
  const answer = await fetch(`${url}/${sample.path}/@v/${sample.version}.zip`);
  if (answer.status !== 200) throw new Error(`served ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  child.kill("SIGTERM");
  await ended;
  await gone(url);
  process.stdout.write("fresh clone: npm start installed, listened, served a verified module and stopped\n");
} finally {
  await stub.close();
  rmSync(dir, { recursive: true, force: true });
}

/** A newcomer's PATH has no node_modules/.bin of ours in front. */
function pathWithoutOurs(): string {
  return (process.env["PATH"] ?? "")
    .split(":")
    .filter((part) => !part.includes("node_modules"))
    .join(":");
}

function listening(stdout: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("npm start did not listen in time")), startLimitMs);
    let text = "";
    stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = /granary listening on (http:\/\/\S+)/.exec(text);
      if (found?.[1] === undefined) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
    stdout.on("end", () => reject(new Error("npm start ended before it listened")));
  });
}

async function gone(url: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      await fetch(`${url}/-/livez`);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the server outlived npm start");
}
