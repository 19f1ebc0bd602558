// Names for what sockets, TLS, DNS and the HTTP parser throw. Everything that is not a known failure of the network
// is a bug of ours and travels on unchanged.

import type { FaultReason } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";

/** Raised at dial time when a redirect leads to an address that is not allowed. */
export class DialRefused extends Error {
  readonly code = "GRANARY_DIAL_REFUSED";
}

/** Why connections are given up when their client closes. */
export class DialAborted extends Error {
  readonly code = "GRANARY_DIAL_ABORTED";
}

const reasons: Readonly<Record<string, FaultReason>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "unresolved",
  ENODATA: "unresolved",
  EAI_AGAIN: "unresolved",
  EAI_FAIL: "unresolved",
  EAI_NODATA: "unresolved",
  EAI_NONAME: "unresolved",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  EACCES: "unreachable", // a local firewall
  EPERM: "unreachable",
  EINVAL: "unreachable", // an address family this machine has no route for
  EMFILE: "aborted", // our own limit: says nothing of the upstream
  ENFILE: "aborted",
  GRANARY_PROXY_REFUSED: "unreachable", // the egress proxy wants no tunnel, or other credentials
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  ETIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  EPROTO: "tls",
  UND_ERR_HEADERS_OVERFLOW: "malformed",
  UND_ERR_NOT_SUPPORTED: "malformed",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "truncated",
  HPE_INVALID_EOF_STATE: "truncated",
  Z_BUF_ERROR: "truncated",
  Z_DATA_ERROR: "malformed",
  UND_ERR_DESTROYED: "aborted", // the client was closed
  UND_ERR_CLOSED: "aborted",
  GRANARY_DIAL_REFUSED: "redirect",
  GRANARY_DIAL_ABORTED: "aborted",
};

/** OpenSSL's certificate verdicts (X509_V_ERR_…) and Node's own TLS codes. */
const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_)/;

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error.name === "HTTPParserError") return "HPE_OTHER"; // the parser has verdicts without a code
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return undefined;
}

function reasonOf(code: string): FaultReason | undefined {
  if (tlsCode.test(code)) return "tls";
  if (code.startsWith("HPE_")) return reasons[code] ?? "malformed";
  return reasons[code];
}

/** The reason behind an error of the transport; undefined for what is none. */
export function reasonOfError(error: unknown): FaultReason | undefined {
  const code = codeOf(error);
  return code === undefined ? undefined : reasonOf(code);
}

/** The fault behind an error of the transport. Anything unknown is thrown as it is. */
export function faultOf(upstream: string, error: unknown, signal: AbortSignal): UpstreamFault {
  if (error instanceof UpstreamFault) return error;
  if (signal.aborted) return new UpstreamFault(upstream, "aborted", "the request was given up", { cause: error });
  const code = codeOf(error);
  const reason = code === undefined ? undefined : reasonOf(code);
  if (code === undefined || reason === undefined) throw error;
  const message = error instanceof Error && error.message !== "" ? error.message : code;
  return new UpstreamFault(upstream, reason, message, { cause: error });
}
