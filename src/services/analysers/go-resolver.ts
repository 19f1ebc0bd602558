// Which resolver a Go program uses for a name, and in which order it looks: net/conf.go of go1.26 (initConfVal,
// lookupOrder), as a function of what it looks at. The go command itself is such a program: since Go 1.20 it comes
// without cgo on Linux, and then no module of nsswitch.conf but files and dns is ever asked.

import type { NssSource } from "./resolver-files.ts";

export type ResolverFacts = {
  readonly host: string;
  /** `process.platform`; `win32` is windows. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the program was built with cgo. */
  readonly hasCgo: boolean;
  readonly hostname: string;
  /** Undefined: there is no such file. */
  readonly nss: readonly NssSource[] | "malformed" | "unreadable" | undefined;
  readonly resolv: { readonly unknown: string | undefined } | "unreadable" | undefined;
  readonly hasMdnsAllow: boolean;
};

/** Go's own names (hostLookupOrder.String). `cgo`: getaddrinfo decides. */
export type LookupOrder = "cgo" | "files,dns" | "dns,files" | "files" | "dns";

export type ResolverChoice = {
  readonly resolver: "go" | "cgo";
  readonly order: LookupOrder;
  /**
   * What decided: `godebug`; `no-cgo`: built without; `platform`; `environment`: LOCALDOMAIN, RES_OPTIONS, HOSTALIASES;
   * `name`: a \ or % in it; `resolv.conf`, `nsswitch.conf`: something in it that Go leaves to libc, or its order.
   */
  readonly because:
    "godebug" | "no-cgo" | "platform" | "environment" | "name" | "resolv.conf" | "nsswitch.conf" | "default";
};

export function whichResolver(facts: ResolverFacts): ResolverChoice {
  const { platform, env, host } = facts;
  const mode = netdnsOf(env["GODEBUG"] ?? "");
  const cgo = (because: ResolverChoice["because"]): ResolverChoice => ({ resolver: "cgo", order: "cgo", because });
  const usesPlatform = platform === "win32" || platform === "darwin";
  // On these two the cgo resolver needs no cgo.
  const mustGo = mode === "go" || (!facts.hasCgo && !usesPlatform);
  if (!mustGo) {
    if (mode === "cgo") return cgo("godebug");
    if (usesPlatform) return cgo("platform");
    if (env["LOCALDOMAIN"] !== undefined || (env["RES_OPTIONS"] ?? "") !== "" || (env["HOSTALIASES"] ?? "") !== "")
      return cgo("environment");
    if (/[\\%]/.test(host)) return cgo("name");
  }
  const why = mustGo ? (mode === "go" ? "godebug" : "no-cgo") : "nsswitch.conf";
  if (platform === "win32") return { resolver: "go", order: "files,dns", because: why };
  if (!mustGo && (facts.resolv === "unreadable" || (facts.resolv !== undefined && facts.resolv.unknown !== undefined)))
    return cgo("resolv.conf");
  const order = orderOf(facts, !mustGo);
  return order === "cgo" ? cgo("nsswitch.conf") : { resolver: "go", order, because: why };
}

/** The last netdns of GODEBUG: `go`, `cgo`, with a level of talking before or after. */
function netdnsOf(godebug: string): string {
  const value =
    godebug
      .split(",")
      .findLast((setting) => setting.startsWith("netdns="))
      ?.slice("netdns=".length) ?? "";
  return value.split("+").findLast((part) => part !== "" && !/^\d/.test(part)) ?? "";
}

/** lookupOrder from nsswitch.conf on. */
function orderOf(facts: ResolverFacts, canUseCgo: boolean): LookupOrder {
  const { nss, host } = facts;
  const fallback: LookupOrder = canUseCgo ? "cgo" : "files,dns";
  if (nss === "malformed" || nss === "unreadable") return fallback;
  if (nss === undefined || nss.length === 0) return "files,dns";
  const found: ("files" | "dns")[] = [];
  for (const [i, { source, isStandard }] of nss.entries()) {
    if (source === "files" || source === "dns") {
      if (canUseCgo && !isStandard) return "cgo";
      found.push(source);
    } else if (canUseCgo) {
      if (isForLibc(source, host, facts)) return "cgo";
    } else if (!found.includes("dns") && !nss.slice(i + 1).some((later) => later.source === "dns"))
      // What cannot be asked counts as the DNS when nothing else does.
      found.push("dns");
  }
  const hasFiles = found.includes("files");
  const hasDns = found.includes("dns");
  if (hasFiles && hasDns) return found[0] === "files" ? "files,dns" : "dns,files";
  return hasFiles ? "files" : hasDns ? "dns" : fallback;
}

/** Sources that Go passes over for most names. */
function isForLibc(source: string, host: string, { hostname, hasMdnsAllow }: ResolverFacts): boolean {
  const name = host.replace(/\.$/, "").toLowerCase();
  if (name !== "" && source === "myhostname")
    return /(^|\.)localhost(\.localdomain)?$|^_(gateway|outbound)$/.test(name) || name === hostname.toLowerCase();
  if (name !== "" && source.startsWith("mdns")) return name.endsWith(".local") || hasMdnsAllow;
  return true;
}
