// A large object that is read: one answer of the service, written to a temporary file while its readers wait for the
// bytes that they need. So an opened object stays what it was, at any speed of its readers, and the connection is free
// as soon as the service has sent all.
//
// A read far ahead of what has come gets its bytes with a request of its own, under the condition that the object is
// still the same one. So does every read when the disk takes no temporary file, or no more of it.

import { randomBytes } from "node:crypto";
import { mkdir, open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import type { OpenObject, StorageKey } from "#services/store/ports.ts";
import { inOurWords as inDiskWords, readFully } from "./_disk-calls.ts";
import { chunksOf, wholeBody } from "./_s3-body.ts";
import { S3Failure, inOurWords } from "./_s3-failure.ts";
import { statOf } from "./_s3-facts.ts";
import type { S3Facts } from "./_s3-facts.ts";
import { tried } from "./_s3-tries.ts";
import type { Tries } from "./_s3-tries.ts";
import type { S3Got, S3Wire } from "./_s3-wire.ts";

/** A read that begins further ahead than this of what has come does not wait for it. */
export const maxAheadBytes = 8 << 20;
/** Broken answers that are gone on with where they broke off. */
const maxResumes = 3;

/** The temporary files of all opened objects and the limit they share. */
export class SpoolSpace {
  readonly #folder: string;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Throws StoreFull when all of them would have more than the limit, StoreUnavailable when the disk does not take it. */
  async open(key: StorageKey, size: number): Promise<SpoolFile> {
    if (this.#bytes + size > this.#maxBytes)
      throw new StoreFull(key, `objects that are being read would exceed ${this.#maxBytes} bytes on disk`);
    this.#bytes += size;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      // The process first: who tidies the folder knows by it what is in use.
      const path = join(this.#folder, `${process.pid}-spool-${randomBytes(8).toString("hex")}`);
      const handle = await open(path, "wx+", 0o600);
      // Without its name it goes when this process does, however that ends; Windows keeps the name as long as it is open.
      if (process.platform !== "win32") await unlink(path);
      const close = async (): Promise<void> => {
        this.#bytes -= size;
        await handle.close().catch(() => undefined);
        if (process.platform === "win32") await unlink(path).catch(() => undefined);
      };
      return { handle, close };
    } catch (error) {
      this.#bytes -= size;
      throw inDiskWords(key, error);
    }
  }
}

type SpoolFile = { readonly handle: FileHandle; readonly close: () => Promise<void> };

type Reading = {
  readonly key: StorageKey;
  readonly name: string;
  readonly wire: S3Wire;
  readonly tries: Tries;
};

/** Opens an object whose answer has begun. Owns the answer. */
export async function openSpool(reading: Reading, got: S3Got, space: SpoolSpace): Promise<OpenObject> {
  try {
    return new Spool(reading, got, await space.open(reading.key, got.facts.size));
  } catch (error) {
    got.body.destroy();
    if (!(error instanceof StoreUnavailable)) throw error;
    const { facts } = got;
    return {
      ...statOf(facts),
      read: async (offset, into) => {
        const until = Math.min(offset + into.length, facts.size);
        return offset < until ? await readPart(reading, { of: facts, from: offset, to: until }, into) : 0;
      },
      close: () => Promise.resolve(),
    };
  }
}

/** A part with a request of its own. Throws StoreUnavailable when the object is not the same any more. */
async function readPart(
  { wire, tries, name, key }: Reading,
  range: { readonly of: S3Facts; readonly from: number; readonly to: number },
  into: Uint8Array,
): Promise<number> {
  try {
    const bytes = await tried(tries, async () => {
      const got = await wire.get(name, range);
      if (got === undefined) throw new StoreUnavailable(key, "it was removed while it was read");
      if (got.facts.size !== range.to - range.from) {
        got.body.destroy();
        throw new StoreUnavailable(key, "the service sent another range than it was asked for");
      }
      return await wholeBody(got);
    });
    into.set(bytes);
    return bytes.length;
  } catch (error) {
    throw inOurWords(key, error);
  }
}

class Spool implements OpenObject {
  readonly size: number;
  readonly modifiedMs: number;
  readonly token: string;
  readonly #reading: Reading;
  readonly #facts: S3Facts;
  readonly #file: SpoolFile;
  readonly #filling: Promise<void>;
  /** Bytes that have come. */
  #have = 0;
  #failure: unknown;
  /** The disk takes no more: what has not come is read part by part. */
  #isDiskBad = false;
  #isClosed = false;
  #body: S3Got["body"];
  #waiting: { readonly until: number; readonly wake: () => void }[] = [];

  constructor(reading: Reading, got: S3Got, file: SpoolFile) {
    const { size, modifiedMs, token } = statOf(got.facts);
    this.size = size;
    this.modifiedMs = modifiedMs;
    this.token = token;
    this.#reading = reading;
    this.#facts = got.facts;
    this.#file = file;
    this.#body = got.body;
    this.#filling = this.#fill();
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    const until = Math.min(offset + into.length, this.size);
    if (offset >= until) return 0;
    const { key } = this.#reading;
    const part = { of: this.#facts, from: offset, to: until };
    if (until > this.#have && offset > this.#have + maxAheadBytes) return await readPart(this.#reading, part, into);
    await this.#come(until);
    if (this.#isClosed) throw new StoreUnavailable(key, "it was closed while it was read");
    if (until > this.#have && this.#isDiskBad) return await readPart(this.#reading, part, into);
    if (until > this.#have) throw inOurWords(key, this.#failure);
    try {
      const wanted = into.subarray(0, until - offset);
      const read = await readFully(this.#file.handle, wanted, offset);
      if (read < wanted.length) throw new StoreUnavailable(key, "its temporary copy was cut");
      return read;
    } catch (error) {
      throw inDiskWords(key, error);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#body.destroy();
    this.#wake(Infinity);
    await this.#filling;
    await this.#file.close();
  }

  /** Resolves when the bytes before `until` have come, or no more will. */
  async #come(until: number): Promise<void> {
    if (until <= this.#have || this.#failure !== undefined || this.#isClosed) return;
    await new Promise<void>((wake) => this.#waiting.push({ until, wake }));
  }

  #wake(have: number): void {
    const ready = this.#waiting.filter(({ until }) => until <= have);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ until }) => until > have);
    for (const { wake } of ready) wake();
  }

  /** Never rejects: what went wrong is told to those who read. */
  async #fill(): Promise<void> {
    try {
      for (let resumes = 0; this.#have < this.size; resumes++) {
        try {
          await this.#take();
        } catch (error) {
          const mayGoOn = error instanceof S3Failure && error.isPassing && resumes < maxResumes && !this.#isClosed;
          if (!mayGoOn) throw error;
          this.#body = await this.#rest();
        }
      }
    } catch (error) {
      this.#failure = error;
      this.#wake(Infinity);
    }
  }

  async #take(): Promise<void> {
    const { handle } = this.#file;
    for await (const chunk of chunksOf(this.#body, this.size - this.#have)) {
      try {
        for (let at = 0; at < chunk.length;)
          at += (await handle.write(chunk, at, chunk.length - at, this.#have + at)).bytesWritten;
      } catch (error) {
        this.#isDiskBad = true;
        throw inDiskWords(this.#reading.key, error);
      }
      this.#have += chunk.length;
      this.#wake(this.#have);
    }
  }

  /** The answer of another request, from where the last one broke off. */
  async #rest(): Promise<S3Got["body"]> {
    const { wire, tries, name, key } = this.#reading;
    const got = await tried(tries, () => wire.get(name, { from: this.#have, of: this.#facts }));
    if (got === undefined) throw new StoreUnavailable(key, "it was removed while it was read");
    if (this.#isClosed) got.body.destroy();
    return got.body;
  }
}
