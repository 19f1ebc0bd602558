// A running Granary that is sent a module. No redirects: zip and token go to the server that was named.

import { Readable } from "node:stream";
import { Agent, request } from "undici";
import { ServerBroke } from "#services/packing/ports.ts";
import type { PublishReply, PublishRequest, PublishServer } from "#services/packing/ports.ts";

export type PublishClientOptions = { readonly token: string | undefined; readonly userAgent: string };

const connectTimeoutMs = 10_000;
/** From the last byte sent to the first of the answer: the server checks up to 500 MB and enters them in its log. */
const answerMs = 10 * 60_000;
/** For one try as a whole: 500 MB at 4 Mbit/s. */
const tryMs = 30 * 60_000;
/** Answers and errors of ours are shorter than 1 kB. */
const maxAnswerBytes = 16 * 1024;

export class PublishClient implements PublishServer {
  readonly #origin: string;
  readonly #options: PublishClientOptions;
  readonly #agent = new Agent({
    connections: 1,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  });

  /** @param origin `http://HOST:PORT` */
  constructor(origin: string, options: PublishClientOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  async put({ target, idempotencyKey, size, body, signal }: PublishRequest): Promise<PublishReply> {
    const { token, userAgent } = this.#options;
    const bytes = Readable.from(body(), { objectMode: false });
    try {
      const answer = await request(this.#origin + target, {
        method: "PUT",
        headers: {
          "user-agent": userAgent,
          "content-type": "application/zip",
          "content-length": String(size),
          "idempotency-key": idempotencyKey,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: bytes,
        signal: AbortSignal.any([signal, AbortSignal.timeout(tryMs)]),
        dispatcher: this.#agent,
      });
      return {
        status: answer.statusCode,
        headers: flatten(answer.headers),
        text: await beginningOf(answer.body),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw new ServerBroke(error instanceof Error ? error.message : String(error), { cause: error });
    } finally {
      bytes.destroy();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size > maxAnswerBytes) break;
  }
  return Buffer.concat(pieces).toString("utf8", 0, maxAnswerBytes);
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}
