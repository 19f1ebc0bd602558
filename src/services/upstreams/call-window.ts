// How many calls ended in the last while, and how many of them badly: a ring of one-second buckets.

const bucketMs = 1000;

type Bucket = { second: number; calls: number; failures: number };

export class CallWindow {
  readonly #buckets: readonly Bucket[];

  /** @param maxMs the longest span that will be asked for; memory is a bucket for each of its seconds */
  constructor(maxMs: number) {
    this.#buckets = Array.from({ length: Math.ceil(maxMs / bucketMs) }, () => ({ second: -1, calls: 0, failures: 0 }));
  }

  add(nowMs: number, failed: boolean): void {
    const second = Math.floor(nowMs / bucketMs);
    const bucket = this.#buckets[second % this.#buckets.length];
    if (bucket === undefined) return; // a ring without buckets remembers nothing
    if (bucket.second !== second) Object.assign(bucket, { second, calls: 0, failures: 0 });
    bucket.calls++;
    if (failed) bucket.failures++;
  }

  /** Calls that ended in the last `spanMs`, to the second. */
  calls(nowMs: number, spanMs: number): number {
    return this.#sum(nowMs, spanMs).calls;
  }

  /** The share of failures among them, 0 when there were none. */
  share(nowMs: number, spanMs: number): number {
    const { calls, failures } = this.#sum(nowMs, spanMs);
    return calls === 0 ? 0 : failures / calls;
  }

  #sum(nowMs: number, spanMs: number): { calls: number; failures: number } {
    const last = Math.floor(nowMs / bucketMs);
    const first = last - Math.ceil(spanMs / bucketMs);
    const total = { calls: 0, failures: 0 };
    for (const { second, calls, failures } of this.#buckets) {
      if (second <= first || second > last) continue;
      total.calls += calls;
      total.failures += failures;
    }
    return total;
  }
}
