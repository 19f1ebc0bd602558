// Clients that must show a certificate of the configured authorities. The handshake asks for one and verifies it; who
// has none, or another, is answered 403 with the reason (`answer`), or the handshake ends there (`strict`).
//
// `authorized` alone proves nothing: older Node (20 does) says so, too, of a client without a certificate that resumes a
// TLS 1.3 session, which it takes for a pre-shared key. Hence no tickets, and without a certificate no entry.

import { constants } from "node:crypto";
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { render } from "#services/errors/catalogue.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { Clock } from "#services/store/ports.ts";
import { statusFor } from "./problems.ts";
import type { Request, Response } from "./send.ts";

export type Handler = (request: Request, response: Response) => void;

/** Whose clients are answered. */
export type ClientTrust = {
  /** PEM. */
  readonly ca: Buffer;
  readonly refusal: "answer" | "strict";
};

/** What the TLS server is told. */
export type ClientTlsOptions = {
  readonly requestCert: true;
  readonly rejectUnauthorized: boolean;
};

/** What each TLS context is told; a renewed one too. */
export type ClientContextOptions = { readonly ca: Buffer; readonly secureOptions: number };

export function clientTlsOptions({ refusal }: ClientTrust): ClientTlsOptions {
  return { requestCert: true, rejectUnauthorized: refusal === "strict" };
}

export function clientContextOptions({ ca }: ClientTrust): ClientContextOptions {
  return { ca, secureOptions: constants.SSL_OP_NO_TICKET };
}

type Shown =
  | { readonly verdict: "proven"; readonly subject: string; readonly fromMs: number; readonly untilMs: number }
  | { readonly verdict: "missing" | "refused"; readonly detail: string };

/** What each connection has shown: read once, since every request of it would find the same. */
const shownBy = new WeakMap<object, Shown>();
/** Who asked, of requests that passed. */
const subjects = new WeakMap<Request, string>();

/** A distinguished name is short; this bounds a line of the operation log. */
const maxSubject = 256;

/** Lets only requests through whose client has proven who it is. */
export function requireCertificate(
  handler: Handler,
  use: { readonly lang: () => Lang; readonly clock: Pick<Clock, "now"> },
): Handler {
  return (request, response) => {
    const shown = shownOn(request);
    if (shown.verdict === "proven") {
      const now = use.clock.now();
      // A connection may outlive the certificate that opened it.
      if (now >= shown.fromMs && now < shown.untilMs) {
        subjects.set(request, shown.subject);
        handler(request, response);
        return;
      }
    }
    const { verdict, detail } =
      shown.verdict === "proven" ? { verdict: "refused" as const, detail: "CERT_HAS_EXPIRED" } : shown;
    refuse(response, new GranaryError("GRANARY_CLIENT_CERTIFICATE", { problem: verdict, detail }), use.lang());
  };
}

/** The subject of the certificate that let this request in; undefined when none was asked for, or none was good. */
export function subjectOf(request: Request): string | undefined {
  return subjects.get(request);
}

function shownOn(request: Request): Shown {
  const connection = connectionOf(request);
  const known = shownBy.get(connection);
  if (known !== undefined) return known;
  const shown = readShown(request.socket as Partial<TLSSocket>);
  shownBy.set(connection, shown);
  return shown;
}

/** HTTP/2 hands out another wrapper of its socket with each request; the session stays. */
function connectionOf(request: Request): object {
  const { stream } = request as { readonly stream?: { readonly session?: object } };
  return stream?.session ?? request.socket;
}

function readShown(socket: Partial<TLSSocket>): Shown {
  const certificate = socket.getPeerX509Certificate?.();
  if (certificate === undefined) return { verdict: "missing", detail: "" };
  if (socket.authorized !== true) return { verdict: "refused", detail: String(socket.authorizationError ?? "") };
  return {
    verdict: "proven",
    subject: nameOf(certificate),
    fromMs: Date.parse(certificate.validFrom),
    untilMs: Date.parse(certificate.validTo),
  };
}

/** `C=CN, O=Corp, CN=alice`; the alternative name where there is no subject. */
function nameOf({ subject, subjectAltName, serialNumber }: X509Certificate): string {
  const lines = (subject as string | undefined)?.split("\n").join(", ") ?? "";
  const name = lines === "" ? (subjectAltName ?? `serial ${serialNumber}`) : lines;
  return name.slice(0, maxSubject);
}

function refuse(response: Response, error: GranaryError, lang: Lang): void {
  const body = Buffer.from(`${render(error, lang).join("\n")}\n`);
  const head = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", String(body.length)];
  response.writeHead(statusFor(error.code), [
    ...head,
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
  ]);
  response.end(body);
}
