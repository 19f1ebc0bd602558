// What is known of all connections of a client: which are idle, how many were opened, how many requests found one. The
// documents' flow: an idle one is used again; else a new one is made; afterwards it idles until IdleConnTimeout, and
// beyond MaxIdleConns the one that has been idle for longest is closed.

import type { Socket } from "node:net";
import { Client } from "undici";
import type { Dispatcher } from "undici";
import type { Connector } from "./connector.ts";

/** Since the client was made; `open` and `idle` now. */
export type PoolCounts = {
  readonly open: number;
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  readonly opened: number;
  readonly failed: number;
  readonly requests: number;
  /** Requests that found an idle connection. */
  readonly reused: number;
};

/** A request as our pools know it: who asks, and whether a used connection carried it. */
export type Traced = Dispatcher.RequestOptions & { readonly trace: { readonly upstream: string; reused: boolean } };

export class Connections {
  readonly #maxIdle: number;
  /** In the order in which they became idle. */
  readonly #idle = new Map<Connection, Socket>();
  readonly #counts = { open: 0, waiting: 0, opened: 0, failed: 0, requests: 0, reused: 0 };

  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  get counts(): PoolCounts {
    return { ...this.#counts, idle: this.#idle.size };
  }

  /** Counts a request that waits until it is under way. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    this.#counts.waiting++;
    return await work.finally(() => this.#counts.waiting--);
  }

  opened(socket: Socket): void {
    this.#counts.opened++;
    this.#counts.open++;
    socket.once("close", () => this.#counts.open--);
  }

  failed(): void {
    this.#counts.failed++;
  }

  busy(connection: Connection, isReused: boolean): void {
    this.#idle.delete(connection);
    this.#counts.requests++;
    if (isReused) this.#counts.reused++;
  }

  /** Nothing runs on `connection` any more; it may leave at once when there are too many. */
  idle(connection: Connection, socket: Socket): void {
    this.#idle.delete(connection);
    this.#idle.set(connection, socket);
    if (this.#idle.size <= this.#maxIdle) return;
    for (const [oldest, itsSocket] of this.#idle) {
      this.#idle.delete(oldest);
      itsSocket.destroy();
      return;
    }
  }

  gone(connection: Connection): void {
    this.#idle.delete(connection);
  }
}

/** One connection of a pool. */
export class Connection extends Client {
  readonly #table: Connections;
  #socket: Socket | undefined;
  #upstream = "";

  constructor(origin: string | URL, options: Client.Options & { connector: Connector; table: Connections }) {
    const { connector, table, ...rest } = options;
    super(origin, {
      ...rest,
      connect: (params, callback) => {
        connector(params, this.#upstream).then(
          (socket) => {
            this.#socket = socket;
            table.opened(socket);
            callback(null, socket);
          },
          (error: unknown) => {
            table.failed();
            callback(error as Error, null);
          },
        );
      },
    });
    this.#table = table;
    this.on("drain", () => this.#rest());
    this.on("disconnect", () => {
      this.#socket = undefined;
      table.gone(this);
    });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { trace } = options as unknown as Traced;
    const isReused = this.#socket !== undefined;
    trace.reused = isReused;
    this.#upstream = trace.upstream;
    this.#table.busy(this, isReused);
    return super.dispatch(options, handler);
  }

  /** After the pool had the chance to put its next request here. */
  #rest(): void {
    queueMicrotask(() => {
      if (this.#socket !== undefined && this.stats.size === 0) this.#table.idle(this, this.#socket);
    });
  }
}
