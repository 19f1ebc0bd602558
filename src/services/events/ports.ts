// What happened, told once: events for people and audits, counts for dashboards. Services tell; sinks decide where
// it goes (a JSON-lines file now, other sinks later).

/** Everything the product tells. Field values are plain; private names appear, secrets never do. */
export type GranaryEvent =
  /** A stage of a version is proven and committed. */
  | {
      readonly name: "module.ingested";
      readonly module: string;
      readonly version: string;
      readonly stage: "mod" | "zip";
      readonly upstream: string;
      readonly bytes: number;
      readonly ms: number;
      readonly verifiedBy: string;
    }
  /** An operator holds a version back, or frees it, or lets its zip come back packed otherwise. */
  | {
      readonly name: "version.held" | "version.freed" | "version.repacked";
      readonly module: string;
      readonly version: string;
      readonly reason: string;
    }
  /** Somebody published a version, or the same content of it once more. */
  | {
      readonly name: "module.published";
      readonly module: string;
      readonly version: string;
      readonly isNew: boolean;
      /** Id of the token. */
      readonly token: string;
      readonly h1: string;
    }
  /** What an upstream gave is not what it must be, and was not taken; another one may have given it. */
  | {
      readonly name: "module.denied";
      readonly module: string;
      readonly version: string;
      readonly upstream: string;
      readonly code: string;
      readonly expected?: string;
      readonly found?: string;
      readonly reason?: string;
    }
  /** The denied bytes lie in quarantine, as evidence. */
  | {
      readonly name: "module.quarantined";
      readonly module: string;
      readonly version: string;
      readonly upstream: string;
      readonly kind: "mod" | "zip";
      readonly id: string;
      readonly found: string;
    }
  /** A large zip goes on where an earlier job or process left it; `bytes` need not come again. */
  | { readonly name: "module.resumed"; readonly module: string; readonly version: string; readonly bytes: number }
  | { readonly name: "module.conflict"; readonly module: string; readonly version: string; readonly upstream: string }
  /** An origin no longer says what is kept of it: sha256 of the kept and of its file, or `absent`. What is kept stays. */
  | {
      readonly name: "module.disputed";
      readonly module: string;
      readonly version: string;
      readonly file: "info" | "mod";
      readonly upstream: string;
      readonly expected: string;
      readonly found: string;
    }
  | { readonly name: "store.damaged"; readonly key: string; readonly repaired: boolean; readonly reason: string }
  /** The store that several nodes share is out of reach: copies are served. */
  | { readonly name: "store.away"; readonly reason: string }
  | { readonly name: "store.back"; readonly reason: string }
  /** Another node had committed other bytes while ours waited to be uploaded: theirs stay. */
  | { readonly name: "store.gave-way"; readonly key: string }
  | { readonly name: "sumdb.fork"; readonly database: string; readonly evidence: string }
  /** A person refused the head of a fork: the database is used again. */
  | { readonly name: "sumdb.resumed"; readonly database: string; readonly evidence: string; readonly reason: string }
  /** A route gave what could not be proven, and is asked last for a while. */
  | { readonly name: "sumdb.refused"; readonly database: string; readonly route: string; readonly reason: string }
  /** The routes' heads could not be compared, for a reason of our own. */
  | { readonly name: "sumdb.unwatched"; readonly reason: string }
  /** A witness cosigns the own log's checkpoints: for the first time, or again. */
  | {
      readonly name: "sumlog.witnessed";
      readonly database: string;
      readonly witness: string;
      readonly treeSize: number;
    }
  /** A witness does not, or (without one) what they cosigned cannot be kept. Said once for each reason, asked again. */
  | {
      readonly name: "sumlog.unwitnessed";
      readonly database: string;
      readonly witness?: string;
      readonly reason: string;
    }
  /** The own log does not answer. */
  | { readonly name: "sumlog.stopped"; readonly database: string; readonly reason: string }
  /** A kept version that the own log has no record of yet. */
  | {
      readonly name: "sumlog.failed";
      readonly database: string;
      readonly module: string;
      readonly version: string;
      readonly reason: string;
    }
  /** The list that stands in for silent databases could not be had. */
  | { readonly name: "integrity.failed"; readonly list: string; readonly reason: string }
  /** A database has agreed to what was kept on a list's word. */
  | { readonly name: "integrity.proven"; readonly module: string; readonly version: string; readonly stage: string }
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
  /** The service through which nodes take turns answers, or does not: then this node goes on by itself. */
  | { readonly name: "coordination.up" | "coordination.down"; readonly reason: string }
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
      readonly method: "GET" | "POST";
      readonly host: string;
      readonly path: string;
      /** 0 when no answer came. */
      readonly status: number;
      readonly outcome: string;
      readonly bytes: number;
      readonly ms: number;
    }
  /** The index over the store was made anew; `damaged` manifests are in none. */
  | { readonly name: "index.rebuilt"; readonly versions: number; readonly damaged: number }
  /** The index could not be opened; without it nothing leaves the store, and nobody knows what was used. */
  | { readonly name: "index.failed"; readonly file: string; readonly reason: string }
  /** The index that nodes share cannot be asked: nothing leaves, and uses are gathered until it is back. */
  | { readonly name: "index.away"; readonly reason: string }
  | { readonly name: "index.back" }
  /** Versions left the store to make room. `over`: bytes beyond what the rule allows, which are pinned or private. */
  | {
      readonly name: "gc.done";
      readonly evicted: number;
      readonly freed: number;
      readonly spared: number;
      readonly over: number;
    }
  /** Something that a server does for its store beside answering did not work; said once, until it does. */
  | { readonly name: "tending.failed"; readonly reason: string }
  /** Something was beyond its limit for a while, or has been well below it again. `share` 1 is all of it. */
  | {
      readonly name: "alarm.raised" | "alarm.cleared";
      readonly alarm: AlarmName;
      readonly unit: "share" | "ms" | "bytes" | "state";
      /** Neither for a state, which is or is not. */
      readonly value?: number;
      readonly limit?: number;
      readonly detail?: string;
    }
  /** A version that somebody said is new, on its way into `list`. */
  | {
      readonly name: "sync.state";
      readonly module: string;
      readonly version: string;
      readonly source: SyncSource;
      readonly state: SyncState;
      /** Upstream, verifier, code, quarantine id, time. */
      readonly detail?: string;
    }
  /** The index of new versions could not be read; said once for each reason, asked again. */
  | { readonly name: "sync.index-failed"; readonly index: string; readonly reason: string }
  /** A webhook's delivery with a good proof. */
  | {
      readonly name: "webhook.delivered";
      readonly hook: string;
      readonly delivery: string;
      readonly outcome: "accepted" | "replayed" | "ignored" | "pong";
      readonly module?: string;
      readonly versions?: readonly string[];
      readonly reason?: string;
    }
  /** One without. Its sender is not told the reason. */
  | { readonly name: "webhook.refused"; readonly forge: string; readonly reason: string }
  /** Requests that the operation log could not take; said once, until it can again. */
  | { readonly name: "operations.lost"; readonly dir: string; readonly reason: string }
  | { readonly name: "operations.resumed"; readonly dir: string; readonly lost: number }
  | { readonly name: "write.refused" | "write.done"; readonly route: string; readonly token: string };

/** What there are alarms for. `store-closed`: nothing new is taken, for the reason that `detail` names. */
export type AlarmName = "heap" | "disk-await" | "low-space" | "store-closed" | "sync-delay" | "verify-failures";

/** Who said that there is a new version. */
export type SyncSource = "webhook" | "refresh" | "index";

/** `integrity`: what the last resort, the integrity list, says of it. */
export type SyncState =
  "announced" | "fetched" | "verified" | "kept" | "listed" | "failed" | "quarantine" | "integrity";

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

/** One request, as the operation log has it. No secrets: neither headers nor query strings. */
export type Operation = {
  /** When its answer had left. */
  readonly time: string;
  readonly client: string;
  /** Of the certificate that let it in. */
  readonly subject?: string;
  readonly method: string;
  readonly path: string;
  /** 0 when no answer left. */
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly ms: number;
  /** The client left, or the answer broke, before its end. */
  readonly cut?: true;
  /** Why the handshake ended, when there was no request. */
  readonly refused?: string;
};

export interface OperationLog {
  /** Never throws and never waits. */
  operation(operation: Operation): void;
}

/** Counts of what the services do. Names and label names are fixed here, so that no path or version becomes a label. */
export interface Meter {
  /** A request sent to an upstream: what was asked, how it ended, how many body bytes came. */
  upstreamRequest(upstream: string, kind: string, outcome: string, bytes: number): void;
  /** One step of an ingest and how long it took, whether it ended well or not. */
  ingestStep(step: IngestStep, ms: number): void;
  /** An ingest that was turned away because of the disk. */
  ingestRefused(reason: string): void;
  /** Something fetched before a client asked for it; `used` when a client then did; `spared` when the last ones were not asked for. */
  ahead(kind: "mod" | "zip", outcome: "fetched" | "failed" | "used" | "spared"): void;
  /** A private name (or an ancestor of one) that was kept from a public upstream or database. */
  privateNameKept(client: string): void;
  /** A version is in `list`, so long after it was announced. */
  syncDelay(source: SyncSource, ms: number): void;
  /** Lines of the index of new versions. */
  indexLines(outcome: "taken" | "ignored" | "private" | "repeated" | "malformed", count: number): void;
  /** A delivery: `accepted`, `replayed`, `ignored`, `pong`, `refused`. */
  webhook(forge: string, outcome: string): void;
  /**
   * A job and its turn among the nodes: `taken`; `waited` for another's, and `spared` when that had left what was wanted;
   * `alone`, because nobody could say or the wait was long enough; `lost`, so that another may do the same work beside it.
   */
  turn(outcome: TurnOutcome): void;
}

export type TurnOutcome = "taken" | "waited" | "spared" | "alone" | "lost";

/** The steps of an ingest, in their order (services/proxy/ingest.ts tells what each does). */
export type IngestStep = "resolve" | "admit" | "fetch" | "prove" | "verify" | "keep" | "notify";

export const silentMeter: Meter = {
  upstreamRequest: () => undefined,
  ingestStep: () => undefined,
  ingestRefused: () => undefined,
  ahead: () => undefined,
  privateNameKept: () => undefined,
  syncDelay: () => undefined,
  indexLines: () => undefined,
  webhook: () => undefined,
  turn: () => undefined,
};
