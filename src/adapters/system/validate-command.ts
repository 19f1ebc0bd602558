// A command of the operator's that may refuse a version: facts as JSON on its standard input, its verdict as its exit.
//
//   0                              take it
//   1, and a reason on stdout      refuse it
//   anything else                  no verdict: a crash must not look like a refusal
//
// It runs in a group of its own, with few variables, little time and little to say; when it is over, so is its group.

import { tmpdir } from "node:os";
import type { Validation, ValidationFacts, Validator } from "#services/proxy/ports.ts";
import { ValidatorFault } from "#services/proxy/ports.ts";
import { runChild } from "./child.ts";
import type { ChildEnd } from "./child.ts";

/** What it may say on both outputs together; a reason is a line. */
const maxOutputBytes = 64 * 1024;
/** As much of what it said as goes on. */
const maxReasonChars = 300;
/** What a program needs to run; everything else may be a secret of ours. */
const handedOn = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT"] as const;

export type CommandValidatorOptions = {
  /** Program and arguments; no shell. */
  readonly argv: () => readonly string[];
  readonly timeoutMs: () => number;
  /** Names of more variables that it may see. */
  readonly variables: () => readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
};

export class CommandValidator implements Validator {
  readonly #options: CommandValidatorOptions;

  constructor(options: CommandValidatorOptions) {
    this.#options = options;
  }

  async validate(facts: ValidationFacts, signal: AbortSignal): Promise<Validation> {
    const { code, stdout, stderr } = await this.#run(`${JSON.stringify(facts)}\n`, signal);
    const reason = stdout.slice(0, maxReasonChars).trim();
    if (code === 0) return { verdict: "take" };
    if (code === 1 && reason !== "") return { verdict: "refuse", reason };
    const said = stderr.trim().split("\n").at(-1)?.slice(0, maxReasonChars) ?? "";
    const how =
      code === null ? "was ended by a signal" : code === 1 ? "exit code 1 without a reason" : `exit code ${code}`;
    throw new ValidatorFault(said === "" ? how : `${how}: ${said}`);
  }

  async #run(input: string, signal: AbortSignal): Promise<Extract<ChildEnd, { kind: "ended" }>> {
    const [program = "", ...args] = this.#options.argv();
    const timeoutMs = this.#options.timeoutMs();
    const bounds = { cwd: tmpdir(), env: this.#env(), timeoutMs, maxOutputBytes, input, signal };
    const end = await runChild(program, args, bounds);
    if (end.kind === "ended") return end;
    if (end.kind === "unstartable") throw new ValidatorFault(`cannot be started: ${end.error.message}`);
    switch (end.because) {
      case "timeout":
        throw new ValidatorFault(`no verdict within ${timeoutMs} ms`);
      case "output":
        throw new ValidatorFault(`more than ${maxOutputBytes} bytes of output`);
      case "aborted":
        throw signal.reason instanceof Error ? signal.reason : new Error("aborted");
    }
  }

  #env(): Record<string, string> {
    const { env, variables } = this.#options;
    const names = [...handedOn, ...variables()];
    return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  }
}
