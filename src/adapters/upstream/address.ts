// Which addresses a redirect may lead to: the public internet, and what the operator listed. An upstream that can
// send us to loopback, a metadata service or the office network would turn the proxy into its hand inside (SSRF).
// Source: the IANA special-purpose address registries for IPv4 and IPv6.

import { BlockList, isIP, isIPv4 } from "node:net";

const specialIPv4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carrier-grade NAT
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local, cloud metadata
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks; local "fake IP" resolvers use it too
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
];

/** Outside these nothing in IPv6 is public. */
const globalIPv6: readonly (readonly [string, number])[] = [["2000::", 3]];

/** Inside 2000::/3, and still not public: protocol assignments with Teredo, documentation, 6to4. */
const specialIPv6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [net, bits] of specialIPv4) special.addSubnet(net, bits, "ipv4");
for (const [net, bits] of specialIPv6) special.addSubnet(net, bits, "ipv6");
const global = new BlockList();
for (const [net, bits] of globalIPv6) global.addSubnet(net, bits, "ipv6");

/** True when an IP address (no brackets, no zone) belongs to the public internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, "ipv4");
  if (isIP(address) !== 6) return false;
  const embedded = embeddedIPv4(address);
  if (embedded !== undefined) return isPublicAddress(embedded);
  return global.check(address, "ipv6") && !special.check(address, "ipv6");
}

/** The IPv4 address inside a NAT64 address (RFC 6052, 64:ff9b::/96). IPv4-mapped ones are never dialled: not public. */
function embeddedIPv4(address: string): string | undefined {
  const groups = /^64:ff9b::([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonicalIPv6(address));
  if (groups === null) return undefined;
  const high = Number.parseInt(groups[1] ?? "", 16);
  const low = Number.parseInt(groups[2] ?? "", 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function canonicalIPv6(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, "")}]/`).hostname.slice(1, -1);
}

/** Parses CIDRs (`10.0.0.0/8`, `fd00::/8`, or one address) into a set to ask; throws RangeError naming a bad one. */
export function parseCidrs(cidrs: readonly string[]): BlockList {
  const allowed = new BlockList();
  for (const cidr of cidrs) addCidr(allowed, cidr);
  return allowed;
}

function addCidr(list: BlockList, cidr: string): void {
  const [net = "", bits, ...rest] = cidr.split("/");
  const family = isIP(net);
  const width = family === 4 ? 32 : 128;
  const length = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (family === 0 || rest.length > 0 || length < 0 || length > width) throw new RangeError(`bad CIDR ${cidr}`);
  list.addSubnet(net, length, family === 4 ? "ipv4" : "ipv6");
}

/** True when a redirect may be dialled at `address`. */
export function mayDial(address: string, allowed: BlockList): boolean {
  return isPublicAddress(address) || allowed.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}
