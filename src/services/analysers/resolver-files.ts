// The three files that decide who answers for a name on Unix, read as Go reads them: /etc/hosts (net/hosts.go),
// /etc/resolv.conf (net/dnsconfig_unix.go), /etc/nsswitch.conf (net/nss.go). None of them can fail to be read.

import { addressBytes, isAddress } from "./address.ts";

export type HostsLine = { readonly line: number; readonly text: string; readonly address: string };

/** The lines of a hosts file that name the host. A line without an address first counts for nothing. */
export function hostsLinesFor(host: string, text: string): HostsLine[] {
  const wanted = host.toLowerCase().replace(/\.$/, "");
  return text.split("\n").flatMap((whole, i): HostsLine[] => {
    // Most lines of a long hosts file are about other names: no work for them.
    if (!whole.toLowerCase().includes(wanted)) return [];
    const [address = "", ...names] = fieldsOf(whole.replace(/#.*/, ""));
    const isNamed = names.some((name) => name.toLowerCase().replace(/\.$/, "") === wanted);
    return isNamed && isAddress(address)
      ? [{ line: i + 1, text: whole.trim(), address: address.replace(/%.*$/, "") }]
      : [];
  });
}

export type ResolvConf = {
  /** At most three, as libc and Go take; 127.0.0.1 and ::1 when there is none. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** A word that Go does not know: it then leaves everything to libc, where it can. */
  readonly unknown: string | undefined;
};

const plainOptions =
  /^(ndots:|timeout:|attempts:|rotate$|single-request(-reopen)?$|use-vc$|usevc$|tcp$|trust-ad$|edns0$|no-reload$)/;

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: string[] = [];
  let unknown: string | undefined;
  for (const line of text.split("\n")) {
    if (/^[;#]/.test(line)) continue;
    const [word, ...rest] = fieldsOf(line);
    if (word === undefined) continue;
    const [first] = rest;
    if (word === "nameserver") {
      if (first !== undefined && servers.length < 3 && addressBytes(first) !== undefined) servers.push(first);
    } else if (word === "domain") search = first === undefined ? search : [first];
    else if (word === "search") search = rest;
    else if (word === "options") unknown ??= rest.find((option) => !plainOptions.test(option));
    else if (word !== "lookup") unknown ??= word;
  }
  return { servers: servers.length === 0 ? ["127.0.0.1", "::1"] : servers, search, unknown };
}

export type NssSource = {
  readonly source: string;
  /** Its `[NOTFOUND=return]` and the like are what they are without being said (Go's standardCriteria). */
  readonly isStandard: boolean;
};

/** The sources of `hosts:` in order; `malformed` when Go gives the file up. Empty when nothing is said of hosts. */
export function parseNsswitch(text: string): readonly NssSource[] | "malformed" {
  const sources: NssSource[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.replace(/#.*/, "").trim();
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon < 0) return "malformed";
    const found = sourcesOf(line.slice(colon + 1));
    if (found === "malformed") return found;
    if (line.slice(0, colon).trim() === "hosts") sources.push(...found);
  }
  return sources;
}

function sourcesOf(text: string): NssSource[] | "malformed" {
  const sources: NssSource[] = [];
  for (let rest = text.trim(); rest !== "";) {
    const [whole = rest, source = "", , block] = /^(\S+)\s*(\[([^\]]*)\])?\s*/.exec(rest) ?? [];
    rest = rest.slice(whole.length);
    if (block === undefined && rest.startsWith("[")) return "malformed";
    const criteria = fieldsOf(block ?? "");
    if (criteria.some((each) => each.replace("!", "").length < 3 || !each.includes("="))) return "malformed";
    sources.push({
      source,
      isStandard: criteria.every((each, i) => isStandard(each.toLowerCase(), i === criteria.length - 1)),
    });
  }
  return sources;
}

const standard: Readonly<Record<string, string>> = {
  success: "return",
  notfound: "continue",
  unavail: "continue",
  tryagain: "continue",
};

/** standardStatusAction: a negated one never is; `return` at the very end changes nothing. */
function isStandard(criterion: string, isLast: boolean): boolean {
  const [status = "", action] = criterion.split("=", 2);
  const usual = Object.hasOwn(standard, status) ? standard[status] : undefined;
  return usual !== undefined && (action === usual || (isLast && action === "return"));
}

function fieldsOf(text: string): string[] {
  return text.split(/[ \r\t\n]+/).filter((field) => field !== "");
}
