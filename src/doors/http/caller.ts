// Who is on the other end of a connection.

import type { Caller } from "#services/access/access.ts";
import type { Request } from "./send.ts";

/** A client as the process that holds its connection sees it. */
export type ClientFacts = {
  readonly address: string;
  /** The connection is encrypted. */
  readonly secure: boolean;
};

/** Requests that a worker passed on, with the client it speaks for. Only the door on the private socket writes here. */
const relayed = new WeakMap<Request, ClientFacts>();

/** Makes `facts` the truth about who sent `request`. */
export function vouchFor(request: Request, facts: ClientFacts): void {
  relayed.set(request, facts);
}

/** True for a request that a worker passed on: its connection is the worker's, not the client's. */
export function isRelayed(request: Request): boolean {
  return relayed.has(request);
}

/**
 * Who is asking, from the connection itself or a worker's word for it: forwarded-for headers are anybody's word, but
 * they do say that the one on this machine speaks for somebody else.
 */
export function callerOf(request: Request): Caller {
  const { address, secure } = clientOf(request);
  const here = /^(::ffff:)?127\./.test(address) || address === "::1";
  return {
    loopback: here && speaksForItself(request) && namesThisMachine(request),
    // What stays on this machine cannot be overheard, whoever it is from.
    secure: secure || here,
    authorization: request.headers.authorization,
  };
}

/** Headers that reverse proxies add. */
const forwarding = ["forwarded", "via", "x-forwarded-for", "x-real-ip"] as const;

function speaksForItself({ headers }: Request): boolean {
  return forwarding.every((name) => headers[name] === undefined);
}

/**
 * A web page may make its own name resolve to 127.0.0.1 and then read what this machine's user may read (DNS
 * rebinding); only the Host header, which the page cannot choose, tells.
 */
export function namesThisMachine({ headers }: Request): boolean {
  const authority = headers.host ?? headers[":authority"];
  return typeof authority === "string" && /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(authority);
}

export function addressOf(request: Request): string {
  return clientOf(request).address;
}

export function clientOf(request: Request): ClientFacts {
  const facts = relayed.get(request);
  if (facts !== undefined) return facts;
  const { socket } = request;
  return { address: socket.remoteAddress ?? "", secure: "encrypted" in socket && socket.encrypted === true };
}
