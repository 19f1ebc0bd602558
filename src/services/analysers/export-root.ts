// `granary tls export-root`: the certificates that signed a server's own, for whoever has to decide about them. What a
// server sends proves nothing: its fingerprints are to be compared with those that its owner tells by another way.

import { fingerprint, toPem } from "./certificate.ts";
import type { Certificate } from "./certificate.ts";
import type { TlsReport } from "./tls-report.ts";
import { isSelfIssued } from "./tls-tree.ts";

export type ExportedRoots = {
  /** From the issuer of the server's certificate upwards; the server's own when it signed itself. */
  readonly certificates: readonly Certificate[];
  /** The last one signs itself: it is what would have to be trusted. */
  readonly isWhole: boolean;
  /** This machine trusts the chain already. */
  readonly isTrusted: boolean;
  /** PEM with a comment above each certificate. */
  readonly pem: string;
};

/** Undefined when the server presented nothing. */
export function exportRoots({ chain, verdict }: Pick<TlsReport, "chain" | "verdict">): ExportedRoots | undefined {
  const path = verdict?.kind === "trusted" ? verdict.path : chain;
  const certificates = path.length > 1 ? path.slice(1) : path;
  const last = certificates.at(-1);
  if (last === undefined) return undefined;
  return {
    certificates,
    isWhole: isSelfIssued(last),
    isTrusted: verdict?.kind === "trusted",
    pem: certificates.map(withComment).join("\n"),
  };
}

function withComment(certificate: Certificate): string {
  const { subject, notAfter } = certificate;
  // A line break in a name would end the comment.
  const name = subject.text.replace(/\p{Cc}/gu, "?");
  return `# ${name}\n# SHA-256 ${fingerprint(certificate)}\n# until ${notAfter.toISOString()}\n${toPem(certificate)}`;
}
