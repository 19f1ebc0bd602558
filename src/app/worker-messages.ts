// What the owner of the store and its workers say to each other over the channel between the processes.

import type { Counted } from "#doors/http/counters.ts";
import type { Tls } from "#doors/http/listener.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import type { Use } from "#services/tending/ports.ts";
import type { Values } from "./config.ts";

/** The first word of a worker's command line; no command has such a name. */
export const workerWord = "@worker";

/** Numbers of one process, summed by the owner. */
export type Report = {
  readonly requests: readonly Counted[];
  readonly connections: number;
  readonly hotBytes: number;
  readonly hotEntries: number;
};

/** What versions a worker's answers used since it last said so. */
export type Used = readonly Use[];

/** Everything a worker is told at its start. */
export type WorkerStart = {
  readonly values: Values;
  /** What is kept may grow old, and only the owner knows how old it is. */
  readonly isEdge: boolean;
  readonly tls: Tls | undefined;
  /** Port 0 for the first workers when any free one will do. */
  readonly port: number;
  /** Connections this worker may hold. */
  readonly connections: number;
  /** The owner's private door. */
  readonly relay: { readonly path: string; readonly key: string };
};

export type ToWorker =
  | { readonly kind: "start"; readonly start: WorkerStart }
  | { readonly kind: "apply"; readonly values: Values; readonly isEdge: boolean }
  | { readonly kind: "renew"; readonly tls: Tls }
  | { readonly kind: "drain"; readonly deadlineMs: number }
  /** Answered with a report of the same number when it is done. */
  | { readonly kind: "forget"; readonly ask: number; readonly path: string }
  | { readonly kind: "report"; readonly ask: number };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "failed"; readonly code: string; readonly message: string }
  /** What happened in the worker that the owner should tell. */
  | { readonly kind: "event"; readonly event: GranaryEvent }
  /** Each second unasked, and in answer to a question. */
  | { readonly kind: "report"; readonly ask?: number; readonly report: Report; readonly used?: Used };
