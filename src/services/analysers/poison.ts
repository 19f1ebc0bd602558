// Addresses that forged answers are known to carry. Injectors on the way answer questions about filtered names with
// addresses of somebody else: of a list that has been observed for years, or of large companies that have nothing to do
// with the name (Zittrain/Edelman 2003; Anonymous, CCR 2012; Hoang et al., USENIX Security 2021).

import { addressBytes, isWithin } from "./address.ts";

const single: ReadonlySet<string> = new Set([
  "4.36.66.178",
  "8.7.198.45",
  "37.61.54.158",
  "46.82.174.68",
  "59.24.3.173",
  "64.33.88.161",
  "78.16.49.15",
  "93.46.8.89",
  "159.24.3.173",
  "159.106.121.75",
  "202.106.1.2",
  "202.181.7.85",
  "203.98.7.65",
  "203.161.230.171",
  "207.12.88.98",
  "208.56.31.43",
  "209.36.73.33",
  "209.145.54.50",
  "209.220.30.174",
  "211.94.66.147",
  "213.169.251.35",
  "216.221.188.182",
  "216.234.179.13",
  "243.185.187.39",
]);

/** Networks of Facebook, Twitter and Dropbox: what newer injectors answer with. No host of Go is there. */
const others = [
  "31.13.64.0/18",
  "66.220.144.0/20",
  "69.63.176.0/20",
  "69.171.224.0/19",
  "104.244.40.0/21",
  "108.160.160.0/20",
  "157.240.0.0/16",
  "162.125.0.0/16",
  "173.252.64.0/18",
  "199.16.156.0/22",
  "199.59.148.0/22",
  "2a03:2880::/32",
] as const;

const ownersOfOthers =
  /(^|\.)(facebook|fbcdn|instagram|whatsapp|twitter|twimg|x|t|dropbox|dropboxusercontent)\.(com|net|co)$/;

/** Whether an answer with this address is a known forgery for the host. */
export function isKnownForgery(address: string, host: string): boolean {
  if (single.has(address)) return true;
  const bytes = addressBytes(address);
  return (
    bytes !== undefined && !ownersOfOthers.test(host.toLowerCase()) && others.some((block) => isWithin(bytes, block))
  );
}
