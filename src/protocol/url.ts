// URLs as Go's net/url reads and prints them, as far as GOPROXY and GOSUMDB need it. The platform's URL class follows
// another standard: it accepts, repairs and refuses different texts, and users compare our messages with Go's.

import { Buffer } from "node:buffer";
import { ProtocolError } from "./errors.ts";
import type { ProtocolCode } from "./errors.ts";
import { quote } from "./quote.ts";

export type GoURL = {
  /** Lower case, or "". */
  readonly scheme: string;
  /** What follows the scheme of a URL such as `mailto:x`, else "". */
  readonly opaque: string;
  readonly user?: { readonly name: string; readonly password?: string };
  /** With its port; percent-decoded, one character per byte. */
  readonly host: string;
  /** As written. */
  readonly path: string;
  /** With its "?", or "". */
  readonly query: string;
  /** With its "#", or "". */
  readonly fragment: string;
  /** The path follows the scheme with no `//` between: `file:/x`. */
  readonly omitHost: boolean;
};

/** net/url.Parse. Throws `code` with Go's sentence, a password in it masked. */
export function parseURL(text: string, code: ProtocolCode): GoURL {
  const parsed = parseText(text);
  if (!("fault" in parsed)) return parsed;
  throw new ProtocolError(code, `parse ${quote(maskUserinfo(parsed.text))}: ${parsed.fault}`);
}

/** net/url.URL.String with the password replaced (URL.Redacted). Text that is no URL loses what may be a secret. */
export function redactURL(text: string): string {
  const parsed = parseText(text);
  return "fault" in parsed ? maskUserinfo(text) : formatRedacted(parsed);
}

/** The URL, or Go's reason why it is none and the part of the text that Go shows with it. */
function parseText(text: string): GoURL | { readonly fault: string; readonly text: string } {
  const { before, rest } = cutBefore(text, "#");
  const fragment = toBytes(rest);
  const url = parseBytes(toBytes(before), fragment);
  if (typeof url === "string") return { fault: url, text: before };
  const fault = badEscape(fragment);
  return fault === undefined ? url : { fault, text };
}

/** The URL as Go prints it, its password as `xxxxx`. */
export function formatRedacted(url: GoURL): string {
  const scheme = url.scheme === "" ? "" : `${url.scheme}:`;
  const tail = toText(url.query) + formatFragment(url.fragment);
  if (url.opaque !== "") return scheme + toText(url.opaque) + tail;
  return scheme + formatAuthority(url) + canonicalPath(url.path) + tail;
}

function formatAuthority(url: GoURL): string {
  const hasAuthority = url.host !== "" || url.user !== undefined;
  if (!hasAuthority && (url.omitHost || url.scheme === "" || url.path === "")) return "";
  const name = url.user === undefined ? "" : escapeBytes(url.user.name, notInUser);
  const password = url.user?.password === undefined ? "" : ":xxxxx";
  return `//${name}${password}${url.user === undefined ? "" : "@"}${escapeBytes(url.host, notInHost)}`;
}

/** A path as it goes over the wire: as written when nothing in it needs escaping, else escaped anew (URL.EscapedPath). */
export function escapedPath(path: string): string {
  return canonicalPath(toBytes(path));
}

function canonicalPath(path: string): string {
  if (!/[^A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/]/.test(path)) return path;
  return escapeBytes(unescapeBytes(path), notInPath);
}

function formatFragment(fragment: string): string {
  if (fragment.length < 2) return "";
  const text = fragment.slice(1);
  if (!/[^A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/?]/.test(text)) return fragment;
  return `#${escapeBytes(unescapeBytes(text), notInFragment)}`;
}

const notInPath = /[^A-Za-z0-9\-_.~$&+,/:;=@]/g;
const notInUser = /[^A-Za-z0-9\-_.~$&+,;=]/g;
const notInHost = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/g;
const notInFragment = /[^A-Za-z0-9\-_.~!()*$&+,/:;=?@]/g;

/** The parts of a URL without fragment, or Go's reason why it is none. Text is one character per byte from here on. */
function parseBytes(text: string, fragment: string): GoURL | string {
  if (/[\x00-\x1f\x7f]/.test(text)) return "net/url: invalid control character in URL";
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):([^]*)$/.exec(text);
  if (found === null && text.startsWith(":")) return "missing protocol scheme";
  const scheme = found?.[1]?.toLowerCase() ?? "";
  const { before: body, rest: query } = cutBefore(found?.[2] ?? text, "?");
  const bare = { scheme, opaque: "", host: "", path: "", query, fragment, omitHost: false };

  if (!body.startsWith("/")) {
    if (scheme !== "") return { ...bare, opaque: body };
    const colon = cutBefore(body, "/").before.includes(":");
    return colon ? "first path segment in URL cannot contain colon" : withPath(bare, body);
  }
  if (body.startsWith("//") && (scheme !== "" || !body.startsWith("///"))) return parseAuthority(bare, body.slice(2));
  return withPath({ ...bare, omitHost: scheme !== "" }, body);
}

function withPath(url: GoURL, path: string): GoURL | string {
  return badEscape(path) ?? { ...url, path };
}

function parseAuthority(url: GoURL, text: string): GoURL | string {
  const { before: authority, rest: path } = cutBefore(text, "/");
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const fault = hostFault(url.scheme, host);
  if (fault !== undefined) return fault;

  const placed = { ...url, host: unescapeBytes(host) };
  if (at < 0) return withPath(placed, path);
  const userinfo = authority.slice(0, at);
  if (/[^A-Za-z0-9\-._:~!$&'()*+,;=%@]/.test(userinfo)) return "net/url: invalid userinfo";
  const { before: name, rest: password } = cutBefore(userinfo, ":");
  const secret = password === "" ? {} : { password: unescapeBytes(password.slice(1)) };
  return badEscape(userinfo) ?? withPath({ ...placed, user: { name: unescapeBytes(name), ...secret } }, path);
}

function hostFault(scheme: string, host: string): string | undefined {
  const bracket = host.lastIndexOf("[");
  if (bracket > 0) return "invalid IP-literal";
  if (bracket === 0) return literalFault(host);
  const strict = scheme === "http" || scheme === "https";
  const colon = strict ? host.indexOf(":") : host.lastIndexOf(":");
  if (colon >= 0 && !isPort(host.slice(colon))) return `invalid port ${quote(toText(host.slice(colon)))} after host`;
  return hostEscapeFault(host);
}

/** RFC 3986 allows only an IPv6 address between brackets, RFC 6874 a zone after its `%25`. */
function literalFault(host: string): string | undefined {
  const end = host.lastIndexOf("]");
  if (end < 0) return "missing ']' in host";
  const port = host.slice(end + 1);
  if (!isPort(port)) return `invalid port ${quote(toText(port))} after host`;
  const address = host.slice(1, end).replace(/%25.+$/, "");
  return URL.canParse(`http://[${address}]/`) ? badEscape(host) : `invalid host: ParseAddr(${quote(toText(address))})`;
}

function isPort(text: string): boolean {
  return /^(?::[0-9]*)?$/.test(text);
}

/** RFC 3986 §3.2.2: in a host only bytes outside ASCII may be percent-encoded (and RFC 6874 adds `%25`). */
function hostEscapeFault(host: string): string | undefined {
  const bad = /%(?!25|[89A-Fa-f][0-9A-Fa-f])|[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\x80-\xff]/.exec(host);
  if (bad === null) return undefined;
  if (bad[0] !== "%") return `invalid character ${quote(bad[0])} in host name`;
  return `invalid URL escape ${quote(toText(host.slice(bad.index, bad.index + 3)))}`;
}

function badEscape(text: string): string | undefined {
  const bad = /%(?![0-9A-Fa-f]{2})/.exec(text);
  return bad === null ? undefined : `invalid URL escape ${quote(toText(text.slice(bad.index, bad.index + 3)))}`;
}

function unescapeBytes(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function escapeBytes(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** Userinfo as it may stand in text that no one could parse: gone entirely, since nobody knows where it ends. */
function maskUserinfo(text: string): string {
  const end = text.lastIndexOf("@");
  if (end < 0) return text;
  const slashes = text.slice(0, text.indexOf("@")).indexOf("//");
  return `${slashes < 0 ? "" : text.slice(0, slashes + 2)}xxxxx${text.slice(end)}`;
}

function cutBefore(text: string, mark: string): { before: string; rest: string } {
  const at = text.indexOf(mark);
  return at < 0 ? { before: text, rest: "" } : { before: text.slice(0, at), rest: text.slice(at) };
}

function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
