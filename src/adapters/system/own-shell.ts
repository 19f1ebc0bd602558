// A program on this very terminal: it has our standard streams and our process group, so that Ctrl-C reaches it.

import { spawn } from "node:child_process";

/** Runs it to its end. Resolves to its exit code, 128 and the signal's number when one ended it; rejects when it cannot start. */
export async function runOnTerminal(
  [program = "", ...args]: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...env }, cwd, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? ""] ?? 0)));
  });
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };
