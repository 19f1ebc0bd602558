// A DNS server on the loopback, UDP and TCP on one port, that answers as it is told: honestly, twice, late, with a foreign
// id, cut off, or not at all. It writes its own messages, so that the codec under test does not read its own mistakes.
import { createSocket } from "node:dgram";
import type { Socket as Datagrams } from "node:dgram";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import { atEnd } from "./at-end.ts";
import { listen } from "./loopback.ts";

export type FakeAnswer = {
  readonly code?: number;
  readonly a?: readonly string[];
  /** In full: eight groups. */
  readonly aaaa?: readonly string[];
  readonly cname?: string;
  readonly ttl?: number;
  readonly authoritative?: true;
  /** A SOA with this minimum, for denials. */
  readonly soa?: number;
  /** Only over UDP: cut off, with nothing in it. */
  readonly truncated?: true;
  /** Comes right after, as the true one after an injected one. */
  readonly then?: FakeAnswer;
  /** First an answer with a wrong id, then this. */
  readonly liar?: true;
  readonly silent?: true;
  /** These bytes after the header, whatever they are. */
  readonly garbage?: Buffer;
};

export type FakeDns = { readonly port: number; readonly asked: string[] };

/** @param answer by name and type: `goproxy.cn A` */
export async function fakeDns(
  t: TestContext,
  answer: (question: string) => FakeAnswer,
  at?: { readonly host: string; readonly port: number },
): Promise<FakeDns> {
  const asked: string[] = [];
  const tcp = createServer((socket) =>
    socket.on("data", (bytes: Buffer) => {
      const query = bytes.subarray(2);
      const question = questionOf(query);
      asked.push(`tcp ${question}`);
      const message = messageFor(query, answer(question), true);
      socket.end(Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]));
    }),
  );
  const port = await listen(t, tcp, at);
  const udp: Datagrams = createSocket("udp4");
  await new Promise<void>((done) => udp.bind(port, at?.host ?? "127.0.0.1", done));
  atEnd(t, () => udp.close());
  udp.on("message", (query, { port: to, address }) => {
    const question = questionOf(query);
    asked.push(`udp ${question}`);
    const wanted = answer(question);
    if (wanted.silent === true) return;
    const send = (message: Buffer): void => udp.send(message, to, address);
    const message = messageFor(query, wanted);
    if (wanted.liar === true) {
      const lie = Buffer.from(messageFor(query, { a: ["6.6.6.6"] }));
      lie.writeUInt16BE(lie.readUInt16BE(0) ^ 1, 0);
      send(lie);
    }
    send(message);
    if (wanted.then !== undefined) send(messageFor(query, wanted.then));
  });
  return { port, asked };
}

function endOfName(query: Buffer): number {
  let at = 12;
  while (query[at] !== 0) at += (query[at] ?? 0) + 1;
  return at + 1;
}

function questionOf(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== 0; at += (query[at] ?? 0) + 1)
    labels.push(query.toString("latin1", at + 1, at + 1 + (query[at] ?? 0)));
  return `${labels.join(".")} ${query.readUInt16BE(endOfName(query)) === 28 ? "AAAA" : "A"}`;
}

function messageFor(query: Buffer, answer: FakeAnswer, isTcp = false): Buffer {
  const { code = 0, a = [], aaaa = [], cname, ttl = 300, authoritative, soa, garbage } = answer;
  const truncated = !isTcp && answer.truncated === true;
  const end = endOfName(query) + 4;
  const isSix = query.readUInt16BE(end - 4) === 28;
  const data = truncated ? [] : isSix ? aaaa.map(sixBytes) : a.map((text) => Buffer.from(text.split(".").map(Number)));
  const type = isSix ? 28 : 1;
  const record = (kind: number, bytes: Buffer): Buffer => {
    const head = Buffer.alloc(12);
    // A pointer to the question's name.
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(kind, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(ttl, 6);
    head.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([head, bytes]);
  };
  const alias = cname === undefined || truncated ? [] : [record(5, nameBytes(cname))];
  const answers = [...alias, ...data.map((bytes) => record(type, bytes))];
  const tail = Buffer.alloc(20);
  tail.writeUInt32BE(soa ?? 0, 16);
  const authorities =
    soa === undefined ? [] : [record(6, Buffer.concat([nameBytes("ns.test"), nameBytes("admin.test"), tail]))];
  const head = Buffer.alloc(12);
  head.writeUInt16BE(query.readUInt16BE(0), 0);
  head.writeUInt16BE(0x8180 | (authoritative === true ? 0x0400 : 0) | (truncated ? 0x0200 : 0) | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(garbage === undefined ? answers.length : 1, 6);
  head.writeUInt16BE(authorities.length, 8);
  return Buffer.concat([
    head,
    query.subarray(12, end),
    ...(garbage === undefined ? [...answers, ...authorities] : [garbage]),
  ]);
}

function nameBytes(name: string): Buffer {
  return Buffer.concat([
    ...name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.of(0),
  ]);
}

function sixBytes(text: string): Buffer {
  return Buffer.from(
    text
      .split(":")
      .map((group) => group.padStart(4, "0"))
      .join(""),
    "hex",
  );
}
