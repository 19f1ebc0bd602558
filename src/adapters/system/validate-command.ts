// A command of the operator's that may refuse a version: facts as JSON on its standard input, its verdict as its exit.
//
//   0                              take it
//   1, and a reason on stdout      refuse it
//   anything else                  no verdict: a crash must not look like a refusal
//
// It runs in a group of its own, with few variables, little time and little to say; when it is over, so is its group.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import type { Validation, ValidationFacts, Validator } from "#services/proxy/ports.ts";
import { ValidatorFault } from "#services/proxy/ports.ts";

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

type Ending = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

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

  #run(input: string, signal: AbortSignal): Promise<Ending> {
    const [program = "", ...args] = this.#options.argv();
    const timeoutMs = this.#options.timeoutMs();
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: tmpdir(), env: this.#env(), stdio: "pipe", detached: true });
      let fault: Error | undefined;
      const give = (error: Error): void => {
        fault ??= error;
        endGroup(child);
      };
      const timer = setTimeout(() => give(new ValidatorFault(`no verdict within ${timeoutMs} ms`)), timeoutMs);
      const stop = (): void => give(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      const outputs = { stdout: "", stderr: "" };
      let bytes = 0;
      for (const name of ["stdout", "stderr"] as const)
        child[name].on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxOutputBytes) give(new ValidatorFault(`more than ${maxOutputBytes} bytes of output`));
          else outputs[name] += chunk.toString("utf8");
        });
      child.stdin.on("error", () => undefined); // it need not read what it is told
      child.stdin.end(input);
      child.once("error", (error) => {
        fault ??= new ValidatorFault(`cannot be started: ${error.message}`);
        // Without a process there is no exit, and nothing to close.
        if (child.pid === undefined) finish(null);
      });
      // What it started may hold its outputs open: with it everything ends.
      child.once("exit", () => endGroup(child));
      child.once("close", (code) => finish(code));
      const finish = (code: number | null): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        if (fault === undefined) resolve({ code, ...outputs });
        else reject(fault);
      };
    });
  }

  #env(): Record<string, string> {
    const { env, variables } = this.#options;
    const names = [...handedOn, ...variables()];
    return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  }
}

/** The whole group: a negative id. It may be gone already. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody of it is left
  }
}
