// What was kept while the far storage was away, and waits to be uploaded. Each entry is a small file of its own, written
// before the object it names, so that a crash leaves at most an entry without an object.

import type { Storage, StorageKey } from "#services/store/ports.ts";
import { StoreAway, storageKey } from "#services/store/ports.ts";
import { groupOf } from "./_tier-keys.ts";
import { queuePrefix } from "./_tier-places.ts";

export type QueueEntry = { readonly key: StorageKey; readonly size: number; readonly file: StorageKey };

const maxEntryBytes = 8192;
/** Some 300 bytes of memory each. */
const maxEntries = 100_000;
/** Files that are read at a time: a server that starts waits for all of them. */
const readAtOnce = 64;

export class UploadQueue {
  readonly #disk: Storage;
  readonly #maxBytes: number;
  /** By key, in the order of upload. */
  readonly #entries = new Map<string, QueueEntry>();
  readonly #groups = new Map<string, number>();
  #next = 1;
  #bytes = 0;

  constructor(disk: Storage, maxBytes: number) {
    this.#disk = disk;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reads what an earlier process left. */
  async load(): Promise<readonly QueueEntry[]> {
    const files: StorageKey[] = [];
    for await (const { key } of this.#disk.list(queuePrefix)) files.push(key);
    files.sort();
    for (let at = 0; at < files.length; at += readAtOnce) {
      const part = files.slice(at, at + readAtOnce);
      const found = await Promise.all(part.map((file) => this.#find(file)));
      for (const [n, file] of part.entries()) {
        const number = Number(/\d+$/.exec(file)?.[0] ?? 0);
        this.#next = Math.max(this.#next, number + 1);
        const entry = found[n];
        // Cut short by a crash before its object was written. On a disk that takes no writes it is met again.
        if (entry === undefined || this.#entries.has(entry.key)) await this.#disk.remove(file).catch(() => false);
        else this.#take(entry);
      }
    }
    return [...this.#entries.values()];
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** True while something waits that must arrive before another thing of its group. */
  hasGroupOf(key: string): boolean {
    return this.#groups.has(groupOf(key));
  }

  /** True while something of this size could wait. */
  takes(size: number): boolean {
    return this.#bytes + size <= this.#maxBytes && this.#maxBytes > 0 && this.#entries.size < maxEntries;
  }

  /** Throws StoreAway when the queue is full. */
  async add(key: StorageKey, size: number): Promise<void> {
    if (!this.takes(size)) throw new StoreAway(key, "the shared store is out of reach, and no more can wait for it");
    const file = storageKey(`${queuePrefix}${String(this.#next++).padStart(16, "0")}`);
    const entry = { key, size, file };
    this.#take(entry);
    try {
      await this.#disk.create(file, Buffer.from(`${JSON.stringify({ key })}\n`));
    } catch (error) {
      this.#give(entry);
      throw error;
    }
  }

  /** The next to be uploaded, of other groups than these. */
  first(but: ReadonlySet<string>): QueueEntry | undefined {
    if (but.size === 0) return this.#entries.values().next().value;
    return this.#entries.values().find(({ key }) => !but.has(groupOf(key)));
  }

  under(prefix: string): readonly QueueEntry[] {
    if (this.#entries.size === 0) return [];
    return [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
  }

  async done(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#give(entry);
    await this.#disk.remove(entry.file);
  }

  /** It was replaced while it waited. */
  resized(key: string, size: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#bytes += size - entry.size;
    this.#entries.set(key, { ...entry, size });
  }

  /** Undefined without an object that waits. */
  async #find(file: StorageKey): Promise<QueueEntry | undefined> {
    const key = await this.#read(file);
    const stat = key && (await this.#disk.stat(key));
    return key && stat && { key, size: stat.size, file };
  }

  async #read(file: StorageKey): Promise<StorageKey | undefined> {
    const stored = await this.#disk.get(file, maxEntryBytes);
    try {
      const { key } = JSON.parse(Buffer.from(stored?.bytes ?? []).toString()) as { readonly key: string };
      return storageKey(key);
    } catch {
      return undefined;
    }
  }

  #take(entry: QueueEntry): void {
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.size;
    const group = groupOf(entry.key);
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1);
  }

  #give({ key, size }: QueueEntry): void {
    this.#entries.delete(key);
    this.#bytes -= size;
    const group = groupOf(key);
    const left = (this.#groups.get(group) ?? 1) - 1;
    if (left === 0) this.#groups.delete(group);
    else this.#groups.set(group, left);
  }
}
