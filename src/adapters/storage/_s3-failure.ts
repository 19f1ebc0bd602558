// What an S3 request that did not succeed tells: whether it may have been done all the same, whether another try may
// help, and what to say of it.

import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";

/** One request that failed. */
export class S3Failure extends Error {
  override readonly name = "S3Failure";
  /** `put`, `get`, … */
  readonly operation: string;
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** The service's word (`SlowDown`), or the system's (`ECONNREFUSED`). */
  readonly code: string;
  constructor(
    operation: string,
    facts: { readonly status: number | undefined; readonly code: string; readonly message: string },
    options?: { cause?: unknown },
  ) {
    super(facts.message, options);
    this.operation = operation;
    this.status = facts.status;
    this.code = facts.code;
  }

  /** Nothing was sent, or the service said that it did nothing. Otherwise a write may have been done. */
  get isUndone(): boolean {
    if (this.status === undefined) return unsent.has(this.code) || isOfTls(this.code);
    return this.status < 500 && !broken.has(this.status) && this.code !== "RequestTimeout";
  }

  /** The same request may succeed a moment later. */
  get isPassing(): boolean {
    if (this.status === undefined) return !final.has(this.code) && !isOfTls(this.code);
    const isTrouble = this.status >= 500 && this.status !== 501 && this.status !== 507;
    return isTrouble || busy.has(this.status) || passing.has(this.code);
  }

  /** The condition of a write did not hold. */
  get isRefused(): boolean {
    return this.status === 412 || this.code === "PreconditionFailed";
  }

  get isAbsent(): boolean {
    if (this.status === 404) return this.code !== "NoSuchBucket" && this.code !== "NoSuchUpload";
    return impossible.has(this.code);
  }

  /** Services that keep objects as files cannot hold both `a` and `a/b`. */
  get isInTheWay(): boolean {
    return (this.status === 409 && !passing.has(this.code)) || this.code === "XMinioParentIsObject";
  }
}

/** No object can have this name there. */
const impossible = new Set(["XMinioInvalidObjectName", "KeyTooLongError"]);
/** The service lost patience or its caller, at some point of the work. MinIO says 499 of what waited for a stalled writer. */
const broken = new Set([408, 499]);
const busy = new Set([...broken, 429]);
/** The request never left. */
const unsent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]);
const final = new Set(["CredentialsProviderError", "TokenProviderError", "AbortError", "Closed", "ENOTFOUND"]);
/** Answers below 500 that say: again, please. 409 ConditionalRequestConflict: two conditional writes met. */
const passing = new Set([
  "RequestTimeout",
  "RequestTimeTooSkewed",
  "ConditionalRequestConflict",
  "OperationAborted",
  "SlowDown",
  "TooManyRequests",
  "IncompleteBody",
]);
const full = new Set([
  "QuotaExceeded",
  "XMinioAdminBucketQuotaExceeded",
  "XMinioStorageFull",
  "InsufficientStorage",
  "StorageFull",
  "BucketQuotaExceeded",
]);

/** The other side could not show who it is. */
function isOfTls(code: string): boolean {
  return /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/.test(code);
}

/** What the SDK threw, as a failure; everything that is none (a bug of ours) travels on. */
export function failureOf(operation: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof S3Failure) return error;
  const { $metadata, code, Code } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly code?: unknown;
    readonly Code?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  const said = [code, Code, error.name].find((word): word is string => typeof word === "string" && word !== "Error");
  // Without an answer there is a word of the system or of the SDK, such as TimeoutError; a TypeError is our own.
  if (status === undefined && (error instanceof TypeError || error instanceof RangeError)) return error;
  // An answer to HEAD has no body, so there is no word of the service.
  if (status !== undefined && (said === "UnknownError" || said === "Unknown"))
    return new S3Failure(operation, { status, code: `HTTP${status}`, message: mute(status) }, { cause: error });
  return new S3Failure(operation, { status, code: said ?? "Error", message: error.message }, { cause: error });
}

function mute(status: number): string {
  return status === 401 || status === 403
    ? `HTTP ${status}: the access key or its secret is refused, or may not do this`
    : `HTTP ${status}`;
}

/** A failure in the words of the storage port; other errors stay what they are. */
export function inOurWords(key: string, error: unknown): unknown {
  if (!(error instanceof S3Failure)) return error;
  const { operation, status, code } = error;
  const said = status === undefined ? `${code}: ${error.message}` : `${code} (${status})`;
  const text = `S3 ${operation}: ${said}`;
  if (status === 507 || full.has(code)) return new StoreFull(key, `no space left: ${text}`, { cause: error });
  if (error.isInTheWay) return new StoreUnavailable(key, `something is in the way: ${text}`, { cause: error });
  return new StoreUnavailable(key, text, { cause: error });
}
