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

/** Who is asking, from the connection itself or a worker's word for it: forwarded-for headers are anybody's word. */
export function callerOf(request: Request): Caller {
  const { address, secure } = clientOf(request);
  const loopback = /^(::ffff:)?127\./.test(address) || address === "::1";
  return { loopback, secure, authorization: request.headers.authorization };
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
