// IP addresses without a library: are they one, are they the same, and what kind of network are they of. A public name
// that leads into one of the kinds below does not lead to its servers.

/** `private`: RFC 1918, fc00::/7. `fake`: 198.18.0.0/15, which tunnels of Clash and its kin hand out. */
export type AddressKind = "public" | "private" | "loopback" | "link-local" | "shared" | "fake" | "bogon";

export function isAddress(text: string): boolean {
  return addressBytes(text) !== undefined;
}

export function sameAddress(a: string, b: string): boolean {
  const [left, right] = [addressBytes(a), addressBytes(b)];
  return left !== undefined && right !== undefined && left.join() === right.join();
}

/** Four bytes or sixteen; an IPv4 address in IPv6 is four. Undefined for what is none. */
export function addressBytes(text: string): readonly number[] | undefined {
  const bytes = text.includes(":") ? ipv6Bytes(text.replace(/%.*$/, "")) : ipv4Bytes(text);
  const isMapped = bytes?.length === 16 && bytes.slice(0, 12).join() === mapped;
  return isMapped ? bytes.slice(12) : bytes;
}

const mapped = "0,0,0,0,0,0,0,0,0,0,255,255";

function ipv4Bytes(text: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte < 256) && !/(^|\.)0\d/.test(text) ? bytes : undefined;
}

function ipv6Bytes(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map(groupsOf);
  if (head === "bad" || tail === "bad") return undefined;
  const missing = 16 - head.length - tail.length;
  // `::` stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string): number[] | "bad" {
  if (text === "") return [];
  const bytes: number[] = [];
  for (const group of text.split(":")) {
    const four = group.includes(".") ? ipv4Bytes(group) : undefined;
    if (four !== undefined) bytes.push(...four);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
    else return "bad";
  }
  return bytes;
}

/** `2001:db8::1` for `2001:db8:0:0:0:0:0:1` (RFC 5952 §4.2): the longest run of zeros once, so that one address is one text. */
export function shortAddress(address: string): string {
  const bytes = addressBytes(address);
  if (bytes?.length !== 16) return bytes === undefined ? address : bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const runs = groups.join(":").match(/\b0(?::0\b)+/g) ?? [];
  const [longest] = runs.toSorted((a, b) => b.length - a.length);
  if (longest === undefined) return groups.join(":");
  const [before, after] = splitOnce(groups.join(":"), longest);
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}

function splitOnce(text: string, at: string): [string, string] {
  // At a group's border: `10:0` holds `0:0` that is none.
  const [, before = ""] = new RegExp(`^((?:[0-9a-f]+:)*?)${at}(?=:|$)`).exec(text) ?? [];
  return [before, text.slice(before.length + at.length)];
}

/** Blocks of the IANA special-purpose registries (RFC 6890) by kind. */
const blocks: readonly (readonly [AddressKind, string])[] = [
  ["private", "10.0.0.0/8"],
  ["private", "172.16.0.0/12"],
  ["private", "192.168.0.0/16"],
  ["private", "fc00::/7"],
  ["loopback", "127.0.0.0/8"],
  ["loopback", "::1/128"],
  ["link-local", "169.254.0.0/16"],
  ["link-local", "fe80::/10"],
  ["shared", "100.64.0.0/10"],
  ["fake", "198.18.0.0/15"],
  ["bogon", "0.0.0.0/8"],
  ["bogon", "192.0.0.0/24"],
  ["bogon", "192.0.2.0/24"],
  ["bogon", "198.51.100.0/24"],
  ["bogon", "203.0.113.0/24"],
  ["bogon", "224.0.0.0/3"],
  ["bogon", "::/128"],
  ["bogon", "2001::/32"],
  ["bogon", "2001:db8::/32"],
  ["bogon", "ff00::/8"],
];

/** The kind of network an address is of; text that is none is a bogon. */
export function addressKind(address: string): AddressKind {
  const bytes = addressBytes(address);
  if (bytes === undefined) return "bogon";
  return blocks.find(([, block]) => isWithin(bytes, block))?.[0] ?? "public";
}

/** @param block `10.0.0.0/8` */
export function isWithin(bytes: readonly number[], block: string): boolean {
  const [base = "", bits = "0"] = block.split("/");
  const wanted = addressBytes(base);
  if (wanted?.length !== bytes.length) return false;
  return bytes.every((byte, i) => {
    const left = Math.min(8, Math.max(0, Number(bits) - i * 8));
    const mask = (0xff << (8 - left)) & 0xff;
    return (byte & mask) === ((wanted[i] ?? 0) & mask);
  });
}
