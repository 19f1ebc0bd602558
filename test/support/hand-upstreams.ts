// Upstreams that say nothing until a test says it for them.
import type { FaultReason, UpstreamClient, UpstreamEndpoint, UpstreamRequest } from "#services/upstreams/ports.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";

/** One request on its way, and the words of whoever was asked. */
export class HandCall {
  readonly upstream: string;
  readonly request: UpstreamRequest;
  readonly #head = Promise.withResolvers<UpstreamResponse>();
  readonly #chunks: (Uint8Array | "end" | UpstreamFault)[] = [];
  #wake: () => void = () => undefined;
  /** True once the body was let go of or read to its end. */
  isClosed = false;

  constructor(upstream: string, request: UpstreamRequest) {
    this.upstream = upstream;
    this.request = request;
    const stop = (): void => {
      const fault = new UpstreamFault(upstream, "aborted", "given up");
      this.#head.reject(fault);
      this.#say(fault);
    };
    if (request.signal.aborted) stop();
    else request.signal.addEventListener("abort", stop, { once: true });
  }

  get answer(): Promise<UpstreamResponse> {
    return this.#head.promise;
  }

  get isAborted(): boolean {
    return this.request.signal.aborted;
  }

  /** The response header comes; the body follows by send() and end(). */
  head(status = 200, headers: Readonly<Record<string, string>> = {}): this {
    const { upstream: name, request } = this;
    const close = (): void => void (this.isClosed = true);
    this.#head.resolve({
      status,
      headers,
      url: `https://${name}.test${request.path}`,
      body: this.#body(),
      cancel: close,
    });
    return this;
  }

  send(bytes: Uint8Array | string): this {
    this.#say(Buffer.from(bytes));
    return this;
  }

  end(): void {
    this.#say("end");
  }

  /** A whole answer at once. */
  whole(text: string, status = 200): void {
    this.head(status).send(text).end();
  }

  /** It breaks off, before or within the body. */
  fail(reason: FaultReason): void {
    const fault = new UpstreamFault(this.upstream, reason, reason);
    this.#head.reject(fault);
    this.#say(fault);
  }

  #say(what: Uint8Array | "end" | UpstreamFault): void {
    this.#chunks.push(what);
    this.#wake();
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const next = this.#chunks.shift();
        if (next === "end") return;
        if (next instanceof UpstreamFault) throw next;
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.isClosed = true;
    }
  }
}

export class HandUpstreams implements UpstreamClient {
  /** Every request, in the order of asking. */
  readonly calls: HandCall[] = [];

  async get({ name }: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    const call = new HandCall(name, request);
    this.calls.push(call);
    return await call.answer;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Who was asked, in order: `aab`. */
  get asked(): string {
    return this.calls.map(({ upstream }) => upstream).join("");
  }

  /** The n-th request to an upstream, counted from 0. Throws when there was none. */
  call(upstream: string, n = 0): HandCall {
    const call = this.calls.filter((each) => each.upstream === upstream)[n];
    if (call === undefined) throw new Error(`${upstream} was not asked ${n + 1} times, only ${this.asked} were`);
    return call;
  }
}
