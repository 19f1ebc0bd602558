// What this room asks of the world: the ways to one checksum database, tunnels of upstreams and its own URL.

export type SumdbAnswer = { readonly status: number; readonly bytes: Uint8Array };

export type SumdbAsk = {
  readonly signal: AbortSignal;
  /** Others can be asked: no patience with this one. */
  readonly isHurried?: boolean | undefined;
  /** Told when the first try has failed and others follow: it may be a while. */
  readonly retrying?: (() => void) | undefined;
};

export interface SumdbRoute {
  /** Short name for logs, headers, errors. */
  readonly name: string;
  /** Its 404 is the database's own word: the database's URL, or a relay that is as good. */
  readonly knows: boolean;
  /** False when nobody has answered there for so long that asking again soon is no use. Without it: nobody knows. */
  readonly isUp?: () => boolean;
  /**
   * One GET below the database's root: `/lookup/…`, `/tile/…`, `/latest`, percent-encoded as `go` would. A status of
   * any kind is an answer. Throws UpstreamFault when no answer came or it is larger than `maxBytes`.
   */
  fetch(path: string, maxBytes: number, ask: SumdbAsk): Promise<SumdbAnswer>;
}
