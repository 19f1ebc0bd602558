// A connection that comes back by itself, and says at once when it is not there: no call waits for longer than its time,
// none is sent while the connection is not known to answer, none is sent later.
//
//   no connection    calls fail at once; a new one is tried after 50 ms, 100 ms, … 1 s
//   in doubt         a call or a heartbeat was not answered in time, or Redis said that it cannot: calls fail at once, and
//                    one question a second is asked until it is answered; after five seconds of silence a new connection
//   up               calls are sent

import { CoordinationDown, coordinationTimeoutMs } from "#services/cluster/ports.ts";
import { Refused } from "./_redis-wire.ts";
import type { Reply, Wire } from "./_redis-wire.ts";
import type { Script } from "./_redis-scripts.ts";

export type LinkOptions = {
  /** Not connected yet; `onBroken` may be called more than once. */
  readonly open: (onBroken: (error: unknown) => void) => Wire;
  /** Done with each new connection before it is used. */
  readonly prepare?: (wire: Wire) => Promise<void>;
  /** A question that shows that the service does its work; rejects when it does not. */
  readonly probe: (wire: Wire) => Promise<unknown>;
  /** Calls are sent again: a connection was made, or answers again. */
  readonly onUsable?: () => void;
  /** Longest wait for an answer. */
  readonly timeoutMs?: number;
  /** Only on a change, and not when the first question after a doubt is answered. */
  readonly onState: (state: LinkState, reason: string) => void;
  /** One line, without secrets. */
  readonly reasonOf: (error: unknown) => string;
};

/** Hears an answer that came too late. */
type OnLate = (reply: Reply) => void;

export type LinkState = "up" | "down";

const connectMs = 3_000;
const firstWaitMs = 50;
const maxWaitMs = 1_000;
/** A connection that lasted so long was a good one. */
const goodMs = 1_000;
const heartbeatMs = 2_000;
const restMs = 1_000;
const silentMs = 5_000;

/** What Redis says when it is there and does not do its work, at the front of the answer or within a script's. */
const unwilling = /\b(LOADING|CLUSTERDOWN|MASTERDOWN|OOM|MISCONF|NOAUTH|NOPERM|NOREPLICAS|BUSY|TRYAGAIN)\b/;
/** This connection will not do: its master has become a replica, or it is one node of a cluster. */
const isElsewhere = /\b(READONLY|MOVED)\b/;

export class RedisLink {
  readonly #options: LinkOptions;
  readonly #closed = new AbortController();
  readonly #over: Promise<void>;
  #wire: Wire | undefined;
  #breakWire: (error: unknown) => void = () => undefined;
  #isDoubted = false;
  #heardMs = 0;
  #state: LinkState | undefined;
  #reason = "not connected yet";

  /** Begins to connect. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#over = this.#live();
  }

  /** True while calls are sent. */
  get isUp(): boolean {
    return this.#wire !== undefined && !this.#isDoubted;
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? coordinationTimeoutMs;
  }

  /** What Redis answered. Throws CoordinationDown within coordinationTimeoutMs; its cause is Refused when Redis said no. */
  async call(key: string | undefined, args: readonly string[], late?: OnLate): Promise<Reply> {
    try {
      return await this.#send(key, args, late);
    } catch (error) {
      throw this.#down(error);
    }
  }

  /** The same for a script; all keys are in one slot. */
  async run(
    script: Script,
    keys: readonly [string, ...string[]],
    values: readonly string[],
    late?: OnLate,
  ): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...values];
    try {
      try {
        return await this.#send(keys[0], ["EVALSHA", script.sha1, ...rest], late);
      } catch (error) {
        if (!(error instanceof Refused && error.message.startsWith("NOSCRIPT"))) throw error;
        return await this.#send(keys[0], ["EVAL", script.text, ...rest], late);
      }
    } catch (error) {
      throw this.#down(error);
    }
  }

  /** Resolves when the first connection is there, or could not be made. */
  async first(ms: number): Promise<void> {
    const end = performance.now() + ms;
    // Whoever starts waits here with nothing else to do yet: the process must not take that for its end.
    const awake = setInterval(() => undefined, ms);
    while (this.#state === undefined && performance.now() < end) await pause(5, this.#closed.signal);
    clearInterval(awake);
  }

  async close(): Promise<void> {
    this.#reason = "closed";
    this.#closed.abort();
    this.#breakWire(new Error("closed"));
    await this.#over;
  }

  async #send(key: string | undefined, args: readonly string[], late: OnLate | undefined): Promise<Reply> {
    const wire = this.#wire;
    if (wire === undefined || this.#isDoubted) throw new CoordinationDown(this.#reason);
    try {
      const answer = await within(this.#timeoutMs, wire.send(key, args), late);
      this.#heardMs = performance.now();
      return answer;
    } catch (error) {
      this.#failed(wire, error);
      throw error;
    }
  }

  #down(error: unknown): CoordinationDown {
    if (error instanceof CoordinationDown) return error;
    const reason = this.#options.reasonOf(error);
    return new CoordinationDown(reason, error instanceof Refused ? { cause: new Refused(reason) } : {});
  }

  #tell(state: LinkState, reason: string): void {
    this.#reason = reason;
    if (this.#state === state || this.#closed.signal.aborted) return;
    this.#state = state;
    this.#options.onState(state, reason);
  }

  async #live(): Promise<void> {
    const closed = this.#closed.signal;
    for (let tries = 0; !closed.aborted; tries++) {
      const sinceMs = performance.now();
      const error = await this.#oneLife();
      this.#tell("down", this.#options.reasonOf(error));
      if (performance.now() - sinceMs > goodMs) tries = 0;
      const waitMs = Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(tries, 10));
      await pause(waitMs * (0.5 + Math.random() / 2), closed);
    }
  }

  /** Why it ended. */
  async #oneLife(): Promise<unknown> {
    let broke: (error: unknown) => void = () => undefined;
    const broken = new Promise((resolve) => (broke = resolve));
    this.#breakWire = broke;
    let wire: Wire | undefined;
    try {
      wire = this.#options.open(broke);
      const ready = this.#ready(wire);
      const failed = await Promise.race([
        within(connectMs, ready).then(() => undefined, asFailure),
        broken.then(asFailure),
      ]);
      if (failed !== undefined) return failed.error;
      if (this.#closed.signal.aborted) return undefined;
      this.#heardMs = performance.now();
      this.#isDoubted = false;
      this.#wire = wire;
      this.#tell("up", "connected");
      this.#options.onUsable?.();
      const beat = this.#beat(wire);
      const error = await broken;
      this.#wire = undefined;
      this.#tell("down", this.#options.reasonOf(error));
      wire.destroy();
      await beat;
      return error;
    } catch (error) {
      return error;
    } finally {
      this.#wire = undefined;
      wire?.destroy();
    }
  }

  async #ready(wire: Wire): Promise<void> {
    await wire.connect();
    await this.#options.prepare?.(wire);
    await this.#options.probe(wire);
  }

  #failed(wire: Wire, error: unknown): void {
    if (wire !== this.#wire || this.#isDoubted) return;
    if (error instanceof Refused) {
      if (isElsewhere.test(error.message)) {
        this.#breakWire(error);
        return;
      }
      if (!unwilling.test(error.message)) return;
    }
    void this.#doubt(wire, error);
  }

  async #beat(wire: Wire): Promise<void> {
    while (this.#wire === wire) {
      await pause(heartbeatMs, this.#closed.signal);
      if (this.#wire !== wire || this.#isDoubted) continue;
      const failed = await this.#ask(wire);
      if (failed !== undefined) this.#failed(wire, failed.error);
    }
  }

  async #ask(wire: Wire): Promise<{ readonly error: unknown } | undefined> {
    const failed = await within(this.#timeoutMs, this.#options.probe(wire)).then(() => undefined, asFailure);
    if (failed === undefined || failed.error instanceof Refused) this.#heardMs = performance.now();
    return failed;
  }

  /** Until a question is answered again, or the connection is given up. A single slow answer costs no more than a question. */
  async #doubt(wire: Wire, first: unknown): Promise<void> {
    this.#isDoubted = true;
    this.#reason = this.#options.reasonOf(first);
    while (this.#wire === wire) {
      const failed = await this.#ask(wire);
      if (this.#wire !== wire) return;
      if (failed === undefined) break;
      this.#tell("down", this.#options.reasonOf(failed.error));
      const isGone = failed.error instanceof Refused && isElsewhere.test(failed.error.message);
      if (isGone || performance.now() - this.#heardMs > silentMs) {
        this.#breakWire(failed.error);
        return;
      }
      await pause(restMs, this.#closed.signal);
    }
    if (this.#wire !== wire) return;
    this.#isDoubted = false;
    this.#tell("up", "answers again");
    this.#options.onUsable?.();
  }
}

function asFailure(error: unknown): { readonly error: unknown } {
  return { error };
}

/**
 * The promise's outcome, or a rejection after `ms`. A process that was held up finds its timers due before it has read its
 * sockets: it reads them before it judges.
 */
async function within<T>(ms: number, work: Promise<T>, late?: (value: T) => void): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      setImmediate(() =>
        setImmediate(() => {
          isLate = true;
          reject(new Error(`no answer within ${ms} ms`));
        }),
      );
    }, ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        if (isLate) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

/** Resolves after `ms`, or when the signal aborts; keeps no process alive. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
