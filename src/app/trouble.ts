// Commands for people whose go does not work: `explain-error`, `run`, `lab`.

import type { TroubleTools } from "#doors/cli/services.ts";
import { readTail } from "#adapters/system/log-tail.ts";
import { explainErrors } from "#services/analysers/error-report.ts";
import { maxLogChars } from "#services/analysers/error-lines.ts";
import { GranaryError } from "#services/errors/granary-error.ts";

export function troubleTools(): TroubleTools {
  return {
    explainLog: async (file) => explainErrors(await readLog(file)),
  };
}

async function readLog(file: string): Promise<string> {
  try {
    return await readTail(file, maxLogChars);
  } catch (error) {
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason: (error as Error).message }, { cause: error });
  }
}
