// Which phase of an exchange is under way, and how long the earlier ones took. A phase ends when the next one begins.

import type { Phase, Phases } from "#services/analysers/http-ports.ts";

const nameOf = { dns: "dnsMs", tcp: "tcpMs", tunnel: "tunnelMs", tls: "tlsMs", answer: "firstByteMs" } as const;

export class Stopwatch {
  readonly #begunAt = performance.now();
  readonly #times: { -readonly [K in keyof Phases]?: number } = {};
  #since = this.#begunAt;
  #phase: Phase | undefined;

  get phase(): Phase {
    return this.#phase ?? "tcp";
  }

  enter(phase: Phase): void {
    const now = performance.now();
    if (this.#phase !== undefined && this.#phase !== "body") this.#times[nameOf[this.#phase]] = now - this.#since;
    this.#phase = phase;
    this.#since = now;
  }

  /** A phase that was begun and did not end has no time. */
  phases(): Phases {
    return { ...this.#times, totalMs: performance.now() - this.#begunAt };
  }
}
