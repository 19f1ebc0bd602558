// The upstream port: one GET against one upstream. Chains, health and absence are decided by this room; the
// adapter knows sockets, TLS, redirects and nothing of modules.

/** What an adapter needs to know of an upstream. */
export type UpstreamEndpoint = {
  /** Short name for logs, headers, errors: `official`, `goproxy.cn`, … */
  readonly name: string;
  /**
   * Base URL without a trailing slash: http, https or file. May carry userinfo and a query string (kept, as `go` does).
   * `direct:` stands for the modules' own repositories.
   */
  readonly url: string;
  /** Addresses (CIDR) a redirect may lead to although they are private. The endpoint's own host is always allowed. */
  readonly redirectCidrs: readonly string[];
};

export type UpstreamRequest = {
  /** Path below the base, starting with `/`, percent-encoded as `go` would. */
  readonly path: string;
  /** GET without it. */
  readonly method?: "GET" | "HEAD";
  /** Refuse a body larger than this. */
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

/** An answer whose status is final (redirects followed). The caller consumes or cancels the body. */
export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The URL that answered, without userinfo and query. */
  readonly url: string;
  /**
   * The body in chunks. Throws UpstreamFault when it breaks, stalls, is longer than maxBytes or shorter or longer
   * than its Content-Length.
   */
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

export interface UpstreamClient {
  /** Sends one GET or HEAD. Throws UpstreamFault when no answer came; a status of any kind is an answer. */
  get(endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

/** Why an upstream gave no usable answer. */
export type FaultReason =
  | "refused" // connection refused
  | "unresolved" // DNS failure
  | "unreachable" // no route, host or network unreachable
  | "reset" // connection broke
  | "tls" // handshake or certificate
  | "timeout" // connect, headers or an idle body
  | "truncated" // fewer bytes than promised
  | "too-large" // more bytes than the cap
  | "encoding" // a Content-Encoding we do not take
  | "redirect" // a redirect we do not follow
  | "malformed" // not HTTP, or an answer that breaks the protocol
  | "repository" // the go command could not read a repository; the message is its own text
  | "no-program" // a program that reads repositories is missing here; the message is its name
  | "disabled" // not asked: an operator took it out of use
  | "aborted"; // our own signal

export class UpstreamFault extends Error {
  override readonly name = "UpstreamFault";
  readonly upstream: string;
  readonly reason: FaultReason;
  constructor(upstream: string, reason: FaultReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.upstream = upstream;
    this.reason = reason;
  }
}
