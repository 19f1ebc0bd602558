// GOPROXY values: `https://a.example,https://b.example|direct`. After a comma the next entry is asked only when this
// one says 404 or 410, after a pipe on any error. Source: cmd/go modfetch proxyList and newProxyRepo.

import { ProtocolError } from "./errors.ts";
import { trimSpace } from "./space.ts";
import { escapedPath, formatRedacted, parseURL } from "./url.ts";

/** What stands after an entry; "" after the last. */
export type Separator = "," | "|" | "";

export type ProxyEntry =
  /** `url` has its scheme and no slash at its end. */
  | { readonly kind: "url"; readonly url: string; readonly separator: Separator }
  /** Both end the list: Go ignores what follows. */
  | { readonly kind: "direct" | "off"; readonly separator: "" };

/** Parses a GOPROXY list, at least one entry. Throws BAD_PROXY_LIST with Go's sentence, for one bad entry as for all. */
export function parseProxyList(text: string): readonly ProxyEntry[] {
  const entries: ProxyEntry[] = [];
  for (const [, item = "", separator = ""] of text.matchAll(/([^,|]*)([,|]|$)/g)) {
    const word = trimSpace(item);
    if (word === "direct" || word === "off") {
      entries.push({ kind: word, separator: "" });
      break;
    }
    if (word !== "") entries.push({ kind: "url", url: parseProxyURL(word), separator: separator as Separator });
  }
  if (entries.length === 0) throw bad("GOPROXY list is not the empty string, but contains no entries");
  return entries;
}

/** A list that parses to the same entries. */
export function formatProxyList(entries: readonly ProxyEntry[]): string {
  return entries
    .map((entry, i) => {
      if (entry.kind !== "url") return entry.kind;
      const isLast = i === entries.length - 1;
      return entry.url + (isLast || entry.separator !== "" ? entry.separator : ",");
    })
    .join("");
}

function parseProxyURL(word: string): string {
  // A word alone is kept for Go's future keywords, and `:/` or a rooted path must already be a whole URL.
  const isBareHost = /[.:/]/.test(word) && !word.includes(":/") && !word.startsWith("/");
  const text = isBareHost ? `https://${word}` : word;
  const url = parseURL(text, "BAD_PROXY_LIST");
  const shown = formatRedacted(url);
  switch (url.scheme) {
    case "http":
    case "https":
      // Go accepts the entry and fails at the first request; there is no use in waiting for it.
      if (url.host === "") throw bad(`Get "${shown}": http: no Host in request URL`);
      return normalise(text);
    case "file": {
      const isPlain = url.user === undefined && url.opaque + url.host + url.query === "" && !url.omitHost;
      if (!isPlain || url.fragment.length > 1) throw bad(`invalid file:// proxy URL with non-path elements: ${shown}`);
      return /^\/*$/.test(url.path) ? "file:///" : normalise(text);
    }
    case "":
      throw bad(`invalid proxy URL missing scheme: ${shown}`);
    default:
      throw bad(`invalid proxy URL scheme (must be https, http, file): ${shown}`);
  }
}

/** The URL Go would ask: slashes off the end of its path (path.Join would), the path escaped; the rest as written. */
function normalise(text: string): string {
  const [authority = ""] = /^[^:]*:\/\/[^/?#]*/.exec(text) ?? [];
  const end = text.search(/[?#]|$/);
  const path = text.slice(authority.length, end).replace(/\/+$/, "");
  return authority.replace(/^[^:]*/, (scheme) => scheme.toLowerCase()) + escapedPath(path) + text.slice(end);
}

function bad(message: string): ProtocolError {
  return new ProtocolError("BAD_PROXY_LIST", message);
}
