// How long upstreams take to the first byte of a small file: what is usual for each, and when it is worth asking a
// second time because an answer is late.

import { CallWindow } from "./call-window.ts";

/** Samples remembered of one upstream; older ones than `maxAgeMs` do not count. */
const maxSamples = 256;
const maxAgeMs = 10 * 60_000;
/** With fewer a percentile is a rumour. */
const minSamples = 20;
/** Percentiles are computed anew after so many samples: sorting for each request would cost more than it tells. */
const refreshEvery = 16;

/** A second request is never sent sooner, and never waits longer, whatever the percentile says. */
const minHedgeMs = 50;
const maxHedgeMs = 2_000;
/** What counts as late of one that is not known yet. */
const unknownMs = 1_000;
/** Share of requests that may be second ones, over a minute: four times what is late on a good day. */
const maxHedged = 0.2;
const minuteMs = 60_000;

type Samples = {
  readonly ms: Float64Array;
  readonly at: Float64Array;
  count: number;
  quantiles: { readonly p50: number; readonly p95: number } | undefined;
};

export class Latency {
  readonly #clock: { now(): number };
  readonly #samples = new Map<string, Samples>();
  /** Requests; "failed" ones are those sent because another was late. */
  readonly #window = new CallWindow(minuteMs);

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  /** An upstream's first byte came after `ms`. */
  add(upstream: string, ms: number): void {
    const samples = this.#samplesOf(upstream);
    const at = samples.count % maxSamples;
    samples.ms[at] = ms;
    samples.at[at] = this.#clock.now();
    samples.count++;
    if (samples.count % refreshEvery === 0 || samples.count === minSamples)
      samples.quantiles = this.#quantiles(samples);
    this.#window.add(this.#clock.now(), false);
  }

  /** Half of the answers, and nineteen of twenty, came within; undefined while too little is known. */
  of(upstream: string): { readonly p50: number; readonly p95: number } | undefined {
    return this.#samples.get(upstream)?.quantiles;
  }

  /** After how many milliseconds an answer is late, as this upstream's answers go. */
  lateMs(upstream: string): number {
    return Math.min(Math.max(this.of(upstream)?.p95 ?? unknownMs, minHedgeMs), maxHedgeMs);
  }

  /** After how many milliseconds a second request is worth it; undefined when enough were sent. */
  hedgeMs(upstream: string): number | undefined {
    return this.#window.share(this.#clock.now(), minuteMs) >= maxHedged ? undefined : this.lateMs(upstream);
  }

  /** A second request was sent. */
  hedged(): void {
    this.#window.add(this.#clock.now(), true);
  }

  #samplesOf(upstream: string): Samples {
    let samples = this.#samples.get(upstream);
    if (samples === undefined) {
      samples = { ms: new Float64Array(maxSamples), at: new Float64Array(maxSamples), count: 0, quantiles: undefined };
      this.#samples.set(upstream, samples);
    }
    return samples;
  }

  #quantiles({ ms, at, count }: Samples): Samples["quantiles"] {
    const oldest = this.#clock.now() - maxAgeMs;
    const recent = ms
      .subarray(0, Math.min(count, maxSamples))
      .filter((_, i) => (at[i] ?? 0) >= oldest)
      .sort();
    if (recent.length < minSamples) return undefined;
    const at95 = Math.min(recent.length - 1, Math.ceil(recent.length * 0.95) - 1);
    return { p50: recent[Math.ceil(recent.length / 2) - 1] ?? 0, p95: recent[at95] ?? 0 };
  }
}
