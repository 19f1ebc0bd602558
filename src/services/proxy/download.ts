// A zip on its way in. When the way breaks off, what came stays, and the next request goes on from there, at another
// mirror if need be: a version's zip is the same bytes everywhere, and the whole is proven at the end by its hash.
// What came of a large one outlives the job and the process: it lies in a stage with a journal (part-journal.ts).

import { maxZipBytes } from "#protocol/zip-check.ts";
import type { Clock, LastingStage, LeftStage, Stage, Storage } from "#services/store/ports.ts";
import type { Upstream } from "#services/upstreams/chain.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import { chunkBytes } from "#services/store/chunking.ts";
import type { Room } from "#services/store/room.ts";
import { isStrong, minJournalledBytes, parseJournal, PartJournal, soundChunks } from "./part-journal.ts";

/** Below this a zip is asked for whole again: a splice would save less than it costs to explain. */
const minResumeBytes = 64 * 1024;

/** The room is looked at once a second; a fast line brings several of these in that time. */
const admitEveryBytes = 4 << 20;

export class ZipDownload {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #room: Pick<Room, "admit"> | undefined;
  /** `path@version` */
  readonly #what: string;
  /** The newest strong entity tag of each upstream. */
  readonly #etags = new Map<string, string>();
  /** Whose bytes lie in the stage. */
  readonly #from = new Set<string>();
  #stage: Stage | undefined;
  /** The stage once more, with its journal, when it may outlive this download. */
  #lasting: { readonly stage: LastingStage; readonly journal: PartJournal } | undefined;
  #total: number | undefined;
  #progressedMs: number;
  /** Parts did not fit together once: from then on all bytes come from one mirror, under one entity tag. */
  #wholeOnly = false;

  constructor(use: {
    readonly storage: Storage;
    readonly clock: Clock;
    readonly what: string;
    /** Asked again now and then: a large zip must not go on into what is left for small things. */
    readonly room?: Pick<Room, "admit"> | undefined;
  }) {
    this.#storage = use.storage;
    this.#room = use.room;
    this.#what = use.what;
    this.#clock = use.clock;
    this.#progressedMs = use.clock.now();
  }

  /** When the last bytes came, in milliseconds since the epoch. */
  get progressedMs(): number {
    return this.#progressedMs;
  }

  /**
   * True when a wrong hash is nobody's fault yet: the bytes in the stage come from several answers, and not all of
   * them from one mirror that promised them to be parts of the same file.
   */
  get isSpliced(): boolean {
    return this.#parts > 1 && !(this.#wholeOnly && this.#from.size === 1);
  }
  #parts = 0;
  /** Nobody wants it any more; an answer that was given up may still be on its way in. */
  #isOver = false;

  /**
   * Takes up what an earlier job or process left of this zip, as far as it is still what came then. Call it first.
   * What cannot be read is as good as nothing. Returns the bytes that need not come again.
   */
  async resume(): Promise<number> {
    const left = await this.#storage.lasting?.resume(this.#what, maxZipBytes).catch(() => undefined);
    if (left === undefined) return 0;
    const isTaken = await this.#takeUp(left).catch(() => false);
    if (isTaken) return left.stage.size;
    await this.restart({ wholeOnly: false });
    await left.stage.discard();
    return 0;
  }

  async #takeUp(left: LeftStage): Promise<boolean> {
    const journalled = parseJournal(left.journal, this.#what);
    if (journalled === undefined) return false;
    const { total, sources } = journalled;
    // At least a byte must be asked for: an answer is what brings the download to its end.
    const chunks = Math.min(await soundChunks(left, journalled), Math.ceil(total / chunkBytes) - 1);
    if (chunks === 0) return false;
    await left.cut(chunks * chunkBytes);
    this.#stage = left.stage;
    this.#lasting = { stage: left.stage, journal: await PartJournal.goOn(left, chunks) };
    this.#total = total;
    for (const { upstream, etag } of sources) this.#noteSource(upstream, etag);
    this.#parts = Math.max(1, sources.length);
    return true;
  }

  /** The range at which `upstream` should go on, if it should (RFC 9110 §13.1.5, §14.2). */
  headers(upstream: Upstream): Readonly<Record<string, string>> {
    const size = this.#stage?.size ?? 0;
    if (size < minResumeBytes || this.#total === undefined || size >= this.#total) return {};
    const etag = this.#etags.get(upstream.name);
    const isSameSource = etag !== undefined && this.#from.size === 1 && this.#from.has(upstream.name);
    if (this.#wholeOnly && !isSameSource) return {};
    return { range: `bytes=${size}-`, ...(etag !== undefined && { "if-range": etag }) };
  }

  /**
   * Takes an answer to a request with `headers()`: 200, 206 or 416. Resolves to the sealed stage with the whole zip.
   * Throws Unusable for a part that does not fit, UpstreamFault when the body breaks; then what came stays.
   */
  async read(response: UpstreamResponse, upstream: Upstream): Promise<Stage> {
    const skip = await this.#placeFor(response, upstream);
    const stage = await this.#openStage();
    await this.#note(response, upstream);
    let toSkip = skip;
    for await (const chunk of response.body) {
      const fresh = toSkip === 0 ? chunk : chunk.subarray(Math.min(toSkip, chunk.length));
      toSkip -= chunk.length - fresh.length;
      if (fresh.length > 0) await this.#write(stage, fresh, upstream);
      this.#progressedMs = this.#clock.now();
    }
    if (this.#total !== undefined && stage.size !== this.#total)
      throw new UpstreamFault(upstream.name, "truncated", `${stage.size} of ${this.#total} bytes came`);
    await stage.seal();
    return stage;
  }

  /** Forgets all bytes: the next request asks for the whole. @param wholeOnly never splice again */
  async restart({ wholeOnly }: { readonly wholeOnly: boolean }): Promise<void> {
    this.#wholeOnly ||= wholeOnly;
    const stage = this.#stage;
    this.#stage = undefined;
    this.#lasting = undefined;
    this.#total = undefined;
    this.#from.clear();
    this.#parts = 0;
    await stage?.discard();
  }

  /**
   * Ends the download. What came of a large zip stays for resume() of the next one; of any other the space is given
   * back. Does nothing for a stage that was kept.
   */
  async end(): Promise<void> {
    this.#isOver = true;
    if (this.#lasting !== undefined && this.#lasting.journal.chunks > 0) await this.#lasting.stage.leave();
    else await this.#stage?.discard();
  }

  /** How many bytes at the head of this answer we have already. Restarts for an answer that holds the whole. */
  async #placeFor(response: UpstreamResponse, upstream: Upstream): Promise<number> {
    if (response.status === 200) {
      await this.restart({ wholeOnly: false });
      this.#total = parseLength(response.headers["content-length"]);
      return 0;
    }
    const range = response.status === 206 ? parseContentRange(response.headers["content-range"]) : undefined;
    const size = this.#stage?.size ?? 0;
    if (range !== undefined && range.total === this.#total && range.last === range.total - 1 && range.first <= size)
      return size - range.first;
    await this.restart({ wholeOnly: this.#wholeOnly });
    throw new Unusable("RANGE", `${upstream.name} does not go on where the zip broke off`, { isBlameless: true });
  }

  async #openStage(): Promise<Stage> {
    const stage = this.#stage ?? (await this.#newStage());
    this.#stage = stage;
    if (!this.#isOver) return stage;
    await stage.discard();
    throw new Error("the download was given up");
  }

  async #newStage(): Promise<Stage> {
    const { lasting } = this.#storage;
    const total = this.#total;
    if (lasting === undefined || total === undefined || total < minJournalledBytes || total > maxZipBytes)
      return await this.#storage.stage(maxZipBytes);
    const stage = await lasting.begin(this.#what, maxZipBytes);
    this.#lasting = { stage, journal: await PartJournal.begin(stage, { what: this.#what, total }) };
    return stage;
  }

  /** More than was promised is no zip of ours, and must not look like our own limit. */
  async #write(stage: Stage, bytes: Uint8Array, { name }: Upstream): Promise<void> {
    if (stage.size + bytes.length > (this.#total ?? maxZipBytes)) {
      await this.restart({ wholeOnly: false });
      throw new UpstreamFault(name, "malformed", "more bytes came than were promised");
    }
    const before = Math.floor(stage.size / admitEveryBytes);
    await stage.write(bytes);
    await this.#lasting?.journal.add(bytes);
    if (Math.floor(stage.size / admitEveryBytes) > before) this.#room?.admit();
  }

  async #note({ headers }: UpstreamResponse, { name }: Upstream): Promise<void> {
    this.#parts++;
    const { etag } = headers;
    const strong = isStrong(etag) ? etag : undefined;
    this.#noteSource(name, strong);
    await this.#lasting?.journal.from({ upstream: name, ...(strong !== undefined && { etag: strong }) });
  }

  #noteSource(name: string, etag: string | undefined): void {
    this.#from.add(name);
    if (etag === undefined) this.#etags.delete(name);
    else this.#etags.set(name, etag);
  }
}

function parseLength(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `bytes 100-999/1000` (RFC 9110 §14.4); undefined for anything else, an unknown total included. */
function parseContentRange(
  text: string | undefined,
): { readonly first: number; readonly last: number; readonly total: number } | undefined {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(text ?? "") ?? [];
  if (first === undefined) return undefined;
  return { first: Number(first), last: Number(last), total: Number(total) };
}
