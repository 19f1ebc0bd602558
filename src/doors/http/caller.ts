// Who is on the other end of a connection.

import type { Caller } from "#services/access/access.ts";
import type { Request } from "./send.ts";

/** Who is asking, from the connection itself: forwarded-for headers are anybody's word. */
export function callerOf(request: Request): Caller {
  const address = addressOf(request);
  const loopback = /^(::ffff:)?127\./.test(address) || address === "::1";
  const secure = "encrypted" in request.socket && request.socket.encrypted === true;
  return { loopback, secure, authorization: request.headers.authorization };
}

export function addressOf(request: Request): string {
  return request.socket.remoteAddress ?? "";
}
