// `granary dns which HOST`: who answers for a name on this machine. The hosts file, the system's resolver, each of its
// servers, and which of them the go command listens to.

import { shortAddress } from "./address.ts";
import { askServer } from "./dns-ask.ts";
import type { DnsUse } from "./dns-ask.ts";
import { whichFindings } from "./dns-findings.ts";
import { addressesOfAnswer } from "./dns-report.ts";
import type { Answerer, WhichReport } from "./dns-report.ts";
import { whichResolver } from "./go-resolver.ts";
import type { ResolverChoice, ResolverFacts } from "./go-resolver.ts";
import type { DnsServer, SystemNames } from "./ports.ts";
import { hostsLinesFor, parseNsswitch, parseResolvConf } from "./resolver-files.ts";
import type { HostsLine } from "./resolver-files.ts";
import type { Examined } from "./tls-report.ts";

export type WhichTarget = {
  readonly host: string;
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  /** Windows' SystemRoot; its hosts file is below. */
  readonly systemRoot: string;
  /** The go command here, and whether it was built with cgo; undefined when there is none. */
  readonly go: { readonly version: string; readonly hasCgo: boolean } | undefined;
  /** The servers of a system without resolv.conf. */
  readonly servers: readonly DnsServer[];
};

export type WhichUse = DnsUse & { readonly names: SystemNames };

export async function whichDns(
  target: WhichTarget,
  use: WhichUse,
  signal: AbortSignal,
): Promise<Examined<WhichReport>> {
  const { host, platform } = target;
  const hostsFile = platform === "win32" ? `${target.systemRoot}\\System32\\drivers\\etc\\hosts` : "/etc/hosts";
  const [files, mdnsAllow] = await Promise.all([readFiles(hostsFile, use.names), use.names.exists("/etc/mdns.allow")]);
  use.announce(`look up ${host} (getaddrinfo)`);
  const servers =
    typeof files.resolv === "object"
      ? files.resolv.servers.map((server) => ({ host: server, port: 53 }))
      : target.servers;
  const [looked, answers] = await Promise.all([
    use.names.lookup(host),
    Promise.all(
      servers.map(async (server) => {
        const ask = (type: "A" | "AAAA") => askServer(server, { name: host, type }, use, signal);
        const [a, aaaa] = await Promise.all([ask("A"), ask("AAAA")]);
        return { server: server.port === 53 ? server.host : `${server.host}:${server.port}`, a, aaaa };
      }),
    ),
  ]);
  const system = "found" in looked ? [...new Set(looked.found.map(({ address }) => shortAddress(address)))] : undefined;
  const hosts = hostsLinesFor(host, files.hosts);
  const facts: Omit<ResolverFacts, "hasCgo"> = {
    host,
    platform,
    env: target.env,
    hostname: target.hostname,
    nss: files.nss,
    resolv: files.resolv,
    hasMdnsAllow: mdnsAllow,
  };
  const { go } = target;
  const goCommand = go && { ...whichResolver({ ...facts, hasCgo: go.hasCgo }), version: go.version };
  const report: WhichReport = {
    host,
    hostsFile,
    hosts,
    nss: files.nss,
    resolv: files.resolv,
    system,
    answerer: answererOf({ system, hosts, answers, nss: files.nss }),
    servers: answers,
    goCommand,
    withCgo: whichResolver({ ...facts, hasCgo: true }),
    goAddresses: goCommand && goAddresses(goCommand, { system, hosts, answers }),
  };
  return { report, findings: whichFindings(report) };
}

type Files = Pick<WhichReport, "nss" | "resolv"> & { readonly hosts: string };

async function readFiles(hostsFile: string, names: SystemNames): Promise<Files> {
  const [hosts, nss, resolv] = await Promise.all([
    names.readText(hostsFile),
    names.readText("/etc/nsswitch.conf"),
    names.readText("/etc/resolv.conf"),
  ]);
  return {
    hosts: typeof hosts === "string" ? "" : hosts.text,
    nss: nss === "absent" ? undefined : nss === "unreadable" ? nss : parseNsswitch(nss.text),
    resolv: resolv === "absent" ? undefined : resolv === "unreadable" ? resolv : parseResolvConf(resolv.text),
  };
}

type Answers = WhichReport["servers"];

type Heard = Pick<WhichReport, "system" | "hosts" | "nss"> & { readonly answers: Answers };

function answererOf({ system, hosts, answers, nss }: Heard): Answerer {
  if (system === undefined) return { kind: "nobody" };
  const line = hosts.find(({ address }) => system.includes(shortAddress(address)));
  if (line !== undefined) return { kind: "hosts", line };
  const server = answers.find(({ a, aaaa }) =>
    [...addressesOfAnswer(a), ...addressesOfAnswer(aaaa)].some((address) => system.includes(address)),
  );
  if (server !== undefined) return { kind: "server", server: server.server };
  // Servers that turn their addresses give others each time; where nobody else is asked, one of them it was.
  const isPlain = typeof nss !== "object" || nss.every(({ source }) => /^(files|dns|myhostname|mdns.*)$/.test(source));
  const any = answers.find(({ a, aaaa }) => addressesOfAnswer(a).length + addressesOfAnswer(aaaa).length > 0);
  return isPlain && any !== undefined ? { kind: "server", server: any.server } : { kind: "nss" };
}

/** Go asks the servers in turn: the first that answers counts. */
function goAddresses(
  { order }: ResolverChoice,
  { system, hosts, answers }: { system: readonly string[] | undefined; hosts: readonly HostsLine[]; answers: Answers },
): readonly string[] | undefined {
  if (order === "cgo") return system;
  const first = answers.find(({ a, aaaa }) => a.kind === "answered" || aaaa.kind === "answered");
  const dns = first === undefined ? [] : [...addressesOfAnswer(first.a), ...addressesOfAnswer(first.aaaa)];
  const files = hosts.map(({ address }) => shortAddress(address));
  const lists = { "files,dns": [files, dns], "dns,files": [dns, files], files: [files], dns: [dns] }[order];
  return lists.find((list) => list.length > 0) ?? [];
}
