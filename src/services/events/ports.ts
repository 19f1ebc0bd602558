// What happened, told once: events for people and audits, counts for dashboards. Services tell; sinks decide where
// it goes (a JSON-lines file now, other sinks later).

/** Everything the product tells. Field values are plain; private names appear, secrets never do. */
export type GranaryEvent =
  | {
      readonly name: "module.kept";
      readonly module: string;
      readonly version: string;
      readonly stage: "mod" | "zip";
      readonly upstream: string;
      readonly bytes: number;
      readonly ms: number;
      readonly verifiedBy: string;
    }
  | {
      readonly name: "module.refused";
      readonly module: string;
      readonly version: string;
      readonly upstream: string;
      readonly code: string;
      readonly expected?: string;
      readonly found?: string;
      readonly quarantined?: string;
    }
  /** A large zip goes on where an earlier job or process left it; `bytes` need not come again. */
  | { readonly name: "module.resumed"; readonly module: string; readonly version: string; readonly bytes: number }
  | { readonly name: "module.conflict"; readonly module: string; readonly version: string; readonly upstream: string }
  | { readonly name: "store.damaged"; readonly key: string; readonly repaired: boolean; readonly reason: string }
  | { readonly name: "sumdb.fork"; readonly database: string; readonly evidence: string }
  | {
      readonly name: "pin.set" | "pin.mismatch" | "pin.forgotten";
      readonly module: string;
      readonly version: string;
      readonly kind: string;
      readonly hash: string;
    }
  | {
      readonly name: "quarantine.released" | "quarantine.removed";
      readonly module: string;
      readonly version: string;
      readonly id: string;
    }
  | { readonly name: "upstream.opened" | "upstream.closed"; readonly upstream: string; readonly reason: string }
  | { readonly name: "upstream.disabled" | "upstream.enabled"; readonly upstream: string; readonly by: string }
  /** A background try of what a client could not get: `kept`, or the code of the failure. */
  | (JobFacts & { readonly name: "job.retried"; readonly tries: number; readonly outcome: string })
  /** Given up; a dead letter waits for a person. */
  | (JobFacts & { readonly name: "job.dead"; readonly tries: number; readonly reason: string })
  /** Nothing is left to try: `arrived`, `operator`, `full`, or the code of a final answer. */
  | (JobFacts & { readonly name: "job.dropped"; readonly reason: string })
  | {
      readonly name: "upstream.compared";
      readonly upstream: string;
      readonly module: string;
      readonly version: string;
      readonly stage: "mod" | "zip";
      readonly same: boolean;
      readonly expected: string;
      readonly found: string;
    }
  | { readonly name: "config.applied" | "config.refused"; readonly file: string; readonly reason: string }
  | { readonly name: "token.added" | "token.revoked"; readonly id: string; readonly scope: string }
  | {
      readonly name: "egress.connected";
      readonly upstream: string;
      /** `host:port` */
      readonly host: string;
      /** `direct`, or the egress proxy's `host:port`. */
      readonly via: string;
      /** Where a direct connection leads. */
      readonly address?: string;
      readonly ms: number;
    }
  | {
      readonly name: "egress.failed";
      readonly upstream: string;
      readonly host: string;
      readonly via: string;
      readonly reason: string;
      /** What socket, TLS or proxy said; no credentials. */
      readonly detail: string;
      readonly ms: number;
    }
  /** One request that left, with `egressAudit` on. Query strings are left out: they may be secrets. */
  | {
      readonly name: "egress.request";
      readonly upstream: string;
      readonly method: "GET";
      readonly host: string;
      readonly path: string;
      /** 0 when no answer came. */
      readonly status: number;
      readonly outcome: string;
      readonly bytes: number;
      readonly ms: number;
    }
  | { readonly name: "write.refused" | "write.done"; readonly route: string; readonly token: string };

type JobFacts = {
  readonly id: string;
  readonly kind: "mod" | "zip";
  readonly module: string;
  readonly version: string;
};

/** The request that an event belongs to, when it belongs to one (trace.ts). */
export type Traced = { readonly trace?: string };

export interface EventSink {
  /** Never throws and never waits: an event that cannot be written is counted, not raised. */
  emit(event: GranaryEvent & Traced): void;
}

/** Counts of what the services do. Names and label names are fixed here, so that no path or version becomes a label. */
export interface Meter {
  /** A request sent to an upstream: what was asked, how it ended, how many body bytes came. */
  upstreamRequest(upstream: string, kind: string, outcome: string, bytes: number): void;
  /** One step of an ingest and how long it took. */
  ingestStage(stage: "info" | "mod" | "sumdb" | "zip" | "verify" | "keep", ms: number): void;
  /** Something fetched before a client asked for it; `used` when a client then did; `spared` when the last ones were not asked for. */
  ahead(kind: "mod" | "zip", outcome: "fetched" | "failed" | "used" | "spared"): void;
  /** A private name (or an ancestor of one) that was kept from a public upstream or database. */
  privateNameKept(client: string): void;
}

export const silentMeter: Meter = {
  upstreamRequest: () => undefined,
  ingestStage: () => undefined,
  ahead: () => undefined,
  privateNameKept: () => undefined,
};
