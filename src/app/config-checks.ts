// Checks of values in Go's own syntaxes.

import { parseVerifierKey, type Verifier } from "#protocol/note.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { checkRewriteRules, parseRewriteRule } from "#protocol/rewrite.ts";
import { ProtocolError } from "#protocol/errors.ts";

/** Go bounds none of these; a line of 16 Ki characters is no list a person wrote. */
const maxListChars = 16_384;

export function isProxyList(text: string): boolean {
  // `;` and full-width separators become part of a host in Go, which then does not resolve: never what was meant.
  return text.length <= maxListChars && !/[;，；、]/u.test(text) && parses(() => parseProxyList(text));
}

export function isGoSumdb(text: string): boolean {
  return text.length <= maxListChars && parses(() => parseGosumdb(text));
}

/** Where a module index is: no fragment, no query, for `since` and `limit` are ours. */
export function isIndexUrl(text: string): boolean {
  if (text.length > maxListChars || !URL.canParse(text)) return false;
  const { protocol, username, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && search === "" && hash === "";
}

/** `URL KEY` of an integrity list. */
export function isIntegrityFrom(text: string): boolean {
  return text.length <= maxListChars && parses(() => parseIntegrityFrom(text));
}

/** Throws BAD_KEY. */
export function parseIntegrityFrom(text: string): { readonly url: string; readonly verifier: Verifier } {
  const [url = "", key = "", more] = text.trim().split(/\s+/);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url) || new URL(url).search !== "" || more !== undefined)
    throw new ProtocolError("BAD_KEY", "an integrity list is a URL without a query and its key");
  return { url, verifier: parseVerifierKey(key) };
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** GOPRIVATE patterns: no spaces, no scheme (both would silently never match). */
export function isPatternList(text: string): boolean {
  return text.length <= maxListChars && !/\s|:\/\//.test(text);
}

/** `old.corp/x/* => new.corp/x/*` */
export function isRewriteRule(text: string): boolean {
  return text.length <= maxListChars && parses(() => parseRewriteRule(text));
}

/** False when what a rule leads to may be matched by a rule again. */
export function areOneStep(rules: readonly string[]): boolean {
  return parses(() => checkRewriteRules(rules.map(parseRewriteRule)));
}

/** An IPv4 or IPv6 network, `10.0.0.0/8`. */
export function isCidr(text: string): boolean {
  const [, address = "", bits = ""] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  if (!URL.canParse(address.includes(":") ? `http://[${address}]/` : `http://${address}/`)) return false;
  const isV4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
  return bits !== "" && (isV4 || address.includes(":")) && Number(bits) <= (isV4 ? 32 : 128);
}
