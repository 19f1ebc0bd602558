// A request as it arrives: refused when two programs could read it in two ways, else its target, read once.

import { ProtocolError } from "#protocol/errors.ts";
import { parseTarget } from "#protocol/request.ts";
import type { Target } from "#protocol/request.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Request } from "./send.ts";

/** Refuses what no parser downstream should have to think of. Throws GRANARY_BAD_REQUEST. */
export function guard(request: Request): void {
  const raw = request.rawHeaders;
  let hosts = 0;
  for (let at = 0; at < raw.length; at += 2) if (/^host$/i.test(raw[at] ?? "")) hosts++;
  if (hosts > 1) throw badRequest(request, "two Host headers");
  const bodied =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  if (bodied && (request.method === "GET" || request.method === "HEAD"))
    throw badRequest(request, "a GET request with a body");
}

function badRequest(request: Request, reason: string): GranaryError {
  return new GranaryError("GRANARY_BAD_REQUEST", { target: request.url ?? "", reason });
}

/** The target of a request line. Throws GRANARY_BAD_REQUEST. */
export function readTarget(url: string, maxLength: number): Target {
  if (url.length > maxLength)
    throw new GranaryError("GRANARY_BAD_REQUEST", {
      target: url.slice(0, 80),
      reason: `the request target is longer than ${maxLength} bytes`,
    });
  try {
    return parseTarget(url);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_BAD_REQUEST", { target: url, reason: error.message }, { cause: error });
  }
}
