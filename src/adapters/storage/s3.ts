// Storage in a bucket of an S3 service. A key is the object's name below the store's prefix.
//
// create: PutObject with If-None-Match, or parts whose completion carries it: the service refuses the second writer.
// replace: PutObject with If-Match. Both are said to have happened only when it is certain (_s3-write.ts). Reads are one
// GetObject each, which is one object as it was; lists are never what a decision rests on.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreUnwritable } from "#services/store/errors.ts";
import type {
  LastingStages,
  ObjectStat,
  OpenObject,
  Stage,
  Storage,
  StorageKey,
  StoredBytes,
} from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import { KeyLocks } from "./_key-locks.ts";
import { currentLayout } from "./_disk-root.ts";
import { checkPrefix } from "./_prefix.ts";
import { wholeBody } from "./_s3-body.ts";
import { S3Names, etagOf, hasVersion, statOf } from "./_s3-facts.ts";
import { S3Failure, inOurWords } from "./_s3-failure.ts";
import { openS3Layout, raiseS3Layout, readS3Layout } from "./_s3-layout.ts";
import { PartsUpload, sendable } from "./_s3-parts.ts";
import { SpoolSpace, openSpool } from "./_s3-spool.ts";
import { tried } from "./_s3-tries.ts";
import type { Tries } from "./_s3-tries.ts";
import { openWire } from "./_s3-wire.ts";
import type { S3Got, S3Wire } from "./_s3-wire.ts";
import { clearAbove, clearMarkers, createOnce, maxClearings, newId, replaceOnce } from "./_s3-write.ts";

export type S3Options = {
  readonly bucket: string;
  /** "" or "a/b": where in the bucket the store lies. */
  readonly prefix: string;
  /** "" is AWS. */
  readonly endpoint: string;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Both "": the SDK's own chain. */
  readonly accessKey: string;
  readonly secretKey: string;
  /** PEM text of more authorities to trust. */
  readonly ca: string | undefined;
  /** Longest silence of the service in one request. */
  readonly timeoutMs: number;
  /** Objects above this are sent in parts of it; at least 5 MiB, says the protocol. */
  readonly partBytes: number;
  /** Where bytes wait on their way in: their stages are files that another thread can verify. */
  readonly staging: Pick<Storage, "stage" | "lasting">;
  /** Longest life of a URL of linkTo(); 5 minutes when absent. */
  readonly linkMs?: number;
  /** Folder of the temporary copies of objects that are being read; one below the system's when absent. */
  readonly spoolDir?: string;
  /** Bytes of all those together; 8 GiB when absent. */
  readonly maxSpoolBytes?: number;
  /** Told of every request, for counting: `put`, `get`, `head`, `list`, `delete`, … */
  readonly onRequest?: (what: string) => void;
};

const defaultLinkMs = 5 * 60_000;
const defaultSpoolBytes = 8 * 2 ** 30;
/** Opened objects up to this size are held in memory; larger ones on disk. */
const maxBufferedBytes = 1 << 20;

type NamedBody = { readonly name: string; readonly bytes: ReturnType<Stage["locate"]>; readonly size: number };
type Listed = { readonly key: StorageKey; readonly size: number; readonly modifiedMs: number };

/**
 * Opens the store in a bucket, making it when there is none. Throws StoreUnwritable when the bucket is not there or not
 * ours to use, StoreTooNew, and StoreUnavailable while the service does not answer.
 */
export async function openS3Storage(options: S3Options): Promise<S3Storage> {
  const wire = await openWire(options);
  return await openOver(wire, options);
}

/** The same for reading alone: makes nothing, and a bucket without a store has nothing. */
export async function openS3ForReading(options: S3Options): Promise<S3Storage> {
  return await openOver(await openWire(options), options, { makes: false });
}

/** The same over a connection that is there: for tests that play the service. */
export async function openOver(
  wire: S3Wire,
  options: S3Options,
  { makes }: { readonly makes: boolean } = { makes: true },
): Promise<S3Storage> {
  const storage = new S3Storage(wire, options);
  try {
    await storage.prepare(makes);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

export class S3Storage implements Storage {
  readonly lasting: LastingStages | undefined;
  readonly #wire: S3Wire;
  readonly #names: S3Names;
  readonly #options: S3Options;
  readonly #end = new AbortController();
  readonly #tries: Tries;
  readonly #spools: SpoolSpace;
  readonly #locks = new KeyLocks();

  /** Use openS3Storage(). */
  constructor(wire: S3Wire, options: S3Options) {
    this.#wire = wire;
    this.#options = options;
    this.#names = new S3Names(options.prefix);
    this.lasting = options.staging.lasting;
    this.#tries = { forMs: options.timeoutMs, signal: this.#end.signal };
    const { spoolDir = join(tmpdir(), "granary-spool"), maxSpoolBytes = defaultSpoolBytes } = options;
    this.#spools = new SpoolSpace(spoolDir, maxSpoolBytes);
  }

  /** Part of opening: finds the bucket and the store in it. */
  async prepare(makes: boolean): Promise<void> {
    try {
      await openS3Layout(this.#place, makes);
    } catch (error) {
      // An answer that another try would not change: the settings are wrong, or the bucket's.
      if (error instanceof S3Failure && error.status !== undefined && !error.isPassing)
        throw new StoreUnwritable(
          `bucket ${this.#options.bucket}: ${error.code} (${error.status}); run granary store check`,
          {
            cause: error,
          },
        );
      throw inOurWords("granary.json", error);
    }
  }

  /** The layout of the store. */
  async layout(): Promise<number> {
    return await this.#said("granary.json", async () => (await readS3Layout(this.#place)) ?? currentLayout);
  }

  /** To be called when the store has all that the current layout asks for. */
  async raiseLayout(): Promise<void> {
    await this.#said("granary.json", () => raiseS3Layout(this.#place));
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const name = this.#names.nameOf(key);
    return await this.#said(key, () =>
      tried(this.#tries, async () => {
        const got = await this.#wire.get(name);
        if (got === undefined) return undefined;
        if (got.facts.size > maxBytes) {
          got.body.destroy();
          throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
        }
        return { ...statOf(got.facts), bytes: await wholeBody(got) };
      }),
    );
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    const name = this.#names.nameOf(key);
    const facts = await this.#said(key, () => tried(this.#tries, () => this.#wire.head(name)));
    return facts && statOf(facts);
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    const name = this.#names.nameOf(key);
    const tries = this.#tries;
    return await this.#said(key, () =>
      tried(tries, async () => {
        const got = await this.#wire.get(name);
        if (got === undefined) return undefined;
        if (got.facts.size <= maxBufferedBytes) return await buffered(got);
        return await openSpool({ key, name, wire: this.#wire, tries }, got, this.#spools);
      }),
    );
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    const name = this.#names.nameOf(key);
    const isStage = !(body instanceof Uint8Array);
    const bytes = isStage ? body.locate() : { bytes: body };
    const size = isStage ? body.size : body.length;
    const outcome = await this.#said(key, () => this.#createCleared(key, { name, bytes, size }));
    if (outcome === "marker") throw new StoreUnavailable(key, "the service refuses it, and yet there is none");
    if (outcome === "written" && isStage) await body.discard();
    return outcome === "written" ? "created" : "exists";
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    if (expected === undefined) return (await this.create(key, body)) === "created" ? "replaced" : "conflict";
    const name = this.#names.nameOf(key);
    // Where versions are kept, some services let a replacement through over a delete marker. It also sees bytes that were
    // replaced and then restored.
    if (hasVersion(expected) && (await this.stat(key))?.token !== expected) return "conflict";
    const isStage = !(body instanceof Uint8Array);
    // A zip goes in one request here, which may carry 5 GiB: what is replaced is what nobody could prove.
    const sent = isStage ? sendable(body.locate(), 0, body.size) : sendable({ bytes: body }, 0, body.length);
    const etag = etagOf(expected);
    const outcome = await this.#said(key, () => replaceOnce(this.#writing(name), { body: sent, etag }));
    if (outcome === "unknown") throw new StoreUnavailable(key, "nobody can say whether it was replaced");
    if (outcome === "written" && isStage) await body.discard();
    return outcome === "written" ? "replaced" : "conflict";
  }

  async remove(key: StorageKey): Promise<boolean> {
    const name = this.#names.nameOf(key);
    // The protocol does not tell whether there was anything. One at a time, so that one of us has removed it.
    return await this.#locks.run(key, () =>
      this.#said(key, async () => {
        if ((await tried(this.#tries, () => this.#wire.head(name))) === undefined) return false;
        await tried(this.#tries, () => this.#wire.remove(name));
        return true;
      }),
    );
  }

  async *list(prefix: string): AsyncGenerator<Listed> {
    checkPrefix(prefix);
    if (prefix !== "") this.#names.nameOf(prefix.slice(0, -1) as StorageKey);
    let from: string | undefined;
    do {
      const after: string | undefined = from;
      const page = await this.#said(prefix, () =>
        tried(this.#tries, () => this.#wire.list(this.#names.prefix + prefix, after)),
      );
      for (const { name, size, modifiedMs } of page.objects) {
        const key = this.#names.keyOf(name);
        if (key !== undefined) yield { key, size, modifiedMs };
      }
      from = page.next;
    } while (from !== undefined);
  }

  async stage(maxBytes: number): Promise<Stage> {
    return await this.#options.staging.stage(maxBytes);
  }

  async linkTo(key: StorageKey): Promise<string | undefined> {
    const name = this.#names.nameOf(key);
    // A URL of nothing would be answered with 404, which says more than we know.
    if ((await this.stat(key)) === undefined) return undefined;
    const seconds = Math.max(1, Math.floor((this.#options.linkMs ?? defaultLinkMs) / 1000));
    return await this.#said(key, () => this.#wire.link(name, seconds));
  }

  /** Ends every request: whoever waits gets StoreUnavailable. */
  close(): Promise<void> {
    this.#end.abort();
    this.#wire.close();
    return Promise.resolve();
  }

  /** Where objects are files, a delete marker is one too: what is in the way may have been removed long ago. */
  async #createCleared(key: StorageKey, body: NamedBody): Promise<"written" | "refused" | "marker"> {
    try {
      return await this.#createNamed(body);
    } catch (error) {
      if (!(error instanceof S3Failure) || !error.isInTheWay) throw error;
      const above = this.#names.namesAbove(key);
      const isClear = await clearAbove(this.#wire, this.#tries, above).catch(() => false);
      if (!isClear) throw error;
      return await this.#createNamed(body);
    }
  }

  async #createNamed(body: NamedBody): Promise<"written" | "refused" | "marker"> {
    for (let n = 0; ; n++) {
      const isLarge = body.size > this.#options.partBytes;
      const outcome = isLarge ? await this.#createInParts(body) : await this.#createAtOnce(body);
      if (outcome !== "marker" || n === maxClearings) return outcome;
      await clearMarkers(this.#wire, this.#tries, body.name);
    }
  }

  async #createAtOnce({ name, bytes, size }: NamedBody) {
    const id = newId();
    const body = sendable(bytes, 0, size);
    const send = () => this.#wire.put(name, body, { id, when: { absent: true } });
    return await createOnce(this.#writing(name), { id, send });
  }

  async #createInParts({ name, bytes, size }: NamedBody) {
    // It is refused only at the end, when all has been sent.
    if ((await tried(this.#tries, () => this.#wire.head(name))) !== undefined) return "refused";
    const id = newId();
    const upload = await PartsUpload.begin(this.#writing(name), id);
    let outcome: "written" | "refused" | "marker" | undefined;
    try {
      await upload.send(bytes, size, this.#options.partBytes);
      outcome = await createOnce(this.#writing(name), { id, send: () => upload.end() });
      return outcome;
    } finally {
      if (outcome !== "written") await upload.abort();
    }
  }

  #writing(name: string) {
    return { wire: this.#wire, tries: this.#tries, name };
  }

  get #place() {
    return { wire: this.#wire, tries: this.#tries, names: this.#names };
  }

  async #said<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw inOurWords(key, error);
    }
  }
}

async function buffered(got: S3Got): Promise<OpenObject> {
  const bytes = await wholeBody(got);
  return {
    ...statOf(got.facts),
    read: (offset, into) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return Promise.resolve(part.length);
    },
    close: () => Promise.resolve(),
  };
}
