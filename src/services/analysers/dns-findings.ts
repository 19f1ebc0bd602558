// What follows from DNS answers, as findings.

import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { dnsFindings as kinds } from "#services/findings/network-dns.ts";
import { addressKind, shortAddress } from "./address.ts";
import type { DnsAnswer } from "./dns-ask.ts";
import { addressesOfAnswer } from "./dns-report.ts";
import type { AddressView, CompareReport, ServerView, WhichReport } from "./dns-report.ts";

const seen = (text: string): Evidence => ({ kind: "seen", text });
const addressLine = (text: string): Evidence => ({ kind: "address", text });

export function compareFindings(report: CompareReport): Finding[] {
  return [
    ...existenceFindings(report),
    ...forgeryFindings(report),
    ...viewFindings(report),
    ...blackHoleFindings(report),
    ...silentFindings(report),
    ...ttlFindings(report),
  ];
}

/** Only the system is asked for what it could not find: its own word is worth more than a missing answer. */
function existenceFindings({ host, views, system }: CompareReport): Finding[] {
  const deniers = views.filter(({ a }) => isDenial(a));
  const knowers = views.filter(({ a, aaaa }) => addressesOfAnswer(a).length + addressesOfAnswer(aaaa).length > 0);
  const evidence = [...deniers, ...knowers].map(({ server, a }) => seen(`${server} → ${answerText(a)}`));
  if (deniers.length > 0 && knowers.length === 0 && system === undefined)
    return [found(kinds, "DNS_NO_SUCH_NAME", { host }, { evidence })];
  if (deniers.length === 0 || knowers.length === 0) return [];
  const isPrivate = knowers.every(({ a }) =>
    addressesOfAnswer(a).some((address) => addressKind(address) === "private"),
  );
  if (isPrivate) return [found(kinds, "DNS_PRIVATE_VIEW", { host, servers: names(knowers) }, { evidence })];
  return [found(kinds, "DNS_NXDOMAIN_SPLIT", { host, servers: names(deniers) }, { evidence })];
}

function names(views: readonly ServerView[]): string {
  return views
    .map(({ server }) => server)
    .slice(0, 3)
    .join(", ");
}

function isDenial(answer: DnsAnswer): boolean {
  return answer.kind === "answered" && answer.code === "NXDOMAIN";
}

function answerText(answer: DnsAnswer): string {
  if (answer.kind === "failed") return answer.text;
  return answer.code === "NOERROR" ? addressesOfAnswer(answer).join(", ") || "no address" : answer.code;
}

/** From the surest sign of a forged answer to the weakest. */
function forgeryFindings({ host, views, addresses }: CompareReport): Finding[] {
  const forged = addresses.filter(({ isForged }) => isForged);
  const injected = views.filter(({ a, aaaa }) => rivalsIn(a).length + rivalsIn(aaaa).length > 0);
  const isProven = addresses.some(({ identity }) => identity === "genuine");
  const foreign = addresses.filter(
    ({ identity, kind, isForged }) => identity === "other" && kind === "public" && !isForged,
  );
  const reserved = addresses.filter(
    ({ kind, isForged }) => !isForged && (kind === "bogon" || kind === "link-local" || kind === "loopback"),
  );
  const findings: Finding[] = [];
  if (injected.length > 0) {
    const evidence = injected.map(({ server, a, aaaa }) =>
      seen(`${server} → ${answerText(a)}; then ${[...rivalsIn(a), ...rivalsIn(aaaa)].join(", ")}`),
    );
    findings.push(found(kinds, "DNS_POISONED", { host, servers: names(injected) }, { evidence, confidence: "likely" }));
  } else if (forged.length > 0) {
    findings.push(
      found(
        kinds,
        "DNS_POISONED",
        { host, servers: fromAll(forged) },
        { evidence: forged.map(line), confidence: "likely" },
      ),
    );
  } else if (isProven && foreign.length > 0) {
    // Only where another address shows that the host has a certificate does a foreign one mean something.
    findings.push(
      found(
        kinds,
        "DNS_POISONED",
        { host, servers: fromAll(foreign) },
        { evidence: foreign.map(line), confidence: "possible" },
      ),
    );
  }
  if (reserved.length > 0 && host !== "localhost")
    findings.push(
      found(kinds, "DNS_BOGON", { host, address: reserved[0]?.address ?? "" }, { evidence: reserved.map(line) }),
    );
  const fake = addresses.filter(({ kind }) => kind === "fake");
  if (fake.length > 0)
    findings.push(
      found(kinds, "DNS_FAKE_ADDRESS", { host, address: fake[0]?.address ?? "" }, { evidence: fake.map(line) }),
    );
  return findings;
}

function rivalsIn(answer: DnsAnswer): readonly string[] {
  return answer.kind === "answered" ? answer.rivals : [];
}

function fromAll(some: readonly AddressView[]): string {
  return [...new Set(some.flatMap(({ from }) => from))].slice(0, 3).join(", ");
}

function line({ address, from, identity, text }: AddressView): Evidence {
  const who = identity === "untried" ? "" : ` (${identity}${text === "" ? "" : `: ${text}`})`;
  return addressLine(`${address} from ${from.join(", ")}${who}`);
}

/** Some servers give addresses of the own network, others of the world: two views of one name. */
function viewFindings({ host, views }: CompareReport): Finding[] {
  const kindsOf = ({ a, aaaa }: ServerView): string[] =>
    [...addressesOfAnswer(a), ...addressesOfAnswer(aaaa)].map(addressKind);
  const inside = views.filter((view) => kindsOf(view).includes("private"));
  const outside = views.filter((view) => kindsOf(view).includes("public") && !kindsOf(view).includes("private"));
  if (inside.length === 0 || outside.length === 0) return [];
  const evidence = [...inside, ...outside].map(({ server, a }) => seen(`${server} → ${answerText(a)}`));
  return [found(kinds, "DNS_SPLIT_HORIZON", { host, servers: names(inside) }, { evidence })];
}

/** IPv6 addresses that lead nowhere while IPv4 works: go loses 300 ms for each connection, or all of it. */
function blackHoleFindings({ host, addresses }: CompareReport): Finding[] {
  const tried = (family: 4 | 6): AddressView[] =>
    addresses.filter((one) => one.family === family && one.identity !== "untried");
  const isDead = ({ identity }: AddressView): boolean => identity === "dead";
  const six = tried(6);
  if (six.length === 0 || !six.every(isDead) || tried(4).every(isDead)) return [];
  return [
    found(
      kinds,
      "DNS_AAAA_BLACKHOLE",
      { host },
      { evidence: six.map(({ address, text }) => addressLine(`${address} ${text}`)) },
    ),
  ];
}

function silentFindings({ host, views }: CompareReport): Finding[] {
  return views.flatMap(({ server, a, aaaa }) => {
    const bad = a.kind === "failed" ? a : aaaa.kind === "failed" ? aaaa : undefined;
    if (bad !== undefined) return [found(kinds, "DNS_SERVER_SILENT", { server }, { evidence: [seen(bad.text)] })];
    const code = a.kind === "answered" ? a.code : "";
    if (code === "NOERROR" || code === "NXDOMAIN") return [];
    return [found(kinds, "DNS_SERVER_REFUSES", { server, host, code })];
  });
}

/** Requirements K-table: 300 s for public answers, 60 s inside. */
const publicTtl = 300;
const privateTtl = 60;

/** A cache tells what is left, so the longest of all is the nearest to the truth; an authority tells the truth. */
function ttlFindings({ host, views }: CompareReport): Finding[] {
  const all = views.flatMap(({ a }) => (a.kind === "answered" ? a.addresses : []));
  const longest = (isInside: boolean): number | undefined => {
    const some = all.filter(({ address }) => (addressKind(address) === "private") === isInside).map(({ ttl }) => ttl);
    return some.length === 0 ? undefined : Math.max(...some);
  };
  const outside = longest(false);
  const inside = longest(true);
  return [
    ...(outside === undefined || outside >= publicTtl ? [] : [found(kinds, "DNS_TTL_SHORT", { host, ttl: outside })]),
    ...(inside === undefined || inside <= privateTtl ? [] : [found(kinds, "DNS_TTL_LONG", { host, ttl: inside })]),
  ];
}

export function whichFindings(report: WhichReport): Finding[] {
  const { host, system, hosts, hostsFile, answerer, servers, goCommand, goAddresses } = report;
  const findings: Finding[] = [];
  const dns = servers.flatMap(({ a, aaaa }) => [...addressesOfAnswer(a), ...addressesOfAnswer(aaaa)]);
  if (system === undefined) {
    const evidence = servers.map(({ server, a }) => seen(`${server} → ${answerText(a)}`));
    findings.push(found(kinds, "DNS_NO_SUCH_NAME", { host }, { evidence }));
  }
  if (answerer.kind === "hosts" && host !== "localhost") {
    const { line: number, text, address } = answerer.line;
    const isOther = dns.length > 0 && !dns.includes(shortAddress(address));
    const code = isOther ? "DNS_HOSTS_DIFFERS" : "DNS_HOSTS_ANSWERS";
    const evidence: Evidence[] = [
      { kind: "place", text: `${hostsFile}:${number}: ${text}` },
      ...(isOther ? [seen(`DNS → ${[...new Set(dns)].slice(0, 4).join(", ")}`)] : []),
    ];
    const fixes = isOther ? [{ kind: "edit", file: hostsFile, line: number, before: text } as const] : [];
    findings.push(found(kinds, code, { host, address }, { evidence, fixes }));
  }
  if (hosts.length > 1 && new Set(hosts.map(({ address }) => address.includes(":"))).size < hosts.length)
    findings.push(
      found(
        kinds,
        "DNS_HOSTS_TWICE",
        { host, count: hosts.length },
        {
          evidence: hosts.map(({ line: number, text }) => ({ kind: "place", text: `${hostsFile}:${number}: ${text}` })),
        },
      ),
    );
  if (system !== undefined && goCommand?.resolver === "go" && answerer.kind === "nss" && goAddresses?.length === 0) {
    const evidence = [
      seen(`getaddrinfo → ${system.slice(0, 4).join(", ")}`),
      seen(`go (${goCommand.order}) → no such host`),
    ];
    findings.push(found(kinds, "DNS_GO_DIFFERS", { host }, { evidence }));
  }
  for (const { server, a } of servers)
    if (a.kind === "failed") findings.push(found(kinds, "DNS_SERVER_SILENT", { server }, { evidence: [seen(a.text)] }));
  return findings;
}
