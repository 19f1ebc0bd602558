// A running Granary, asked by our own commands. One pool of connections to one address, no redirects: a token goes to
// the server that was named and nowhere else.

import { Pool } from "undici";
import { ServerSilent } from "#services/prewarm/ports.ts";
import type { ServerClient, ServerReply, ServerRequest } from "#services/prewarm/ports.ts";

export type ServerClientOptions = {
  /** Connections, and so requests at once. */
  readonly connections: number;
  /** Sent with every request. */
  readonly token?: string | undefined;
  readonly userAgent: string;
  /** For one request. */
  readonly timeoutMs?: number;
};

/** The server fetches and verifies a zip of up to 500 MB before it answers, on a link of some Mbit/s. */
const defaultTimeoutMs = 10 * 60_000;
const connectTimeoutMs = 10_000;

export class HttpServerClient implements ServerClient {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  /** @param origin `http://HOST:PORT` */
  constructor(origin: string, options: ServerClientOptions) {
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#headers = {
      "user-agent": options.userAgent,
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    };
    this.#pool = new Pool(origin, {
      connections: options.connections,
      connect: { timeout: connectTimeoutMs },
      headersTimeout: this.#timeoutMs,
      bodyTimeout: this.#timeoutMs,
    });
  }

  async ask(request: ServerRequest): Promise<ServerReply> {
    const { method, target: path, keepBytes, signal } = request;
    const started = performance.now();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    try {
      const answer = await this.#pool.request({ method, path, headers: { ...this.#headers }, signal: limit });
      const { body, isWhole } = await readSome(answer.body, method === "HEAD" ? 0 : keepBytes);
      const ms = performance.now() - started;
      return { status: answer.statusCode, headers: flatten(answer.headers), body, isWhole, ms };
    } catch (error) {
      signal.throwIfAborted();
      throw new ServerSilent(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** The first `keepBytes`; the rest is not waited for, and its connection is let go. */
async function readSome(
  body: AsyncIterable<Uint8Array>,
  keepBytes: number,
): Promise<{ readonly body: Uint8Array; readonly isWhole: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size > keepBytes) return { body: Buffer.concat(pieces).subarray(0, keepBytes), isWhole: false };
  }
  return { body: Buffer.concat(pieces), isWhole: true };
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}
