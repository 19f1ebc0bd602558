// System calls of a running process that kill it, or that fail: strace injects them where no code of ours sees it, in the
// threads of node's pool and of workers too.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** Why no process can be traced here; undefined when one can. */
export function whyNotTraced(): string | undefined {
  if (process.platform !== "linux") return "SKIPPED: strace is for Linux";
  const { status, stderr, error } = spawnSync("strace", ["-o", "/dev/null", "true"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  return status === 0 ? undefined : `SKIPPED: no process can be traced: ${error?.message ?? stderr}`;
}

export type Injection = {
  /** `fsync`, `write` … */
  readonly call: string;
  /** Which one, counted from 1 for each thread by itself. */
  readonly nth: number;
  /** The process is killed before the call is made, or the call fails and is not made. */
  readonly how: "KILL" | "EIO" | "ENOSPC";
};

/** Longest wait for strace to have hold of all threads. */
const attachMs = 20_000;
/** It may wait for ever for a thread of a process that was killed; one that lives is let go at once. */
const detachMs = 2_000;

/** Resolves when the process is traced. Returns what lets go of it. */
export async function inject(pid: number, { call, nth, how }: Injection): Promise<() => Promise<void>> {
  const what = how === "KILL" ? "signal=SIGKILL" : `error=${how}`;
  const args = ["-f", "-p", String(pid), "-o", "/dev/null", "-e", `trace=${call}`];
  const tracer = spawn("strace", [...args, "-e", `inject=${call}:${what}:when=${nth}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(tracer, "exit");
  let said = "";
  let timer: NodeJS.Timeout | undefined;
  const attached = new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`strace has no hold of it: ${said}`)), attachMs);
    tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes(" attached")) resolve();
    });
    ended.then(() => reject(new Error(`strace ended: ${said}`)), reject);
  });
  try {
    await attached;
  } catch (error) {
    tracer.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return async () => {
    const late = setTimeout(() => tracer.kill("SIGKILL"), detachMs);
    tracer.kill("SIGTERM");
    await ended;
    clearTimeout(late);
  };
}
