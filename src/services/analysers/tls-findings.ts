// What follows from the facts of a TLS port, as findings: the reason first, then what is worth knowing beside it.

import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { tlsFindings as kinds } from "#services/findings/network-tls.ts";
import { goAlert, opensslName } from "./alerts.ts";
import type { Certificate } from "./certificate.ts";
import { fingerprint, isSignedBy } from "./certificate.ts";
import type { GoVerdict } from "./go-verify.ts";
import { isPublicHost, productOf } from "./interception.ts";
import type { TlsFailed, TrustStore } from "./ports.ts";
import type { TlsFacts, TlsTry } from "./tls-report.ts";
import { isSelfIssued, skewOf, tlsReport, wantsClientCertificate } from "./tls-tree.ts";
import { trustFixes } from "./trust-install.ts";

type Knowing = { readonly facts: TlsFacts; readonly trust: Pick<TrustStore, "family"> };

export async function tlsFindings(facts: TlsFacts, trust: Pick<TrustStore, "family">): Promise<readonly Finding[]> {
  const { unresolved, main, target } = facts;
  if (unresolved !== undefined)
    return [found(kinds, "TCP_NO_ADDRESS", { host: target.host }, { evidence: [seen(`getaddrinfo: ${unresolved}`)] })];
  if (main === undefined) return [];
  if (main.outcome.kind === "failed") return [failure(main.outcome, facts)];
  const shaken = main.outcome;
  return [
    ...(await chainFindings({ facts, trust })),
    ...clientFindings(facts),
    ...versionFindings(facts),
    ...addressFindings(facts),
    ...(shaken.alpn === "h2" || target.proxy !== undefined
      ? []
      : [found(kinds, "TLS_NO_HTTP2", { host: target.host, alpn: shaken.alpn ?? "-" })]),
  ];
}

function seen(text: string): Evidence {
  return { kind: "seen", text };
}

/** Go's sentence and OpenSSL's name: what people search for. */
function bothNames(facts: TlsFacts): Evidence[] {
  const { goError, opensslError } = tlsReport(facts);
  return [
    ...(goError === undefined ? [] : [seen(`go: ${goError}`)]),
    ...(opensslError === undefined ? [] : [seen(`OpenSSL: ${opensslError}`)]),
  ];
}

function certificateLine(certificate: Certificate): Evidence {
  const { subject, issuer, notBefore, notAfter } = certificate;
  const day = (time: Date): string => time.toISOString().slice(0, 10);
  const names = `${subject.text || "(no subject)"} ← ${issuer.text}`;
  return { kind: "certificate", text: `${names}, ${day(notBefore)} – ${day(notAfter)}` };
}

function hostPort({ host, port }: TlsFacts["target"]): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** There was no handshake. */
function failure(outcome: TlsFailed, facts: TlsFacts): Finding {
  const at = hostPort(facts.target);
  const address: Evidence = { kind: "address", text: facts.main?.address ?? "" };
  const details = { evidence: [...bothNames(facts), address] };
  if (outcome.stage === "proxy")
    return found(kinds, "TCP_PROXY_REFUSED", { at, text: outcome.text.slice(0, 120) }, details);
  if (outcome.stage === "tcp") {
    const code =
      outcome.reason === "refused" ? "TCP_REFUSED" : outcome.reason === "timeout" ? "TCP_TIMEOUT" : "TCP_UNREACHABLE";
    return found(kinds, code, { at }, details);
  }
  switch (outcome.reason) {
    case "reset":
    case "closed":
    case "timeout":
      return cutOff(outcome, facts, details);
    case "not-tls":
      if (facts.plainHttp === undefined) return found(kinds, "TLS_NOT_TLS", { at }, details);
      return found(
        kinds,
        "TLS_PLAIN_HTTP",
        { at },
        { evidence: [...details.evidence, seen(`GET / → ${facts.plainHttp}`)] },
      );
    case "old-version":
    case "alert":
      return refusedByAlert(outcome, facts, details);
    case "proxy":
    case "refused":
    case "unreachable":
    case "other":
      return found(kinds, "TLS_FAILED", { at, text: outcome.text.slice(0, 120) }, details);
  }
}

/** Our name got silence or a reset: when another name gets an answer at the same address, the name is the reason. */
function cutOff(outcome: TlsFailed, { target, name, otherName }: TlsFacts, details: { evidence: Evidence[] }): Finding {
  const at = hostPort(target);
  const isAnswered =
    otherName?.kind === "shaken" || otherName?.reason === "alert" || otherName?.reason === "old-version";
  if (isAnswered) {
    const other = otherName.kind === "shaken" ? `TLS (${otherName.protocol})` : otherName.text;
    const evidence = [
      ...details.evidence,
      seen(`SNI ${name} → ${outcome.reason}`),
      seen(`SNI www.example.com → ${other}`),
    ];
    return found(kinds, "TLS_SNI_RESET", { at, name }, { evidence, confidence: "likely" });
  }
  const code = outcome.reason === "timeout" ? "TLS_SILENT" : outcome.reason === "reset" ? "TLS_RESET" : "TLS_CLOSED";
  return found(kinds, code, { at }, details);
}

function refusedByAlert(outcome: TlsFailed, facts: TlsFacts, details: { evidence: Evidence[] }): Finding {
  const { target, name, oldVersion } = facts;
  const at = hostPort(target);
  if (oldVersion !== undefined && oldVersion < "TLSv1.2")
    return found(kinds, "TLS_OLD_VERSION", { at, version: oldVersion }, details);
  if (outcome.reason === "old-version") return found(kinds, "TLS_OLD_VERSION", { at, version: "< TLSv1.2" }, details);
  if (outcome.alert === 112) return found(kinds, "TLS_NAME_REFUSED", { at, name }, details);
  if (wantsClientCertificate(facts) !== undefined) return found(kinds, "TLS_CLIENT_CERTIFICATE", { at }, details);
  return found(kinds, "TLS_ALERT", { at, alert: goAlert(outcome.alert ?? 40) }, details);
}

/** More than this is no matter of a slow answer. */
const maxSkewMs = 5 * 60_000;
const soonMs = 14 * 86_400_000;

async function chainFindings({ facts, trust }: Knowing): Promise<Finding[]> {
  const { verdict, chain, target, unreadable, now } = facts;
  const at = hostPort(target);
  const [leaf] = chain;
  if (leaf === undefined || verdict === undefined)
    return [
      found(kinds, "TLS_REFUSED_CHAIN", { at, reason: unreadable ?? "no certificate" }, { evidence: bothNames(facts) }),
    ];
  const evidence = [...bothNames(facts), certificateLine(leaf)];
  switch (verdict.kind) {
    case "trusted":
      return trustedFindings(facts, verdict);
    case "expired":
    case "not-yet-valid":
      return timeFindings(verdict, facts, evidence);
    case "name":
      return nameFindings(facts, evidence);
    case "unknown-authority": {
      const fixes = trustFixes(at, await trust.family());
      return [unknownAuthority(facts, { evidence, fixes }), ...clockFindings(facts)];
    }
    case "other":
      return [found(kinds, "TLS_REFUSED_CHAIN", { at, reason: verdict.sentence }, { evidence })].concat(
        now < leaf.notBefore ? clockFindings(facts) : [],
      );
  }
}

function trustedFindings(facts: TlsFacts, verdict: Extract<GoVerdict, { kind: "trusted" }>): Finding[] {
  const { target, chain, publicVerdict, trust, now } = facts;
  const at = hostPort(target);
  const [leaf] = chain;
  const root = verdict.path.at(-1);
  const openssl = trust?.outcome.kind === "shaken" ? trust.outcome.openssl : undefined;
  const findings: Finding[] = [];
  if (openssl !== undefined) {
    const name = opensslName(openssl);
    findings.push(found(kinds, "TLS_OPENSSL_DIFFERS", { at, name }, { evidence: bothNames(facts) }));
  }
  if (leaf !== undefined && leaf.notAfter.getTime() - now.getTime() < soonMs) {
    const days = Math.max(0, Math.floor((leaf.notAfter.getTime() - now.getTime()) / 86_400_000));
    findings.push(found(kinds, "TLS_EXPIRES_SOON", { at, days }, { evidence: [certificateLine(leaf)] }));
  }
  if (publicVerdict?.kind === "unknown-authority" && root !== undefined) {
    const evidence = [
      certificateLine(root),
      { kind: "hash", text: fingerprint(root).replaceAll(":", "").toLowerCase() } as const,
    ];
    const issuer = (leaf === undefined ? undefined : productOf(leaf)) ?? productOf(root) ?? root.subject.text;
    findings.push(
      isPublicHost(facts.name)
        ? found(kinds, "TLS_INTERCEPTED", { at, by: issuer }, { evidence, severity: "warn" })
        : found(kinds, "TLS_STORES_DIFFER", { at, root: root.subject.text }, { evidence }),
    );
  }
  return [...findings, ...clockFindings(facts)];
}

function timeFindings(
  { kind, at: certificate }: Extract<GoVerdict, { kind: "expired" | "not-yet-valid" }>,
  facts: TlsFacts,
  evidence: Evidence[],
): Finding[] {
  const { chain, now } = facts;
  const at = hostPort(facts.target);
  const skew = skewOf(facts);
  const theirs = skew === undefined ? undefined : new Date(now.getTime() - skew);
  const isClock =
    theirs !== undefined &&
    Math.abs(skew ?? 0) > maxSkewMs &&
    theirs >= certificate.notBefore &&
    theirs <= certificate.notAfter;
  // Authorities are old: when none of the chain is valid yet, it is this clock that is early.
  const isEarly = kind === "not-yet-valid" && chain.length > 1 && chain.every(({ notBefore }) => now < notBefore);
  if (isClock) return clockFindings(facts, evidence);
  if (isEarly)
    return [found(kinds, "TLS_CLOCK_WRONG", { at, local: minutes(now) }, { evidence, confidence: "likely" })];
  if (certificate !== chain[0])
    return [found(kinds, "TLS_AUTHORITY_EXPIRED", { at, issuer: certificate.subject.text }, { evidence })];
  const limit = kind === "expired" ? certificate.notAfter : certificate.notBefore;
  const code = kind === "expired" ? "TLS_EXPIRED" : "TLS_NOT_YET_VALID";
  return [found(kinds, code, { at, limit: minutes(limit) }, { evidence }), ...clockFindings(facts)];
}

function minutes(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function clockFindings(facts: TlsFacts, evidence: readonly Evidence[] = []): Finding[] {
  const skew = skewOf(facts);
  if (skew === undefined || Math.abs(skew) <= maxSkewMs) return [];
  const theirs = minutes(new Date(facts.now.getTime() - skew));
  const fields = { at: hostPort(facts.target), local: minutes(facts.now) };
  return [
    found(kinds, "TLS_CLOCK_WRONG", fields, { evidence: [seen(`Date: ${theirs}`), ...evidence], confidence: "likely" }),
  ];
}

function nameFindings(facts: TlsFacts, evidence: Evidence[]): Finding[] {
  const { chain, name, nameless, target } = facts;
  const names = [...(chain[0]?.names?.dns ?? []), ...(chain[0]?.names?.ip ?? [])];
  const fields = { at: hostPort(target), name, names: names.slice(0, 3).join(", ") || "-" };
  const bare = nameless === undefined ? [] : [seen("no SNI → the same certificate")];
  const code = nameless === undefined ? "TLS_NAME_MISMATCH" : "TLS_DEFAULT_CERTIFICATE";
  return [found(kinds, code, fields, { evidence: [...evidence, ...bare] })];
}

type Details = { readonly evidence: Evidence[]; readonly fixes: ReturnType<typeof trustFixes> };

/** No path to an authority: which of the six reasons is it? */
function unknownAuthority(facts: TlsFacts, details: Details): Finding {
  const { chain, verdict, publicVerdict, target, roots, name } = facts;
  const at = hostPort(target);
  const [leaf] = chain;
  const top = chain.at(-1);
  const hint = verdict?.kind === "unknown-authority" ? verdict.hint : undefined;
  if (leaf === undefined || top === undefined)
    return found(kinds, "TLS_UNKNOWN_AUTHORITY", { at, issuer: "-" }, details);
  const { evidence } = details;
  if (publicVerdict?.kind === "trusted")
    return found(kinds, "TLS_NO_ROOTS", { at, count: roots.count }, { evidence: [...evidence, rootPlaces(facts)] });
  if (hint?.kind === "weak-signature")
    return found(
      kinds,
      "TLS_WEAK_SIGNATURE",
      { at, algorithm: /SHA1|MD[25]/.exec(hint.sentence)?.[0] ?? "" },
      { evidence },
    );
  const product = productOf(leaf) ?? productOf(top);
  if (product !== undefined)
    return found(kinds, "TLS_INTERCEPTED", { at, by: product }, { ...details, confidence: "likely" });
  const issuer = top.issuer.text;
  // Only on this host's certificate does an unknown issuer mean somebody in between: it is known to have a public one.
  if (isPublicHost(name) && isSelfIssued(top))
    return found(kinds, "TLS_INTERCEPTED", { at, by: issuer }, { ...details, confidence: "likely" });
  if (chain.length === 1 && isSelfIssued(leaf) && isSignedBy(leaf, leaf))
    return found(kinds, "TLS_SELF_SIGNED", { at }, details);
  if (isSelfIssued(top)) return found(kinds, "TLS_UNKNOWN_AUTHORITY", { at, issuer }, details);
  // Servers leave the root out: above an intermediate it is most likely the root that is unknown.
  if (chain.length > 1)
    return found(kinds, "TLS_UNKNOWN_AUTHORITY", { at, issuer }, { ...details, confidence: "likely" });
  const [url] = top.issuerUrls;
  const aia = url === undefined ? [] : [seen(`AIA: ${url}`)];
  const confidence = url === undefined ? "possible" : "likely";
  return found(kinds, "TLS_MISSING_INTERMEDIATE", { at, issuer }, { evidence: [...evidence, ...aia], confidence });
}

function rootPlaces({ roots }: TlsFacts): Evidence {
  return { kind: "place", text: roots.places.slice(0, 2).join(", ") || "-" };
}

function clientFindings(facts: TlsFacts): Finding[] {
  const said = wantsClientCertificate(facts);
  if (said === undefined) return [];
  return [found(kinds, "TLS_CLIENT_CERTIFICATE", { at: hostPort(facts.target) }, { evidence: [seen(said)] })];
}

function versionFindings({ main, target }: TlsFacts): Finding[] {
  const { min } = target;
  if (main?.outcome.kind !== "shaken" || min === undefined || main.outcome.protocol >= min) return [];
  const { protocol, cipher } = main.outcome;
  const evidence = [seen(`${protocol} ${cipher}`)];
  return [found(kinds, "TLS_BELOW_MINIMUM", { at: hostPort(target), version: protocol, min }, { evidence })];
}

/** Go dials the addresses in turn: some that fail cost time, and some that answer as another server cost builds. */
function addressFindings({ tries, main, target }: TlsFacts): Finding[] {
  const at = hostPort(target);
  const bad = tries.filter(({ outcome }) => outcome.kind === "failed");
  const leafOf = ({ outcome }: TlsTry): string =>
    outcome.kind === "shaken" ? Buffer.from(outcome.chain[0] ?? []).toString("base64") : "";
  const other = tries.filter(
    (one) => one.outcome.kind === "shaken" && main !== undefined && leafOf(one) !== leafOf(main),
  );
  const lines = (some: readonly TlsTry[]): Evidence[] =>
    some.map(({ address, outcome }) => ({
      kind: "address",
      text: `${address} ${outcome.kind === "failed" ? outcome.text : "other certificate"}`,
    }));
  return [
    ...(bad.length === 0
      ? []
      : [
          found(kinds, "TCP_SOME_ADDRESSES_FAIL", { at, bad: bad.length, all: tries.length }, { evidence: lines(bad) }),
        ]),
    ...(other.length === 0 ? [] : [found(kinds, "TLS_ADDRESSES_DIFFER", { at }, { evidence: lines(other) })]),
  ];
}
