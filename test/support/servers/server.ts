// One real server as a child of the test: started on a free port, asked until it answers, stopped, paused, started again
// over what it had.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd } from "../at-end.ts";

/** What a test does to a server; every one comes back with start(). */
export type RunningServer = {
  readonly port: number;
  /** A folder of its own, gone after the test. */
  readonly folder: string;
  readonly pid: () => number | undefined;
  /** Starts it again on the same port over the same folder; resolves when it answers. */
  readonly start: () => Promise<void>;
  /** SIGKILL, and until it is gone. */
  readonly kill: () => Promise<void>;
  /** Takes connections and says nothing. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** What it wrote on stdout and stderr. */
  readonly said: () => string;
};

export type ServerSpec = {
  readonly name: string;
  readonly port: number;
  readonly folder: string;
  readonly command: readonly [program: string, ...args: readonly string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** For a server that refuses to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** True once it answers; a listening port when absent. */
  readonly isReady?: (port: number) => Promise<boolean>;
  /** What it says when processes of its last life are not gone yet: then it is started again. */
  readonly waitsFor?: RegExp;
};

/** A compiled server on a cold machine; most need a tenth of a second. */
const readyMs = 30_000;

const alive = new Set<ChildProcess>();
// A test process that is killed takes its servers along.
process.once("exit", () => alive.forEach((each) => signal(each, "SIGKILL")));

/** A folder for a server's data, removed when the test has ended. */
export async function serverFolder(t: Pick<TestContext, "after">, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `granary-${name}-`));
  atEnd(t, () => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Starts it and waits for its first answer; it is killed when the test has ended. Throws with its words when it ends before. */
export async function startServer(t: Pick<TestContext, "after">, spec: ServerSpec): Promise<RunningServer> {
  let child: ChildProcess | undefined;
  let said = "";
  const kill = async (): Promise<void> => {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    signal(running, "SIGKILL");
    await once(running, "exit");
  };
  const start = async (): Promise<void> => {
    await kill();
    for (let tries = 1; ; tries++) {
      said = "";
      try {
        await startOnce();
        return;
      } catch (error) {
        if (spec.waitsFor?.test(said) !== true || tries === maxTries) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  const startOnce = async (): Promise<void> => {
    const [program, ...args] = spec.command;
    const running = spawn(program, args, {
      cwd: spec.folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: spec.folder, ...spec.env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: what is done to the server is done to the processes that it makes.
      detached: true,
      ...spec.user,
    });
    child = running;
    alive.add(running);
    running.once("exit", () => alive.delete(running));
    running.on("error", (error) => (said += String(error)));
    for (const stream of [running.stdout, running.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-maxSaid)));
    const ready = spec.isReady ?? listens;
    const end = performance.now() + readyMs;
    while (!(await ready(spec.port).catch(() => false))) {
      if (running.exitCode !== null || running.signalCode !== null) throw new Error(`${spec.name} ended: ${said}`);
      if (performance.now() > end) throw new Error(`${spec.name} does not answer: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  atEnd(t, kill);
  await start();
  return {
    port: spec.port,
    folder: spec.folder,
    pid: () => child?.pid,
    start,
    kill,
    pause: () => child && signal(child, "SIGSTOP"),
    resume: () => child && signal(child, "SIGCONT"),
    said: () => said,
  };
}

/** To the server and all its processes; nothing when they are gone. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const maxTries = 50;
const maxSaid = 64 << 10;

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
