// What `granary run` needs of the world: a command that can be started, and time.

export type AttemptEnd =
  | { readonly kind: "exit"; readonly code: number }
  /** A signal that was not ours. */
  | { readonly kind: "signal"; readonly signal: string }
  /** Ended by us: nothing printed for so long, or no time left. */
  | { readonly kind: "stalled" | "timeout" }
  /** Somebody told us to stop; the command was told as well. */
  | { readonly kind: "stopped"; readonly signal: string; /** Undefined: by the signal. */ readonly code?: number };

export type AttemptBounds = {
  readonly timeoutMs: number;
  /** Undefined: it may be silent for as long as it likes. */
  readonly stallMs: number | undefined;
};

export interface WatchedCommand {
  /** Runs it once; `tail` is the end of what it printed. Throws GRANARY_CANNOT_RUN. */
  run(bounds: AttemptBounds): Promise<{ readonly end: AttemptEnd; readonly tail: string }>;
}

export interface AttemptClock {
  /** Milliseconds, steady. */
  now(): number;
  /** Resolves early, to the signal's name, when somebody tells us to stop. */
  sleep(ms: number): Promise<string | undefined>;
}
