// The journal of a large zip on its way in: whose bytes lie in the stage, and the SHA-256 of each whole chunk, so that a
// later process knows how far they are what came. One JSON value a line; a line that a crash cut short is passed over: if
// it was a chunk's, the hashes after it are not found where they are looked for.
//
//   {"journal":1,"what":"example.com/m@v1.0.0","total":12582912,"chunkBytes":1048576}
//   {"from":"mirror","etag":"\"v1\""}     the bytes that follow are this upstream's
//   {"chunk":"9f86d0…"}                   the next chunk is whole
//   {"cut":3}                             only three chunks were still sound

import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { maxZipBytes } from "#protocol/zip-check.ts";
import { chunkBytes } from "#services/store/chunking.ts";
import type { LastingStage, LeftStage } from "#services/store/ports.ts";
import { maxJournalBytes } from "#services/store/ports.ts";

/** Zips from this size on are worth a journal; a smaller one is asked for again whole. */
export const minJournalledBytes = 8 << 20;

/** An upstream that breaks off all the time writes a line each time; past this no more is noted. */
const maxWrittenBytes = maxJournalBytes / 2;

export type Source = { readonly upstream: string; readonly etag?: string };

export type Journalled = {
  /** `path@version` */
  readonly what: string;
  /** Length of the whole zip. */
  readonly total: number;
  /** In the order they came; an upstream's last entry counts. */
  readonly sources: readonly Source[];
  /** SHA-256 of each whole chunk, in hexadecimal. */
  readonly chunks: readonly string[];
};

/** Writes the journal of one stage as its bytes come. A journal that cannot be written ends; the download goes on. */
export class PartJournal {
  readonly #stage: LastingStage;
  #hash: Hash = createHash("sha256");
  /** Bytes of the unfinished chunk that are in the hash. */
  #filled = 0;
  #chunks: number;
  #written: number;
  #isBroken = false;

  private constructor(stage: LastingStage, at: { readonly chunks: number; readonly written: number }) {
    this.#stage = stage;
    this.#chunks = at.chunks;
    this.#written = at.written;
  }

  static async begin(
    stage: LastingStage,
    { what, total }: { readonly what: string; readonly total: number },
  ): Promise<PartJournal> {
    const journal = new PartJournal(stage, { chunks: 0, written: 0 });
    await journal.#note({ journal: 1, what, total, chunkBytes });
    return journal;
  }

  /** Goes on with a stage that was cut to `chunks` whole chunks. */
  static async goOn({ stage, journal }: LeftStage, chunks: number): Promise<PartJournal> {
    const next = new PartJournal(stage, { chunks, written: journal.length });
    await next.#note({ cut: chunks });
    return next;
  }

  /** Whole chunks so far. */
  get chunks(): number {
    return this.#chunks;
  }

  async from({ upstream, etag }: Source): Promise<void> {
    await this.#note({ from: upstream, ...(etag !== undefined && { etag }) });
  }

  /** Counts bytes that were written to the stage. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + chunkBytes - this.#filled);
      this.#hash.update(part);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === chunkBytes) await this.#endChunk();
    }
  }

  async #endChunk(): Promise<void> {
    const chunk = this.#hash.digest("hex");
    this.#hash = createHash("sha256");
    this.#filled = 0;
    this.#chunks++;
    await this.#note({ chunk });
  }

  async #note(line: object): Promise<void> {
    // First, so that a line that did not arrive whole is not taken for the next one's beginning.
    const text = `\n${JSON.stringify(line)}`;
    if (this.#isBroken || this.#written + text.length > maxWrittenBytes) return;
    this.#written += text.length;
    await this.#stage.note(text).catch(() => {
      this.#isBroken = true;
    });
  }
}

/** What a journal says; undefined when it is not one of `what`. */
export function parseJournal(text: string, what: string): Journalled | undefined {
  const [head, ...lines] = text.trimStart().split("\n");
  const first = valueOf(head ?? "");
  const total = first?.["total"];
  if (first?.["journal"] !== 1 || first["what"] !== what || first["chunkBytes"] !== chunkBytes) return undefined;
  if (typeof total !== "number" || !Number.isSafeInteger(total) || total <= 0 || total > maxZipBytes) return undefined;
  const sources: Source[] = [];
  const chunks: string[] = [];
  for (const line of lines) take(valueOf(line), { sources, chunks });
  return { what, total, sources, chunks };
}

type Line = Readonly<Record<string, unknown>>;

function take(line: Line | undefined, into: { readonly sources: Source[]; readonly chunks: string[] }): void {
  const { from, etag, chunk, cut } = line ?? {};
  if (typeof chunk === "string" && /^[0-9a-f]{64}$/.test(chunk)) into.chunks.push(chunk);
  else if (typeof from === "string" && (etag === undefined || isStrong(etag)))
    into.sources.push({ upstream: from, ...(etag !== undefined && { etag }) });
  else if (typeof cut === "number" && Number.isSafeInteger(cut) && cut >= 0 && cut <= into.chunks.length)
    into.chunks.length = cut;
}

function valueOf(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** Only a strong tag promises the same bytes (RFC 9110 §8.8.3). */
export function isStrong(etag: unknown): etag is string {
  return typeof etag === "string" && /^"[\x21\x23-\x7e]{1,200}"$/.test(etag);
}

/** How many chunks from the first one on still have the hash that was noted. Reads the staged bytes once. */
export async function soundChunks(left: LeftStage, { chunks }: Journalled): Promise<number> {
  const bytes = Buffer.allocUnsafe(chunkBytes);
  for (const [n, expected] of chunks.entries()) {
    const got = await left.read(n * chunkBytes, bytes);
    const found = createHash("sha256").update(bytes.subarray(0, got)).digest("hex");
    if (got < chunkBytes || found !== expected) return n;
  }
  return chunks.length;
}
