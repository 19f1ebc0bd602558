// Commands for people whose go does not work: `explain-error`, `run`, `lab`.

import type { TroubleTools } from "#doors/cli/services.ts";
import { readTail } from "#adapters/system/log-tail.ts";
import { explainErrors } from "#services/analysers/error-report.ts";
import { maxLogChars } from "#services/analysers/error-lines.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Machine } from "./go-env.ts";

export function troubleTools(io: {
  readonly machine: Machine;
  /** Called when the process is asked to stop; returns a function that stops listening. */
  readonly onStop: (stop: () => void) => () => void;
}): TroubleTools {
  const { machine } = io;
  return {
    explainLog: async (file) => explainErrors(await readLog(file)),
    run: async (request, onAttempt) => {
      const { runAgain } = await import("./run-again.ts");
      return await runAgain(request, onAttempt, machine);
    },
    lab: async (request, onProgress) => {
      const { runLab } = await import("./lab.ts");
      const stop = new AbortController();
      const off = io.onStop(() => stop.abort(new Error("asked to stop")));
      try {
        return await runLab(request, { machine, signal: stop.signal, onProgress });
      } catch (error) {
        if (stop.signal.aborted) return undefined;
        throw error;
      } finally {
        off();
      }
    },
  };
}

async function readLog(file: string): Promise<string> {
  try {
    return await readTail(file, maxLogChars);
  } catch (error) {
    const reason = (error as Error).message;
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason }, { cause: error });
  }
}
