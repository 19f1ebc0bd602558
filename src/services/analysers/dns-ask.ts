// One question to one DNS server: UDP first, the same over TCP when the answer was cut off, as Go's resolver does. What
// other resolvers hide is kept: second answers to the same question, which is how injectors in the network show.

import { DnsMalformed, decodeMessage, encodeQuery, isAnswerTo } from "./dns-wire.ts";
import type { DnsMessage, DnsQuestion, DnsType } from "./dns-wire.ts";
import type { DnsExchange, DnsServer, DnsTransport } from "./ports.ts";

export type DnsAnswer =
  | {
      readonly kind: "answered";
      readonly code: string;
      readonly isAuthoritative: boolean;
      readonly addresses: readonly { readonly address: string; readonly ttl: number }[];
      /** The names on the way, when the name is an alias. */
      readonly aliases: readonly string[];
      /** Seconds for which a denial may be kept. */
      readonly denialTtl: number | undefined;
      readonly ms: number;
      readonly way: "udp" | "tcp" | "https";
      /** Addresses of other answers to the same question. */
      readonly rivals: readonly string[];
    }
  | {
      readonly kind: "failed";
      readonly reason: "timeout" | "refused" | "unreachable" | "malformed" | "other";
      readonly text: string;
    };

export type DnsUse = {
  readonly transport: DnsTransport;
  readonly announce: (call: string) => void;
  /** Of one try; without it as long as Go's resolver waits, and half of that. */
  readonly timeoutMs?: number;
};

/** Go waits 5 s, twice; a person in front of a terminal does not. */
const tryMs = 2_500;
const tries = 2;

/** `10.1.1.10`, `10.1.1.10:5353`, `[::1]:53` */
export function serverText({ host, port }: DnsServer): string {
  if (port === 53) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export async function askServer(
  server: DnsServer,
  question: DnsQuestion,
  { transport, announce, timeoutMs = tryMs }: DnsUse,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  let last: DnsAnswer = { kind: "failed", reason: "timeout", text: "no answer" };
  for (let i = 0; i < tries; i++) {
    announce(`ask ${serverText(server)} for ${question.name} ${question.type} (UDP)`);
    const { request, read } = ask(server, question, { transport, timeoutMs });
    const answer = read(await transport.udp(request, signal), "udp");
    if (answer === "truncated") {
      announce(`ask ${serverText(server)} for ${question.name} ${question.type} (TCP)`);
      const whole = read(await transport.tcp(request, signal), "tcp");
      return whole === "truncated" ? { kind: "failed", reason: "malformed", text: "cut off over TCP" } : whole;
    }
    if (answer.kind === "answered" || answer.reason !== "timeout") return answer;
    last = answer;
  }
  return last;
}

/** The same question to a server of DNS over HTTPS. */
export async function askHttps(
  url: string,
  question: DnsQuestion,
  { transport, announce, timeoutMs = tryMs * tries }: DnsUse,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  announce(`ask ${url} for ${question.name} ${question.type} (HTTPS)`);
  const { request, read } = ask({ host: url, port: 443 }, question, { transport, timeoutMs });
  const answer = read(await transport.doh(url, request, signal), "https");
  return answer === "truncated" ? { kind: "failed", reason: "malformed", text: "cut off over HTTPS" } : answer;
}

function ask(
  server: DnsServer,
  question: DnsQuestion,
  use: { readonly transport: DnsTransport; readonly timeoutMs: number },
) {
  const id = use.transport.randomId();
  const request = {
    server,
    query: encodeQuery(id, question),
    accepts: (bytes: Uint8Array) => isAnswerTo(bytes, id, question),
    timeoutMs: use.timeoutMs,
  };
  const read = (exchange: DnsExchange, way: "udp" | "tcp" | "https"): DnsAnswer | "truncated" => {
    if (exchange.kind === "failed") return exchange;
    try {
      const message = decodeMessage(exchange.bytes);
      if (message.isTruncated) return "truncated";
      return {
        ...answerOf(message, question.type),
        ms: exchange.ms,
        way,
        rivals: rivalsOf(exchange.after, message, question),
      };
    } catch (error) {
      if (!(error instanceof DnsMalformed)) throw error;
      return { kind: "failed", reason: "malformed", text: error.message };
    }
  };
  return { request, read };
}

function answerOf({ code, isAuthoritative, answers, authorities }: DnsMessage, type: DnsType) {
  const addresses = addressesOf(answers, type);
  const soa = authorities.find(({ data }) => data.kind === "SOA");
  return {
    kind: "answered" as const,
    code,
    isAuthoritative,
    addresses,
    aliases: answers.flatMap(({ data }) => (data.kind === "CNAME" ? [data.target] : [])),
    // RFC 2308 §5: the smaller of the two.
    denialTtl: soa?.data.kind === "SOA" ? Math.min(soa.ttl, soa.data.minimum) : undefined,
  };
}

function addressesOf(answers: DnsMessage["answers"], type: DnsType): { address: string; ttl: number }[] {
  return answers.flatMap(({ data, ttl }) => (data.kind === type ? [{ address: data.address, ttl }] : []));
}

/** Addresses of later answers that the first one did not have. Two servers behind one address give the same ones. */
function rivalsOf(after: readonly Uint8Array[], first: DnsMessage, { type }: DnsQuestion): string[] {
  const known = new Set(addressesOf(first.answers, type).map(({ address }) => address));
  return after.flatMap((bytes) => {
    try {
      const other = addressesOf(decodeMessage(bytes).answers, type).map(({ address }) => address);
      return other.some((address) => known.has(address)) ? [] : other;
    } catch (error) {
      if (error instanceof DnsMalformed) return [];
      throw error;
    }
  });
}
