// Broken TLS servers on the loopback, one per way in which go is refused: what each is found to be, and what go says.
import { createServer as createHttp } from "node:http";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { TestContext } from "node:test";
import { createSecureContext } from "node:tls";
import type { TlsOptions } from "node:tls";
import { createServer as createHttps } from "node:https";
import { listen } from "./loopback.ts";
import { issue } from "./x509.ts";
import type { Issued } from "./x509.ts";

export type Authorities = { readonly root: Issued; readonly middle: Issued; readonly stranger: Issued };

export function authorities(): Authorities {
  const root = issue({ cn: "Granary Test Root", isCa: true });
  return {
    root,
    middle: issue({ cn: "Granary Test Issuing CA", isCa: true, by: root }),
    stranger: issue({ cn: "Stranger Root", isCa: true }),
  };
}

export type TlsWorld = {
  readonly name: string;
  /** The code that comes first; undefined for a healthy world. */
  readonly code: string | undefined;
  /** What the go command says; undefined when it gets an answer. */
  readonly go: RegExp | undefined;
  /** OpenSSL's name for it, where it has one. */
  readonly openssl?: string;
  readonly start: (t: TestContext, by: Authorities) => Promise<number>;
};

const names = { dns: ["localhost"], ip: ["127.0.0.1"] } as const;

export const tlsWorlds: readonly TlsWorld[] = [
  {
    name: "good",
    code: undefined,
    go: undefined,
    start: (t, { middle }) => serve(t, issue({ cn: "good", ...names, by: middle }), [middle]),
  },
  {
    name: "missing intermediate",
    code: "TLS_MISSING_INTERMEDIATE",
    go: /x509: certificate signed by unknown authority/,
    openssl: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    start: (t, { middle }) => serve(t, issue({ cn: "short", ...names, by: middle, aia: "http://ca.example/i.crt" })),
  },
  {
    name: "self-signed",
    code: "TLS_SELF_SIGNED",
    go: /x509: certificate signed by unknown authority/,
    openssl: "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
    start: (t) => serve(t, issue({ cn: "alone", ...names })),
  },
  {
    name: "unknown authority",
    code: "TLS_UNKNOWN_AUTHORITY",
    go: /x509: certificate signed by unknown authority/,
    openssl: "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN",
    start: (t, { stranger }) => serve(t, issue({ cn: "foreign", ...names, by: stranger }), [stranger]),
  },
  {
    name: "interception by issuer",
    code: "TLS_INTERCEPTED",
    go: /x509: certificate signed by unknown authority/,
    openssl: "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN",
    start: (t) => {
      const ca = issue({ cn: "Zscaler Root CA", org: "Zscaler Inc.", isCa: true });
      return serve(t, issue({ cn: "localhost", ...names, by: ca }), [ca]);
    },
  },
  {
    name: "expired",
    code: "TLS_EXPIRED",
    go: /x509: certificate has expired or is not yet valid: current time \S+ is after/,
    openssl: "X509_V_ERR_CERT_HAS_EXPIRED",
    start: (t, { middle }) => serve(t, issue({ cn: "late", ...names, by: middle, from: -9, until: -2 }), [middle]),
  },
  {
    name: "not yet valid",
    code: "TLS_NOT_YET_VALID",
    go: /x509: certificate has expired or is not yet valid: current time \S+ is before/,
    openssl: "X509_V_ERR_CERT_NOT_YET_VALID",
    start: (t, { middle }) => serve(t, issue({ cn: "early", ...names, by: middle, from: 3 }), [middle]),
  },
  {
    name: "expired intermediate",
    code: "TLS_AUTHORITY_EXPIRED",
    go: /x509: certificate has expired or is not yet valid: current time \S+ is after/,
    openssl: "X509_V_ERR_CERT_HAS_EXPIRED",
    start: (t, { root }) => {
      const old = issue({ cn: "Old Issuing CA", isCa: true, by: root, from: -90, until: -1 });
      return serve(t, issue({ cn: "below old", ...names, by: old }), [old]);
    },
  },
  {
    name: "name mismatch",
    code: "TLS_NAME_MISMATCH",
    go: /x509: certificate is valid for other\.example, www\.other\.example, not localhost/,
    start: (t, { middle }) => {
      const fallback = pemOf(issue({ cn: "default", dns: ["default.example"], by: middle }), [middle]);
      const other = pemOf(issue({ cn: "other", dns: ["other.example", "www.other.example"], by: middle }), [middle]);
      return https(t, { ...fallback, SNICallback: (_, done) => done(null, createSecureContext(other)) });
    },
  },
  {
    name: "wrong SNI: the default certificate",
    code: "TLS_DEFAULT_CERTIFICATE",
    go: /x509: certificate is valid for default\.example, not localhost/,
    start: (t, { middle }) => serve(t, issue({ cn: "default", dns: ["default.example"], by: middle }), [middle]),
  },
  {
    name: "common name only",
    code: "TLS_DEFAULT_CERTIFICATE",
    go: /x509: certificate relies on legacy Common Name field, use SANs instead/,
    start: (t, { middle }) => serve(t, issue({ cn: "localhost", by: middle }), [middle]),
  },
  {
    name: "a SHA-1 signature",
    code: "TLS_WEAK_SIGNATURE",
    go: /x509: certificate signed by unknown authority \(possibly because of .*insecure algorithm/,
    start: (t) => {
      const ca = issue({ cn: "Granary Test Root", isCa: true, old: true });
      return serve(t, issue({ cn: "weak", ...names, by: ca, old: true }), [ca], { ciphers: "DEFAULT@SECLEVEL=0" });
    },
  },
  {
    name: "a certificate for clients",
    code: "TLS_REFUSED_CHAIN",
    go: /x509: certificate specifies an incompatible key usage/,
    openssl: "X509_V_ERR_INVALID_PURPOSE",
    start: (t, { middle }) =>
      serve(t, issue({ cn: "client", ...names, by: middle, usages: ["1.3.6.1.5.5.7.3.2"] }), [middle]),
  },
  {
    name: "TLS 1.1 only",
    code: "TLS_OLD_VERSION",
    go: /remote error: tls: protocol version not supported/,
    start: (t, { middle }) =>
      serve(t, issue({ cn: "old", ...names, by: middle }), [middle], {
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      }),
  },
  {
    name: "an alert for the name",
    code: "TLS_NAME_REFUSED",
    go: /remote error: tls: unrecognized name/,
    // Alert, TLS 1.2, 2 bytes: fatal, unrecognized_name.
    start: (t) => raw(t, (socket) => socket.once("data", () => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, 112)))),
  },
  {
    name: "plain HTTP",
    code: "TLS_PLAIN_HTTP",
    go: /http: server gave HTTP response to HTTPS client/,
    start: (t) =>
      listen(
        t,
        createHttp((_, answer) => answer.end("hello")),
      ),
  },
  {
    name: "neither TLS nor HTTP",
    code: "TLS_NOT_TLS",
    go: /tls: first record does not look like a TLS handshake/,
    start: (t) => raw(t, (socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n")),
  },
  {
    name: "a reset on ClientHello",
    code: "TLS_RESET",
    go: /connection reset by peer|EOF/,
    start: (t) => raw(t, (socket) => socket.once("data", () => socket.resetAndDestroy())),
  },
  {
    name: "a reset by name",
    code: "TLS_SNI_RESET",
    go: /connection reset by peer|EOF/,
    start: async (t, { middle }) => {
      const behind = await serve(t, issue({ cn: "good", ...names, by: middle }), [middle]);
      return raw(t, (socket) =>
        socket.once("data", (hello: Buffer) => {
          if (hello.includes("localhost")) return void socket.resetAndDestroy();
          const server = connect(behind, "127.0.0.1").on("error", () => socket.destroy());
          server.write(hello);
          socket.pipe(server).pipe(socket);
        }),
      );
    },
  },
  {
    name: "an end on ClientHello",
    code: "TLS_CLOSED",
    go: /EOF/,
    start: (t) => raw(t, (socket) => socket.once("data", () => socket.end())),
  },
  {
    name: "silence",
    code: "TLS_SILENT",
    go: /TLS handshake timeout/,
    start: (t) => raw(t, (socket) => socket.resume()),
  },
  {
    name: "a client certificate demanded",
    code: "TLS_CLIENT_CERTIFICATE",
    go: /remote error: tls: certificate required/,
    start: (t, { middle, root }) =>
      serve(t, issue({ cn: "mutual", ...names, by: middle }), [middle], { requestCert: true, ca: root.pem }),
  },
  {
    name: "a client certificate demanded, TLS 1.2",
    code: "TLS_CLIENT_CERTIFICATE",
    go: /remote error: tls: (handshake failure|bad certificate)/,
    start: (t, { middle, root }) =>
      serve(t, issue({ cn: "mutual", ...names, by: middle }), [middle], {
        requestCert: true,
        ca: root.pem,
        maxVersion: "TLSv1.2",
      }),
  },
];

function pemOf(leaf: Issued, above: readonly Issued[]): { cert: string; key: string } {
  return { cert: [leaf, ...above].map(({ pem }) => pem).join(""), key: leaf.keyPem };
}

function serve(t: TestContext, leaf: Issued, above: readonly Issued[] = [], options: TlsOptions = {}): Promise<number> {
  return https(t, { ...pemOf(leaf, above), ...options });
}

/** Answers every request with 404, as a proxy does that has nothing. */
function https(t: TestContext, options: TlsOptions): Promise<number> {
  const server = createHttps(options, (_, answer) =>
    answer.writeHead(404, { "content-type": "text/plain" }).end("none\n"),
  );
  server.on("tlsClientError", () => undefined);
  return listen(t, server);
}

function raw(t: TestContext, serveOne: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(serveOne);
  return listen(t, server);
}
