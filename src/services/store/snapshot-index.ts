// Snapshots in a folder of their own, which is a Storage as well: another disk, or the same.
//
//   objects/<2 hex>/<sha256>     bytes, shared by all snapshots
//   snapshots/<id>.jsonl         one snapshot, written last: without it there is none
//
// An index is lines of JSON: what it is; one line a unit, in the order in which they were copied; the totals; the sha256 of
// all lines before. A unit is what counts as a whole: a version with all its files, or one file.

import { createHash, hash } from "node:crypto";
import type { OpenObject, Stage, Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable, storageKey } from "./ports.ts";

export type SnapshotFile = {
  readonly key: StorageKey;
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Of the store's file when it was copied: while it stays, the file has not changed. */
  readonly token: string;
};

/** `record`, `head`, `tile`: of checksum databases that are mirrored. `log`: of an own one. */
export type UnitKind = "version" | "record" | "head" | "tile" | "state" | "log";

export type Unit = {
  readonly kind: UnitKind;
  /** A version's files have this in common; otherwise the key of the file. Unique in a snapshot. */
  readonly name: string;
  readonly files: readonly SnapshotFile[];
};

export type SnapshotTotals = {
  readonly files: number;
  readonly bytes: number;
  readonly versions: number;
  /** Versions and files that are damaged in the store, and are missing here or stand as in an older snapshot. */
  readonly findings: number;
  /** Own logs and how many records they have here. */
  readonly logs: readonly { readonly name: string; readonly size: number }[];
};

export type SnapshotSummary = SnapshotTotals & {
  readonly id: string;
  /** When it was begun, RFC 3339. */
  readonly at: string;
};

/** The snapshot's own files are not as they were written. */
export class SnapshotDamaged extends Error {
  override readonly name = "SnapshotDamaged";
}

/** A million versions take some 1.2 GB. */
const maxIndexBytes = 4 * 2 ** 30;
/** A version's longest names, six times, and their hashes. */
const maxLineBytes = 2 ** 17;
/** Lines are written so many bytes at a time. */
const flushBytes = 256 * 1024;
const newline = 10;

export function objectKey(sha256: string): StorageKey {
  return storageKey(`${objectsPrefix}${sha256.slice(0, 2)}/${sha256}`);
}

export const objectsPrefix = "objects/";
const snapshotsPrefix = "snapshots/";

function indexKey(id: string): StorageKey {
  return storageKey(`${snapshotsPrefix}${id}.jsonl`);
}

/** Sorted by name they are sorted by time: `20261128T122530417Z`. */
const idForm = /^[0-9]{8}T[0-9]{9}Z$/;

export function isSnapshotId(text: string): boolean {
  return idForm.test(text);
}

/** The id of a snapshot begun at `ms`, later than that of `last` whatever the clock says. */
export function nextSnapshotId(ms: number, last: string | undefined): string {
  const afterLast = last === undefined ? 0 : timeOfId(last) + 1;
  return new Date(Math.max(ms, afterLast)).toISOString().replace(/[-:.]/g, "");
}

function timeOfId(id: string): number {
  const [, date, hour, minute, second, ms] = /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})Z$/.exec(id) ?? [];
  const day = date?.replace(/(\d{4})(\d\d)(\d\d)/, "$1-$2-$3");
  return Date.parse(`${day}T${hour}:${minute}:${second}.${ms}Z`);
}

/** Ids of all snapshots, oldest first; damaged ones too. */
export async function snapshotIds(vault: Storage): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of vault.list(snapshotsPrefix)) {
    const id = key.slice(snapshotsPrefix.length).replace(/[.]jsonl$/, "");
    if (isSnapshotId(id) && key === indexKey(id)) ids.push(id);
  }
  return ids.sort();
}

export async function forgetSnapshot(vault: Storage, id: string): Promise<void> {
  await vault.remove(indexKey(id));
}

/** An index on its way; invisible until finish(). */
export class IndexWriter {
  readonly #vault: Storage;
  readonly #stage: Stage;
  readonly #about: { readonly id: string; readonly at: string };
  readonly #sum = createHash("sha256");
  #waiting: string[] = [];
  #waitingLength = 0;
  #last: Promise<void> = Promise.resolve();

  private constructor(vault: Storage, stage: Stage, about: { readonly id: string; readonly at: string }) {
    this.#vault = vault;
    this.#stage = stage;
    this.#about = about;
  }

  static async begin(vault: Storage, about: { readonly id: string; readonly at: string }): Promise<IndexWriter> {
    const writer = new IndexWriter(vault, await vault.stage(maxIndexBytes), about);
    writer.#push({ snapshot: 1, ...about });
    return writer;
  }

  async add({ kind, name, files }: Unit): Promise<void> {
    this.#push({ kind, name, files: files.map(({ key, size, sha256, token }) => [key, size, sha256, token]) });
    if (this.#waitingLength >= flushBytes) await this.#flush();
  }

  /** Makes the snapshot: durable, and listed from now on. Throws StoreUnavailable. */
  async finish(totals: SnapshotTotals): Promise<void> {
    this.#push(totals);
    await this.#flush();
    await this.#stage.write(Buffer.from(`${JSON.stringify({ sha256: this.#sum.digest("hex") })}\n`));
    await this.#stage.seal();
    const key = indexKey(this.#about.id);
    if ((await this.#vault.create(key, this.#stage)) === "exists")
      throw new StoreUnavailable(key, "another process makes snapshots here");
  }

  async discard(): Promise<void> {
    await this.#stage.discard();
  }

  #push(line: object): void {
    const text = `${JSON.stringify(line)}\n`;
    this.#waiting.push(text);
    this.#waitingLength += text.length;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#sum.update(bytes);
    const mine = this.#last.then(() => this.#stage.write(bytes));
    this.#last = mine;
    await mine;
  }
}

/** A snapshot that is there. What stays in memory is some 50 bytes a unit. */
export class SnapshotIndex {
  readonly summary: SnapshotSummary;
  readonly #object: OpenObject;
  readonly #places: ReadonlyMap<number, number>;

  private constructor(object: OpenObject, summary: SnapshotSummary, places: ReadonlyMap<number, number>) {
    this.#object = object;
    this.summary = summary;
    this.#places = places;
  }

  /** Reads all of it once. Throws SnapshotDamaged; the caller closes. */
  static async open(vault: Storage, id: string): Promise<SnapshotIndex> {
    const object = await vault.open(indexKey(id));
    if (object === undefined) throw new SnapshotDamaged(`there is no snapshot ${id}`);
    try {
      const places = new Map<number, number>();
      const summary = await survey(object, id, places);
      return new SnapshotIndex(object, summary, places);
    } catch (error) {
      await object.close();
      throw error;
    }
  }

  /** The unit of that name; undefined when there is none. */
  async find(name: string): Promise<Unit | undefined> {
    const place = this.#places.get(fingerprint(name));
    if (place === undefined) return undefined;
    const line = Buffer.alloc(place % maxLineBytes);
    await this.#object.read(Math.floor(place / maxLineBytes), line);
    const unit = parseUnit(parseLine(line));
    return unit?.name === name ? unit : undefined;
  }

  /** Units of these kinds, in the order in which they were copied. */
  async *units(...kinds: readonly UnitKind[]): AsyncGenerator<Unit> {
    for await (const { bytes } of linesOf(this.#object)) {
      const unit = parseUnit(parseLine(bytes));
      if (unit !== undefined && kinds.includes(unit.kind)) yield unit;
    }
  }

  async close(): Promise<void> {
    await this.#object.close();
  }
}

/** Looks at every line, and notes where units are. */
async function survey(object: OpenObject, id: string, places: Map<number, number>): Promise<SnapshotSummary> {
  const sum = createHash("sha256");
  let at: string | undefined;
  let totals: SnapshotTotals | undefined;
  for await (const line of linesOf(object)) {
    const value = parseLine(line.bytes);
    if (at !== undefined && totals !== undefined && value["sha256"] === sum.digest("hex")) return { id, at, ...totals };
    if (totals !== undefined) break;
    sum.update(line.bytes);
    const unit = parseUnit(value);
    if (line.at === 0) at = beginOf(value, id);
    else if (unit !== undefined) places.set(fingerprint(unit.name), line.at * maxLineBytes + line.bytes.length);
    else if (isTotals(value)) totals = value;
    else break;
  }
  throw new SnapshotDamaged(`snapshot ${id} is not as it was written`);
}

type Loose = Readonly<Record<string, unknown>>;

function beginOf({ snapshot, id, at }: Loose, expected: string): string {
  if (snapshot === 1 && id === expected && typeof at === "string" && !Number.isNaN(Date.parse(at))) return at;
  throw new SnapshotDamaged(`snapshot ${expected} is of another kind, or another one`);
}

function isTotals(value: Loose): value is SnapshotTotals {
  const { files, bytes, versions, findings, logs } = value;
  const isLog = (log: unknown): boolean => {
    const { name, size } = (log ?? {}) as Loose;
    return typeof name === "string" && Number.isSafeInteger(size);
  };
  return [files, bytes, versions, findings].every(Number.isSafeInteger) && Array.isArray(logs) && logs.every(isLog);
}

const kinds: ReadonlySet<unknown> = new Set<UnitKind>(["version", "record", "head", "tile", "state", "log"]);

/** Undefined for a line that is no unit. */
function parseUnit({ kind, name, files }: Loose): Unit | undefined {
  if (!kinds.has(kind) || typeof name !== "string" || !Array.isArray(files)) return undefined;
  const parsed = files.map(parseFile);
  if (parsed.some((file) => file === undefined)) return undefined;
  return { kind: kind as UnitKind, name, files: parsed as SnapshotFile[] };
}

function parseFile(value: unknown): SnapshotFile | undefined {
  const [key, size, sha256, token] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof key !== "string" || typeof sha256 !== "string" || typeof token !== "string") return undefined;
  if (!Number.isSafeInteger(size) || !/^[0-9a-f]{64}$/.test(sha256) || !/^(modules|state)\//.test(key))
    return undefined;
  try {
    return { key: storageKey(key), size: size as number, sha256, token };
  } catch {
    return undefined;
  }
}

function parseLine(bytes: Uint8Array): Loose {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (typeof value === "object" && value !== null) return value as Loose;
  } catch {
    // as below
  }
  throw new SnapshotDamaged("a line of the snapshot is not as it was written");
}

/** Lines with their newlines. Throws SnapshotDamaged on one that is too long or has no end. */
async function* linesOf(object: OpenObject): AsyncGenerator<{ readonly bytes: Uint8Array; readonly at: number }> {
  const piece = Buffer.alloc(1 << 16);
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  for (let offset = 0; ;) {
    const got = await object.read(offset, piece);
    if (got === 0) break;
    offset += got;
    rest = Buffer.concat([rest, piece.subarray(0, got)]);
    let from = 0;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline, from)) {
      yield { bytes: rest.subarray(from, end + 1), at: at + from };
      from = end + 1;
    }
    rest = rest.subarray(from);
    at += from;
    if (rest.length >= maxLineBytes) throw new SnapshotDamaged("a line of the snapshot is too long");
  }
  if (rest.length > 0) throw new SnapshotDamaged("the snapshot was cut");
}

/** 48 bits: whoever finds a unit by it looks at its name. */
function fingerprint(name: string): number {
  return hash("sha256", name, "buffer").readUIntBE(0, 6);
}
