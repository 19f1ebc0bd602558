// The full tiles of an own log. They are written once, before the head that needs them, and authenticated again
// whenever they are read: each against the tile above it, the topmost against the edge, which is in memory. So a disk
// that rots makes the log silent, never wrong.

import { LRUCache } from "lru-cache";
import { ProtocolError } from "#protocol/errors.ts";
import { Frontier, type TileBytes } from "#protocol/frontier.ts";
import { formatDataTile, maxRecordBytes, parseDataTile } from "#protocol/record.ts";
import { formatTilePath, fullTile, tileHash, type Tile } from "#protocol/tile.ts";
import { hashSize, isEqualHash, recordHash } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import { SumLogError } from "./errors.ts";
import { tileKey } from "./layout.ts";

/** The height of all tiles, and how many hashes or records a full one has. */
export const height = 8;
export const tileRecords = 2 ** height;

/** Tiles in memory: those near the root serve every proof. */
const maxCacheBytes = 8 * 1024 * 1024;
/** Authenticated records in memory, some hundred tiles: checking one costs 256 hashes. */
const maxRecordCacheBytes = 16 * 1024 * 1024;
const maxDataTileBytes = tileRecords * maxRecordBytes;

export class LogTiles {
  readonly #log: string;
  readonly #storage: Storage;
  readonly #cache = new LRUCache<string, Uint8Array>({ maxSize: maxCacheBytes, sizeCalculation: (b) => b.length });
  readonly #records = new LRUCache<number, readonly string[]>({
    maxSize: maxRecordCacheBytes,
    sizeCalculation: (texts) => texts.reduce((sum, text) => sum + 2 * text.length, 0),
  });

  constructor(log: string, storage: Storage) {
    this.#log = log;
    this.#storage = storage;
  }

  /** Writes a full tile. Throws SUMLOG_DAMAGED when another one is there. */
  async keep({ tile, bytes }: TileBytes): Promise<void> {
    const key = tileKey(this.#log, tile);
    if ((await this.#storage.create(key, bytes)) === "created") return;
    const kept = await this.#storage.get(key, maxDataTileBytes);
    if (kept === undefined || Buffer.compare(kept.bytes, bytes) !== 0) throw this.#damaged(tile, "is another one");
  }

  /** Writes a full tile of records, the `index`-th. */
  async keepRecords(index: number, texts: readonly string[]): Promise<void> {
    await this.keep({ tile: dataTile(index), bytes: formatDataTile(texts) });
  }

  /** The first hashes of a tile, `tile.width` of them, in the tree of `edge`. Throws SUMLOG_DAMAGED. */
  async read(tile: Tile, edge: Frontier): Promise<Uint8Array> {
    const whole = fullTile(tile);
    const atEdge = edge.partial().find((part) => part.tile.level === tile.level && part.tile.index === tile.index);
    const bytes = atEdge?.bytes ?? (await this.#readFull(whole, edge));
    return bytes.subarray(0, tile.width * hashSize);
  }

  /** The records of the `index`-th full tile. Throws SUMLOG_DAMAGED. */
  async readRecords(index: number, edge: Frontier): Promise<readonly string[]> {
    const known = this.#records.get(index);
    if (known !== undefined) return known;
    const tile = dataTile(index);
    const hashes = await this.read({ ...tile, level: 0 }, edge);
    const kept = await this.#storage.get(tileKey(this.#log, tile), maxDataTileBytes);
    if (kept === undefined) throw this.#damaged(tile, "is lost");
    const texts = this.#parse(tile, kept.bytes);
    const isSound = texts.every((text, i) =>
      isEqualHash(recordHash(text), hashes.subarray(i * hashSize, (i + 1) * hashSize)),
    );
    if (!isSound) throw this.#damaged(tile, "has other records");
    this.#records.set(index, texts);
    return texts;
  }

  /** The edge of the tree of the first `size` records, all of which lie in full tiles. Not authenticated: look at its root. */
  async edgeAt(size: number): Promise<Frontier> {
    const parts: TileBytes[] = [];
    for (let level = 1; size >= tileRecords ** level; level++) {
      const index = Math.floor(size / tileRecords ** (level + 1));
      const width = Math.floor(size / tileRecords ** level) % tileRecords;
      const below = Array.from({ length: width }, (_, i) => index * tileRecords + i);
      const hashes = await Promise.all(below.map(async (each) => tileHash(await this.#readKept(level - 1, each))));
      if (width > 0) parts.push({ tile: { height, level, index, width }, bytes: Buffer.concat(hashes) });
    }
    return Frontier.of(size, parts);
  }

  async #readKept(level: number, index: number): Promise<Uint8Array> {
    const tile = { height, level, index, width: tileRecords };
    const kept = await this.#storage.get(tileKey(this.#log, tile), tileRecords * hashSize);
    if (kept?.bytes.length !== tileRecords * hashSize) throw this.#damaged(tile, "is lost");
    return kept.bytes;
  }

  async #readFull(tile: Tile, edge: Frontier): Promise<Uint8Array> {
    const path = formatTilePath(tile);
    const known = this.#cache.get(path);
    if (known !== undefined) return known;
    const bytes = await this.#readKept(tile.level, tile.index);
    const place = tile.index % tileRecords;
    const above = { height, level: tile.level + 1, index: Math.floor(tile.index / tileRecords), width: place + 1 };
    const expected = (await this.read(above, edge)).subarray(place * hashSize);
    if (!isEqualHash(tileHash(bytes), expected)) throw this.#damaged(tile, "has other hashes");
    this.#cache.set(path, bytes);
    return bytes;
  }

  #parse(tile: Tile, bytes: Uint8Array): string[] {
    try {
      return parseDataTile(bytes, tileRecords);
    } catch (error) {
      if (error instanceof ProtocolError) throw this.#damaged(tile, error.message);
      throw error;
    }
  }

  #damaged(tile: Tile, what: string): SumLogError {
    return new SumLogError("SUMLOG_DAMAGED", this.#log, `${tileKey(this.#log, tile)} ${what}`);
  }
}

function dataTile(index: number): Tile {
  return { height, level: -1, index, width: tileRecords };
}
