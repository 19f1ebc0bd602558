// What this room asks of the world: one TLS handshake at a time, the certificate authorities that go would read, bytes to
// and from DNS servers, and the system's own way of finding addresses. The adapters decide nothing: they say what came.

/** Where a handshake goes. `host` is what a proxy is asked for; `address` is dialled when there is no proxy. */
export type TlsPlace = {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** An HTTP proxy that is asked to CONNECT; its URL may hold credentials. */
  readonly proxy?: string;
};

export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

export type TlsRequest = TlsPlace & {
  /** Server Name Indication; undefined sends none (addresses have none). */
  readonly servername: string | undefined;
  readonly alpn: readonly string[];
  readonly minVersion: TlsVersion;
  /** PEM texts that OpenSSL is to hold the chain against; none to see only what the server presents. */
  readonly roots: readonly string[];
  /** Asks `GET /` after the handshake: for its Date, and for alerts that come late (TLS 1.3 client certificates). */
  readonly asks: boolean;
  /** Of the connection, and again of the handshake. */
  readonly timeoutMs: number;
};

/** `closed`: ended without a reset. `not-tls`: the answer was no TLS record. `old-version`: it chose one below ours. */
export type TlsFailure =
  "refused" | "unreachable" | "timeout" | "reset" | "closed" | "alert" | "old-version" | "not-tls" | "proxy" | "other";

export type TlsFailed = {
  readonly kind: "failed";
  readonly stage: "tcp" | "proxy" | "tls";
  readonly reason: TlsFailure;
  /** Number of the alert (RFC 8446 §6). */
  readonly alert?: number;
  /** The server had shown its certificate before: it was content with versions and ciphers. */
  readonly hasShown?: boolean;
  /** What OpenSSL, the kernel or the proxy said. */
  readonly text: string;
};

export type TlsShaken = {
  readonly kind: "shaken";
  /** DER, the leaf first. A certificate that does not belong to the leaf's chain is not seen. */
  readonly chain: readonly Uint8Array[];
  readonly protocol: string;
  readonly cipher: string;
  /** Undefined when the server chose none. */
  readonly alpn: string | undefined;
  /** OpenSSL's verdict on the chain with `roots`, without X509_V_ERR_; undefined when it is content. */
  readonly openssl: string | undefined;
  /** Status line, Date and beginning of the answer to `GET /`, when it was asked and answered with HTTP/1.1. */
  readonly http?: { readonly status: string; readonly date: string | undefined; readonly start: string };
  /** What ended the connection after the handshake, when something did. */
  readonly late?: { readonly alert?: number; readonly text: string };
};

export type TlsTimes = { readonly tcpMs?: number; readonly tlsMs?: number };

export type TlsAttempt = TlsTimes & { readonly outcome: TlsShaken | TlsFailed };

export interface TlsProber {
  /** One connection. Never throws but when `signal` is aborted. */
  attempt(request: TlsRequest, signal: AbortSignal): Promise<TlsAttempt>;
  /** The first line that a plain `GET /` is answered with, or undefined when it is no HTTP. */
  plainHttp(place: TlsPlace & { readonly timeoutMs: number }, signal: AbortSignal): Promise<string | undefined>;
}

/** PEM of one file. */
export type RootFile = { readonly place: string; readonly pem: string };

export interface TrustStore {
  /**
   * The files whose certificates go trusts here (crypto/x509 loadSystemRoots; SSL_CERT_FILE and SSL_CERT_DIR). On macOS
   * and Windows go asks the platform; there it is the platform's list, which is nearly the same.
   */
  goRoots(): Promise<readonly RootFile[]>;
  /** Mozilla's list, as it came with the running Node: what most of the world trusts. PEM. */
  publicRoots(): readonly string[];
  /** How authorities are added to this system. */
  family(): Promise<TrustFamily>;
}

export type TrustFamily = "debian" | "alpine" | "redhat" | "suse" | "macos" | "windows" | "other";

/** One address that a name was given. */
export type FoundAddress = { readonly address: string; readonly family: 4 | 6 };

export interface SystemNames {
  /** getaddrinfo: what programs of this system get. The error's code, such as `ENOTFOUND`, when it finds nothing. */
  lookup(host: string): Promise<{ readonly found: readonly FoundAddress[] } | { readonly failed: string }>;
  /** A system file. */
  readText(path: string): Promise<{ readonly text: string } | "absent" | "unreadable">;
  /** Whether something lies at the path. */
  exists(path: string): Promise<boolean>;
}

/** `after`: what else came for the same question within a moment: more than one answer is a sign of injection. */
export type DnsExchange =
  | {
      readonly kind: "answered";
      readonly bytes: Uint8Array;
      readonly ms: number;
      readonly after: readonly Uint8Array[];
    }
  | {
      readonly kind: "failed";
      readonly reason: "timeout" | "refused" | "unreachable" | "other";
      readonly text: string;
    };

export type DnsServer = { readonly host: string; readonly port: number };

export type DnsRequest = {
  readonly server: DnsServer;
  readonly query: Uint8Array;
  /** Whether bytes are an answer to this query; others are counted and passed over. */
  readonly accepts: (bytes: Uint8Array) => boolean;
  readonly timeoutMs: number;
};

export interface DnsTransport {
  /** One datagram and its answer. Never throws but when `signal` is aborted. */
  udp(request: DnsRequest, signal: AbortSignal): Promise<DnsExchange>;
  /** The same over a connection: for answers that were cut off. */
  tcp(request: DnsRequest, signal: AbortSignal): Promise<DnsExchange>;
  /** RFC 8484, with POST. `server` is not looked at. */
  doh(url: string, request: DnsRequest, signal: AbortSignal): Promise<DnsExchange>;
  /** A number below 2^16 that nobody can guess. */
  randomId(): number;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}
