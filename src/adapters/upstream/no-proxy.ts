// Whether a URL is asked through a proxy: HTTP_PROXY, HTTPS_PROXY and NO_PROXY as the go command reads them.
// Source: golang.org/x/net/http/httpproxy (Config.ProxyFunc). scripts/oracle compares the two.
//
//   NO_PROXY=corp.example,.lab.example,*.dev.example:8443,10.0.0.0/8,[fd00::1]:443   ·   * means: never a proxy

import { isIP, isIPv4 } from "node:net";
import { domainToASCII } from "node:url";

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY; an empty one counts as unset. */
export type EgressProxies = { readonly http?: string; readonly https?: string; readonly no?: string };

/** The proxy a URL is asked through; undefined means directly. */
export type ProxyRule = (url: URL) => URL | undefined;

/** Throws RangeError when a proxy is not of the form `[http[s]://][user:pass@]host[:port]`. */
export function proxyRule(proxies: EgressProxies): ProxyRule {
  const http = parseProxy(proxies.http ?? "");
  const https = parseProxy(proxies.https ?? "");
  const isExempt = parseNoProxy(proxies.no ?? "");
  return (url) => {
    const proxy = url.protocol === "https:" ? https : url.protocol === "http:" ? http : undefined;
    if (proxy === undefined) return undefined;
    const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    return isLoopback(host) || isExempt(host, port) ? undefined : proxy;
  };
}

/**
 * A proxy's URL; text without a scheme is a host, as in Go. Go goes without a proxy when it cannot read the value; a
 * proxy somebody wrote down and nobody uses is a hole, so this throws RangeError instead.
 */
export function parseProxy(text: string): URL | undefined {
  if (text === "") return undefined;
  const full = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.hostname === "" || !/^https?:$/.test(url.protocol))
    throw new RangeError("not an http or https proxy");
  return url;
}

/** `useProxy`: localhost and loopback addresses never go through a proxy. */
function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const address = addressBytes(host);
  return address !== undefined && (address.length === 4 ? address[0] === 127 : sameBytes(address, ipv6Loopback));
}

const ipv6Loopback = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

type Matcher = (host: string, port: string) => boolean;

function parseNoProxy(list: string): Matcher {
  const matchers: Matcher[] = [];
  for (const raw of list.split(",")) {
    const entry = raw.trim().toLowerCase();
    if (entry === "*") return () => true;
    const matcher = parseEntry(entry);
    if (matcher !== undefined) matchers.push(matcher);
  }
  return (host, port) => matchers.some((matches) => matches(host, port));
}

function parseEntry(entry: string): Matcher | undefined {
  const net = parseNet(entry);
  if (net !== undefined) return (host) => contains(net, addressBytes(host));
  const [host, port] = splitHostPort(entry) ?? [entry, ""];
  const name = /^\[.*\]$/.test(host) && host !== entry ? host.slice(1, -1) : host;
  if (name === "") return undefined;
  const fits = (asked: string): boolean => port === "" || port === asked;
  const address = isAddress(name) ? addressBytes(name) : undefined;
  if (address === undefined) return domainMatcher(name, fits);
  return (host, asked) => sameBytes(addressBytes(host) ?? [], address) && fits(asked);
}

/** `corp.example` is that host and all below it; `.corp.example` and `*.corp.example` only those below. */
function domainMatcher(name: string, fits: (port: string) => boolean): Matcher {
  const bare = name.startsWith("*.") ? name.slice(1) : name;
  const onlyBelow = bare.startsWith(".");
  const domain = toASCII(onlyBelow ? bare.slice(1) : bare);
  return (host, port) => {
    if (isIP(host) !== 0) return false;
    return (host.endsWith(`.${domain}`) || (!onlyBelow && host === domain)) && fits(port);
  };
}

function toASCII(name: string): string {
  const isASCII = /^[\0-\x7f]*$/.test(name);
  return isASCII ? name : domainToASCII(name) || name;
}

type Net = { readonly address: readonly number[]; readonly bits: number };

/** net.ParseCIDR; a network of IPv4-mapped addresses is one of IPv4, as IPNet.Contains has it. */
function parseNet(text: string): Net | undefined {
  const [, address = "", length = ""] = /^([^/]+)\/(\d{1,7})$/.exec(text) ?? [];
  const bits = Number(length);
  if (!isAddress(address) || bits > (isIPv4(address) ? 32 : 128)) return undefined;
  if (isIPv4(address)) return { address: ipv4Bytes(address), bits };
  const whole = ipv6Bytes(address);
  const isMapped = bits >= 96 && toFour(whole).length === 4;
  return isMapped ? { address: toFour(whole), bits: bits - 96 } : { address: whole, bits };
}

function contains({ address, bits }: Net, asked: readonly number[] | undefined): boolean {
  if (asked?.length !== address.length) return false;
  return address.every((byte, at) => {
    const mask = 0xff00 >> Math.min(8, Math.max(0, bits - at * 8));
    return (byte & mask & 0xff) === ((asked[at] ?? 0) & mask & 0xff);
  });
}

function sameBytes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Four bytes, or sixteen; an IPv4-mapped address has four (net.IP.To4), a zone is dropped. */
function addressBytes(text: string): readonly number[] | undefined {
  if (isIPv4(text)) return ipv4Bytes(text);
  return isIP(text) === 6 ? toFour(ipv6Bytes(text)) : undefined;
}

function ipv4Bytes(address: string): readonly number[] {
  return address.split(".").map(Number);
}

/** The URL parser's spelling, with `::` written out. */
function ipv6Bytes(address: string): readonly number[] {
  const plain = new URL(`http://[${address.replace(/%.*$/, "")}]/`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

function toFour(address: readonly number[]): readonly number[] {
  const isMapped = address.slice(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255;
  return isMapped ? address.slice(12) : address;
}

/** net.ParseIP: an address without a zone. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

/** net.SplitHostPort; undefined where that is an error. */
function splitHostPort(text: string): readonly [host: string, port: string] | undefined {
  const [, bracketed, plain, port = ""] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : [host, port];
}
