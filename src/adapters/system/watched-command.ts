// A command of the user's, run as if it had been typed: its output goes through as it comes, what we are told to do it is
// told too, its exit code is its own. Beside that its end is kept in mind, and its silence is measured. It leads a group,
// so that nothing of it stays behind.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { AttemptBounds, AttemptEnd, WatchedCommand } from "#services/analysers/run-ports.ts";
import { signalGroup } from "./child.ts";

/** go's last words of a build with many failures are some 100 KiB. */
const tailBytes = 512 * 1024;
/** Between a polite end and one that cannot be refused. */
const graceMs = 5_000;

export type WatchedOptions = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted with the name of the signal that we got. */
  readonly stop: AbortSignal;
};

type Run = { readonly end: AttemptEnd; readonly tail: string };

export function watchCommand({ argv, env, stdout, stderr, stop }: WatchedOptions): WatchedCommand {
  const [program = "", ...args] = argv;
  return {
    run: (bounds) =>
      new Promise<Run>((resolve, reject) => {
        const stdio = ["inherit", "pipe", "pipe"] as ["inherit", "pipe", "pipe"];
        const child = spawn(program, args, { env: { ...env }, stdio, detached: true, windowsHide: true });
        child.once("error", (error) => {
          if (child.pid !== undefined) return;
          reject(new GranaryError("GRANARY_CANNOT_RUN", { program, reason: error.message }, { cause: error }));
        });
        if (child.pid === undefined) return;
        const watch = new Watch(child, bounds, stop);
        const tail = new Tail();
        for (const [from, to] of [[child.stdout, stdout] as const, [child.stderr, stderr] as const])
          pass(from, to, (chunk) => {
            tail.add(chunk);
            watch.heard();
          });
        // What it started may hold its outputs open: with it everything ends.
        child.once("exit", () => signalGroup(child, "SIGKILL"));
        child.once("close", (code, signal) => resolve({ end: watch.over(code, signal), tail: tail.text() }));
      }),
  };
}

/** Chunk by chunk, as fast as the other end reads. */
function pass(from: Readable, to: Writable, look: (chunk: Buffer) => void): void {
  from.on("data", (chunk: Buffer) => {
    look(chunk);
    if (to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
}

/** Ends the group when a bound is passed or we are told to stop; knows afterwards why. */
class Watch {
  readonly #child: ChildProcess;
  readonly #bounds: AttemptBounds;
  readonly #stop: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #stall: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #why: AttemptEnd | undefined;
  readonly #told = (): void => {
    const signal = String(this.#stop.reason);
    this.#end({ kind: "stopped", signal }, signal as NodeJS.Signals);
  };

  constructor(child: ChildProcess, bounds: AttemptBounds, stop: AbortSignal) {
    this.#child = child;
    this.#bounds = bounds;
    this.#stop = stop;
    this.#timer = setTimeout(() => this.#end({ kind: "timeout" }, "SIGTERM"), bounds.timeoutMs);
    stop.addEventListener("abort", this.#told, { once: true });
    if (stop.aborted) this.#told();
    this.heard();
  }

  heard(): void {
    const { stallMs } = this.#bounds;
    clearTimeout(this.#stall);
    if (stallMs !== undefined) this.#stall = setTimeout(() => this.#end({ kind: "stalled" }, "SIGTERM"), stallMs);
  }

  over(code: number | null, signal: string | null): AttemptEnd {
    for (const timer of [this.#timer, this.#stall, this.#grace]) clearTimeout(timer);
    this.#stop.removeEventListener("abort", this.#told);
    if (this.#why?.kind === "stopped" && code !== null) return { ...this.#why, code };
    return this.#why ?? (code === null ? { kind: "signal", signal: signal ?? "SIGKILL" } : { kind: "exit", code });
  }

  #end(why: AttemptEnd, signal: NodeJS.Signals): void {
    this.#why ??= why;
    signalGroup(this.#child, signal);
    this.#grace ??= setTimeout(() => signalGroup(this.#child, "SIGKILL"), graceMs);
  }
}

class Tail {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#chunks.length > 1 && this.#bytes - (this.#chunks[0]?.length ?? 0) >= tailBytes)
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-tailBytes).toString("utf8");
  }
}
