// Objects that are sent in parts: a part that fails is sent again, not the whole.

import { createReadStream } from "node:fs";
import type { Stage } from "#services/store/ports.ts";
import { S3Failure } from "./_s3-failure.ts";
import { tried } from "./_s3-tries.ts";
import type { Tries } from "./_s3-tries.ts";
import type { Writing } from "./_s3-write.ts";
import type { S3Part, S3Wire, Sendable } from "./_s3-wire.ts";

/** The protocol's limit. */
const maxParts = 10_000;
/** Parts on their way at a time. */
const partsAtOnce = 3;

/** Bytes of a body from `from` to before `to`. */
export function sendable(body: ReturnType<Stage["locate"]>, from: number, to: number): Sendable {
  const size = to - from;
  if ("bytes" in body) return { size, open: () => body.bytes.subarray(from, to) };
  // A stream of no bytes cannot be asked for.
  if (size === 0) return { size, open: () => new Uint8Array() };
  const range = { start: from, end: to - 1, highWaterMark: 512 << 10 };
  return { size, open: () => createReadStream(body.path, range) };
}

/** An upload in parts that was begun; what follows is end() or abort(). */
export class PartsUpload {
  readonly #wire: S3Wire;
  readonly #tries: Tries;
  readonly #name: string;
  readonly #upload: string;
  #parts: readonly S3Part[] = [];

  private constructor(wire: S3Wire, tries: Tries, name: string, upload: string) {
    this.#wire = wire;
    this.#tries = tries;
    this.#name = name;
    this.#upload = upload;
  }

  static async begin({ wire, tries, name }: Writing, writeId: string): Promise<PartsUpload> {
    return new PartsUpload(wire, tries, name, await tried(tries, () => wire.beginParts(name, writeId)));
  }

  async send(body: ReturnType<Stage["locate"]>, size: number, partBytes: number): Promise<void> {
    const bytes = Math.max(partBytes, Math.ceil(size / maxParts));
    const count = Math.ceil(size / bytes);
    const parts: S3Part[] = [];
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < count) {
        const at = next++;
        const piece = sendable(body, at * bytes, Math.min(size, (at + 1) * bytes));
        const send = () => this.#wire.part(this.#name, this.#upload, at + 1, piece);
        parts[at] = await tried(this.#tries, send).catch((error: unknown) => {
          next = count;
          throw error;
        });
      }
    };
    const senders = await Promise.allSettled(Array.from({ length: Math.min(partsAtOnce, count) }, sender));
    for (const each of senders) if (each.status === "rejected") throw each.reason;
    this.#parts = parts;
  }

  /** One try; the condition of a create goes with it. */
  async end(): Promise<void> {
    await this.#wire.endParts(this.#name, this.#upload, this.#parts);
  }

  /** Never throws: a lifecycle rule of the bucket removes what stays. */
  async abort(): Promise<void> {
    const abort = () => this.#wire.abortParts(this.#name, this.#upload);
    await tried(this.#tries, abort).catch((error: unknown) => {
      if (!(error instanceof S3Failure)) throw error;
    });
  }
}
