// One X.509 certificate (RFC 5280) as far as go weighs it: names as bytes and as text, times, what it may sign, where its
// issuer is. Signatures are node:crypto's to check; everything else is read here, so that it is the same on every Node.

import { createHash, X509Certificate } from "node:crypto";
import { DerError, derText, derTime, latin1, oidText, readDer, readParts } from "./der.ts";
import type { Der } from "./der.ts";

export type Certificate = {
  readonly raw: Uint8Array;
  /** 1 to 3. */
  readonly version: number;
  readonly serial: string;
  readonly subject: Name;
  readonly issuer: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** As Go names it: `SHA256-RSA`; the number of an algorithm that Go does not know. */
  readonly signature: string;
  /** Undefined without the extension. */
  readonly names: { readonly dns: readonly string[]; readonly ip: readonly string[] } | undefined;
  readonly constraints: { readonly isCa: boolean; readonly pathLength: number | undefined } | undefined;
  /** Undefined without the extension: everything is allowed. */
  readonly signsCertificates: boolean | undefined;
  /** Numbers of extended key usages; empty without the extension. */
  readonly usages: readonly string[];
  readonly keyId: string;
  readonly issuerKeyId: string;
  /** Where Authority Information Access says that the issuer can be had. */
  readonly issuerUrls: readonly string[];
  /** Critical extensions that nobody here knows. */
  readonly unknownCritical: readonly string[];
};

export type Name = {
  /** The DER, in base64: go compares names by their bytes. */
  readonly id: string;
  readonly commonName: string;
  readonly organization: string;
  /** `CN=a, O=b` */
  readonly text: string;
};

/** Larger than any that is in use; a TLS message may hold 16 MiB. */
const maxCertificateBytes = 64 * 1024;

/** Throws DerError when it is none. */
export function parseCertificate(raw: Uint8Array): Certificate {
  if (raw.length > maxCertificateBytes) throw new DerError(`longer than ${maxCertificateBytes} bytes`);
  const [body, algorithm] = readParts(readDer(raw).body);
  const fields = readParts(must(body).body);
  const version = fields[0]?.tag === 0xa0 ? (readDer(fields.shift()?.body ?? raw).body[0] ?? 0) + 1 : 1;
  const [serial, , issuer, validity, subject, , ...rest] = fields;
  const [from, until] = readParts(must(validity).body);
  const extensions = rest.find(({ tag }) => tag === 0xa3);
  return {
    raw,
    version,
    serial: Buffer.from(must(serial).body).toString("hex"),
    subject: readName(must(subject)),
    issuer: readName(must(issuer)),
    notBefore: derTime(must(from)),
    notAfter: derTime(must(until)),
    signature: signatureName(must(algorithm)),
    ...readExtensions(extensions === undefined ? [] : readParts(readDer(extensions.body).body)),
  };
}

function must(part: Der | undefined): Der {
  if (part === undefined) throw new DerError("a part is missing");
  return part;
}

const short: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
};

function readName(name: Der): Name {
  const parts = readParts(name.body).flatMap((set) =>
    readParts(set.body).map((pair): readonly [string, string] => {
      const [type, value] = readParts(pair.body);
      return [oidText(must(type).body), derText(must(value))];
    }),
  );
  const first = (oid: string): string => parts.find(([type]) => type === oid)?.[1] ?? "";
  return {
    id: Buffer.from(name.raw).toString("base64"),
    commonName: first("2.5.4.3"),
    organization: first("2.5.4.10"),
    text: parts.map(([type, value]) => `${short[type] ?? type}=${value}`).join(", "),
  };
}

/** crypto/x509 SignatureAlgorithm.String. */
const signatures: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.2": "MD2-RSA",
  "1.2.840.113549.1.1.4": "MD5-RSA",
  "1.2.840.113549.1.1.5": "SHA1-RSA",
  "1.3.14.3.2.29": "SHA1-RSA",
  "1.2.840.113549.1.1.11": "SHA256-RSA",
  "1.2.840.113549.1.1.12": "SHA384-RSA",
  "1.2.840.113549.1.1.13": "SHA512-RSA",
  "1.2.840.113549.1.1.10": "RSAPSS",
  "1.2.840.10045.4.1": "ECDSA-SHA1",
  "1.2.840.10045.4.3.2": "ECDSA-SHA256",
  "1.2.840.10045.4.3.3": "ECDSA-SHA384",
  "1.2.840.10045.4.3.4": "ECDSA-SHA512",
  "1.3.101.112": "Ed25519",
};

function signatureName(algorithm: Der): string {
  const oid = oidText(must(readParts(algorithm.body)[0]).body);
  return signatures[oid] ?? oid;
}

/** What Go gives up on a certificate for when it is critical and not of these (parseCertificate's UnhandledCritical). */
const known: ReadonlySet<string> = new Set([14, 15, 17, 19, 30, 31, 32, 35, 37].map((last) => `2.5.29.${last}`));

type Extensions = Pick<
  Certificate,
  "names" | "constraints" | "signsCertificates" | "usages" | "keyId" | "issuerKeyId" | "issuerUrls" | "unknownCritical"
>;

function readExtensions(list: readonly Der[]): Extensions {
  const values = new Map<string, Uint8Array>();
  const unknownCritical: string[] = [];
  for (const extension of list) {
    const parts = readParts(extension.body);
    const oid = oidText(must(parts[0]).body);
    values.set(oid, must(parts.at(-1)).body);
    if (parts.length === 3 && parts[1]?.body[0] !== 0 && !known.has(oid)) unknownCritical.push(oid);
  }
  const inner = (last: number): Der | undefined => {
    const value = values.get(`2.5.29.${last}`);
    return value === undefined ? undefined : readDer(value);
  };
  const usage = inner(15);
  const authority = values.get("1.3.6.1.5.5.7.1.1");
  return {
    names: readAlternatives(inner(17)),
    constraints: readConstraints(inner(19)),
    // keyCertSign is bit 5 of the first byte after the count of unused bits.
    signsCertificates: usage === undefined ? undefined : ((usage.body[1] ?? 0) & 0x04) !== 0,
    usages: readParts(inner(37)?.body ?? new Uint8Array()).map(({ body }) => oidText(body)),
    keyId: Buffer.from(inner(14)?.body ?? []).toString("hex"),
    issuerKeyId: Buffer.from(
      readParts(inner(35)?.body ?? new Uint8Array()).find(({ tag }) => tag === 0x80)?.body ?? [],
    ).toString("hex"),
    issuerUrls: authority === undefined ? [] : issuerUrls(readDer(authority)),
    unknownCritical,
  };
}

function readAlternatives(list: Der | undefined): Certificate["names"] {
  if (list === undefined) return undefined;
  const parts = readParts(list.body);
  return {
    dns: parts.filter(({ tag }) => tag === 0x82).map(({ body }) => latin1(body)),
    ip: parts.filter(({ tag }) => tag === 0x87).map(({ body }) => ipText(body)),
  };
}

function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new DerError("an address of neither 4 nor 16 bytes");
  return (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? [])
    .map((group) => group.replace(/^0{1,3}/, ""))
    .join(":");
}

function readConstraints(constraints: Der | undefined): Certificate["constraints"] {
  if (constraints === undefined) return undefined;
  const parts = readParts(constraints.body);
  const length = parts.find(({ tag }) => tag === 0x02)?.body;
  return {
    isCa: parts.some(({ tag, body }) => tag === 0x01 && body[0] !== 0),
    pathLength: length?.reduce((sum, byte) => sum * 256 + byte, 0),
  };
}

function issuerUrls(access: Der): string[] {
  return readParts(access.body).flatMap(({ body }) => {
    const [method, place] = readParts(body);
    if (oidText(must(method).body) !== "1.3.6.1.5.5.7.48.2" || place?.tag !== 0x86) return [];
    return [latin1(place.body)];
  });
}

/** Whether `issuer`'s key made the signature. False for keys and signatures that cannot be read. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return new X509Certificate(certificate.raw).verify(new X509Certificate(issuer.raw).publicKey);
  } catch {
    return false;
  }
}

/** `AB:CD:…` of SHA-256, as openssl and browsers print it. */
export function fingerprint({ raw }: Pick<Certificate, "raw">): string {
  const hex = createHash("sha256").update(raw).digest("hex").toUpperCase();
  return (hex.match(/../g) ?? []).join(":");
}

/** In lines of 64. */
export function toPem({ raw }: Pick<Certificate, "raw">): string {
  const lines =
    Buffer.from(raw)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const pemBlock = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

/** The certificates of a PEM text; what cannot be read is passed over, as AppendCertsFromPEM does. */
export function readPem(text: string): Certificate[] {
  return [...text.matchAll(pemBlock)].flatMap(([, base64 = ""]) => {
    try {
      return [parseCertificate(Buffer.from(base64, "base64"))];
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
}
