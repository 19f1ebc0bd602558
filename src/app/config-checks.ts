// Checks of values in Go's own syntaxes.

import { parseGosumdb } from "#protocol/gosumdb.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
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

/** An IPv4 or IPv6 network, `10.0.0.0/8`. */
export function isCidr(text: string): boolean {
  const [, address = "", bits = ""] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  if (!URL.canParse(address.includes(":") ? `http://[${address}]/` : `http://${address}/`)) return false;
  const isV4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
  return bits !== "" && (isV4 || address.includes(":")) && Number(bits) <= (isV4 ? 32 : 128);
}
