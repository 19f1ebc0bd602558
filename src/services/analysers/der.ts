// DER (X.690 §10) as far as certificates need it: definite lengths, one-byte tags, nothing copied.
// Everything is foreign: an element that does not fit into its parent is a DerError, and so is a tag above 30.

export class DerError extends Error {}

export type Der = {
  readonly tag: number;
  /** The element with its header. */
  readonly raw: Uint8Array;
  /** Its contents. */
  readonly body: Uint8Array;
};

/** One element that fills `bytes` exactly. */
export function readDer(bytes: Uint8Array): Der {
  const first = elementAt(bytes, 0);
  if (first.raw.length !== bytes.length) throw new DerError("bytes after the end");
  return first;
}

/** No certificate has as many parts in one place. */
const maxParts = 10_000;

/** The elements that `bytes` is a row of. */
export function readParts(bytes: Uint8Array): Der[] {
  const parts: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    const part = elementAt(bytes, at);
    parts.push(part);
    if (parts.length > maxParts) throw new DerError("too many elements");
    at += part.raw.length;
  }
  return parts;
}

function elementAt(bytes: Uint8Array, at: number): Der {
  const tag = byteAt(bytes, at);
  if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
  const first = byteAt(bytes, at + 1);
  let length = first;
  let head = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // Four bytes are more than any certificate; none is an indefinite length, which DER has not.
    if (count === 0 || count > 4) throw new DerError("a length that DER does not have");
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, at + 2 + i);
    head += count;
  }
  const end = at + head + length;
  if (end > bytes.length) throw new DerError("an element longer than what holds it");
  return { tag, raw: bytes.subarray(at, end), body: bytes.subarray(at + head, end) };
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new DerError("cut off");
  return byte;
}

/** `2.5.29.17` */
export function oidText(body: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of body) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 256) throw new DerError("an identifier too large");
    if (byte >= 0x80) continue;
    if (numbers.length === 0) {
      const top = Math.min(2, Math.floor(value / 40));
      numbers.push(top, value - top * 40);
    } else numbers.push(value);
    value = 0;
  }
  return numbers.join(".");
}

/** UTCTime and GeneralizedTime as RFC 5280 §4.1.2.5 allows them. */
export function derTime({ tag, body }: Der): Date {
  const text = latin1(body);
  const [, short, rest] = (tag === 0x17 ? /^(\d{2})(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text) ?? [];
  if (short === undefined || rest === undefined) throw new DerError("no time");
  const year = short.length === 4 ? Number(short) : Number(short) + (Number(short) < 50 ? 2000 : 1900);
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (rest.match(/../g) ?? []).map(Number);
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second);
  return time;
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Text of the string types of names: UTF-8 for all but BMPString. */
export function derText({ tag, body }: Der): string {
  const bytes = Buffer.from(body);
  if (tag !== 0x1e || bytes.length % 2 !== 0) return bytes.toString("utf8");
  return bytes.swap16().toString("utf16le");
}
