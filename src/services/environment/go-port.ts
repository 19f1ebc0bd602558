// The machine's own go command, as the rooms that need its word ask for it.

export type GoRunOptions = {
  /** The whole environment of the child: nothing is added to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly timeoutMs: number;
  /** On both outputs together; 8 MiB without it. */
  readonly maxOutputBytes?: number;
  readonly signal: AbortSignal;
  /** Told each piece of standard error as it comes, for progress. */
  readonly onStderr?: (text: string) => void;
};

/** What it said until then is there however it ended. */
export type GoEnd = {
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
} & (
  | { readonly kind: "ended"; readonly code: number }
  /** We ended it, with everything it had started. */
  | { readonly kind: "stopped"; readonly because: "timeout" | "output" | "aborted" }
  /** There is no such program, or it must not be started. */
  | { readonly kind: "missing" }
);

/** Runs `go ARGS…` to its end; never throws for what becomes of it. */
export type RunGo = (args: readonly string[], options: GoRunOptions) => Promise<GoEnd>;
