// The one way out for repositories: a TCP connection to a host that some module's path, page or redirect named. The
// address is judged at the moment of dialling, so no name can lead inside unless the operator named it (T-24).

import { isIP } from "node:net";
import type { Socket } from "node:net";
import { mayDial } from "./address.ts";
import { makeConnector } from "./connector.ts";
import type { Connector, ConnectorOptions } from "./connector.ts";
import { dial } from "./dial.ts";
import type { Places } from "./direct-places.ts";
import { DialRefused, reasonOfError } from "./faults.ts";

export type Goal = { readonly protocol: "https:" | "http:"; readonly host: string; readonly port: number };

/** Connects to a goal. Throws DialRefused when the rules forbid it, else what sockets throw. */
export type DirectDial = (goal: Goal, signal: AbortSignal) => Promise<Socket>;

export type DirectDialUse = Omit<ConnectorOptions, "allowed"> & { readonly places: Places };

/** Whose host nobody named is asked at this port only. */
const commonPort = 443;

export const portOf = { "https:": commonPort, "http:": 80 } as const;

export function makeDirectDial(use: DirectDialUse): DirectDial {
  const { places, addressTimeoutMs, signal: stop } = use;
  // What goes into the tunnel is TLS, whatever the connector is told: it must not add its own.
  const raw = { ...use, proxyFor: (url: URL) => use.proxyFor(new URL(`https://${url.host}/`)) };
  const named = makeConnector({ ...raw, allowed: undefined });
  const guarded = makeConnector({ ...raw, allowed: places.allowed });
  return async (goal, signal) => {
    const { host, port } = goal;
    const { address } = places.onHost(host, (place) => place.address !== undefined) ?? {};
    const began = performance.now();
    const told = { upstream: "direct", host: `${host}:${port}`, via: "direct" };
    const ms = (): number => Math.round(performance.now() - began);
    try {
      checkGoal(goal, places);
      if (address === undefined)
        return await unlessInside(host, places.isNamed(host) ? named : guarded, { port, signal });
      const [ip, ownPort] = splitAddress(address);
      const to = port === portOf[goal.protocol] ? (ownPort ?? port) : port;
      const socket = await dial([ip], { port: to, addressTimeoutMs, signal: AbortSignal.any([stop, signal]) });
      use.tell({ name: "egress.connected", ...told, address: ip, ms: ms() });
      return socket;
    } catch (error) {
      // What the connector met it has told itself.
      const isOurs = error instanceof DialRefused || address !== undefined;
      if (isOurs && !signal.aborted) use.tell({ name: "egress.failed", ...told, ...reasonAndDetail(error), ms: ms() });
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  };
}

function reasonAndDetail(error: unknown): { readonly reason: string; readonly detail: string } {
  const failure: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const detail = failure instanceof Error ? failure.message : "";
  return { reason: failure instanceof DialRefused ? "refused" : (reasonOfError(failure) ?? "unknown"), detail };
}

async function unlessInside(
  host: string,
  connect: Connector,
  { port, signal }: { readonly port: number; readonly signal: AbortSignal },
): Promise<Socket> {
  try {
    const socket = await connect({ hostname: host, port: String(port), protocol: "http:" }, "direct");
    if (!signal.aborted) return socket;
    socket.on("error", () => undefined).destroy();
  } catch (error) {
    throw error instanceof DialRefused ? inside(host) : error;
  }
  throw signal.reason;
}

function checkGoal({ protocol, host, port }: Goal, places: Places): void {
  if (protocol === "http:" && places.onHost(host, (place) => place.http === true) === undefined)
    throw new DialRefused(`plain http is not spoken with ${host}`);
  if (port !== commonPort && !places.isNamed(host)) throw new DialRefused(`port ${port} of ${host} is not asked`);
  // Behind an egress proxy nobody but us sees that it is an address.
  if (isIP(host) !== 0 && !mayDial(host, places.allowed) && !places.isNamed(host)) throw inside(host);
}

function inside(host: string): DialRefused {
  return new DialRefused(`${host} is inside, and neither \`repositories\` nor \`direct.cidrs\` names it`);
}

/** `10.1.2.3`, `10.1.2.3:8443`, `[fd00::1]:8443`; the port stands in for the scheme's own. */
export function splitAddress(address: string): readonly [ip: string, port: number | undefined] {
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  return [six ?? four ?? address, port === undefined ? undefined : Number(port)];
}
