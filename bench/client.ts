// A load generator of our own on raw sockets: used where a number of requests matters more than a rate, and for
// everything when wrk is not there. HTTP/1.1 keep-alive, one request at a time per connection.
import { connect } from "node:net";
import type { Socket } from "node:net";

export type LoadResult = {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Broken connections, timeouts, and answers with a status nobody expected. */
  readonly errors: number;
};

export type Hammer = {
  readonly base: string;
  readonly connections: number;
  /** The next request target, or undefined when there are no more. */
  readonly next: () => string | undefined;
  readonly isExpected: (status: number) => boolean;
};

/** Connections that break before the first answer: past this there is no server. */
const maxBroken = 2_000;
/** Answers are small or counted only: headers beyond this are no server of ours. */
const maxHeader = 32_768;

/** Asks until `next` says there is no more. */
export async function hammer(plan: Hammer): Promise<LoadResult> {
  const run: Run = { plan, latencies: [], bytes: 0, errors: 0 };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: plan.connections }, () => oneConnection(run)));
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const sorted = Float64Array.from(run.latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    requests: sorted.length,
    seconds,
    bytes: run.bytes,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    errors: run.errors,
  };
}

type Run = { readonly plan: Hammer; readonly latencies: number[]; bytes: number; errors: number };

/** One connection until the targets end; a broken one is counted and opened again. */
async function oneConnection(run: Run): Promise<void> {
  for (;;) {
    const how = await new Promise<"done" | "broken">((resolve) => new Connection(run, resolve).open());
    if (how === "done") return;
    run.errors++;
    if (run.errors > maxBroken && run.latencies.length === 0) throw new Error(`nobody answers at ${run.plan.base}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

class Connection {
  readonly #run: Run;
  readonly #over: (how: "done" | "broken") => void;
  readonly #socket: Socket;
  readonly #tail: string;
  #since = 0;
  #header = "";
  #inBody = false;
  #left = 0;
  /** The end of a chunked body, kept to see its last chunk. */
  #chunks: Buffer | undefined;

  constructor(run: Run, over: (how: "done" | "broken") => void) {
    this.#run = run;
    this.#over = over;
    const { hostname, port, host } = new URL(run.plan.base);
    this.#tail = ` HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
  }

  open(): void {
    this.#socket.once("connect", () => this.#ask());
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.once("close", () => this.#over("broken"));
  }

  #ask(): void {
    const target = this.#run.plan.next();
    if (target === undefined) {
      this.#socket.removeAllListeners("close").destroy();
      this.#over("done");
      return;
    }
    this.#since = performance.now();
    this.#socket.write(`GET ${target}${this.#tail}`, "latin1");
  }

  #take(chunk: Buffer): void {
    this.#run.bytes += chunk.length;
    if (this.#inBody) this.#body(chunk);
    else this.#head(chunk);
  }

  #head(chunk: Buffer): void {
    const before = this.#header.length;
    this.#header += chunk.toString("latin1", 0, Math.min(chunk.length, maxHeader));
    const end = this.#header.indexOf("\r\n\r\n");
    if (end === -1) {
      if (this.#header.length > maxHeader) this.#socket.destroy();
      return;
    }
    const header = this.#header.slice(0, end);
    this.#header = "";
    this.#inBody = true;
    if (!this.#run.plan.isExpected(Number(header.slice(9, 12)))) this.#run.errors++;
    this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(header)?.[1] ?? 0);
    this.#chunks = /\r\ntransfer-encoding: *chunked/i.test(header) ? Buffer.alloc(0) : undefined;
    this.#body(chunk.subarray(end + 4 - before));
  }

  #body(chunk: Buffer): void {
    this.#left -= chunk.length;
    if (this.#chunks !== undefined) {
      this.#chunks = Buffer.concat([this.#chunks, chunk]).subarray(-7);
      if (!this.#chunks.toString("latin1").endsWith("0\r\n\r\n")) return;
    } else if (this.#left > 0) return;
    this.#inBody = false;
    this.#run.latencies.push(performance.now() - this.#since);
    this.#ask();
  }
}

/** GETs one URL whole; throws on a status that is not 200. */
export async function getBytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${body.toString("utf8", 0, 300)}`);
  return body;
}

/** Runs `work` on every item, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
