// A presented chain, held against authorities as Go holds it (crypto/x509 Certificate.Verify, go1.26): the leaf's own
// times, then its name, then a path to a root, then what the keys may be used for. The sentence is Go's own.
//
// Name constraints and policies are not weighed here; OpenSSL weighs them, and its verdict is asked for as well.

import { isSignedBy } from "./certificate.ts";
import type { Certificate } from "./certificate.ts";
import { hostnameProblem } from "./hostname.ts";

export type GoVerdict =
  | { readonly kind: "trusted"; readonly path: readonly Certificate[] }
  /** `at`: the certificate that is out of its time. */
  | { readonly kind: "expired" | "not-yet-valid"; readonly sentence: string; readonly at: Certificate }
  | { readonly kind: "name"; readonly sentence: string }
  /** `hint`: why a candidate did not do. */
  | { readonly kind: "unknown-authority"; readonly sentence: string; readonly hint: Hint | undefined }
  | { readonly kind: "other"; readonly sentence: string };

export type Hint = {
  readonly kind: "weak-signature" | "not-an-authority" | "signature";
  readonly sentence: string;
  readonly at: Certificate;
};

export type VerifyUse = { readonly roots: Roots; readonly host: string; readonly now: Date };

/** Authorities by the name they sign with. */
export type Roots = ReadonlyMap<string, readonly Certificate[]>;

export function rootsOf(certificates: readonly Certificate[]): Roots {
  const roots = new Map<string, Certificate[]>();
  for (const root of certificates) {
    const same = roots.get(root.subject.id);
    if (same === undefined) roots.set(root.subject.id, [root]);
    else if (!same.some((known) => isSame(known, root))) same.push(root);
  }
  return roots;
}

export function verifyAsGo(chain: readonly Certificate[], use: VerifyUse): GoVerdict {
  const [leaf, ...others] = chain;
  if (leaf === undefined) return { kind: "other", sentence: "tls: received empty certificates message" };
  if (leaf.unknownCritical.length > 0) return { kind: "other", sentence: "x509: unhandled critical extension" };
  const late = timeProblem(leaf, use.now);
  if (late !== undefined) return { ...late, at: leaf };
  const wrong = hostnameProblem(leaf, use.host);
  if (wrong !== undefined) return { kind: "name", sentence: wrong };
  if (isKnown(leaf, use.roots)) return usable([leaf]);
  const search: Search = { ...use, intermediates: rootsOf(others), checks: 0 };
  const path = pathFrom([leaf], search);
  return "path" in path ? usable(path.path) : path.verdict;
}

function unknown(hint: Hint | undefined): GoVerdict {
  const plain = "x509: certificate signed by unknown authority";
  if (hint === undefined) return { kind: "unknown-authority", sentence: plain, hint };
  const { subject, serial } = hint.at;
  const name = subject.commonName || subject.organization || `serial:${BigInt(`0x${serial || "0"}`)}`;
  const because = `possibly because of ${JSON.stringify(hint.sentence)}`;
  const sentence = `${plain} (${because} while trying to verify candidate authority certificate ${JSON.stringify(name)})`;
  return { kind: "unknown-authority", sentence, hint };
}

const serverAuth = "1.3.6.1.5.5.7.3.1";
const anyUsage = "2.5.29.37.0";

/** checkChainForKeyUsage: every certificate with extended usages has to have that of a server. */
function usable(path: readonly Certificate[]): GoVerdict {
  const fits = path.every(
    ({ usages }) => usages.length === 0 || usages.includes(serverAuth) || usages.includes(anyUsage),
  );
  if (fits) return { kind: "trusted", path };
  return { kind: "other", sentence: "x509: certificate specifies an incompatible key usage" };
}

/** isValid's look at the times. */
export function timeProblem(
  { notBefore, notAfter }: Certificate,
  now: Date,
): { readonly kind: "expired" | "not-yet-valid"; readonly sentence: string } | undefined {
  const sentence = (word: string, limit: Date): string =>
    `x509: certificate has expired or is not yet valid: current time ${rfc3339(now)} is ${word} ${rfc3339(limit)}`;
  if (now < notBefore) return { kind: "not-yet-valid", sentence: sentence("before", notBefore) };
  if (now > notAfter) return { kind: "expired", sentence: sentence("after", notAfter) };
  return undefined;
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

type Search = VerifyUse & { readonly intermediates: Roots; checks: number };
type Path = { readonly path: readonly Certificate[] } | { readonly verdict: GoVerdict };

/** crypto/x509 maxChainSignatureChecks: a hostile chain could else ask for any number of them. */
const maxChecks = 100;

/**
 * buildChains: roots first, then what the server sent. Why a signature does not do is only a hint, and the first one is
 * kept; what is wrong with a signer itself is the answer, and there the last one is.
 */
function pathFrom(sofar: readonly Certificate[], search: Search): Path {
  const child = sofar.at(-1);
  let hint: Hint | undefined;
  let verdict: GoVerdict | undefined;
  for (const isRoot of [true, false]) {
    for (const parent of child === undefined ? [] : parentsOf(child, isRoot ? search.roots : search.intermediates)) {
      search.checks += 1;
      if (search.checks > maxChecks) return { verdict: tooMany };
      if (child === undefined || sofar.some((known) => isSame(known, parent))) continue;
      const unfit = signatureProblem(child, parent);
      if (unfit !== undefined) {
        hint ??= { ...unfit, at: parent };
        continue;
      }
      verdict = validityProblem(parent, { sofar, isRoot, now: search.now });
      if (verdict !== undefined) {
        hint ??= { kind: "signature", sentence: sentenceOf(verdict), at: parent };
        continue;
      }
      const longer = [...sofar, parent];
      const found: Path = isRoot ? { path: longer } : pathFrom(longer, search);
      if ("path" in found) return found;
      verdict = found.verdict;
    }
  }
  return { verdict: verdict ?? unknown(hint) };
}

const tooMany: GoVerdict = {
  kind: "other",
  sentence: "x509: signature check attempts limit reached while verifying certificate chain",
};

function sentenceOf(verdict: GoVerdict): string {
  return verdict.kind === "trusted" ? "" : verdict.sentence;
}

/** findPotentialParents: by name, those whose key identifiers agree first. */
function parentsOf(child: Certificate, among: Roots): readonly Certificate[] {
  const rank = ({ keyId }: Certificate): number =>
    keyId === child.issuerKeyId ? 0 : keyId === "" || child.issuerKeyId === "" ? 1 : 2;
  return (among.get(child.issuer.id) ?? []).toSorted((a, b) => rank(a) - rank(b));
}

/** CheckSignatureFrom. */
function signatureProblem(child: Certificate, parent: Certificate): Omit<Hint, "at"> | undefined {
  const { constraints, signsCertificates, version } = parent;
  const isCa = constraints?.isCa ?? version < 3;
  if (!isCa || signsCertificates === false)
    return {
      kind: "not-an-authority",
      sentence: "x509: invalid signature: parent certificate cannot sign this kind of certificate",
    };
  if (/SHA1|MD[25]/.test(child.signature))
    return { kind: "weak-signature", sentence: `x509: cannot verify signature: insecure algorithm ${child.signature}` };
  return isSignedBy(child, parent) ? undefined : { kind: "signature", sentence: signatureSentence(child) };
}

function signatureSentence({ signature }: Certificate): string {
  if (signature.startsWith("ECDSA")) return "x509: ECDSA verification failure";
  return signature === "Ed25519" ? "x509: Ed25519 verification failure" : "crypto/rsa: verification error";
}

type Candidacy = { readonly sofar: readonly Certificate[]; readonly isRoot: boolean; readonly now: Date };

/** isValid, for a signer. */
function validityProblem(parent: Certificate, { sofar, isRoot, now }: Candidacy): GoVerdict | undefined {
  const { constraints } = parent;
  if (parent.unknownCritical.length > 0) return { kind: "other", sentence: "x509: unhandled critical extension" };
  const late = timeProblem(parent, now);
  if (late !== undefined) return { ...late, at: parent };
  if (!isRoot && constraints?.isCa !== true)
    return { kind: "other", sentence: "x509: certificate is not authorized to sign other certificates" };
  if (constraints?.pathLength !== undefined && sofar.length - 1 > constraints.pathLength)
    return { kind: "other", sentence: "x509: too many intermediates for path length constraint" };
  return undefined;
}

function isKnown(certificate: Certificate, roots: Roots): boolean {
  return (roots.get(certificate.subject.id) ?? []).some((root) => isSame(root, certificate));
}

export function isSame(a: Certificate, b: Certificate): boolean {
  return Buffer.compare(a.raw, b.raw) === 0;
}
