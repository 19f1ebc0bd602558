// One child process, bounded in time and in what it says. It leads a group of its own; when it ends, or a bound is
// passed, or nobody waits any more, the whole group is ended.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

export type ChildBounds = {
  readonly cwd: string;
  /** The whole of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** On both outputs together. */
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
  /** Its standard input; it has none without it. */
  readonly input?: string;
  readonly onStderr?: (text: string) => void;
};

export type ChildEnd = { readonly stdout: string; readonly stderr: string; readonly ms: number } & (
  | { readonly kind: "ended"; /** null: by a signal. */ readonly code: number | null }
  | { readonly kind: "stopped"; readonly because: "timeout" | "output" | "aborted" }
  /** It could not be started. */
  | { readonly kind: "unstartable"; readonly error: NodeJS.ErrnoException }
);

/** Runs `program` without a shell; never throws for what becomes of it. */
export function runChild(program: string, args: readonly string[], bounds: ChildBounds): Promise<ChildEnd> {
  const { cwd, timeoutMs, maxOutputBytes, signal, input, onStderr } = bounds;
  const began = performance.now();
  return new Promise((resolve) => {
    const stdio = [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"];
    const env = { ...bounds.env };
    const child = spawn(program, args, { cwd, env, stdio, detached: true, windowsHide: true });
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[], bytes: 0 };
    let how: Stopped | Unstartable | undefined;
    const stop = (because: Stopped["because"]): void => {
      how ??= { kind: "stopped", because };
      endGroup(child);
    };
    const timer = setTimeout(() => stop("timeout"), timeoutMs);
    const aborted = (): void => stop("aborted");
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (chunk: Buffer) => {
        said.bytes += chunk.length;
        if (said.bytes > maxOutputBytes) {
          stop("output");
          return;
        }
        said[name].push(chunk);
        if (name === "stderr") onStderr?.(chunk.toString("utf8"));
      });
    if (input !== undefined) {
      child.stdin.on("error", () => undefined); // it need not read what it is told
      child.stdin.end(input);
    }
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      const text = (name: "stdout" | "stderr"): string => Buffer.concat(said[name]).toString("utf8");
      const words = { stdout: text("stdout"), stderr: text("stderr"), ms: Math.round(performance.now() - began) };
      resolve({ ...words, ...(how ?? { kind: "ended", code }) });
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      // Without a process there is no exit, and nothing to close.
      if (child.pid !== undefined) return;
      how = { kind: "unstartable", error };
      finish(null);
    });
    // What it started may hold its outputs open: with it everything ends.
    child.once("exit", () => endGroup(child));
    child.once("close", (code) => finish(code));
  });
}

type Stopped = Pick<Extract<ChildEnd, { kind: "stopped" }>, "kind" | "because">;
type Unstartable = Pick<Extract<ChildEnd, { kind: "unstartable" }>, "kind" | "error">;

function endGroup(child: ChildProcess): void {
  signalGroup(child, "SIGKILL");
}

/** To the whole group of a child that leads one: a negative id. It may be gone already. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // nobody of it is left
  }
}
