// Thousands of connections that never finish a request: each sends a byte of its header every second. A process of its
// own, so that whoever measures beside it is not held up by so many sockets.
//
//   node bench/drips.ts URL CONNECTIONS    (started by endurance.ts)
import { fork } from "node:child_process";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

export type DripCounts = {
  /** Connections so far. */
  readonly opened: number;
  /** Connections now. */
  readonly open: number;
};

/** Starts the process; `stop` ends it. */
export function startDrips(base: string, connections: number): { stop(): Promise<DripCounts> } {
  const child = fork(fileURLToPath(import.meta.url), [base, String(connections)], { stdio: "inherit" });
  return {
    stop: async () =>
      await new Promise<DripCounts>((resolve, reject) => {
        child.once("message", (counts: DripCounts) => resolve(counts));
        child.once("exit", (code) => reject(new Error(`the drips ended with ${code}`)));
        child.send("stop");
      }),
  };
}

/** Parts of a second: not all connections speak at the same moment. */
const slices = 20;

/** Connections that are always about so many: each that is closed is opened anew. */
class Drips {
  readonly #base: URL;
  readonly #sockets = new Map<Socket, number>();
  readonly #timer: NodeJS.Timeout;
  #slice = 0;
  #opened = 0;

  constructor(base: string, connections: number) {
    this.#base = new URL(base);
    for (let i = 0; i < connections; i++) setTimeout(() => this.#open(), (i * 1000) / connections);
    this.#timer = setInterval(() => {
      this.#slice = (this.#slice + 1) % slices;
      for (const [socket, slice] of this.#sockets) if (slice === this.#slice) socket.write("a");
    }, 1_000 / slices);
  }

  stop(): DripCounts {
    clearInterval(this.#timer);
    return { opened: this.#opened, open: this.#sockets.size };
  }

  #open(): void {
    const socket = connect({ host: this.#base.hostname, port: Number(this.#base.port) });
    this.#sockets.set(socket, this.#opened % slices);
    this.#opened++;
    socket.write("GET /x/@v/list HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    socket.on("error", () => undefined).resume();
    socket.once("close", () => {
      this.#sockets.delete(socket);
      setTimeout(() => this.#open(), 100);
    });
  }
}

if (import.meta.main) {
  const [base = "", connections = ""] = process.argv.slice(2);
  const drips = new Drips(base, Number(connections));
  process.on("message", () => {
    process.send?.(drips.stop(), () => process.exit(0));
  });
  process.on("disconnect", () => process.exit(0));
}
