// Preload for tests (`node --import ./test/support/no-net.ts --test …`): a dial that leaves this machine throws.
// fetch, undici, http and tls all come down to net.Socket.
import { lookup as dnsLookup } from "node:dns";
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

/** Reserved names (RFC 2606) never resolve by themselves: a test that dials one has brought its own resolver. */
const reservedName = /\.(test|invalid|example)$/;

type Lookup = (
  host: string,
  options: object,
  done: (error: Error | null, address?: unknown, family?: number) => void,
) => void;

/** `lookup`, except that it finds nothing but loopback addresses. */
function loopbackOnly(lookup: Lookup): Lookup {
  return (host, options, done) => {
    lookup(host, options, (error, address, family) => {
      const found = Array.isArray(address) ? address.map((one: { address: string }) => one.address) : [String(address)];
      const outside = error === null ? found.find((one) => !isLoopbackHost(one)) : undefined;
      if (outside === undefined) done(error, address, family);
      else done(new Error(`a test dialled ${host} (${outside}): tests reach loopback only`));
    });
  };
}

/** The options object of a connect call, in either form. */
function optionsOf(args: readonly unknown[]): { lookup?: Lookup } | undefined {
  const first: unknown = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0];
  return typeof first === "object" && first !== null ? first : undefined;
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
const connect = Socket.prototype.connect;

Socket.prototype.connect = function guarded(this: Socket, ...args: unknown[]): Socket {
  const host = hostOf(args);
  if (host !== undefined && !isLoopbackHost(host)) {
    const options = optionsOf(args);
    if (!reservedName.test(host) || options === undefined) {
      throw new Error(`a test dialled ${host}: tests reach loopback only`);
    }
    options.lookup = loopbackOnly(options.lookup ?? dnsLookup);
  }
  return (connect as (...all: unknown[]) => Socket).apply(this, args);
};
