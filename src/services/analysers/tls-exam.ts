// `granary tls HOST:PORT`: looks at a TLS port as go would use it, and says why go would be refused. A connection to each
// address shows what is presented and trusts nothing; another one lets OpenSSL decide with go's authorities; and where
// there was no TLS at all, a few more tell a reset by name from a dead server.

import { parseCertificate } from "./certificate.ts";
import type { Certificate } from "./certificate.ts";
import { isAddress } from "./address.ts";
import { DerError } from "./der.ts";
import { isSame, rootsOf, verifyAsGo } from "./go-verify.ts";
import type { Roots } from "./go-verify.ts";
import { readPem } from "./certificate.ts";
import type { Clock, SystemNames, TlsProber, TlsRequest, TrustStore } from "./ports.ts";
import { tlsFindings } from "./tls-findings.ts";
import type { Examined, TlsFacts, TlsReport, TlsTarget, TlsTry } from "./tls-report.ts";
import { tlsReport } from "./tls-tree.ts";

export type TlsUse = {
  readonly prober: TlsProber;
  readonly names: Pick<SystemNames, "lookup">;
  readonly trust: TrustStore;
  readonly clock: Clock;
  /** Called before each network call: `connect 192.0.2.1:443 (SNI proxy.golang.org)`. */
  readonly announce: (call: string) => void;
  /** Of a connection, and of a handshake; without it go's own 10 s. */
  readonly timeoutMs?: number;
};

/** net/http's TLSHandshakeTimeout. */
const handshakeMs = 10_000;
/** A name with more addresses is a CDN's; four of them tell as much. */
const maxAddresses = 4;
/** What go offers (net/http with HTTP/2). */
const goAlpn = ["h2", "http/1.1"] as const;
/** RFC 2606: it belongs to nobody, and no filter has it. */
const harmlessName = "www.example.com";

/** Looks, and concludes. Throws only when `signal` is aborted. */
export async function examineTls(target: TlsTarget, use: TlsUse, signal: AbortSignal): Promise<Examined<TlsReport>> {
  const facts = await gather(target, use, signal);
  return { report: tlsReport(facts), findings: await tlsFindings(facts, use.trust) };
}

async function gather(target: TlsTarget, use: TlsUse, signal: AbortSignal): Promise<TlsFacts> {
  const name = target.servername ?? target.host;
  const { addresses, unresolved } = await addressesOf(target, use);
  const [tries, goFiles] = await Promise.all([
    Promise.all(addresses.map((address) => attempt(plainRequest(target, address, use), use, signal))),
    use.trust.goRoots(),
  ]);
  const roots = goFiles.flatMap(({ pem }) => readPem(pem));
  const main = tries.find(({ outcome }) => outcome.kind === "shaken") ?? tries[0];
  const { chain, unreadable } = readChain(main);
  const now = new Date(use.clock.now());
  const verdict = (known: Roots) =>
    chain.length === 0 ? undefined : verifyAsGo(chain, { roots: known, host: name, now });
  const known = rootsOf(roots);
  const facts: TlsFacts = {
    target,
    name,
    tries,
    unresolved,
    main,
    chain,
    unreadable,
    trust: undefined,
    verdict: verdict(known),
    publicVerdict: verdict(rootsOf(readPem(use.trust.publicRoots().join("\n")))),
    roots: { count: [...known.values()].flat().length, places: goFiles.map(({ place }) => place) },
    nameless: undefined,
    otherName: undefined,
    oldVersion: undefined,
    plainHttp: undefined,
    now,
  };
  if (main === undefined) return facts;
  const request = plainRequest(target, main.address, use);
  const more =
    main.outcome.kind === "shaken"
      ? await lookCloser(facts, { request: { ...request, roots: goFiles.map(({ pem }) => pem) }, use }, signal)
      : main.outcome.stage === "tls"
        ? await lookWhy(main.outcome.reason, { request, use }, signal)
        : {};
  return { ...facts, ...more };
}

async function addressesOf(
  { host, proxy }: TlsTarget,
  use: TlsUse,
): Promise<{ readonly addresses: readonly string[]; readonly unresolved: string | undefined }> {
  // Behind a proxy the name is the proxy's to look up.
  if (proxy !== undefined || isAddress(host)) return { addresses: [host], unresolved: undefined };
  use.announce(`look up ${host} (getaddrinfo)`);
  const answer = await use.names.lookup(host);
  if ("failed" in answer) return { addresses: [], unresolved: answer.failed };
  const addresses = [...new Set(answer.found.map(({ address }) => address))].slice(0, maxAddresses);
  return { addresses, unresolved: addresses.length === 0 ? "ENODATA" : undefined };
}

function plainRequest(target: TlsTarget, address: string, use: TlsUse): TlsRequest {
  const { host, port, proxy, servername = host } = target;
  return {
    host,
    address,
    port,
    ...(proxy !== undefined && { proxy }),
    // crypto/tls hostnameInSNI: addresses have none, and a final dot goes.
    servername: isAddress(servername) ? undefined : servername.replace(/\.$/, ""),
    alpn: goAlpn,
    minVersion: "TLSv1.2",
    roots: [],
    asks: false,
    timeoutMs: use.timeoutMs ?? handshakeMs,
  };
}

async function attempt(request: TlsRequest, use: TlsUse, signal: AbortSignal): Promise<TlsTry> {
  const { address, port, servername, proxy } = request;
  const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const via = proxy === undefined ? "" : " through the proxy";
  use.announce(`connect ${where}${via} (TLS, ${servername === undefined ? "no SNI" : `SNI ${servername}`})`);
  return { ...(await use.prober.attempt(request, signal)), address };
}

function readChain(main: TlsTry | undefined): {
  readonly chain: Certificate[];
  readonly unreadable: string | undefined;
} {
  if (main?.outcome.kind !== "shaken") return { chain: [], unreadable: undefined };
  try {
    return { chain: main.outcome.chain.map(parseCertificate), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { chain: [], unreadable: error.message };
  }
}

type Closer = { readonly request: TlsRequest; readonly use: TlsUse };

/** There was a handshake: what does OpenSSL say with go's authorities, and is this the default certificate? */
async function lookCloser(
  { verdict, chain }: TlsFacts,
  { request, use }: Closer,
  signal: AbortSignal,
): Promise<Partial<TlsFacts>> {
  const asked = { ...request, alpn: ["http/1.1"], asks: true };
  const isNameless = verdict?.kind === "name" && request.servername !== undefined;
  const [trust, bare] = await Promise.all([
    attempt(asked, use, signal),
    isNameless ? attempt({ ...request, servername: undefined }, use, signal) : undefined,
  ]);
  const [leaf] = readChain(bare).chain;
  const isDefault = leaf !== undefined && chain[0] !== undefined && isSame(leaf, chain[0]);
  return { trust, nameless: isDefault ? leaf : undefined };
}

/** There was none: which of the reasons is it? */
async function lookWhy(reason: string, { request, use }: Closer, signal: AbortSignal): Promise<Partial<TlsFacts>> {
  switch (reason) {
    case "reset":
    case "closed":
    case "timeout": {
      const { outcome } = await attempt({ ...request, servername: harmlessName }, use, signal);
      return { otherName: outcome };
    }
    case "not-tls": {
      use.announce(`ask ${request.address}:${request.port} (plain HTTP)`);
      return { plainHttp: await use.prober.plainHttp(request, signal) };
    }
    case "alert":
    case "old-version": {
      const { outcome } = await attempt({ ...request, minVersion: "TLSv1", alpn: [] }, use, signal);
      return outcome.kind === "shaken" ? { oldVersion: outcome.protocol } : {};
    }
    default:
      return {};
  }
}
