// From what was seen to the branch of the tree that was walked, and to the sentences of go and OpenSSL.

import { goAlert, opensslName } from "./alerts.ts";
import type { Certificate } from "./certificate.ts";
import { fingerprint } from "./certificate.ts";
import { timeProblem } from "./go-verify.ts";
import { hostnameProblem } from "./hostname.ts";
import type { TlsFailed } from "./ports.ts";
import type { TlsFacts, TlsReport, TlsStep } from "./tls-report.ts";

export function tlsReport(facts: TlsFacts): TlsReport {
  const { target, name, tries, chain, verdict, main, trust, roots } = facts;
  const shaken = main?.outcome.kind === "shaken" ? main.outcome : undefined;
  return {
    target,
    name,
    tries,
    steps: stepsOf(facts),
    chain,
    verdict,
    goError: goErrorOf(facts),
    opensslError: opensslErrorOf(facts),
    protocol: shaken?.protocol ?? facts.oldVersion,
    alpn: shaken?.alpn,
    roots,
    skewMs: skewOf({ trust, now: facts.now }),
  };
}

/** A Date has whole seconds, and the answer took a moment. */
export function skewOf({ trust, now }: Pick<TlsFacts, "trust" | "now">): number | undefined {
  const said = trust?.outcome.kind === "shaken" ? Date.parse(trust.outcome.http?.date ?? "") : Number.NaN;
  return Number.isNaN(said) ? undefined : now.getTime() - said;
}

/** What the server said when a client certificate did not come; undefined when nothing says that it wants one. */
export function wantsClientCertificate({ trust, main }: Pick<TlsFacts, "trust" | "main">): string | undefined {
  for (const one of [trust?.outcome, main?.outcome]) {
    if (one === undefined) continue;
    const end = one.kind === "failed" ? one : one.late;
    // 116 of TLS 1.3; TLS 1.2 has only bad_certificate for it, and we sent none that could be bad.
    if (end?.alert === 116 || end?.alert === 42) return goAlert(end.alert);
    // After its own certificate there is nothing left to disagree about but ours.
    if (one.kind === "failed" && one.alert === 40 && one.hasShown === true) return goAlert(40);
    // nginx finishes the handshake and says it with HTTP.
    if (one.kind === "shaken" && /no required ssl certificate/i.test(one.http?.start ?? "")) return one.http?.status;
  }
  return undefined;
}

function goErrorOf(facts: TlsFacts): string | undefined {
  const { main, verdict, unresolved, target } = facts;
  if (unresolved !== undefined) return `dial tcp: lookup ${target.host}: no such host`;
  if (main?.outcome.kind === "failed") return failureOfGo(main.outcome, { ...facts, address: main.address });
  if (facts.unreadable !== undefined) return "tls: failed to parse certificate from server";
  if (verdict !== undefined && verdict.kind !== "trusted")
    return `tls: failed to verify certificate: ${verdict.sentence}`;
  return wantsClientCertificate(facts);
}

function failureOfGo(
  outcome: TlsFailed,
  { address, target, plainHttp, oldVersion }: TlsFacts & { address: string },
): string {
  const where = address.includes(":") ? `[${address}]:${target.port}` : `${address}:${target.port}`;
  switch (outcome.reason) {
    case "refused":
      return `dial tcp ${where}: connect: connection refused`;
    case "unreachable":
      return `dial tcp ${where}: connect: network is unreachable`;
    case "timeout":
      return outcome.stage === "tls" ? "net/http: TLS handshake timeout" : `dial tcp ${where}: i/o timeout`;
    case "reset":
      return `read tcp …->${where}: read: connection reset by peer`;
    case "closed":
      return "EOF";
    case "old-version":
      return `tls: server selected unsupported protocol version ${versionNumber(oldVersion)}`;
    case "alert":
      return goAlert(outcome.alert ?? 40);
    case "not-tls":
      return plainHttp === undefined
        ? "tls: first record does not look like a TLS handshake"
        : "http: server gave HTTP response to HTTPS client";
    case "proxy":
    case "other":
      return outcome.text;
  }
}

/** 301 is TLS 1.0, as Go prints it. */
function versionNumber(version: string | undefined): string {
  return version === "TLSv1.1" ? "302" : version === "TLSv1" ? "301" : "300";
}

function opensslErrorOf({ main, trust }: TlsFacts): string | undefined {
  if (main?.outcome.kind === "failed") return saidByOpenssl.has(main.outcome.reason) ? main.outcome.text : undefined;
  if (trust?.outcome.kind !== "shaken") return trust?.outcome.text;
  return trust.outcome.openssl === undefined ? trust.outcome.late?.text : opensslNames(trust.outcome.openssl);
}

/** What ended otherwise, ended below OpenSSL. */
const saidByOpenssl: ReadonlySet<TlsFailed["reason"]> = new Set(["alert", "old-version", "not-tls", "other"]);

/** OpenSSL finds the first and goes on to the second; `openssl s_client` shows both, Node the last. */
const leafAlone = ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"];

function opensslNames(code: string): string {
  return code === leafAlone[1] ? leafAlone.map(opensslName).join(", ") : opensslName(code);
}

/** As far as the walk got: a step with the answer no is the last one, but for the certificate, whose steps all say something. */
function stepsOf(facts: TlsFacts): TlsStep[] {
  const { target, tries, unresolved, main, chain, verdict } = facts;
  const steps: TlsStep[] = [];
  if (unresolved !== undefined) return [{ question: "resolves", answer: false, value: unresolved }];
  steps.push({ question: "resolves", answer: true, value: tries.map(({ address }) => address).join(", ") });
  if (main === undefined) return steps;
  const { outcome } = main;
  const isConnected = outcome.kind === "shaken" || outcome.stage === "tls";
  steps.push({
    question: "connects",
    answer: isConnected,
    value: isConnected ? `${main.address} ${Math.round(main.tcpMs ?? 0)} ms` : outcome.text,
  });
  if (!isConnected) return steps;
  const isVersion = outcome.kind === "failed" && facts.oldVersion !== undefined;
  const speaks = outcome.kind === "shaken" || isVersion;
  steps.push({
    question: "speaks",
    answer: speaks,
    value: outcome.kind === "shaken" ? `${Math.round(main.tlsMs ?? 0)} ms` : outcome.text,
  });
  if (!speaks) return steps;
  const protocol = outcome.kind === "shaken" ? outcome.protocol : (facts.oldVersion ?? "");
  const least = target.min ?? "TLSv1.2";
  steps.push({ question: "version", answer: protocol >= least, value: protocol });
  if (outcome.kind === "failed" || chain.length === 0 || verdict === undefined) return steps;
  return [...steps, ...certificateSteps(facts, chain)];
}

function certificateSteps(facts: TlsFacts, chain: readonly Certificate[]): TlsStep[] {
  const { verdict } = facts;
  const [leaf] = chain;
  const top = chain.at(-1);
  if (leaf === undefined || top === undefined || verdict === undefined) return [];
  const late = timeProblem(leaf, facts.now);
  const day = (time: Date): string => time.toISOString().slice(0, 10);
  const path = verdict.kind === "trusted" ? verdict.path : undefined;
  const isWhole = path !== undefined || isSelfIssued(top);
  const root = path?.at(-1);
  const client = wantsClientCertificate(facts);
  return [
    {
      question: "name",
      answer: hostnameProblem(leaf, facts.name) === undefined,
      value: (leaf.names?.dns ?? [])
        .concat(leaf.names?.ip ?? [])
        .slice(0, 4)
        .join(", "),
    },
    {
      question: "time",
      answer: late === undefined && verdict.kind !== "expired" && verdict.kind !== "not-yet-valid",
      value: `${day(leaf.notBefore)} – ${day(leaf.notAfter)}`,
    },
    {
      question: "complete",
      answer: isWhole ? true : chain.length > 1 ? undefined : false,
      value: isWhole ? `${chain.length}` : top.issuer.text,
    },
    {
      question: "trusted",
      answer:
        path !== undefined
          ? true
          : verdict.kind === "unknown-authority" || verdict.kind === "other"
            ? false
            : undefined,
      value: root === undefined ? top.issuer.text : `${root.subject.text} (SHA-256 ${fingerprint(root).slice(0, 11)}…)`,
    },
    ...(path === undefined && client === undefined
      ? []
      : [{ question: "admits" as const, answer: client === undefined, value: client ?? statusOf(facts) }]),
  ];
}

function statusOf({ trust }: TlsFacts): string {
  return trust?.outcome.kind === "shaken" ? (trust.outcome.http?.status ?? "") : "";
}

export function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return subject.id === issuer.id;
}
