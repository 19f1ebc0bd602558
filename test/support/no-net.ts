// Preload for tests (`node --import ./test/support/no-net.ts --test …`): a dial that leaves this machine throws.
// fetch, undici, http and tls all come down to net.Socket.
import { Socket } from "node:net";

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|::ffff:127(\.\d{1,3}){3}|0\.0\.0\.0|::)$/;

/** True for hosts that cannot leave this machine. */
export function isLoopbackHost(host: string): boolean {
  return loopback.test(host);
}

/** What net.Socket.connect() takes: (options), ([options, callback]), (port, host), (path). */
function hostOf(args: readonly unknown[]): string | undefined {
  const [first, second] = args;
  if (Array.isArray(first)) return hostOf(first as unknown[]);
  if (typeof first === "object" && first !== null) {
    const { path, host } = first as { path?: unknown; host?: unknown };
    if (typeof path === "string") return undefined;
    return typeof host === "string" ? host : "localhost";
  }
  if (typeof first === "string" && Number.isNaN(Number(first))) return undefined;
  return typeof second === "string" ? second : "localhost";
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
const connect = Socket.prototype.connect;

Socket.prototype.connect = function guarded(this: Socket, ...args: unknown[]): Socket {
  const host = hostOf(args);
  if (host !== undefined && !isLoopbackHost(host)) {
    throw new Error(`a test dialled ${host}: tests reach loopback only`);
  }
  return (connect as (...all: unknown[]) => Socket).apply(this, args);
};
