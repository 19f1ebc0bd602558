// Tiles of one database: from memory, from the store, from its routes. Nothing leaves, and nothing is kept, before
// it was authenticated against a signed head; what the store holds is authenticated again after each start.

import { LRUCache } from "lru-cache";
import { ProtocolError } from "#protocol/errors.ts";
import { formatTilePath, fullTile, isFullTile, type Tile } from "#protocol/tile.ts";
import { hashSize, type Hash, type Tree } from "#protocol/tlog.ts";
import { readHashes } from "#protocol/tree-reader.ts";
import type { Tried } from "#services/errors/codes.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { Flights } from "./flights.ts";
import { answersInTurn } from "./in-turn.ts";
import { tileHeight, tileKey } from "./layout.ts";
import type { SumdbAsk, SumdbRoute } from "./ports.ts";
import type { RouteOrder } from "./route-order.ts";

export type TileBytes = { readonly tile: Tile; readonly bytes: Uint8Array };

/** Hashes that are proven to be in a tree, and all the tiles of the proof. */
export type Proven = { readonly hashes: readonly Hash[]; readonly tiles: readonly TileBytes[] };

export type ReadOptions = {
  /** Asked before the others: who gave the head is likeliest to have its tiles. */
  readonly prefer?: SumdbRoute;
  /** Ask nobody. */
  readonly keptOnly?: boolean;
};

/** No route gives a tile, and it is not kept. */
export class TileUnavailable extends Error {
  override readonly name = "TileUnavailable";
  readonly tried: readonly Tried[];
  constructor(path: string, tried: readonly Tried[]) {
    super(`no ${path}: ${tried.map(({ upstream, reason }) => `${upstream}: ${reason}`).join("; ") || "not kept"}`);
    this.tried = tried;
  }
}

/** A full tile of height 8 has 8 KiB: 4 MiB at most. */
const maxTilesInMemory = 512;

/** Where one attempt takes its tiles from. */
type Source = { readonly kept: boolean; readonly routes: readonly SumdbRoute[] };

/** Bytes of a tile and whether they came from the store. */
type Found = { readonly bytes: Uint8Array; readonly kept: boolean };

export class Tiles {
  readonly #use: {
    readonly database: string;
    readonly storage: Storage;
    readonly clock: Clock;
    readonly order: Pick<RouteOrder, "routes" | "refuse">;
    readonly signal: AbortSignal;
  };
  /** By path; authenticated. `kept`: the store has it, or the full tile. */
  readonly #memory = new LRUCache<string, Found>({ max: maxTilesInMemory });
  /** Answers on their way: not authenticated. */
  readonly #flights = new Flights<Uint8Array>();

  /** @param use.signal ends every fetch */
  constructor(use: {
    readonly database: string;
    readonly storage: Storage;
    readonly clock: Clock;
    readonly order: Pick<RouteOrder, "routes" | "refuse">;
    readonly signal: AbortSignal;
  }) {
    this.#use = use;
  }

  /**
   * Reads hashes of the tree at storage indexes. Throws TileUnavailable, or ProtocolError BAD_TILE when whoever was
   * asked gave tiles that are not the tree's. Keeps nothing: the tree itself may turn out to be a forked one.
   */
  async read(tree: Tree, indexes: readonly number[], options: ReadOptions = {}): Promise<Proven> {
    let refused: ProtocolError | undefined;
    for (const source of this.#sources(options)) {
      try {
        return await this.#readFrom(tree, indexes, source);
      } catch (error) {
        // The first source has asked every route already.
        if (error instanceof TileUnavailable && refused !== undefined) continue;
        if (!(error instanceof ProtocolError) || error.code !== "BAD_TILE") throw error;
        refused = error;
        const [route] = source.routes;
        if (!source.kept && route !== undefined) this.#use.order.refuse(route, error.message);
      }
    }
    throw refused ?? new RangeError("no source of tiles");
  }

  /** Keeps what was proven by a head that we stand by: full tiles, and the partial ones of heads we hand out. */
  async keep(proven: Proven, which: "full" | "all"): Promise<void> {
    await Promise.all(
      proven.tiles.map(async ({ tile, bytes }) => {
        const path = formatTilePath(tile);
        const known = this.#memory.get(path);
        if (known?.kept === true) return;
        const kept = which === "all" || isFullTile(tile);
        if (kept) await this.#write(tile, bytes);
        this.#memory.set(path, { bytes, kept });
      }),
    );
  }

  /** A tile that was authenticated since the start: itself, or the beginning of the full one. */
  remembered(tile: Tile): Uint8Array | undefined {
    const bytes =
      this.#memory.get(formatTilePath(tile))?.bytes ?? this.#memory.get(formatTilePath(fullTile(tile)))?.bytes;
    return bytes?.subarray(0, tile.width * hashSize);
  }

  /** What is kept first, from the first route that answers for the rest; when that does not fit, each route alone. */
  #sources({ prefer, keptOnly = false }: ReadOptions): Source[] {
    if (keptOnly) return [{ kept: true, routes: [] }];
    const { routes } = this.#use.order;
    const [first, ...rest] = prefer === undefined ? routes : [prefer, ...routes.filter((route) => route !== prefer)];
    if (first === undefined) return [{ kept: true, routes: [] }];
    const alone = [...rest, first].map((route) => ({ kept: false, routes: [route] }));
    return [{ kept: true, routes: [first, ...rest] }, ...alone];
  }

  async #readFrom(tree: Tree, indexes: readonly number[], source: Source): Promise<Proven> {
    let proven: TileBytes[] = [];
    const hashes = await readHashes(
      tree,
      {
        height: tileHeight,
        readTiles: (tiles) => Promise.all(tiles.map((tile) => this.#find(tile, source))),
        saveTiles: (tiles, data) => {
          proven = tiles.map((tile, i) => ({ tile, bytes: data[i] ?? new Uint8Array() }));
        },
      },
      indexes,
    );
    return { hashes, tiles: proven };
  }

  async #find(tile: Tile, source: Source): Promise<Uint8Array> {
    if (source.kept) {
      const found = this.remembered(tile) ?? (await this.#readKept(tile));
      if (found !== undefined) return found;
    }
    const tried: Tried[] = [];
    const ask = async (route: SumdbRoute, { retrying }: SumdbAsk): Promise<Uint8Array | undefined> => {
      try {
        // Others may be waiting for the same answer: it is not broken off when another route was quicker.
        return await this.#fetch(tile, route, retrying);
      } catch (error) {
        if (!(error instanceof UpstreamFault)) throw error;
        tried.push({ upstream: route.name, reason: error.message });
        return undefined;
      }
    };
    for await (const { value } of answersInTurn(source.routes, { ...this.#use, ask })) return value;
    throw new TileUnavailable(formatTilePath(tile), tried);
  }

  /** The tile from the store, or the beginning of the full one. Bytes of another length are damage: not there. */
  async #readKept(tile: Tile): Promise<Uint8Array | undefined> {
    for (const candidate of isFullTile(tile) ? [tile] : [tile, fullTile(tile)]) {
      const length = candidate.width * hashSize;
      const kept = await this.#use.storage.get(tileKey(this.#use.database, candidate), maxTileAnswer);
      if (kept?.bytes.length === length) return kept.bytes.subarray(0, tile.width * hashSize);
    }
    return undefined;
  }

  /** A partial tile may be gone once the full one is there (protocol reference §5.5). */
  async #fetch(tile: Tile, route: SumdbRoute, retrying: SumdbAsk["retrying"]): Promise<Uint8Array> {
    try {
      return await this.#fetchExactly(tile, route, retrying);
    } catch (error) {
      if (!(error instanceof UpstreamFault) || error.reason !== "malformed" || isFullTile(tile)) throw error;
      const full = await this.#fetchExactly(fullTile(tile), route, retrying).catch(() => undefined);
      if (full === undefined) throw error;
      return full.subarray(0, tile.width * hashSize);
    }
  }

  async #fetchExactly(tile: Tile, route: SumdbRoute, retrying: SumdbAsk["retrying"]): Promise<Uint8Array> {
    const path = formatTilePath(tile);
    const { signal } = this.#use;
    return await this.#flights.join(`${route.name} ${path}`, signal, async () => {
      const length = tile.width * hashSize;
      const { status, bytes } = await route.fetch(`/${path}`, maxTileAnswer, { signal, retrying });
      if (status !== 200) throw new UpstreamFault(route.name, "malformed", `HTTP ${status} for ${path}`);
      if (bytes.length === length) return bytes;
      throw new UpstreamFault(route.name, "malformed", `${bytes.length} bytes for ${path}`);
    });
  }

  async #write(tile: Tile, bytes: Uint8Array): Promise<void> {
    const { storage, database } = this.#use;
    const key = tileKey(database, tile);
    const kept = await storage.get(key, maxTileAnswer);
    if (kept === undefined) await storage.create(key, bytes);
    // Proven bytes that differ from the kept ones: those were damaged.
    else if (Buffer.compare(kept.bytes, bytes) !== 0) await storage.replace(key, bytes, kept.token);
  }
}

/** The most a tile of height 8 can have, with room for the error text of one that is not there. */
const maxTileAnswer = 2 * 256 * hashSize;
