// A short command of the system that a person asked us to run: bounded in time and words, ended as a group.

import { spawn } from "node:child_process";

export type RanCommand = { readonly code: number; readonly said: string };

/** Restarting a service takes some seconds. */
const runMs = 20_000;
const maxSaidBytes = 4_096;

/** A command that cannot be started ends with -1. */
export function runCommand(argv: readonly string[], signal: AbortSignal): Promise<RanCommand> {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(runMs)]);
    let said = "";
    const add = (chunk: Buffer): void => {
      said = (said + chunk.toString("utf8")).slice(0, maxSaidBytes);
    };
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended already.
      }
    };
    limit.addEventListener("abort", stop, { once: true });
    const done = (code: number, text: string): void => {
      limit.removeEventListener("abort", stop);
      resolve({ code, said: text.trim() });
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.once("error", (error) => done(-1, error.message));
    child.once("close", (code) => done(code ?? -1, limit.aborted ? `no end in ${runMs / 1_000} s` : said));
  });
}
