// `granary run -- COMMAND`, wired: the real process, signals, a log.

import { appendFile } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { watchCommand } from "#adapters/system/watched-command.ts";
import type { RunRequest } from "#doors/cli/services.ts";
import { runAttempts } from "#services/analysers/attempts.ts";
import type { Attempt } from "#services/analysers/attempts.ts";
import type { AttemptEnd } from "#services/analysers/run-ports.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import type { Machine } from "./go-env.ts";

/** Told to us, they are told to the command; a closed terminal (HUP) too, or it would run on without us. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** As timeout(1) says it. */
const timedOut = 124;
/** What a shell adds to the number of a signal. */
const bySignal = 128;

/** Resolves to the command's exit code. Throws GRANARY_CANNOT_RUN, and GRANARY_INPUT_UNREADABLE for a log that cannot be written. */
export async function runAgain(
  request: RunRequest,
  onAttempt: (attempt: Attempt) => void,
  machine: Machine,
): Promise<number> {
  const stop = new AbortController();
  const told = (signal: NodeJS.Signals): void => stop.abort(signal);
  for (const signal of signals) process.on(signal, told);
  const log = logTo(request);
  await log.check();
  const { stdout, stderr } = process;
  try {
    const command = watchCommand({ argv: request.argv, env: machine.env, stdout, stderr, stop: stop.signal });
    const tell = (attempt: Attempt): void => {
      onAttempt(attempt);
      log.write(attempt);
    };
    const end = await runAttempts(request, { command, clock: clockUntil(stop.signal), tell });
    await log.flushed();
    return codeOf(end);
  } finally {
    for (const signal of signals) process.off(signal, told);
  }
}

function clockUntil(stop: AbortSignal): Parameters<typeof runAttempts>[1]["clock"] {
  return {
    now: () => Math.round(performance.now()),
    sleep: async (ms) => {
      try {
        await sleep(ms, undefined, { signal: stop });
        return undefined;
      } catch {
        return String(stop.reason);
      }
    },
  };
}

function codeOf(end: AttemptEnd): number {
  switch (end.kind) {
    case "exit":
      return end.code;
    case "stalled":
    case "timeout":
      return timedOut;
    case "stopped":
      return end.code ?? bySignal + numberOf(end.signal);
    case "signal":
      return bySignal + numberOf(end.signal);
  }
}

function numberOf(signal: string): number {
  return Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;
}

function logTo({ log, argv }: RunRequest): {
  readonly check: () => Promise<void>;
  readonly write: (attempt: Attempt) => void;
  readonly flushed: () => Promise<void>;
} {
  let last = Promise.resolve();
  const append = async (text: string): Promise<void> => {
    if (log === undefined) return;
    try {
      await appendFile(log, text);
    } catch (error) {
      throw new GranaryError(
        "GRANARY_INPUT_UNREADABLE",
        { place: log, reason: (error as Error).message },
        { cause: error },
      );
    }
  };
  const command = argv.map(withoutCredentials);
  return {
    // Before the command runs: afterwards it would be too late to say that nothing is logged.
    check: () => append(""),
    write: (attempt) => {
      const line = { schema: "granary.attempt/1", at: new Date().toISOString(), command, ...attempt };
      last = last.then(() => append(`${JSON.stringify(line)}\n`));
      // Waited for in flushed().
      last.catch(() => undefined);
    },
    flushed: () => last,
  };
}
