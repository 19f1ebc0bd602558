// The list that a go command makes of GOPROXY: its hops in order, and what it does not read.
// Source: cmd/go/internal/modfetch proxyList, and lookup of 1.12 (one URL, no list).

import { ProtocolError } from "#protocol/errors.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import type { ProxyEntry, Separator } from "#protocol/proxylist.ts";
import { trimSpace } from "#protocol/space.ts";
import { parseURL } from "#protocol/url.ts";
import { knows, sinceVersion } from "./go-versions.ts";

export type Hop =
  /** Before everything else, when GONOPROXY is set: private modules are fetched from their repositories. */
  | { readonly kind: "noproxy" }
  | { readonly kind: "proxy"; readonly url: string; readonly separator: Separator }
  | { readonly kind: "direct" | "off" };

export type Chain =
  /** `unread`: what stands behind `direct` or `off`. */
  | { readonly kind: "hops"; readonly hops: readonly Hop[]; readonly unread: string }
  /** The go command stops with this sentence before it asks anybody. */
  | { readonly kind: "refused"; readonly sentence: string };

/** @param goproxy the value that counts; empty means that no file has a default (a damaged GOROOT) */
export function chainOf(goproxy: string, gonoproxy: string, version: string): Chain {
  try {
    const entries = entriesOf(goproxy, version);
    const listed = entries.map((entry): Hop => {
      if (entry.kind !== "url") return { kind: entry.kind };
      return { kind: "proxy", url: entry.url, separator: entry.separator };
    });
    const hops: Hop[] = gonoproxy !== "" && goproxy !== "direct" ? [{ kind: "noproxy" }, ...listed] : listed;
    return { kind: "hops", hops, unread: unreadOf(goproxy) };
  } catch (error) {
    if (error instanceof ProtocolError) return { kind: "refused", sentence: error.message };
    throw error;
  }
}

/** What stands behind the first `direct` or `off`, as written. */
export function unreadOf(goproxy: string): string {
  for (const { index, 0: separator } of goproxy.matchAll(/[,|]|$/g)) {
    const word = trimSpace(goproxy.slice(0, index).split(/[,|]/).at(-1) ?? "");
    if ((word === "direct" || word === "off") && separator !== "") return trimSpace(goproxy.slice(index + 1));
  }
  return "";
}

function entriesOf(goproxy: string, version: string): readonly ProxyEntry[] {
  if (!knows(version, "lists")) return singleEntry(goproxy);
  if (knows(version, "pipes") || !goproxy.includes("|")) return parseProxyList(goproxy);
  // Until 1.14 a pipe is a character of a URL like any other, and no host may hold one.
  for (const entry of goproxy.split(",")) if (entry.includes("|")) parseURL(trimSpace(entry), "BAD_PROXY_LIST");
  throw new ProtocolError("BAD_PROXY_LIST", `the separator | is not known before Go ${sinceVersion("pipes")}`);
}

/** 1.11 and 1.12: a word or one URL; a comma is part of the URL. */
function singleEntry(goproxy: string): readonly ProxyEntry[] {
  if (goproxy === "" || goproxy === "direct") return [{ kind: "direct", separator: "" }];
  if (goproxy === "off") return [{ kind: "off", separator: "" }];
  const url = parseURL(goproxy, "BAD_PROXY_LIST");
  if (url.scheme !== "http" && url.scheme !== "https" && url.scheme !== "file")
    throw new ProtocolError("BAD_PROXY_LIST", `invalid proxy URL scheme (must be https, http, file): ${goproxy}`);
  return [{ kind: "url", url: goproxy.replace(/\/+$/, ""), separator: "" }];
}
