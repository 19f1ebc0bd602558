// Whether a certificate is for a name, as Go decides it and in Go's words (crypto/x509 VerifyHostname, HostnameError):
// alternative names only, never the common name; a `*` stands for the whole leftmost label and nothing else.

import { sameAddress, isAddress } from "./address.ts";
import type { Certificate } from "./certificate.ts";

/** Undefined when it fits; else the sentence of HostnameError. */
export function hostnameProblem(certificate: Certificate, host: string): string | undefined {
  const { dns = [], ip = [] } = certificate.names ?? {};
  const address = /^\[(.+)\]$/.exec(host)?.[1] ?? host;
  if (isAddress(address))
    return ip.some((each) => sameAddress(each, address)) ? undefined : sentence(certificate, address);
  const name = host.toLowerCase();
  const isPlain = isHostname(name, false);
  const fits = dns.some((pattern) =>
    isPlain && isHostname(pattern, true) ? matches(pattern.toLowerCase(), name) : pattern.toLowerCase() === name,
  );
  return fits ? undefined : sentence(certificate, host);
}

function matches(pattern: string, name: string): boolean {
  const wanted = name.replace(/\.$/, "").split(".");
  const parts = pattern.split(".");
  return parts.length === wanted.length && parts.every((part, i) => (i === 0 && part === "*") || part === wanted[i]);
}

/** validHostname: letters, digits, `-` not in front, `_`. */
function isHostname(name: string, isPattern: boolean): boolean {
  const labels = (isPattern ? name : name.replace(/\.$/, "")).split(".");
  if (name === "" || name === "*") return false;
  return labels.every(
    (label, i) => (isPattern && i === 0 && label === "*") || /^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(label),
  );
}

/** From as many on Go only counts them. */
const maxNames = 100;

function sentence(certificate: Certificate, host: string): string {
  const { names, subject } = certificate;
  if (names === undefined && matches(subject.commonName.toLowerCase(), host.toLowerCase()))
    return "x509: certificate relies on legacy Common Name field, use SANs instead";
  const isIp = isAddress(host);
  const valid = (isIp ? names?.ip : names?.dns) ?? [];
  if (isIp && valid.length === 0)
    return `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  if (valid.length >= maxNames)
    return `x509: certificate is valid for ${valid.length} ${isIp ? "IP SANs" : "names"}, but none matched ${host}`;
  if (valid.length === 0) return `x509: certificate is not valid for any names, but wanted to match ${host}`;
  return `x509: certificate is valid for ${valid.join(", ")}, not ${host}`;
}
