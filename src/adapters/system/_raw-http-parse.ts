// Reading an HTTP/1.1 answer from bytes (RFC 9112 §2–§7): status line, header fields, body framing.
import { ProbeFailed } from "#services/lab/ports.ts";

export type Head = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes up to and including the blank line. */
  readonly length: number;
};

/** How the body ends: after so many bytes, with the last chunk, or with the connection. */
export type Framing = number | "chunked" | "close";

/** A header larger than this is a fault of the server. */
const maxHeadBytes = 64 * 1024;

/** The head, or undefined while it is incomplete. Interim (1xx) answers are refused: nobody asked for one. */
export function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.length > maxHeadBytes) throw new ProbeFailed(`header longer than ${maxHeadBytes} bytes`);
    return undefined;
  }
  const [statusLine = "", ...fields] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.[01] ([2-5]\d\d)(?: .*)?$/.exec(statusLine)?.[1];
  if (status === undefined) throw new ProbeFailed(`bad status line ${JSON.stringify(statusLine.slice(0, 100))}`);
  return { status: Number(status), headers: parseFields(fields), length: end + 4 };
}

/** RFC 9112 §6.3: what decides the length of an answer's body. */
export function bodyEnd(head: Head, method: string): Framing {
  if (method === "HEAD" || head.status === 204 || head.status === 304) return 0;
  if (/\bchunked$/i.test(head.headers["transfer-encoding"] ?? "")) return "chunked";
  const length = head.headers["content-length"];
  if (length === undefined) return "close";
  if (!/^\d+$/.test(length)) throw new ProbeFailed(`bad Content-Length ${JSON.stringify(length)}`);
  return Number(length);
}

/** The body, or undefined while it is incomplete. */
export function decodeBody(bytes: Buffer, framing: Framing): Uint8Array | undefined {
  if (framing === "close") return bytes;
  if (framing === "chunked") return decodeChunks(bytes);
  if (bytes.length > framing) throw new ProbeFailed(`${bytes.length - framing} bytes beyond the promised body`);
  return bytes;
}

function parseFields(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new ProbeFailed(`bad header line ${JSON.stringify(line.slice(0, 100))}`);
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

function decodeChunks(bytes: Buffer): Uint8Array | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = /^([0-9a-f]{1,8})(?:;.*)?$/i.exec(bytes.toString("latin1", at, lineEnd))?.[1];
    if (size === undefined) throw new ProbeFailed("bad chunk size");
    const start = lineEnd + 2;
    const end = start + parseInt(size, 16);
    // The last chunk is followed by an (empty) trailer section.
    if (end === start) return bytes.indexOf("\r\n", start) < 0 ? undefined : Buffer.concat(parts);
    if (bytes.length < end + 2) return undefined;
    parts.push(bytes.subarray(start, end));
    at = end + 2;
  }
}
