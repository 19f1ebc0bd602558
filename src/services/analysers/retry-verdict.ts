// Whether a failed command may be run again: only when everything that failed in it is of a class that waiting may cure.
// A checksum mismatch, a refusal, an absence, a wrong setting stay what they are, and so does what we do not know.

import { explainErrors } from "./error-report.ts";
import type { ErrorClass } from "./error-traits.ts";

export type RetryVerdict =
  | { readonly repeat: true; readonly code: string; readonly class: ErrorClass; readonly throttled: boolean }
  | { readonly repeat: false; readonly because: "unknown" }
  | { readonly repeat: false; readonly because: "class"; readonly code: string; readonly class: ErrorClass };

const passing: ReadonlySet<ErrorClass> = new Set(["timeout", "transient"]);

/** `output`: the end of what the command printed. */
export function judgeOutput(output: string): RetryVerdict {
  const { causes } = explainErrors(output);
  const lasting = causes.find(({ class: of }) => !passing.has(of));
  if (lasting !== undefined)
    return { repeat: false, because: "class", code: lasting.finding.code, class: lasting.class };
  const [first] = causes;
  if (first === undefined) return { repeat: false, because: "unknown" };
  const throttled = causes.some(({ finding }) => finding.code === "GO_ERR_TOO_MANY");
  return { repeat: true, code: first.finding.code, class: first.class, throttled };
}
