// One alarm: quiet, raised, quiet again. A level is a measure divided by its limit.
//
//   quiet ── level > 1 for `holdMs` ──> raised ── level < 0.9 for `calmMs` ──> quiet
//
// A short peak raises nothing, and a measure that swings about its limit does not ring at each swing.

export type AlarmTimes = {
  /** So long beyond the limit, without a break, raises it. 0: at once. */
  readonly holdMs: number;
  /** So long below the limit by the margin clears it. */
  readonly calmMs: number;
};

/** What a look changed; undefined for nothing. */
export type AlarmChange = "raised" | "cleared";

/** A raised alarm is cleared below this level only. */
const calmLevel = 0.9;

export class Alarm {
  readonly #times: AlarmTimes;
  #raisedMs: number | undefined;
  /** Since when the level speaks for the other state. */
  #turnedMs: number | undefined;

  constructor(times: AlarmTimes) {
    this.#times = times;
  }

  /** When it was raised; undefined while it is quiet. */
  get raisedMs(): number | undefined {
    return this.#raisedMs;
  }

  /** @param level undefined when nothing was measured: then nothing changes, and nothing counts as held */
  look(level: number | undefined, nowMs: number): AlarmChange | undefined {
    const isRaised = this.#raisedMs !== undefined;
    const speaksForChange = level !== undefined && (isRaised ? level < calmLevel : level > 1);
    if (!speaksForChange) {
      this.#turnedMs = undefined;
      return undefined;
    }
    this.#turnedMs ??= nowMs;
    if (nowMs - this.#turnedMs < (isRaised ? this.#times.calmMs : this.#times.holdMs)) return undefined;
    this.#turnedMs = undefined;
    this.#raisedMs = isRaised ? undefined : nowMs;
    return isRaised ? "cleared" : "raised";
  }
}
