// An error of sockets, TLS or HTTP/2 as the fault that analysers reason about.

import type { HttpFault, Phase } from "#services/analysers/http-ports.ts";
import { ProbeFailed } from "#services/lab/ports.ts";

/** An end of an exchange that only its own reader can name. */
export class Broken extends Error {
  readonly fault: Pick<HttpFault, "kind" | "h2Code">;

  constructor(fault: Pick<HttpFault, "kind" | "h2Code">, message: string) {
    super(message);
    this.fault = fault;
  }
}

const kinds: Readonly<Record<string, HttpFault["kind"]>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  GRANARY_PROXY_REFUSED: "egress",
};

export function faultOf(error: unknown, during: Phase): HttpFault {
  // A dial tried several addresses; the first failure is of the one the resolver preferred.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : String(first);
  if (first instanceof Broken) return { ...first.fault, during, message };
  if (first instanceof ProbeFailed) return { kind: "protocol", during, message };
  const { code = "", status } = first as { code?: string; status?: number };
  const kind = kinds[code] ?? fallbackOf(during);
  return { kind, during, message, ...(kind === "egress" && status !== undefined && { egressStatus: status }) };
}

function fallbackOf(during: Phase): HttpFault["kind"] {
  if (during === "dns") return "dns";
  if (during === "tls") return "tls";
  if (during === "tunnel") return "egress";
  return during === "tcp" ? "unreachable" : "protocol";
}
