// A TCP connection to the first of several addresses that answers (RFC 8305, "happy eyeballs"): the next one is tried
// when the one before failed or has been silent for a moment, while that one goes on. Node's own way gives each address
// 250 ms and then drops it, which on a slow line fails all of them.

import { connect, isIPv4 } from "node:net";
import type { Socket } from "node:net";

/** RFC 8305 §5, Connection Attempt Delay. */
const nextAfterMs = 250;

export type DialOptions = {
  readonly port: number;
  /** What one address has to answer within. */
  readonly addressTimeoutMs: number;
  readonly signal: AbortSignal;
};

/** One address that said nothing in time. */
class DialTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

/** Throws AggregateError with one error per address, or the signal's reason. */
export async function dial(addresses: readonly string[], options: DialOptions): Promise<Socket> {
  options.signal.throwIfAborted();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const running: Promise<Socket>[] = [];
  let winner: Socket | undefined;
  try {
    for (const address of alternate(addresses)) {
      running.push(attempt(address, { ...options, signal }));
      winner = await headStart(running);
      if (winner !== undefined) return winner;
    }
    return (winner = await Promise.any(running));
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    stop.abort();
    // One that connected in the same moment has not seen the abort.
    for (const other of running) other.then((socket) => socket !== winner && socket.destroy()).catch(() => undefined);
  }
}

/** Families take turns, beginning with the one the resolver put first (RFC 8305 §4). */
function alternate(addresses: readonly string[]): readonly string[] {
  const [first] = addresses;
  if (first === undefined) return [];
  const preferred = addresses.filter((address) => isIPv4(address) === isIPv4(first));
  const others = addresses.filter((address) => isIPv4(address) !== isIPv4(first));
  const longer = Math.max(preferred.length, others.length);
  return Array.from({ length: longer }, (_, at) => [preferred[at], others[at]])
    .flat()
    .filter((address) => address !== undefined);
}

/** The socket of an attempt that wins within the head start; undefined as soon as the next address may begin. */
async function headStart(running: readonly Promise<Socket>[]): Promise<Socket | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const soon = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), nextAfterMs);
  });
  const newest = running.at(-1)?.catch(() => undefined);
  const any = Promise.any(running).catch(() => undefined);
  try {
    return await Promise.race([any, newest, soon]);
  } finally {
    clearTimeout(timer);
  }
}

function attempt(address: string, { port, addressTimeoutMs, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.off("error", settle);
      if (error === undefined) resolve(socket);
      else {
        socket.on("error", () => undefined).destroy();
        reject(error);
      }
    };
    const silent = `no answer from ${address} port ${port} within ${addressTimeoutMs} ms`;
    const timer = setTimeout(() => settle(new DialTimeout(silent)), addressTimeoutMs);
    const abort = (): void => settle(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => settle()).once("error", settle);
  });
}
