// Prometheus metrics: what the services count, and what the process is.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Meter } from "#services/events/ports.ts";

/** Values read at the moment of a scrape. */
export type Gauges = {
  readonly requests: () => readonly { readonly kind: string; readonly outcome: string; readonly count: number }[];
  /** Requests that workers passed on to the owner of the store. */
  readonly relayed: () => number;
  readonly workers: () => number;
  readonly hotBytes: () => number;
  readonly hotEntries: () => number;
  readonly connections: () => number;
  readonly jobs: () => number;
  readonly negativeEntries: () => number;
  readonly upstreams: () => readonly { readonly upstream: string; readonly condition: string }[];
  /** Requests to each upstream. */
  readonly lanes: () => readonly {
    readonly upstream: string;
    readonly limit: number;
    readonly running: number;
    readonly waiting: number;
  }[];
  /** Fetches ahead that wait or run. */
  readonly ahead: () => number;
  /** Memory of what clients ask for after what. */
  readonly habitBytes: () => number;
  /** Connections to upstreams: now, and since the start. */
  readonly pool: () => {
    readonly open: number;
    readonly idle: number;
    readonly waiting: number;
    readonly opened: number;
    readonly failed: number;
    readonly requests: number;
    readonly reused: number;
  };
  /** The disk under the store, as last seen. */
  readonly store: () => {
    readonly free: number | undefined;
    readonly total: number | undefined;
    readonly freeInodes: number | undefined;
    readonly totalInodes: number | undefined;
    readonly mark: number;
    readonly isOpen: boolean;
  };
  /** Memory and disk in front of a store that nodes share; undefined where there is none. */
  readonly tiers: () =>
    | {
        readonly away: unknown;
        readonly near: { readonly bytes: number; readonly objects: number };
        readonly memory: { readonly bytes: number };
        readonly queue: { readonly bytes: number; readonly objects: number };
      }
    | undefined;
  /** Mean of small durable writes lately, in milliseconds; undefined when there were too few. */
  readonly awaitMs: () => number | undefined;
  /** Used part of the heap's limit, 0 to 1. */
  readonly heapShare: () => number;
  readonly alarms: () => readonly { readonly name: string; readonly raisedMs: number | undefined }[];
  readonly sync: () => {
    /** Announced versions that are not in `list` yet. */
    readonly pending: number;
    /** Of the one that a webhook announced longest ago, in milliseconds. */
    readonly delayMs: number;
    /** Of the last window that is over, 0 to 1. */
    readonly failureShare: number;
  };
};

/** Nodes over one store, read at the moment of a scrape. */
export type ClusterGauges = {
  readonly isUp: () => boolean;
  /** This node and those heard of lately; `skew` 1 when all are asked alike. */
  readonly nodes: () => readonly { readonly node: string; readonly skew: number }[];
};

const stepSeconds = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];
/** 5 s: what a push takes at most; 90 and 300 s: the promise and the alarm (services/sync/slo.ts). */
const delaySeconds = [0.5, 1, 2, 5, 15, 30, 60, 90, 300, 900];
/** Clients told apart in the leak counter; the rest count together. */
const maxClients = 1_000;

export class Metrics implements Meter {
  readonly #registry = new Registry();
  readonly #upstream: Counter<"upstream" | "kind" | "outcome">;
  readonly #upstreamBytes: Counter<"upstream" | "kind">;
  readonly #steps: Histogram<"step">;
  readonly #refused: Counter<"reason">;
  readonly #ahead: Counter<"kind" | "outcome">;
  readonly #kept: Counter<"client">;
  readonly #delays: Histogram<"source">;
  readonly #indexLines: Counter<"outcome">;
  readonly #webhooks: Counter<"forge" | "outcome">;
  readonly #turns: Counter<"outcome">;
  readonly #s3: Counter<"request">;
  readonly #far: Counter<"call" | "outcome">;
  readonly #tier: Counter<"from">;
  readonly #clients = new Set<string>();

  constructor() {
    const registers = [this.#registry];
    this.#upstream = new Counter({
      name: "granary_upstream_requests_total",
      help: "Requests sent to upstreams, by what was asked and how it ended.",
      labelNames: ["upstream", "kind", "outcome"],
      registers,
    });
    this.#upstreamBytes = new Counter({
      name: "granary_upstream_bytes_total",
      help: "Body bytes received from upstreams.",
      labelNames: ["upstream", "kind"],
      registers,
    });
    this.#steps = new Histogram({
      name: "granary_ingest_step_seconds",
      help: "Time of each step from upstream to store: resolve, admit, fetch, prove, verify, keep, notify.",
      labelNames: ["step"],
      buckets: stepSeconds,
      registers,
    });
    this.#refused = new Counter({
      name: "granary_ingests_refused_total",
      help: "New versions turned away because of the disk: low-space, low-inodes, full, quota, read-only, io, files.",
      labelNames: ["reason"],
      registers,
    });
    this.#ahead = new Counter({
      name: "granary_ahead_total",
      help: "Files fetched before a client asked for them, those that failed, those that a client then asked for, and those left alone because clients did not ask for the last ones.",
      labelNames: ["kind", "outcome"],
      registers,
    });
    this.#kept = new Counter({
      name: "granary_private_names_kept_total",
      help: "Requests for private names (or ancestors of such) that were kept from public upstreams, by client address.",
      labelNames: ["client"],
      registers,
    });
    this.#delays = new Histogram({
      name: "granary_sync_delay_seconds",
      help: "Time from the announcement of a version (webhook, refresh, index) until it is in `list`.",
      labelNames: ["source"],
      buckets: delaySeconds,
      registers,
    });
    this.#indexLines = new Counter({
      name: "granary_sync_index_lines_total",
      help: "Lines of the index of new versions: taken, ignored, private, repeated, malformed.",
      labelNames: ["outcome"],
      registers,
    });
    this.#webhooks = new Counter({
      name: "granary_webhooks_total",
      help: "Deliveries of webhooks: accepted, replayed, ignored, pong, refused.",
      labelNames: ["forge", "outcome"],
      registers,
    });
    this.#turns = new Counter({
      name: "granary_turns_total",
      help: "Fetch jobs and their turns among the nodes: taken, waited (for another's), spared (it had left what was wanted), alone, lost.",
      labelNames: ["outcome"],
      registers,
    });
    this.#s3 = new Counter({
      name: "granary_s3_requests_total",
      help: "Requests to the S3 service: get, head, put, list, delete, part and others.",
      labelNames: ["request"],
      registers,
    });
    this.#far = new Counter({
      name: "granary_shared_store_calls_total",
      help: "Calls of the shared store by how they ended: ok, failed, refused (not sent, because it is out of reach).",
      labelNames: ["call", "outcome"],
      registers,
    });
    this.#tier = new Counter({
      name: "granary_tier_reads_total",
      help: "Reads of objects that never change, by where they were found: memory, near, far.",
      labelNames: ["from"],
      registers,
    });
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Connects what is read at scrape time. */
  watch(gauges: Gauges): void {
    const registers = [this.#registry];
    const requests = new Counter({
      name: "granary_requests_total",
      help: "Answers by kind and outcome; error answers by code.",
      labelNames: ["kind", "outcome"],
      registers,
      collect: () => {
        requests.reset();
        for (const { kind, outcome, count } of gauges.requests()) requests.inc({ kind, outcome }, count);
      },
    });
    const relayed: Counter = new Counter({
      name: "granary_relayed_requests_total",
      help: "Requests that worker processes passed on to the owner of the store.",
      registers,
      collect: () => {
        relayed.reset();
        relayed.inc(gauges.relayed());
      },
    });
    const plain: readonly (readonly [string, string, () => number])[] = [
      ["granary_hot_cache_bytes", "Bytes of ready-made answers in memory.", gauges.hotBytes],
      ["granary_hot_cache_entries", "Ready-made answers in memory.", gauges.hotEntries],
      ["granary_connections", "Open client connections.", gauges.connections],
      ["granary_workers", "Worker processes running.", gauges.workers],
      ["granary_jobs", "Fetch jobs running.", gauges.jobs],
      ["granary_ahead_jobs", "Files that are fetched ahead now, or wait to be.", gauges.ahead],
      ["granary_ahead_habit_bytes", "Memory of what clients ask for after what.", gauges.habitBytes],
      ["granary_negative_entries", "Remembered absences.", gauges.negativeEntries],
      ["granary_upstream_open_connections", "Connections to upstreams.", () => gauges.pool().open],
      ["granary_upstream_idle_connections", "Connections to upstreams that carry nothing.", () => gauges.pool().idle],
      [
        "granary_upstream_waiting_requests",
        "Requests that wait for an upstream's header.",
        () => gauges.pool().waiting,
      ],
      [
        "granary_upstream_reuse_ratio",
        "Share of requests that found an idle connection, since the start.",
        () => reuse(gauges),
      ],
    ];
    for (const [name, help, read] of plain) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
    }
    this.#watchDisk(gauges);
    const room = new Gauge({
      name: "granary_upstream_requests_now",
      help: "Requests to an upstream that run or wait, and how many may run at a time.",
      labelNames: ["upstream", "state"],
      registers,
      collect: () => {
        room.reset();
        for (const { upstream, limit, running, waiting } of gauges.lanes()) {
          room.set({ upstream, state: "limit" }, limit);
          room.set({ upstream, state: "running" }, running);
          room.set({ upstream, state: "waiting" }, waiting);
        }
      },
    });
    const totals: readonly (readonly [string, string, () => number])[] = [
      ["granary_upstream_new_connections_total", "Connections opened to upstreams.", () => gauges.pool().opened],
      ["granary_upstream_failed_connections_total", "Connections that did not come about.", () => gauges.pool().failed],
      [
        "granary_upstream_reused_connections_total",
        "Requests that found an idle connection.",
        () => gauges.pool().reused,
      ],
    ];
    for (const [name, help, read] of totals) {
      const counter: Counter = new Counter({
        name,
        help,
        registers,
        collect: () => {
          counter.reset();
          counter.inc(read());
        },
      });
    }
    const health = new Gauge({
      name: "granary_upstream_condition",
      help: "1 for the condition an upstream is in: closed (asked), open (not asked), trial, held.",
      labelNames: ["upstream", "condition"],
      registers,
      collect: () => {
        health.reset();
        for (const { upstream, condition } of gauges.upstreams()) health.set({ upstream, condition }, 1);
      },
    });
  }

  /** Connects what a server knows that has other nodes beside it. */
  watchCluster({ isUp, nodes }: ClusterGauges): void {
    const registers = [this.#registry];
    const plain: readonly (readonly [string, string, () => number])[] = [
      [
        "granary_coordination_up",
        "1 while nodes take turns through Redis, 0 while each goes on by itself.",
        () => (isUp() ? 1 : 0),
      ],
      ["granary_cluster_nodes", "Nodes that said lately that they are there, this one included.", () => nodes().length],
    ];
    for (const [name, help, read] of plain) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
    }
    const skew = new Gauge({
      name: "granary_node_load_skew",
      help: "A node's requests of the last minute divided by the mean of all nodes: 1 when they are asked alike.",
      labelNames: ["node"],
      registers,
      collect: () => {
        skew.reset();
        for (const { node, skew: share } of nodes()) skew.set({ node }, share);
      },
    });
  }

  /** What cannot be known is left out, not told as 0. */
  #watchDisk({ store, tiers, awaitMs, heapShare, alarms, sync }: Gauges): void {
    const registers = [this.#registry];
    const known: readonly (readonly [string, string, () => number | undefined])[] = [
      ["granary_near_bytes", "Bytes of this node's copies on disk that are known.", () => tiers()?.near.bytes],
      ["granary_near_objects", "Copies on this node's disk that are known.", () => tiers()?.near.objects],
      ["granary_near_memory_bytes", "Bytes of small objects in memory.", () => tiers()?.memory.bytes],
      ["granary_upload_queue_bytes", "Bytes that wait to be uploaded.", () => tiers()?.queue.bytes],
      ["granary_upload_queue_objects", "Objects that wait to be uploaded.", () => tiers()?.queue.objects],
      [
        "granary_shared_store_up",
        "1 while the shared store answers.",
        () => tiers() && (tiers()?.away === undefined ? 1 : 0),
      ],
      ["granary_store_free_bytes", "Free bytes of the store's file system, as last seen.", () => store().free],
      ["granary_store_total_bytes", "Size of the store's file system.", () => store().total],
      ["granary_store_free_inodes", "Files that can still be made on it.", () => store().freeInodes],
      ["granary_store_total_inodes", "Files that it can hold.", () => store().totalInodes],
      ["granary_store_low_water_bytes", "Free bytes below which nothing new is taken.", () => store().mark],
      [
        "granary_store_open",
        "1 while new versions are taken, 0 while the disk forbids it.",
        () => (store().isOpen ? 1 : 0),
      ],
      [
        "granary_store_write_seconds",
        "Mean time of small durable writes (write, fsync, link, fsync of the folder) over the last 30 s.",
        () => ofMs(awaitMs()),
      ],
      ["granary_heap_share", "Used part of the heap's limit, 0 to 1.", heapShare],
      ["granary_sync_pending", "Announced versions that are not in `list` yet.", () => sync().pending],
      [
        "granary_sync_oldest_seconds",
        "Age of the oldest announcement of a webhook that is not in `list` yet; normal up to 90, alarm above 300.",
        () => sync().delayMs / 1000,
      ],
      [
        "granary_verification_failure_ratio",
        "Share of what upstreams gave in the last whole window of 5 min that did not verify; normal 0, alarm after 3 windows above 0.001.",
        () => sync().failureShare,
      ],
    ];
    for (const [name, help, read] of known) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers,
        collect: () => {
          const value = read();
          if (value === undefined) gauge.remove();
          else gauge.set(value);
        },
      });
    }
    const raised = new Gauge({
      name: "granary_alarm",
      help: "1 while an alarm is raised: heap, disk-await, low-space, store-closed, sync-delay, verify-failures.",
      labelNames: ["alarm"],
      registers,
      collect: () => {
        for (const { name, raisedMs } of alarms()) raised.set({ alarm: name }, raisedMs === undefined ? 0 : 1);
      },
    });
  }

  upstreamRequest(upstream: string, kind: string, outcome: string, bytes: number): void {
    this.#upstream.inc({ upstream, kind, outcome });
    if (bytes > 0) this.#upstreamBytes.inc({ upstream, kind }, bytes);
  }

  ingestStep(step: string, ms: number): void {
    this.#steps.observe({ step }, ms / 1000);
  }

  ingestRefused(reason: string): void {
    this.#refused.inc({ reason });
  }

  ahead(kind: string, outcome: string): void {
    this.#ahead.inc({ kind, outcome });
  }

  privateNameKept(client: string): void {
    if (this.#clients.size < maxClients) this.#clients.add(client);
    this.#kept.inc({ client: this.#clients.has(client) ? client : "other" });
  }

  syncDelay(source: string, ms: number): void {
    this.#delays.observe({ source }, ms / 1000);
  }

  indexLines(outcome: string, count: number): void {
    if (count > 0) this.#indexLines.inc({ outcome }, count);
  }

  webhook(forge: string, outcome: string): void {
    this.#webhooks.inc({ forge, outcome });
  }

  turn(outcome: string): void {
    this.#turns.inc({ outcome });
  }

  s3Request(request: string): void {
    this.#s3.inc({ request });
  }

  farCall(call: string, outcome: string): void {
    this.#far.inc({ call, outcome });
  }

  tierRead(from: string): void {
    this.#tier.inc({ from });
  }

  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

function ofMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function reuse(gauges: Gauges): number {
  const { requests, reused } = gauges.pool();
  return requests === 0 ? 0 : reused / requests;
}
