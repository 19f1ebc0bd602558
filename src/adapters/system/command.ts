// A command of the operator's: told something on its standard input, heard on its outputs. It runs without a shell, with
// few variables, in the folder for temporary files.

import { tmpdir } from "node:os";
import { runChild } from "./child.ts";

export type Command = {
  /** Program and arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly timeoutMs: number;
  /** Both outputs together. */
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
};

/** How it ended; `code` is null after a signal. */
export type CommandEnd = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** It did not come to an end of its own. Nothing that it said is in the message. */
export class CommandFault extends Error {
  readonly reason: "unstartable" | "timeout" | "output";

  constructor(reason: CommandFault["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What a program needs to run; everything else may be a secret of ours. */
const handedOn = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT"] as const;

/** @param more names of variables that it may see beside those that it needs */
export function commandEnv(
  env: Readonly<Record<string, string | undefined>>,
  more: readonly string[] = [],
): Record<string, string> {
  const names = [...handedOn, ...more];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Throws CommandFault, or the signal's reason. */
export async function runCommand({ argv, ...bounds }: Command): Promise<CommandEnd> {
  const [program = "", ...args] = argv;
  const { signal, timeoutMs, maxOutputBytes } = bounds;
  const end = await runChild(program, args, { ...bounds, cwd: tmpdir() });
  if (end.kind === "ended") return end;
  if (end.kind === "unstartable") throw new CommandFault("unstartable", `cannot be started: ${end.error.message}`);
  switch (end.because) {
    case "timeout":
      throw new CommandFault("timeout", `not done within ${timeoutMs} ms`);
    case "output":
      throw new CommandFault("output", `more than ${maxOutputBytes} bytes of output`);
    case "aborted":
      throw signal.reason instanceof Error ? signal.reason : new Error("aborted");
  }
}
