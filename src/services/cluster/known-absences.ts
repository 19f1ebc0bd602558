// Absences that one node learnt, for the others: asked for only when a node would otherwise ask upstreams.
//
// What was said of a module is forgotten when it is published, refreshed, held or freed. Keys with a version in them
// cannot be listed, so nothing is removed: a mark says that it happened, and while the mark lasts nothing said of that
// module, of those below it and of those above it is believed.
//
//   golang.org/x/text@v9.9.9     an absence: the key of services/proxy/negative.ts
//   at golang.org/x/text         a mark: forget what was said of this path and of all below it
//   below golang.org/x           a mark: something below this path was forgotten, that this is no module too
//
// A mark outlives every absence from before it, and by a while those of questions that were on their way. No two nodes'
// clocks are compared for it.

import type { Clock } from "#services/store/ports.ts";
import { CoordinationDown } from "./ports.ts";
import type { SharedAbsence, SharedAbsences } from "./ports.ts";

/** An answer that was on its way when a module was forgotten comes within this. */
const lateMs = 60_000;

/** A longer path costs more questions than an upstream. */
const maxElements = 16;

/** Longest key and reason, as services/proxy/negative.ts has them. */
const maxKey = 400;
const maxReason = 200;

export type KnownAbsencesUse = {
  readonly absences: SharedAbsences;
  /** The one that the absences' times are by. */
  readonly clock: Pick<Clock, "now">;
  /** How long an absence lasts. */
  readonly ttlMs: number;
};

/** An absence that counts here: how old it is, and how long it lasts, in milliseconds. */
export type KnownAbsence = {
  readonly reason: string;
  readonly by: string;
  readonly ageMs: number;
  readonly leftMs: number;
};

/** Every call ends soon; without coordination nothing is known and nothing is told. */
export class KnownAbsences {
  readonly #use: KnownAbsencesUse;

  constructor(use: KnownAbsencesUse) {
    this.#use = use;
  }

  /** What another node learnt of `key`, which is about the module `path`. */
  async find(path: string, key: string): Promise<KnownAbsence | undefined> {
    const { absences, clock, ttlMs } = this.#use;
    if (key.length > maxKey || elementsOf(path) > maxElements) return undefined;
    try {
      const found = await absences.find(key);
      if (found === undefined) return undefined;
      const now = clock.now();
      const ageMs = Math.max(0, now - found.sinceMs);
      // A node with a longer memory of its own may have told it; a mark outlives only absences as long as ours.
      const leftMs = Math.min(found.untilMs - now, ttlMs - ageMs);
      if (!(leftMs > 0) || (await this.#isForgotten(path))) return undefined;
      return { reason: found.reason.slice(0, maxReason), by: found.by.slice(0, maxReason), ageMs, leftMs };
    } catch (error) {
      undefinedWhenDown(error);
      return;
    }
  }

  /** Tells the others, and waits for nothing. */
  add(key: string, absence: Pick<SharedAbsence, "reason" | "by">): void {
    if (key.length > maxKey) return;
    const now = this.#use.clock.now();
    const { reason, by } = absence;
    const said = { reason: reason.slice(0, maxReason), by: by.slice(0, maxReason) };
    this.#use.absences.add(key, { ...said, sinceMs: now, untilMs: now + this.#use.ttlMs }).catch(() => undefined); // nobody waits for it
  }

  /** Nothing that was said of the module, of those below it and of those above it, is believed from now on. */
  async forget(path: string): Promise<void> {
    const { absences, clock, ttlMs } = this.#use;
    const now = clock.now();
    const mark = { reason: "forgotten", by: "", sinceMs: now, untilMs: now + ttlMs + lateMs };
    const marks = [`at ${path}`, ...aboveAndSelf(path).map((above) => `below ${above}`)];
    try {
      await Promise.all(marks.map((key) => absences.add(key, mark)));
    } catch (error) {
      undefinedWhenDown(error);
    }
  }

  async #isForgotten(path: string): Promise<boolean> {
    const marks = [`below ${path}`, ...aboveAndSelf(path).map((above) => `at ${above}`)];
    const found = await Promise.all(marks.map((key) => this.#use.absences.find(key)));
    return found.some((mark) => mark !== undefined);
  }
}

function undefinedWhenDown(error: unknown): undefined {
  if (!(error instanceof CoordinationDown)) throw error;
  return undefined;
}

function elementsOf(path: string): number {
  return path.split("/").length;
}

/** `a/b/c`, `a/b`, `a`. */
function aboveAndSelf(path: string): string[] {
  const elements = path.split("/").slice(0, maxElements);
  return elements.map((_, n) => elements.slice(0, n + 1).join("/")).reverse();
}
