// Bytes to a DNS server and back: datagrams, a connection (RFC 7766: two bytes of length in front), HTTPS (RFC 8484). What
// the bytes mean, `services/analysers` knows.

import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import type { RemoteInfo } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { performance } from "node:perf_hooks";
import type { DnsExchange, DnsRequest, DnsTransport } from "#services/analysers/ports.ts";

/** How long after an answer another one may come: injectors are faster than servers, not by more than this. */
const rivalMs = 120;
/** Of rivals that are kept; a flood of datagrams is not. */
const maxRivals = 8;
/** A DNS message has at most 65,535 bytes (RFC 1035 §4.2.2). */
const maxMessageBytes = 65_535;

export function dnsTransport(): DnsTransport {
  return { udp, tcp, doh, randomId: () => randomInt(0x10000) };
}

async function udp({ server, query, accepts, timeoutMs }: DnsRequest, signal: AbortSignal): Promise<DnsExchange> {
  const socket = createSocket(isIPv6(server.host) ? "udp6" : "udp4");
  const began = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await new Promise<DnsExchange>((resolve, reject) => {
      const after: Uint8Array[] = [];
      let first: { readonly bytes: Uint8Array; readonly ms: number } | undefined;
      const end = (): void => {
        if (signal.aborted) reject(signal.reason as Error);
        else if (first === undefined)
          resolve({ kind: "failed", reason: "timeout", text: `no answer in ${timeoutMs} ms` });
        else resolve({ kind: "answered", ...first, after });
      };
      limit.addEventListener("abort", end, { once: true });
      socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
        // Connected sockets take only what comes from the server; the port is looked at all the same.
        if (from.port !== server.port || !accepts(bytes)) return;
        if (first === undefined) {
          first = { bytes, ms: performance.now() - began };
          setTimeout(end, rivalMs);
        } else if (after.length < maxRivals) after.push(bytes);
      });
      socket.on("error", (error) => resolve(failed(error)));
      socket.connect(server.port, server.host, () => socket.send(query));
    });
  } finally {
    socket.close();
  }
}

function tcp({ server, query, accepts, timeoutMs }: DnsRequest, signal: AbortSignal): Promise<DnsExchange> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const socket = connect({ host: server.host, port: server.port });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    let bytes = Buffer.alloc(0);
    const done = (exchange: DnsExchange): void => {
      limit.removeEventListener("abort", stop);
      socket.destroy();
      resolve(exchange);
    };
    const stop = (): void => {
      if (signal.aborted) {
        socket.destroy();
        reject(signal.reason as Error);
      } else done({ kind: "failed", reason: "timeout", text: `no answer in ${timeoutMs} ms` });
    };
    limit.addEventListener("abort", stop, { once: true });
    socket.once("connect", () =>
      socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 0xff), query])),
    );
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const length = bytes.length < 2 ? maxMessageBytes : bytes.readUInt16BE(0);
      if (bytes.length < length + 2) return;
      const message = bytes.subarray(2, length + 2);
      if (accepts(message)) done({ kind: "answered", bytes: message, ms: performance.now() - began, after: [] });
      else done({ kind: "failed", reason: "other", text: "an answer to another question" });
    });
    socket.on("error", (error) => done(failed(error)));
    socket.once("close", () => done({ kind: "failed", reason: "other", text: "closed without an answer" }));
  });
}

async function doh(url: string, { query, accepts, timeoutMs }: DnsRequest, signal: AbortSignal): Promise<DnsExchange> {
  const began = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const headers = { "content-type": "application/dns-message", accept: "application/dns-message" };
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: Buffer.from(query),
      signal: limit,
      redirect: "error",
    });
    if (!answer.ok) return { kind: "failed", reason: "other", text: `HTTP ${answer.status}` };
    const bytes = await bounded(answer.body);
    const isAnswer = bytes !== undefined && accepts(bytes);
    if (!isAnswer) return { kind: "failed", reason: "other", text: "no DNS answer came back" };
    return { kind: "answered", bytes, ms: performance.now() - began, after: [] };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) return { kind: "failed", reason: "timeout", text: `no answer in ${timeoutMs} ms` };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return failed(cause);
  }
}

async function bounded(body: AsyncIterable<Uint8Array> | null): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxMessageBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function failed(error: unknown): Extract<DnsExchange, { kind: "failed" }> {
  const { code = "", message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  const reason = code === "ECONNREFUSED" ? "refused" : /UNREACH|EADDRNOTAVAIL/.test(code) ? "unreachable" : "other";
  return { kind: "failed", reason, text: message.slice(0, 200) };
}
