// The record of one request that left the house (`egress.request`): told once, when its answer has ended.

import type { GranaryEvent } from "#services/events/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";

export type Audited = {
  readonly upstream: string;
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly path: string;
};

export class RequestRecord {
  readonly #tell: (event: GranaryEvent) => void;
  readonly #request: Audited;
  readonly #began = performance.now();
  #status = 0;
  #bytes = 0;
  #isTold = false;

  constructor(request: Audited, tell: (event: GranaryEvent) => void) {
    this.#request = request;
    this.#tell = tell;
  }

  answered(status: number): void {
    this.#status = status;
  }

  /** Tells, unless it was told before. */
  end(outcome: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const { upstream, method, url, path } = this.#request;
    this.#tell({
      name: "egress.request",
      upstream,
      method,
      host: url.host,
      path: path.replace(/\?.*$/s, ""),
      status: this.#status,
      outcome,
      bytes: this.#bytes,
      ms: Math.round(performance.now() - this.#began),
    });
  }

  failed(error: unknown): void {
    this.end(error instanceof UpstreamFault ? error.reason : "failed");
  }

  /** The body, counted. */
  async *of(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        this.#bytes += chunk.length;
        yield chunk;
      }
      this.end("ok");
    } catch (error) {
      this.failed(error);
      throw error;
    } finally {
      this.end("cancelled");
    }
  }
}
