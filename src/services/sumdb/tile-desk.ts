// Hands out tiles. Any width up to what exists is cut from the wider tile that a head vouches for, so that clients
// with heads of their own are served; only what our heads need is kept, or a client could fill the disk with widths.

import { ProtocolError } from "#protocol/errors.ts";
import { formatDataTile, parseDataTile } from "#protocol/record.ts";
import { formatTilePath, fullTile, isFullTile, tileWidth, type Tile } from "#protocol/tile.ts";
import { hashSize, isEqualHash, recordHash, storedHashIndex, type Tree } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import { SumdbError } from "./errors.ts";
import type { Heads } from "./heads.ts";
import { Inquiry } from "./inquiry.ts";
import { tileHeight, tileKey } from "./layout.ts";
import type { SumdbRoute } from "./ports.ts";
import type { RouteOrder } from "./route-order.ts";
import { TileUnavailable, type Proven, type ReadOptions, type Tiles } from "./tiles.ts";

export type TileDeskUse = {
  readonly database: string;
  readonly storage: Storage;
  readonly order: Pick<RouteOrder, "routes" | "refuse">;
  /** Throws SUMDB_FORK while nothing may be taken from the database. */
  readonly mustNotBeHalted: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly tiles: Tiles;
  readonly heads: Heads;
  /** Looks for a head that covers at least so many records. */
  readonly refresh: (atLeast: number) => Promise<unknown>;
};

/** 256 records; real ones have 200 bytes on average. */
export const maxDataTileBytes = 4 * 1024 * 1024;

export class TileDesk {
  readonly #use: TileDeskUse;

  constructor(use: TileDeskUse) {
    this.#use = use;
  }

  /** The authenticated bytes of a tile of height 8. Throws SumdbError. */
  async serve(tile: Tile, cachedOnly: boolean): Promise<Uint8Array> {
    return tile.level === -1 ? await this.#serveData(tile, cachedOnly) : await this.#serveHashes(tile, cachedOnly);
  }

  async #serveHashes(tile: Tile, cachedOnly: boolean): Promise<Uint8Array> {
    const found = this.#use.tiles.remembered(tile) ?? (await this.#findKept(tile));
    if (found !== undefined) return found;
    if (cachedOnly) throw this.#error("SUMDB_NOT_KEPT", `${formatTilePath(tile)} is not kept`);
    await this.#use.mustNotBeHalted();
    const head = await this.#headWith(tile);
    try {
      return await this.#read(tile, head, {});
    } catch (error) {
      if (error instanceof TileUnavailable) throw this.#error("SUMDB_UNREACHABLE", error.message, error);
      if (error instanceof ProtocolError) throw this.#error("SUMDB_INVALID", error.message, error);
      throw error;
    }
  }

  /** From the store alone, if the tiles above it are there too: those of kept records always are. */
  async #findKept(tile: Tile): Promise<Uint8Array | undefined> {
    const { serving, latest } = this.#use.heads;
    for (const head of [serving, latest]) {
      if (head === undefined || tileWidth(tile, head.size) < tile.width) continue;
      try {
        return await this.#read(tile, head, { keptOnly: true });
      } catch (error) {
        if (!(error instanceof TileUnavailable || error instanceof ProtocolError)) throw error;
      }
    }
    return undefined;
  }

  /** The newest head, one that has the tile. */
  async #headWith(tile: Tile): Promise<Tree> {
    const { heads, refresh } = this.#use;
    const covers = (): boolean => heads.latest !== undefined && tileWidth(tile, heads.latest.size) >= tile.width;
    const atLeast = (tile.index * 256 + tile.width) * 256 ** tile.level;
    if (!covers()) await refresh(atLeast).catch((error: unknown) => this.#refuseNewer(tile, atLeast, error));
    if (heads.latest !== undefined && covers()) return heads.latest;
    throw this.#error("SUMDB_BEHIND", `${formatTilePath(tile)} lies beyond the newest tree head that can be had`);
  }

  /** A client has met a newer head elsewhere, and we are cut off: what it needs is that head, not another question. */
  #refuseNewer(tile: Tile, atLeast: number, error: unknown): never {
    const ours = this.#use.heads.latest?.size;
    if (ours === undefined || !(error instanceof SumdbError) || error.code !== "SUMDB_UNREACHABLE") throw error;
    const { database } = this.#use;
    const message = `${formatTilePath(tile)} is of a tree of at least ${atLeast} records, the newest here has ${ours}`;
    const newer = { ours, atLeast };
    throw new SumdbError("SUMDB_NEWER", database, { message, tried: error.tried, newer, cause: error });
  }

  async #read(tile: Tile, head: Tree, options: ReadOptions): Promise<Uint8Array> {
    const { tiles, heads } = this.#use;
    const first = storedHashIndex(tile.level * tileHeight, tile.index * 256);
    const proven = await tiles.read(head, [first], options);
    await tiles.keep(proven, head === heads.serving ? "all" : "full");
    return bytesOf(proven, tile);
  }

  async #serveData(tile: Tile, cachedOnly: boolean): Promise<Uint8Array> {
    const hashes = await this.#serveHashes({ ...tile, level: 0 }, cachedOnly);
    const kept = await this.#findKeptData(tile, hashes);
    if (kept !== undefined) return kept;
    if (cachedOnly) throw this.#error("SUMDB_NOT_KEPT", `${formatTilePath(tile)} is not kept`);
    await this.#use.mustNotBeHalted();
    const inquiry = new Inquiry(this.#use.database);
    for (const route of this.#use.order.routes) {
      try {
        const bytes = await this.#fetchData(tile, { route, hashes, inquiry });
        if (bytes !== undefined) return bytes;
      } catch (error) {
        inquiry.refuse(route, error);
        if (error instanceof ProtocolError) this.#use.order.refuse(route, error.message);
      }
    }
    // The tree has the records, whatever the routes say of the tile.
    const message = inquiry.failure().message;
    throw new SumdbError("SUMDB_UNREACHABLE", this.#use.database, { message, tried: inquiry.tried });
  }

  async #findKeptData(tile: Tile, hashes: Uint8Array): Promise<Uint8Array | undefined> {
    const { storage, database } = this.#use;
    const kept = await storage.get(tileKey(database, fullTile(tile)), maxDataTileBytes);
    if (kept === undefined) return undefined;
    try {
      return checkData(kept.bytes, { from: fullTile(tile), tile, hashes });
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  /** As asked, else from the full tile: a partial one may be gone by then. */
  async #fetchData(
    tile: Tile,
    { route, hashes, inquiry }: { readonly route: SumdbRoute; readonly hashes: Uint8Array; readonly inquiry: Inquiry },
  ): Promise<Uint8Array | undefined> {
    for (const from of isFullTile(tile) ? [tile] : [tile, fullTile(tile)]) {
      const request = { path: `/${formatTilePath(from)}`, maxBytes: maxDataTileBytes, signal: this.#use.signal };
      const answer = await inquiry.fetch(route, request);
      if (answer === undefined) continue;
      const bytes = checkData(answer, { from, tile, hashes });
      if (isFullTile(tile)) await this.#keepData(tile, bytes);
      return bytes;
    }
    return undefined;
  }

  async #keepData(tile: Tile, bytes: Uint8Array): Promise<void> {
    const { storage, database } = this.#use;
    const key = tileKey(database, tile);
    // What is there was not the tile, or this would not have been fetched.
    if ((await storage.create(key, bytes)) === "exists") {
      await storage.replace(key, bytes, (await storage.stat(key))?.token);
    }
  }

  #error(code: SumdbError["code"], message: string, cause?: TileUnavailable | ProtocolError): SumdbError {
    const tried = cause instanceof TileUnavailable ? cause.tried : [];
    return new SumdbError(code, this.#use.database, { message, tried, cause });
  }
}

function bytesOf(proven: Proven, tile: Tile): Uint8Array {
  const wider = proven.tiles.find((each) => each.tile.level === tile.level && each.tile.index === tile.index);
  if (wider === undefined) throw new RangeError(`${formatTilePath(tile)} was not read`);
  return wider.bytes.subarray(0, tile.width * hashSize);
}

/** The records of `tile`, the first ones of `from`, each held against its proven hash. */
function checkData(
  bytes: Uint8Array,
  facts: { readonly from: Tile; readonly tile: Tile; readonly hashes: Uint8Array },
): Uint8Array {
  const { from, tile, hashes } = facts;
  const texts = parseDataTile(bytes, from.width).slice(0, tile.width);
  texts.forEach((text, i) => {
    if (isEqualHash(recordHash(text), hashes.subarray(i * hashSize, (i + 1) * hashSize))) return;
    throw new ProtocolError("BAD_TILE", `record ${i} of ${formatTilePath(tile)} is not the log's`);
  });
  return formatDataTile(texts);
}
