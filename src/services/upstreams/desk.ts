// The operator's desk: how the upstreams do, and taking one out of use while the server runs.

/** `trial`: the pause is over and one request may try. `held`: it told us to wait. `disabled`: an operator's word. */
export type UpstreamCondition = "closed" | "open" | "trial" | "held" | "disabled";

export type LastProbe = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ok: boolean;
  readonly ms: number;
  /** Why not. */
  readonly reason?: string;
};

/** What is not measured is left out: 0 would be a statement. Counts and times are of this process. */
export type UpstreamView = {
  readonly name: string;
  /** Without credentials. */
  readonly url: string;
  readonly condition: UpstreamCondition;
  /** Lower ones are asked first. */
  readonly priority: number;
  readonly weight?: number;
  readonly requests?: number;
  readonly failures?: number;
  /** From 0 to 1. */
  readonly errorRate?: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  /** When an open or held upstream may be asked again, milliseconds since the epoch. */
  readonly until?: number;
  readonly lastFault?: string;
  readonly lastProbe?: LastProbe;
  readonly role?: "normal" | "shadow" | "canary";
};

export type ProbeView = { readonly name: string } & LastProbe;

export interface UpstreamDesk {
  /** In the order in which they are configured. */
  list(): readonly UpstreamView[];
  /** Asks one upstream, or all, whether it answers. An upstream that does not is a result, no error. */
  probe(name: string | undefined, signal: AbortSignal): Promise<readonly ProbeView[]>;
  /**
   * No request goes to it any more, after a restart neither. `by` says whose word it is, for the event. Unknown names
   * change nothing; nor does a word that cannot be written down: GRANARY_STORE_UNAVAILABLE or GRANARY_STORE_FULL.
   */
  disable(name: string, by: string): Promise<void>;
  enable(name: string, by: string): Promise<void>;
}

/** An upstream's name as one element of a request target: everything but letters, digits and `.:-_` as `~` and hex. */
export function wireName(name: string): string {
  const bytes = Buffer.from(name, "utf8").toString("latin1");
  return bytes.replace(/[^\w.:-]/g, (mark) => `~${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
