// Programs the bench starts: each on loopback, each ended by its own process id, each with a folder that goes away.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export type Program = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Ends it after so long, by SIGTERM and then SIGKILL. */
  readonly timeoutMs?: number;
  /** Characters of its output that are kept, the last ones. */
  readonly keepOutput?: number;
};

export type Child = {
  readonly pid: number;
  readonly ended: Promise<number>;
  over(): boolean;
  /** What it said so far, the last of it. */
  said(): string;
  /** SIGTERM, then SIGKILL after a while; or SIGKILL at once. Idempotent. */
  stop(by?: "SIGKILL"): Promise<void>;
};

/** Enough of a program's output to see why it failed. */
const keptOutput = 16_384;
const stopMs = 15_000;
const readyMs = 90_000;

const living = new Set<Child>();
const folders = new Set<string>();

let isOver = false;

/** Starts a program. Throws once the run is being cleaned up. Its environment is passedOn(), HOME and what is given: nothing of this machine's Go settings. */
export function start(program: Program): Child {
  if (isOver) throw new Error("the run is over");
  const child = spawn(program.command, program.args, {
    ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
    env: { ...passedOn(), HOME: tmpdir(), LANG: "en_US.UTF-8", ...program.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = keepOutput(child, program.keepOutput ?? keptOutput);
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code) => resolve(code ?? -1));
    child.once("error", (error) => {
      output.text += error.message;
      resolve(-1);
    });
  });
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const self: Child = {
    pid: child.pid ?? -1,
    ended,
    over,
    said: () => output.text,
    stop: (by) => stop(child, ended, by),
  };
  living.add(self);
  void ended.then(() => living.delete(self));
  return self;
}

/** Where programs are, and whose certificates this machine trusts. */
function passedOn(): Record<string, string> {
  const names = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Runs a program to its end; throws with what it said when that is not a good one. */
export async function runToEnd(program: Program): Promise<string> {
  const child = start(program);
  const { timeoutMs } = program;
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => void child.stop(), timeoutMs);
  const code = await child.ended;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${program.command} ended with ${code}\n${child.said()}`);
  return child.said();
}

/** A folder of this run, removed by cleanUp(). */
export async function newFolder(name: string): Promise<string> {
  if (isOver) throw new Error("the run is over");
  const folder = await mkdtemp(join(tmpdir(), `granary-bench-${name}-`));
  folders.add(folder);
  return folder;
}

export async function dropFolder(folder: string): Promise<void> {
  folders.delete(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Ends every child and removes every folder of this run; nothing can be started any more. */
export async function cleanUp(): Promise<void> {
  isOver = true;
  await Promise.all([...living].map((child) => child.stop()));
  await Promise.all([...folders].map(dropFolder));
}

/**
 * Runs a program of the bench: its folders and children go when it ends, fails, or is told to end. What fails only
 * because the run was told to end, a folder that is gone, is no news.
 */
export async function runBench(main: () => Promise<void>): Promise<void> {
  const told = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
  const work = main();
  const ended = await Promise.race([
    told,
    work.then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  ]);
  work.catch(() => undefined);
  await cleanUp();
  if (typeof ended === "string") process.exit(130);
  if (ended !== undefined) throw ended.error;
}

/** Waits until `url` answers anything at all; throws when the child ends first. */
export async function untilAnswering(child: Child, url: string): Promise<void> {
  const deadline = Date.now() + readyMs;
  while (Date.now() < deadline) {
    if (child.over()) throw new Error(`the server ended before it was ready\n${child.said()}`);
    try {
      const response = await fetch(url);
      await response.arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`no answer from ${url}\n${child.said()}`);
}

/** Waits for a line of the child's output. Returns the match. */
export async function untilSaid(child: Child, line: RegExp): Promise<RegExpExecArray> {
  const deadline = Date.now() + readyMs;
  while (Date.now() < deadline) {
    const match = line.exec(child.said());
    if (match !== null) return match;
    if (child.over()) throw new Error(`the server ended before it was ready\n${child.said()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`the server was not ready in ${readyMs} ms\n${child.said()}`);
}

/** A port that was free a moment ago, for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

/** Where `name` lies on PATH; administrators' folders are looked at too, nginx lives there. */
export function onPath(name: string): string | undefined {
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return places.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function keepOutput(child: ChildProcess, most: number): { text: string } {
  const output = { text: "" };
  const keep = (text: string): void => {
    output.text = (output.text + text).slice(-most);
  };
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  return output;
}

async function stop(child: ChildProcess, ended: Promise<number>, by?: "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  child.kill(by ?? "SIGTERM");
  await ended;
  clearTimeout(timer);
}
