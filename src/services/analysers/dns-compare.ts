// `granary dns compare HOST`: several servers asked the same, their answers side by side, and a look at who is behind
// each address. Forged answers, private views and dead addresses differ in ways that are told apart here.

import { addressKind, shortAddress } from "./address.ts";
import { parseCertificate } from "./certificate.ts";
import { DerError } from "./der.ts";
import { askHttps, askServer, serverText } from "./dns-ask.ts";
import type { DnsAnswer, DnsUse } from "./dns-ask.ts";
import { compareFindings } from "./dns-findings.ts";
import type { AddressView, CompareReport, ServerView } from "./dns-report.ts";
import { hostnameProblem } from "./hostname.ts";
import { isKnownForgery } from "./poison.ts";
import type { DnsServer, FoundAddress, SystemNames, TlsAttempt, TlsProber } from "./ports.ts";
import type { Examined } from "./tls-report.ts";

export type CompareTarget = {
  readonly host: string;
  readonly servers: readonly DnsServer[];
  /** DNS over HTTPS, as a witness that nobody on the way can forge. */
  readonly doh: readonly string[];
  /** Where the addresses are tried; 0 tries none. */
  readonly port: number;
};

export type CompareUse = DnsUse & {
  readonly names: Pick<SystemNames, "lookup">;
  readonly prober: TlsProber;
  /** Of the connection tests. */
  readonly connectMs?: number;
};

/** A short wait: a black hole answers never, and a far server within a second. */
const connectMs = 4_000;
/** Of each family and of all servers together: enough to tell them apart. */
const maxTried = 8;

export async function compareDns(
  target: CompareTarget,
  use: CompareUse,
  signal: AbortSignal,
): Promise<Examined<CompareReport>> {
  const { host, servers, doh, port } = target;
  use.announce(`look up ${host} (getaddrinfo)`);
  const [views, looked] = await Promise.all([
    Promise.all([
      ...servers.map((server) =>
        viewOf(serverText(server), (type) => askServer(server, { name: host, type }, use, signal)),
      ),
      ...doh.map((url) => viewOf(url, (type) => askHttps(url, { name: host, type }, use, signal))),
    ]),
    use.names.lookup(host),
  ]);
  const system = "found" in looked ? looked.found.map(({ address }) => address) : undefined;
  const addresses = await Promise.all(
    gathered(views, looked).map((one, i) => tryAddress(one, { host, port: i < maxTried ? port : 0 }, { use, signal })),
  );
  const report: CompareReport = { host, port, views, system, addresses };
  return { report, findings: compareFindings(report) };
}

async function viewOf(server: string, ask: (type: "A" | "AAAA") => Promise<DnsAnswer>): Promise<ServerView> {
  const [a, aaaa] = await Promise.all([ask("A"), ask("AAAA")]);
  return { server, a, aaaa };
}

type Gathered = FoundAddress & { readonly from: readonly string[] };

/** Every address once, with all who gave it; one of each server first, so that none goes untried. */
function gathered(views: readonly ServerView[], looked: Awaited<ReturnType<SystemNames["lookup"]>>): Gathered[] {
  const lists: { readonly from: string; readonly found: readonly FoundAddress[] }[] = views.map(
    ({ server, a, aaaa }) => ({
      from: server,
      found: [...found(a, 4), ...found(aaaa, 6)],
    }),
  );
  if ("found" in looked) lists.push({ from: "system", found: looked.found });
  const all = new Map<string, { family: 4 | 6; from: string[] }>();
  const longest = Math.max(0, ...lists.map((list) => list.found.length));
  for (let i = 0; i < longest; i++)
    for (const list of lists) {
      const one = list.found[i];
      if (one === undefined) continue;
      const known = all.get(one.address) ?? { family: one.family, from: [] };
      if (!known.from.includes(list.from)) known.from.push(list.from);
      all.set(one.address, known);
    }
  return [...all].map(([address, rest]) => ({ address, ...rest }));
}

function found(answer: DnsAnswer, family: 4 | 6): FoundAddress[] {
  if (answer.kind === "failed") return [];
  return [...answer.addresses.map(({ address }) => address), ...answer.rivals].map((address) => ({
    address: shortAddress(address),
    family,
  }));
}

async function tryAddress(
  one: Gathered,
  { host, port }: { readonly host: string; readonly port: number },
  { use, signal }: { readonly use: CompareUse; readonly signal: AbortSignal },
): Promise<AddressView> {
  const { address } = one;
  const known = { ...one, kind: addressKind(address), isForged: isKnownForgery(address, host) };
  // A forged or reserved address belongs to somebody else: nothing is sent there.
  const isForeign = known.isForged || known.kind === "bogon" || known.kind === "link-local";
  if (port === 0 || isForeign) return { ...known, identity: "untried", ms: undefined, text: "" };
  const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  use.announce(`connect ${where} (TLS, SNI ${host})`);
  const attempt = await use.prober.attempt(
    {
      host,
      address,
      port,
      servername: host,
      alpn: [],
      minVersion: "TLSv1.2",
      roots: [],
      asks: false,
      timeoutMs: use.connectMs ?? connectMs,
    },
    signal,
  );
  return { ...known, ms: attempt.tcpMs, ...identityOf(attempt, host) };
}

function identityOf({ outcome }: TlsAttempt, host: string): Pick<AddressView, "identity" | "text"> {
  if (outcome.kind === "failed") return { identity: outcome.stage === "tls" ? "plain" : "dead", text: outcome.text };
  try {
    const leaf = parseCertificate(outcome.chain[0] ?? new Uint8Array());
    const problem = hostnameProblem(leaf, host);
    const names = leaf.names?.dns.slice(0, 2).join(", ") ?? "";
    return problem === undefined
      ? { identity: "genuine", text: names }
      : { identity: "other", text: names || leaf.subject.text };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { identity: "other", text: error.message };
  }
}
