// What the HTTP analysers ask of the world: one GET at a time, with how long each phase took. What goes wrong on the
// way is what they look for, so it comes back as data; only the caller's own signal throws.

import type { Sums } from "#protocol/record.ts";
import type { ModuleVersion } from "#protocol/version.ts";

export type HttpProtocol = "http/1.1" | "h2";

export type Phase = "dns" | "tcp" | "tunnel" | "tls" | "answer" | "body";

/** Milliseconds of each phase; what did not happen is missing. */
export type Phases = {
  readonly dnsMs?: number;
  readonly tcpMs?: number;
  /** CONNECT through an egress proxy, with the proxy's own TLS. */
  readonly tunnelMs?: number;
  readonly tlsMs?: number;
  /** From the request to the first byte of its answer. */
  readonly firstByteMs?: number;
  readonly totalMs: number;
};

export type HttpFault = {
  /**
   * `closed`: the connection ended before the answer did. `egress`: the egress proxy would not let us through.
   * `stream-reset`, `going-away`: HTTP/2's RST_STREAM and GOAWAY. `protocol`: what came is no HTTP.
   */
  readonly kind:
    | "dns"
    | "refused"
    | "unreachable"
    | "reset"
    | "timeout"
    | "tls"
    | "egress"
    | "closed"
    | "protocol"
    | "too-large"
    | "stream-reset"
    | "going-away";
  readonly during: Phase;
  readonly message: string;
  /** What the egress proxy answered to CONNECT. */
  readonly egressStatus?: number;
  /** The name of HTTP/2's error code: `INTERNAL_ERROR`. */
  readonly h2Code?: string;
};

export type HttpAsk = {
  /** http, https or file. Its userinfo becomes Basic credentials. */
  readonly url: string;
  /** A client's name may depend on the protocol, as go's did. */
  readonly userAgent: Readonly<Record<HttpProtocol, string>>;
  /** The value of Authorization, in place of the URL's userinfo. */
  readonly authorization?: string | undefined;
  /** Protocols offered to an https server; both without it. */
  readonly offer?: readonly HttpProtocol[];
  /** `usual`: through the egress proxy, where there is one for this URL. */
  readonly route: "usual" | "direct";
  /** What is read of a body; the rest is left, and the exchange says `too-large`. */
  readonly maxBytes: number;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

export type HttpExchange = {
  /** As asked, credentials included: not to be shown. */
  readonly url: string;
  /** Undefined when no connection came about. */
  readonly protocol: HttpProtocol | "file" | undefined;
  /** Where the connection led: the server, or the egress proxy. */
  readonly address: string | undefined;
  /** `host:port` of the egress proxy that was used. */
  readonly via: string | undefined;
  readonly phases: Phases;
  /** Undefined when no head of an answer came. */
  readonly status: number | undefined;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** As far as it came, `Content-Encoding: gzip` undone. */
  readonly body: Uint8Array;
  /** With a status: the body broke off. */
  readonly fault: HttpFault | undefined;
};

/** The same question many times at once. */
export type HttpBurst = {
  readonly exchanges: readonly HttpExchange[];
  /** From the first connection to the last answer. */
  readonly wallMs: number;
};

export interface HttpProber {
  /** One GET on a connection of its own; redirects are not followed. Throws the signal's reason, and nothing else. */
  get(ask: HttpAsk): Promise<HttpExchange>;
  /** `count` GETs at once: over HTTP/2 streams of one connection, else that many connections. Throws as `get`. */
  burst(ask: HttpAsk, count: number): Promise<HttpBurst>;
}

/** What a checksum database says about a version. */
export type Proof =
  | { readonly kind: "proven"; readonly sums: Sums; readonly record: number; readonly treeSize: number }
  | { readonly kind: "absent" }
  | { readonly kind: "unproven"; readonly reason: string };

/** One GET below a database's root: `/lookup/…`, `/tile/…`. Throws when no answer came. */
export type AskDatabase = (
  path: string,
  maxBytes: number,
) => Promise<{ readonly status: number; readonly bytes: Uint8Array }>;

export interface RecordProver {
  /** Looks a version up in the database with this key, and proves what it says. */
  prove(
    id: ModuleVersion,
    use: { readonly key: string; readonly ask: AskDatabase; readonly signal: AbortSignal },
  ): Promise<Proof>;
}
