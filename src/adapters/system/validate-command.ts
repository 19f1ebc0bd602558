// A command of the operator's that may refuse a version: facts as JSON on its standard input, its verdict as its exit.
//
//   0                              take it
//   1, and a reason on stdout      refuse it
//   anything else                  no verdict: a crash must not look like a refusal

import type { Validation, ValidationFacts, Validator } from "#services/proxy/ports.ts";
import { ValidatorFault } from "#services/proxy/ports.ts";
import { commandEnv, CommandFault, runCommand } from "./command.ts";
import type { CommandEnd } from "./command.ts";

/** What it may say on both outputs together; a reason is a line. */
const maxOutputBytes = 64 * 1024;
/** As much of what it said as goes on. */
const maxReasonChars = 300;

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

  async #run(input: string, signal: AbortSignal): Promise<CommandEnd> {
    const { argv, timeoutMs, variables, env } = this.#options;
    const limits = { timeoutMs: timeoutMs(), maxOutputBytes };
    try {
      return await runCommand({ argv: argv(), env: commandEnv(env, variables()), input, ...limits, signal });
    } catch (error) {
      if (!(error instanceof CommandFault)) throw error;
      const what = error.reason === "timeout" ? `no verdict within ${limits.timeoutMs} ms` : error.message;
      throw new ValidatorFault(what);
    }
  }
}
