// What an examination of a TLS port saw, as data: commands print it, `doctor` takes its step from it.

import type { Finding } from "#services/findings/finding.ts";
import type { Certificate } from "./certificate.ts";
import type { GoVerdict } from "./go-verify.ts";
import type { TlsAttempt, TlsFailed, TlsShaken } from "./ports.ts";

export type TlsTarget = {
  readonly host: string;
  readonly port: number;
  /** The name to ask for and to be shown, when it is not the host. */
  readonly servername?: string | undefined;
  /** Lower than this is reported; go itself takes nothing below TLSv1.2. */
  readonly min?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** An HTTP proxy on the way, as HTTPS_PROXY says. */
  readonly proxy?: string | undefined;
};

/** One address, or the proxy, and what became of the connection through it. */
export type TlsTry = TlsAttempt & { readonly address: string };

/**
 * The tree of a handshake, from the root to where it ended. `answer` undefined: not known.
 * `resolves` → `connects` → `speaks` (TLS, not silence, a reset or HTTP) → `version` → `name` (is the certificate for
 * it?) → `time` → `complete` (up to an authority, or to one that signs itself) → `trusted` → `admits` (without a client
 * certificate).
 */
export type TlsStep = {
  readonly question: TlsQuestion;
  readonly answer: boolean | undefined;
  /** What decided it. */
  readonly value: string;
};

export const tlsQuestions = [
  "resolves",
  "connects",
  "speaks",
  "version",
  "name",
  "time",
  "complete",
  "trusted",
  "admits",
] as const;
export type TlsQuestion = (typeof tlsQuestions)[number];

export type TlsReport = {
  readonly target: TlsTarget;
  /** The name the certificate has to have. */
  readonly name: string;
  readonly tries: readonly TlsTry[];
  /** The branch that was walked. */
  readonly steps: readonly TlsStep[];
  readonly chain: readonly Certificate[];
  readonly verdict: GoVerdict | undefined;
  /** As the go command prints it; undefined when it is content. */
  readonly goError: string | undefined;
  /** X509_V_ERR_… of OpenSSL with the same authorities, or what it said of the handshake; undefined when content. */
  readonly opensslError: string | undefined;
  readonly protocol: string | undefined;
  readonly alpn: string | undefined;
  /** How many authorities go trusts here, and where they are. */
  readonly roots: { readonly count: number; readonly places: readonly string[] };
  /** The local clock less the server's Date; undefined without one. */
  readonly skewMs: number | undefined;
};

export type Examined<R> = { readonly report: R; readonly findings: readonly Finding[] };

/** Everything that was seen, before anything is concluded from it. */
export type TlsFacts = {
  readonly target: TlsTarget;
  readonly name: string;
  readonly tries: readonly TlsTry[];
  /** Why the host has no address. */
  readonly unresolved: string | undefined;
  /** The try that the rest is about. */
  readonly main: TlsTry | undefined;
  readonly chain: readonly Certificate[];
  /** The certificate that could not be read. */
  readonly unreadable: string | undefined;
  /** With go's authorities, and asked. */
  readonly trust: TlsAttempt | undefined;
  readonly verdict: GoVerdict | undefined;
  /** What Mozilla's authorities say of the chain. */
  readonly publicVerdict: GoVerdict | undefined;
  readonly roots: TlsReport["roots"];
  /** The server without SNI, when its certificate is not for the name. */
  readonly nameless: Certificate | undefined;
  /** What another name got from the same address, when ours got no TLS. */
  readonly otherName: TlsShaken | TlsFailed | undefined;
  /** What the server chose when everything from TLS 1.0 on was offered. */
  readonly oldVersion: string | undefined;
  /** First line of its answer to plain HTTP. */
  readonly plainHttp: string | undefined;
  readonly now: Date;
};
