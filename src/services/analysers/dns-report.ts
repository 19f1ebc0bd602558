// What was seen of a name in the DNS, as data: commands print it, `doctor` takes its steps from it.

import { shortAddress } from "./address.ts";
import type { AddressKind } from "./address.ts";
import type { DnsAnswer } from "./dns-ask.ts";
import type { ResolverChoice } from "./go-resolver.ts";
import type { FoundAddress } from "./ports.ts";
import type { HostsLine, NssSource, ResolvConf } from "./resolver-files.ts";

export type ServerView = {
  /** As it was given: an address with its port, or a URL. */
  readonly server: string;
  readonly a: DnsAnswer;
  readonly aaaa: DnsAnswer;
};

/**
 * Who answers at an address: `genuine` shows a certificate for the host, `other` one for somebody else, `plain` no TLS;
 * `dead` no connection.
 */
export type Identity = "genuine" | "other" | "plain" | "dead" | "untried";

export type AddressView = FoundAddress & {
  readonly kind: AddressKind;
  readonly isForged: boolean;
  readonly identity: Identity;
  readonly ms: number | undefined;
  /** What the connection said, or whose certificate it is. */
  readonly text: string;
  /** Who gave it: servers, and `system`. */
  readonly from: readonly string[];
};

export type CompareReport = {
  readonly host: string;
  readonly port: number;
  readonly views: readonly ServerView[];
  /** What programs of this machine get; undefined when it finds nothing. */
  readonly system: readonly string[] | undefined;
  readonly addresses: readonly AddressView[];
};

/** `hosts`, a DNS server, or `nss`: another module of the system, or its cache. */
export type Answerer =
  | { readonly kind: "hosts"; readonly line: HostsLine }
  | { readonly kind: "server"; readonly server: string }
  | { readonly kind: "nss" }
  | { readonly kind: "nobody" };

export type WhichReport = {
  readonly host: string;
  readonly hostsFile: string;
  readonly hosts: readonly HostsLine[];
  readonly nss: readonly NssSource[] | "malformed" | "unreadable" | undefined;
  readonly resolv: ResolvConf | "unreadable" | undefined;
  /** What getaddrinfo gives; undefined when it finds nothing. */
  readonly system: readonly string[] | undefined;
  readonly answerer: Answerer;
  readonly servers: readonly { readonly server: string; readonly a: DnsAnswer; readonly aaaa: DnsAnswer }[];
  /** How the go command here finds names; undefined without one. */
  readonly goCommand: (ResolverChoice & { readonly version: string }) | undefined;
  /** How a program that go builds with cgo finds them. */
  readonly withCgo: ResolverChoice;
  /** What the go command gets; undefined when only the system can tell. */
  readonly goAddresses: readonly string[] | undefined;
};

/** The addresses of an answer, each in its shortest form. */
export function addressesOfAnswer(answer: DnsAnswer): string[] {
  return answer.kind === "answered" ? answer.addresses.map(({ address }) => shortAddress(address)) : [];
}
