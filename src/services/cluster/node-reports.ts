// What this node says of itself every five seconds, and what the others said: who is there, and who is asked how much.

import type { Clock } from "#services/store/ports.ts";
import type { NodeReport, Nodes } from "./ports.ts";
import { CoordinationDown, nodeReportMs } from "./ports.ts";

const minuteMs = 60_000;
/** Nodes that are shown; a cluster has fewer. */
const maxNodes = 100;

export type NodeReportsUse = {
  readonly nodes: Nodes;
  readonly node: string;
  readonly version: string;
  /** Requests answered since the start. */
  readonly requests: () => Promise<number>;
  /** For how long something takes. */
  readonly clock: Clock;
  /** For the time that is told to others. */
  readonly wall: Pick<Clock, "now">;
};

/** A node as it is shown. */
export type NodeView = NodeReport & {
  readonly isSelf: boolean;
  /** Its requests of the last minute ÷ the mean of all nodes: 1 when they are asked alike. */
  readonly skew: number;
};

export class NodeReports {
  readonly #use: NodeReportsUse;
  /** Requests so far, and when, over the last minute. */
  readonly #counts: { readonly requests: number; readonly ms: number }[] = [];
  #others: readonly NodeReport[] = [];
  #own: NodeReport;

  constructor(use: NodeReportsUse) {
    this.#use = use;
    this.#own = this.#reportOf({ requests: 0, perSecond: 0 });
    this.#counts.push({ requests: 0, ms: use.clock.now() });
  }

  /** This node and those heard of lately; this one alone while nobody can say. */
  get views(): readonly NodeView[] {
    const all = [this.#own, ...this.#others];
    const mean = all.reduce((sum, { perSecond }) => sum + perSecond, 0) / all.length;
    const skewOf = ({ perSecond }: NodeReport): number => (mean > 0 ? perSecond / mean : 1);
    return all
      .map((report) => ({ ...report, isSelf: report === this.#own, skew: skewOf(report) }))
      .sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  /** Reports until it is stopped. */
  async run(stop: AbortSignal): Promise<void> {
    const isOver = (): boolean => stop.aborted;
    while (!isOver()) {
      // What was not said now is said next time.
      await this.report().catch(() => undefined);
      await this.#use.clock.sleep(nodeReportMs, stop).catch(() => undefined); // stopped
    }
  }

  /** Counts, says so, and hears of the others. */
  async report(): Promise<void> {
    const { nodes, node, clock } = this.#use;
    const requests = await this.#use.requests();
    const now = clock.now();
    while (this.#counts.length > 1 && now - (this.#counts[0]?.ms ?? now) > minuteMs) this.#counts.shift();
    const [first = { requests, ms: now }] = this.#counts;
    const seconds = (now - first.ms) / 1000;
    this.#counts.push({ requests, ms: now });
    const perSecond = seconds > 0 ? Math.max(0, requests - first.requests) / seconds : 0;
    this.#own = this.#reportOf({ requests, perSecond: Math.round(perSecond * 100) / 100 });
    try {
      await nodes.report(this.#own);
      this.#others = (await nodes.list()).filter((report) => report.node !== node).slice(0, maxNodes);
    } catch (error) {
      if (!(error instanceof CoordinationDown)) throw error;
      this.#others = [];
    }
  }

  #reportOf(counted: Pick<NodeReport, "requests" | "perSecond">): NodeReport {
    const { node, version, wall } = this.#use;
    return { node, version, ...counted, atMs: wall.now() };
  }
}
