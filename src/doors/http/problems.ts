// The one place where an error code becomes an HTTP status.
//
// Mind what a status means to the go command: after a comma only 404 and 410 make it try the next entry of its
// GOPROXY list, so a refusal or a doubt is never one of them.

import type { AnswerCode, GranaryCode } from "#services/errors/codes.ts";

const statusOf: Readonly<Record<AnswerCode, number>> = {
  GRANARY_BAD_REQUEST: 400,
  GRANARY_METHOD_NOT_ALLOWED: 405,
  GRANARY_BAD_RANGE: 416,
  GRANARY_NO_ROUTE: 404,
  GRANARY_UNAUTHORIZED: 401,
  GRANARY_NEEDS_WRITE_TOKEN: 401,
  GRANARY_FORBIDDEN: 403,
  GRANARY_TOKEN_NEEDS_TLS: 403,
  GRANARY_WRITE_DISABLED: 403,
  GRANARY_WEBHOOK_REFUSED: 403,
  GRANARY_CLIENT_CERTIFICATE: 403,
  GRANARY_NOT_FOUND: 404,
  GRANARY_IMPOSSIBLE: 404,
  GRANARY_NOT_KEPT: 404,
  GRANARY_PRIVATE_NOT_HERE: 404,
  GRANARY_UPSTREAM_FAILED: 502,
  GRANARY_UPSTREAM_REFUSED: 502,
  GRANARY_UPSTREAM_TIMEOUT: 504,
  GRANARY_UPSTREAM_BUSY: 503,
  GRANARY_OFFLINE: 503,
  GRANARY_UPSTREAMS_DISABLED: 503,
  GRANARY_NO_UPSTREAM: 502,
  GRANARY_DIRECT_FAILED: 502,
  GRANARY_NO_GO: 502,
  GRANARY_LOOP: 502,
  GRANARY_SUMDB_UNREACHABLE: 503,
  GRANARY_SUMDB_NEWER_HEAD: 503,
  GRANARY_SUMDB_MISMATCH: 502,
  GRANARY_SUMDB_NO_RECORD: 502,
  GRANARY_SUMDB_INVALID: 502,
  GRANARY_SUMDB_FORK: 502,
  GRANARY_SUMDB_UNKNOWN: 404,
  GRANARY_SUMDB_NOT_FOUND: 404,
  GRANARY_SUMDB_ONLY: 404,
  GRANARY_AGENT_FAILED: 502,
  GRANARY_SUMLOG_STOPPED: 503,
  GRANARY_SUMLOG_CONFLICT: 502,
  GRANARY_PIN_MISMATCH: 502,
  GRANARY_INTEGRITY_MISMATCH: 502,
  GRANARY_PUBLISH_PUBLIC: 403,
  GRANARY_PUBLISH_REFUSED: 422,
  GRANARY_PUBLISH_CONFLICT: 409,
  GRANARY_PUBLISH_KEY: 422,
  GRANARY_BAD_MODULE: 502,
  GRANARY_SNAPSHOT_MISMATCH: 502,
  GRANARY_TOO_LARGE: 502,
  GRANARY_STORE_UNAVAILABLE: 503,
  // Not 507, which forbids an automatic second try, and which load balancers do not pass on to another server (ADR 0026).
  GRANARY_STORE_FULL: 503,
  GRANARY_STORE_READ_ONLY: 503,
  GRANARY_STORE_DAMAGED: 503,
  GRANARY_OVERLOADED: 503,
  GRANARY_RATE_LIMITED: 429,
  GRANARY_DRAINING: 503,
  GRANARY_INTERNAL: 500,
};

/** The status of a code; codes of the command line never reach a door and count as our bug. */
export function statusFor(code: GranaryCode): number {
  if (code === "GRANARY_NO_SUCH_ID") return 404;
  return Object.hasOwn(statusOf, code) ? statusOf[code as AnswerCode] : 500;
}

/** Answers that stay the same for everybody for a while, so that a ready-made one may be reused. */
export function isSteady(code: GranaryCode): boolean {
  return code === "GRANARY_NOT_FOUND" || code === "GRANARY_IMPOSSIBLE";
}
