// `--fix`: shows what would change, asks, changes it, and says how to take it back.

import type { Step } from "#services/doctor/mend.ts";
import { say } from "#services/errors/say.ts";
import { fixLines } from "#services/findings/fix.ts";
import type { CliContext } from "./services.ts";
import { harmless } from "./text.ts";

type Mending = {
  readonly context: CliContext;
  readonly isSure: boolean;
  readonly print: (text: string) => void;
};

/** Applies what can be applied; `isSure` asks nobody. Without a person to ask nothing is changed. */
export async function mend(steps: readonly Step[], { context, isSure, print }: Mending): Promise<void> {
  const { io, services } = context;
  if (steps.length === 0) {
    print(`\n${say(io.lang, "doctor.nothing-to-mend")}\n`);
    return;
  }
  const own = steps.filter(({ byHand }) => !byHand);
  print(`\n${say(io.lang, "doctor.would-mend")}\n${own.map((step) => stepText(step, context)).join("")}`);
  const byHand = steps.filter((step) => step.byHand);
  if (byHand.length > 0)
    print(`${say(io.lang, "doctor.by-hand")}\n${byHand.map((step) => stepText(step, context)).join("")}`);
  if (own.length === 0) return;
  const desk = await services.doctor();
  if (!isSure && !(await desk.confirm(say(io.lang, "doctor.confirm")))) {
    print(`${say(io.lang, "doctor.unchanged")}\n`);
    return;
  }
  for (const { step, outcome } of await desk.mend(own)) {
    const key = outcome.kind === "done" ? "doctor.mended" : "doctor.not-mended";
    const detail = outcome.kind === "done" ? (outcome.backup ?? "") : outcome.reason;
    print(`${say(io.lang, key, { code: step.code, detail: harmless(detail) })}\n`);
  }
}

function stepText({ fix, code }: Step, { io }: CliContext): string {
  return fixLines(fix, io.shell)
    .map((line) => `  ${harmless(line)}\n`)
    .join("")
    .replace(/\n$/, `    # ${code}\n`);
}
