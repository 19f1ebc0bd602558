// The machine's go command, run to its end within bounds.

import type { GoEnd, RunGo } from "#services/environment/go-port.ts";
import { runChild } from "./child.ts";

/** `go list -m -json all` of a large module has 2 MiB. */
const defaultOutputBytes = 8 << 20;

/** Runs the go that stands first on the caller's own PATH, or `program`. */
export function makeRunGo(program = "go"): RunGo {
  return async (args, options): Promise<GoEnd> => {
    const { maxOutputBytes = defaultOutputBytes } = options;
    const end = await runChild(program, args, { ...options, maxOutputBytes });
    if (end.kind === "unstartable") return { kind: "missing", stdout: "", stderr: end.error.message, ms: end.ms };
    return end.kind === "ended" ? { ...end, code: end.code ?? -1 } : end;
  };
}
