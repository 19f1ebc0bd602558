// What nodes over one store agree on beside it: whose turn it is, what is absent, how often somebody asked, what
// changed, who is there.
//
// None of this is what makes a node safe: the store never overwrites. It spares work and tells sooner. So every call
// here may fail with CoordinationDown, soon, and every caller goes on without.

/** Longest time a call waits for an answer before the node goes on by itself. */
export const coordinationTimeoutMs = 100;

/** Nobody can say: the service is out of reach, or too slow. */
export class CoordinationDown extends Error {
  override readonly name = "CoordinationDown";
}

/** A turn that is ours: others are refused it until it ends. Renewed by itself while this process runs. */
export interface Turn {
  /** Grows each time the name is taken, over all nodes: of two that both believe to have it, the later one has more. */
  readonly fence: number;
  /**
   * Aborts when the turn may be another's by now: it was not renewed in time. Read it anew before a step that matters: each
   * reading looks at the clock, which a process that was stopped for a while finds far ahead.
   */
  readonly lost: AbortSignal;
  /** Gives it back, and wakes those who wait. Idempotent; never throws. */
  end(): Promise<void>;
}

/** Turns by name, each for at most one node at a time. */
export interface Turns {
  /** Undefined while another has it. Throws CoordinationDown. */
  take(name: string): Promise<Turn | undefined>;
  /** Resolves when the turn of another has ended or may have: at the latest after `maxMs`, or when the signal aborts. Never throws. */
  ended(name: string, maxMs: number, signal: AbortSignal): Promise<void>;
}

/** What an upstream does not have, as one node learnt it. */
export type SharedAbsence = {
  readonly reason: string;
  readonly by: string;
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  readonly untilMs: number;
};

/** Bounded in number by whoever implements it; an absence ends by itself. */
export interface SharedAbsences {
  /** Throws CoordinationDown. */
  find(key: string): Promise<SharedAbsence | undefined>;
  /** Throws CoordinationDown. */
  add(key: string, absence: SharedAbsence): Promise<void>;
  /** All that was said under these keys. Throws CoordinationDown. */
  forget(keys: readonly string[]): Promise<void>;
}

/** One client's rate over all nodes, with the rule of services/access/limiter.ts. */
export interface SharedRates {
  /** Counts one request. 0: it passes; else the milliseconds that are left of the pause. Throws CoordinationDown. */
  admit(key: string, rule: { readonly perSecond: number; readonly coolDownMs: number }): Promise<number>;
}

/** Something that other nodes hold in memory is no longer so. */
export type Notice =
  /** A module was published, refreshed, held or freed: forget what was said about it and its neighbours. */
  | { readonly about: "module"; readonly path: string }
  /** An object was removed or replaced: a copy of it is old. */
  | { readonly about: "object"; readonly key: string }
  /** Somebody waits for what this turn is for: whoever has it for nobody hurries. */
  | { readonly about: "turn"; readonly name: string }
  /** What everybody reads again from the store: tokens, held versions. */
  | { readonly about: "state"; readonly key: string };

export interface Notices {
  /** Tells the other nodes; those that cannot be reached find out by looking, as without this. Throws CoordinationDown. */
  tell(notice: Notice): Promise<void>;
  /** Hears what other nodes tell, never our own. `missed` is called when some may not have come through. Returns how to stop. */
  hear(listener: { readonly told: (notice: Notice) => void; readonly missed: () => void }): () => void;
}

/** One node, as it last said of itself. */
export type NodeReport = {
  readonly node: string;
  readonly version: string;
  /** Requests answered since its start. */
  readonly requests: number;
  /** Requests a second over the last minute. */
  readonly perSecond: number;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
};

/** How often a node reports; one that missed three counts as gone. */
export const nodeReportMs = 5_000;

export interface Nodes {
  /** Says that this node is there, for three times nodeReportMs. Throws CoordinationDown. */
  report(report: NodeReport): Promise<void>;
  /** Those that reported lately. Throws CoordinationDown. */
  list(): Promise<readonly NodeReport[]>;
}

/** All of it, from one service. */
export interface Coordination {
  readonly turns: Turns;
  readonly absences: SharedAbsences;
  readonly rates: SharedRates;
  readonly notices: Notices;
  readonly nodes: Nodes;
  /** False while calls fail at once, to be tried again a little later. */
  readonly isUp: boolean;
  close(): Promise<void>;
}
