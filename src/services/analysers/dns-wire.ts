// DNS messages (RFC 1035 §4, EDNS RFC 6891): a question out, an answer in. Go's libraries and Node's hide what tells a
// forged answer from a true one (TTL, authority, truncation, code), so the bytes are read here.
//
// An answer is foreign: names are bounded, pointers only lead backwards, counts are held against the bytes that are there.

export type DnsType = "A" | "AAAA";
const typeNumbers: Readonly<Record<DnsType, number>> = { A: 1, AAAA: 28 };

export class DnsMalformed extends Error {}

export type DnsQuestion = { readonly name: string; readonly type: DnsType };

export type DnsRecord = {
  readonly name: string;
  /** Seconds for which it may be kept. */
  readonly ttl: number;
  readonly data:
    | { readonly kind: "A" | "AAAA"; readonly address: string }
    | { readonly kind: "CNAME"; readonly target: string }
    /** `minimum`: seconds for which a denial may be kept (RFC 2308 §4). */
    | { readonly kind: "SOA"; readonly minimum: number }
    | { readonly kind: "other"; readonly type: number };
};

export type DnsMessage = {
  readonly id: number;
  readonly isAnswer: boolean;
  /** AA: the server is one of the zone's own. */
  readonly isAuthoritative: boolean;
  /** TC: the rest did not fit into the datagram. */
  readonly isTruncated: boolean;
  /** `NOERROR`, `NXDOMAIN`, … */
  readonly code: string;
  readonly question: { readonly name: string; readonly type: number } | undefined;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
};

/** What Go asks for since 1.20: it survives every path (DNS flag day 2020). */
const udpSize = 1232;

/** One question, recursion desired, with EDNS. Throws DnsMalformed for a name that cannot be one. */
export function encodeQuery(id: number, { name, type }: DnsQuestion): Uint8Array {
  const labels = name
    .replace(/\.$/, "")
    .split(".")
    .map((label) => Buffer.from(label, "latin1"));
  const isName = labels.every(({ length }) => length > 0 && length <= 63);
  const question = Buffer.concat(labels.flatMap((label) => [Buffer.of(label.length), label]).concat(Buffer.of(0)));
  if (!isName || question.length > maxNameBytes) throw new DnsMalformed(`no name of the DNS: ${name}`);
  const head = Buffer.of(id >> 8, id & 0xff, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1);
  // OPT: root name, type 41, the size in place of a class, four bytes of flags, no data.
  const options = Buffer.of(0, 0, 41, udpSize >> 8, udpSize & 0xff, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([head, question, Buffer.of(0, typeNumbers[type], 0, 1), options]);
}

/** RFC 1035 §2.3.4. */
const maxNameBytes = 255;
/** The largest answers of honest servers have some dozens. */
const maxRecords = 500;

const codes: Readonly<Record<number, string>> = {
  0: "NOERROR",
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
};

/** Throws DnsMalformed. */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  const reader = new Reader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  const [questions, answers, authorities] = [reader.uint16(), reader.uint16(), reader.uint16()];
  reader.uint16();
  if (questions > 1) throw new DnsMalformed("several questions");
  const question = questions === 0 ? undefined : { name: reader.name(), type: reader.uint16(), class: reader.uint16() };
  if (answers + authorities > maxRecords) throw new DnsMalformed("too many records");
  const code = flags & 0x0f;
  return {
    id,
    isAnswer: (flags & 0x8000) !== 0,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    code: codes[code] ?? `RCODE ${code}`,
    question: question && { name: question.name, type: question.type },
    ...reader.records(answers, authorities, (flags & 0x0200) !== 0),
  };
}

/** Whether `bytes` can be the answer to this question: the same id, name and type. Anything else is somebody's noise. */
export function isAnswerTo(bytes: Uint8Array, id: number, { name, type }: DnsQuestion): boolean {
  try {
    const message = decodeMessage(bytes);
    const { question } = message;
    // Servers that refuse may leave the question out.
    const isSame = question?.name === name.replace(/\.$/, "").toLowerCase() && question.type === typeNumbers[type];
    return message.isAnswer && message.id === id && (isSame || (question === undefined && message.code !== "NOERROR"));
  } catch (error) {
    if (error instanceof DnsMalformed) return bytes.length > 2 && bytes[0] === id >> 8 && bytes[1] === (id & 0xff);
    throw error;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  uint8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new DnsMalformed("cut off");
    this.#at += 1;
    return byte;
  }

  uint16(): number {
    return this.uint8() * 256 + this.uint8();
  }

  uint32(): number {
    return this.uint16() * 65_536 + this.uint16();
  }

  /** Answers and authorities; of a truncated message as many as are whole. */
  records(answers: number, authorities: number, isCut: boolean): Pick<DnsMessage, "answers" | "authorities"> {
    const all: DnsRecord[] = [];
    try {
      while (all.length < answers + authorities) all.push(this.#record());
    } catch (error) {
      if (!isCut || !(error instanceof DnsMalformed)) throw error;
    }
    return { answers: all.slice(0, answers), authorities: all.slice(answers) };
  }

  #record(): DnsRecord {
    const name = this.name();
    const type = this.uint16();
    this.uint16();
    const ttl = this.uint32();
    const length = this.uint16();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new DnsMalformed("a record longer than the message");
    const data = this.#data(type, length);
    if (this.#at > end) throw new DnsMalformed("data longer than the record");
    this.#at = end;
    // RFC 2181 §8: the top bit means zero.
    return { name, ttl: ttl > 0x7fffffff ? 0 : ttl, data };
  }

  #data(type: number, length: number): DnsRecord["data"] {
    if (type === 1 && length === 4) return { kind: "A", address: [1, 2, 3, 4].map(() => this.uint8()).join(".") };
    if (type === 28 && length === 16)
      return { kind: "AAAA", address: [1, 2, 3, 4, 5, 6, 7, 8].map(() => this.uint16().toString(16)).join(":") };
    if (type === 5) return { kind: "CNAME", target: this.name() };
    if (type !== 6) return { kind: "other", type };
    this.name();
    this.name();
    for (let i = 0; i < 4; i++) this.uint32();
    return { kind: "SOA", minimum: this.uint32() };
  }

  /** In lower case, without the final dot; odd bytes as `\ddd`. */
  name(): string {
    const labels: string[] = [];
    let size = 1;
    let at = this.#at;
    let end: number | undefined;
    // A pointer may only lead before everything that was read of this name: so there is no circle.
    let least = at;
    for (;;) {
      const length = this.#bytes[at];
      if (length === undefined) throw new DnsMalformed("a name cut off");
      if (length >= 0xc0) {
        const target = (length & 0x3f) * 256 + (this.#bytes[at + 1] ?? 0);
        end ??= at + 2;
        if (target >= least) throw new DnsMalformed("a pointer that does not lead back");
        at = least = target;
        continue;
      }
      if (length > 63) throw new DnsMalformed("a label of an unknown kind");
      if (length === 0) break;
      const label = this.#bytes.subarray(at + 1, at + 1 + length);
      size += length + 1;
      if (label.length < length || size > maxNameBytes) throw new DnsMalformed("a name too long");
      labels.push(labelText(label));
      at += 1 + length;
    }
    this.#at = end ?? at + 1;
    if (this.#at > this.#bytes.length) throw new DnsMalformed("a name cut off");
    return labels.join(".");
  }
}

function labelText(label: Uint8Array): string {
  return [...label]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\${String(byte).padStart(3, "0")}`,
    )
    .join("")
    .toLowerCase();
}
