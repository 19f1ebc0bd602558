// A TCP link to a server on loopback. It counts the bytes that pass, and holds back whatever the server says for as long as
// it is told: a service that works, slowly. Nothing is changed, so that what is signed for the link's address stays signed.
import { connect } from "node:net";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { listen } from "./loopback.ts";

export type SlowLink = {
  readonly port: number;
  /** Milliseconds each piece of an answer is held back; 0 passes it on at once. */
  delayMs: number;
  /** Breaks what is connected, as a load balancer does that lost its server. */
  cut(): void;
};

/** Connections to the link go to `port`; where nobody listens they are broken. */
export async function startSlowLink(t: TestContext, port: number): Promise<SlowLink> {
  const ends = new Set<Socket>();
  const server = createServer({ allowHalfOpen: false, noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        ends.delete(one);
        other.destroy();
      });
    }
    near.pipe(far, { end: false });
    hold(far, near, () => link.delayMs);
  });
  const link: SlowLink = {
    port: await listen(t, server),
    delayMs: 0,
    cut: () => {
      for (const end of ends) end.destroy();
    },
  };
  return link;
}

/** In order, each piece so long after it came. */
function hold(from: Socket, to: Socket, delayMs: () => number): void {
  let last = Promise.resolve();
  from.on("data", (piece: Buffer) => {
    const due = performance.now() + delayMs();
    last = last.then(async () => {
      const leftMs = due - performance.now();
      if (leftMs > 0) await new Promise<void>((resolve) => void setTimeout(resolve, leftMs).unref());
      if (!to.destroyed) to.write(piece);
    });
  });
}
