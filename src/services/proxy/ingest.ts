// An ingest as named steps: each is timed, and when one fails, what the steps before it did is undone, newest first.
//
//   step      what it does                                          what is undone when a later step fails
//   resolve   look at what is kept; wait for an upstream that       nothing: it only looked
//             begins to answer
//   admit     is there room, does the disk take writes              nothing
//   fetch     the bytes, in memory or into a stage                  the stage is thrown away
//   prove     the checksum database's record, beside fetch          nothing: a proven record is true whatever comes of us
//   verify    structure, Go's rules, hashes; what is wrong goes     nothing: evidence stays in quarantine
//             to quarantine
//   keep      files, then the manifest, then the list               nothing: it is the last that can fail
//   notify    the event; retries, own log, shadows hear of it       -
//
// A step that fails by itself cleans up itself: a fetch that breaks off leaves what came for the next upstream, a keep
// that cannot go on takes back the files that no manifest names. `fetch`, `prove` and `verify` belong to one upstream's
// answer and happen again with the next one; the others happen once.

import type { IngestStep, Meter } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";

export type IngestUse = { readonly clock: Clock; readonly meter: Meter };

type StepWork<T> = {
  readonly run: () => Promise<T> | T;
  /** Takes back what `run` did, after a later step of the same sequence failed with `error`. */
  readonly undo?: (error: unknown) => Promise<void>;
};

/** Runs a step. Steps may overlap; each is timed by itself. */
export type Steps = <T>(name: IngestStep, work: StepWork<T>) => Promise<T>;

/**
 * Runs a sequence of steps. When it fails, what its finished steps did is undone before the failure is thrown on. An undo
 * that fails hides nothing: the failure that came first tells more, and what stays is found by the next opening or keep.
 */
export async function inSteps<T>(use: IngestUse, sequence: (step: Steps) => Promise<T>): Promise<T> {
  const undos: ((error: unknown) => Promise<void>)[] = [];
  const step: Steps = async (name, { run, undo }) => {
    const result = await timed(use, name, run);
    if (undo !== undefined) undos.push(undo);
    return result;
  };
  try {
    return await sequence(step);
  } catch (error) {
    for (const undo of undos.reverse()) await undo(error).catch(() => undefined);
    throw error;
  }
}

async function timed<T>({ clock, meter }: IngestUse, name: IngestStep, run: () => Promise<T> | T): Promise<T> {
  const started = clock.now();
  try {
    return await run();
  } finally {
    meter.ingestStep(name, clock.now() - started);
  }
}

/** The wait for an upstream that begins to answer: part of `resolve`, and over each time `accept` is called. */
export class Wait {
  readonly #use: IngestUse;
  #sinceMs: number;

  constructor(use: IngestUse) {
    this.#use = use;
    this.#sinceMs = use.clock.now();
  }

  over(): void {
    this.#use.meter.ingestStep("resolve", this.#use.clock.now() - this.#sinceMs);
  }

  /** That answer was no good: the next one is waited for. */
  again(): void {
    this.#sinceMs = this.#use.clock.now();
  }
}
