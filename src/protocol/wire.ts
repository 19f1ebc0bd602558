// Identifiers as they travel in a request line: case-escaped, then percent-encoded. Only one spelling of a slash, a
// dot or a backslash is let in, so no later reader can see another path than this one.
// Source: cmd/go modfetch/proxy.go pathEscape, net/url.PathEscape.

import { Buffer } from "node:buffer";
import { ProtocolError } from "./errors.ts";
import { escapePath, maxElementBytes, maxPathBytes, unescapePath } from "./path.ts";
import type { ModulePath } from "./path.ts";
import { quote } from "./quote.ts";
import { escapeVersion, unescapeVersion } from "./version.ts";

/** The longest module path and version, every byte escaped, stay below it. */
export const maxTargetBytes = 4096;

/** Throws BAD_TARGET unless `raw` is a clean path: printable, bounded, each separator spelled in one way only. */
export function checkTarget(raw: string): void {
  if (raw.length > maxTargetBytes) throw bad(`target longer than ${maxTargetBytes} bytes`);
  if (!raw.startsWith("/")) throw bad("target does not start with a slash");
  const odd = /[^!-~]|[\\;?#]/.exec(raw);
  if (odd !== null) throw bad(`invalid character ${quote(odd[0])} in target`);
  if (raw.includes("//")) throw bad("double slash in target");
  if (raw.split("/").some((element) => element === "." || element === "..")) throw bad("dot element in target");
  // Of the escapes only those of printable ASCII are read, and never one of / \ . which would be a second spelling.
  const escape = /%(?:2[EF]|5C|7F|(?![2-7][0-9A-F]))/i.exec(raw);
  if (escape !== null) throw bad(`invalid escape ${quote(raw.slice(escape.index, escape.index + 3))} in target`);
}

/** The module path these elements spell. Throws BAD_TARGET, BAD_PATH or BAD_ESCAPE. */
export function parseWirePath(elements: readonly string[]): ModulePath {
  const text = elements.join("/");
  checkEscapes(text);
  const escaped = text.replaceAll("%21", "!");
  if (escaped.length > maxPathBytes)
    throw new ProtocolError("BAD_PATH", `module path longer than ${maxPathBytes} bytes`);
  for (const element of escaped.split("/")) checkElementLength(element);
  return unescapePath(escaped);
}

/**
 * The version, branch or hash spelled by `text`, decoded once. Throws BAD_VERSION, BAD_PATH or BAD_ESCAPE.
 * @param element the whole element `text` stands in, which becomes a file name
 */
export function parseWireVersion(text: string, element: string): string {
  const escaped = decodeOnce(text);
  checkElementLength(decodeOnce(element));
  const version = unescapeVersion(escaped);
  if (escapeVersion(version) !== escaped) throw new ProtocolError("BAD_VERSION", "version has another spelling");
  return version;
}

function checkElementLength(element: string): void {
  if (element.length > maxElementBytes)
    throw new ProtocolError("BAD_PATH", `path element longer than ${maxElementBytes} bytes`);
}

function decodeOnce(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Outside the version element `%21` is the only escape the go command sends. */
export function checkEscapes(text: string): void {
  const escape = /%(?!21).{0,2}/.exec(text);
  if (escape !== null) throw bad(`invalid escape ${quote(escape[0])} in target`);
}

/** The path with its leading slash. */
export function wirePath(path: ModulePath): string {
  return `/${escapePath(path).replaceAll("!", "%21")}`;
}

/** Throws BAD_VERSION for what cannot travel, a branch with a slash for one. */
export function wireVersion(version: string): string {
  return goPathEscape(escapeVersion(version));
}

/** net/url.PathEscape: one path segment's percent-encoding. */
export function goPathEscape(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  return bytes.replace(/[^A-Za-z0-9\-_.~$&+=:@]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

function bad(message: string): ProtocolError {
  return new ProtocolError("BAD_TARGET", message);
}
