// Certificates for tests of TLS with everything in the test's hand: times, names, issuers, signatures. No program is
// needed; go and OpenSSL have to take them for certificates, or the tests that use them fail.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

export type Issued = {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly subject: Buffer;
};

export type Wish = {
  readonly cn: string;
  readonly org?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** Without one it signs itself. */
  readonly by?: Issued;
  readonly isCa?: boolean;
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  readonly aia?: string;
  /** Extended key usages; default that of a server for a leaf. */
  readonly usages?: readonly string[];
  /** An RSA key, and SHA-1 for what it signs. */
  readonly old?: true;
};

const dayMs = 86_400_000;

export function issue(wish: Wish): Issued {
  const pair =
    wish.old === true
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  const subject = name(wish.cn, wish.org);
  const signer = wish.by?.key ?? pair.privateKey;
  const algorithm = algorithmOf(signer, wish.old === true);
  const body = seq(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(0x40), randomBytes(8)])),
    algorithm.der,
    wish.by?.subject ?? subject,
    seq(time(wish.from ?? -2), time(wish.until ?? 60)),
    subject,
    spki,
    tlv(0xa3, seq(...extensions(wish, spki))),
  );
  const der = seq(body, algorithm.der, bits(sign(algorithm.hash, body, signer)));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
  return {
    der,
    pem,
    key: pair.privateKey,
    keyPem: pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    subject,
  };
}

function algorithmOf(key: KeyObject, isOld: boolean): { readonly hash: string; readonly der: Buffer } {
  if (key.asymmetricKeyType === "ec") return { hash: "sha256", der: seq(oid("1.2.840.10045.4.3.2")) };
  return isOld
    ? { hash: "sha1", der: seq(oid("1.2.840.113549.1.1.5"), tlv(0x05)) }
    : { hash: "sha256", der: seq(oid("1.2.840.113549.1.1.11"), tlv(0x05)) };
}

function extensions({ dns = [], ip = [], isCa = false, aia, usages }: Wish, spki: Buffer): Buffer[] {
  const names = [
    ...dns.map((each) => tlv(0x82, Buffer.from(each))),
    ...ip.map((each) => tlv(0x87, Buffer.from(each.split(".").map(Number)))),
  ];
  const wanted = usages ?? (isCa ? [] : ["1.3.6.1.5.5.7.3.1"]);
  const self = createHash("sha1").update(spki).digest();
  return [
    extension("2.5.29.19", isCa ? seq(tlv(0x01, Buffer.of(0xff))) : seq(), true),
    extension("2.5.29.15", tlv(0x03, isCa ? Buffer.of(1, 0x06) : Buffer.of(5, 0xa0)), true),
    extension("2.5.29.14", tlv(0x04, self)),
    ...(names.length === 0 ? [] : [extension("2.5.29.17", seq(...names))]),
    ...(wanted.length === 0 ? [] : [extension("2.5.29.37", seq(...wanted.map(oid)))]),
    ...(aia === undefined
      ? []
      : [extension("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, Buffer.from(aia)))))]),
  ];
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return seq(oid(id), ...(isCritical ? [tlv(0x01, Buffer.of(0xff))] : []), tlv(0x04, value));
}

function name(cn: string, org?: string): Buffer {
  const part = (id: string, text: string): Buffer => tlv(0x31, seq(oid(id), tlv(0x0c, Buffer.from(text))));
  return seq(...(org === undefined ? [] : [part("2.5.4.10", org)]), part("2.5.4.3", cn));
}

function time(days: number): Buffer {
  const text = new Date(Date.now() + days * dayMs).toISOString().replace(/[-:T]|\.\d+/g, "");
  return tlv(0x18, Buffer.from(text));
}

function bits(bytes: Buffer): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

function oid(text: string): Buffer {
  const [a = 0, b = 0, ...rest] = text.split(".").map(Number);
  const bytes = [a * 40 + b, ...rest].flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tlv(0x06, Buffer.from(bytes));
}

function seq(...parts: Buffer[]): Buffer {
  return tlv(0x30, ...parts);
}

function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), body]);
}
