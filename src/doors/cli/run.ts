// `granary run -- go mod download`: a command, again while its failure may pass. What it prints goes through; what we say
// of it goes to stderr.

import type { Attempt } from "#services/analysers/attempts.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { duration } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import type { RunRequest } from "./services.ts";
import { readWait } from "./units.ts";

export const runCommand: CommandSpec = {
  name: "run",
  about: "command.run",
  example: "granary run --retry 3 -- go mod download",
  args: ["COMMAND..."],
  flags: [
    { flag: "--retry N", about: "flag.run-retry" },
    { flag: "--wait TIME", about: "flag.run-wait" },
    { flag: "--timeout TIME", about: "flag.run-timeout" },
    { flag: "--stall TIME", about: "flag.run-stall" },
    { flag: "--log FILE", about: "flag.run-log" },
  ],
  run: async (call, { io, services }) => {
    const request = requestOf(call);
    return await (
      await services.trouble()
    ).run(request, (attempt) => {
      const line = attemptLine(attempt, io.lang);
      if (line !== undefined) io.stderr(`granary: ${line}\n`);
    });
  },
};

const defaults = { retries: 3, waitMs: 2_000, timeoutMs: 10 * 60_000 } as const;
/** More is no patience but a loop. */
const maxRetries = 20;

function requestOf(call: Call): RunRequest {
  const time = (name: string): number | undefined => {
    const text = textOption(call, name);
    return text === undefined ? undefined : readWait(`--${name}`, text);
  };
  return {
    argv: call.args,
    retries: retriesOf(textOption(call, "retry")),
    waitMs: time("wait") ?? defaults.waitMs,
    timeoutMs: time("timeout") ?? defaults.timeoutMs,
    stallMs: time("stall"),
    log: textOption(call, "log"),
  };
}

function retriesOf(text: string | undefined): number {
  if (text === undefined) return defaults.retries;
  const retries = /^\d{1,2}$/.test(text) ? Number(text) : maxRetries + 1;
  if (retries <= maxRetries) return retries;
  throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--retry", value: text, accepted: `0 … ${maxRetries}` });
}

/** Undefined where there is nothing to say: it worked at once, or we were told to stop. */
function attemptLine({ attempt, of, ms, end, verdict, waitMs }: Attempt, lang: Lang): string | undefined {
  const which = { attempt: String(attempt), of: String(of), time: duration(ms) };
  if (end.kind === "timeout") return say(lang, "run.timeout", which);
  if (end.kind === "exit" && end.code === 0) return attempt === 1 ? undefined : say(lang, "run.ok", which);
  if (verdict === undefined) return undefined;
  if (verdict.repeat)
    return waitMs === undefined
      ? say(lang, "run.spent", { ...which, code: verdict.code })
      : say(lang, "run.again", { ...which, code: verdict.code, wait: duration(waitMs) });
  return verdict.because === "unknown"
    ? say(lang, "run.unknown", which)
    : say(lang, "run.lasting", { ...which, code: verdict.code });
}
