// Tree heads that somebody brings: a client's own, or those of a trusted file. Each is held against our timeline; the
// tiles that prove it may come along.

import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxSignatures, type Verifier } from "#protocol/note.ts";
import { formatTilePath, fullTile, type Tile } from "#protocol/tile.ts";
import { hashSize, subtreeIndexes } from "#protocol/tlog.ts";
import { readHashes } from "#protocol/tree-reader.ts";
import { SumdbError } from "./errors.ts";
import type { Heads } from "./heads.ts";
import { tileHeight } from "./layout.ts";
import type { SumdbRoute } from "./ports.ts";
import { TileUnavailable } from "./tiles.ts";

/** What became of one head. */
export type OfferView = {
  /**
   * `newest`: proven, and ours now. `agrees`: on our timeline. `forked`: signed, and contradicts our timeline; `reason`
   * is the storage key of the evidence. `unproven`: nobody gives the tiles. `refused`: no head of this database, or
   * refused by a person.
   */
  readonly verdict: "newest" | "agrees" | "forked" | "unproven" | "refused";
  /** Records under the head; undefined when it could not be opened. */
  readonly treeSize?: number;
  /** Records under our newest head before; undefined when there was none. */
  readonly ourSize?: number;
  readonly reason?: string;
};

/** Judges a head, and accepts it when it is proven. Heads must be loaded. */
export async function judgeHead(
  note: Uint8Array,
  use: {
    readonly verifier: Verifier;
    readonly heads: Pick<Heads, "latest" | "accept">;
    readonly tiles: SumdbRoute | undefined;
  },
): Promise<OfferView> {
  const { heads, tiles } = use;
  const ours = heads.latest?.size;
  const known = ours === undefined ? {} : { ourSize: ours };
  let head: Checkpoint;
  try {
    head = openCheckpoint(note, use.verifier);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { ...known, verdict: "refused", reason: error.message };
  }
  const seen = { ...known, treeSize: head.size };
  try {
    await heads.accept(head, { keep: "all", ...(tiles && { prefer: tiles }) });
    return { ...seen, verdict: head.size > (ours ?? -1) ? "newest" : "agrees" };
  } catch (error) {
    if (error instanceof SumdbError && error.code === "SUMDB_FORK")
      return { ...seen, verdict: "forked", reason: error.message };
    if (error instanceof TileUnavailable) return { ...seen, verdict: "unproven", reason: error.message };
    if (error instanceof ProtocolError) return { ...seen, verdict: "refused", reason: error.message };
    throw error;
  }
}

/** Bytes of a tile by its path (`tile/8/0/001.p/45`); undefined when there are none. */
export type FindTile = (path: string) => Promise<Uint8Array | undefined>;

/** Tiles at hand, as a route: what they say is checked like any other's word. */
export function tilesAtHand(name: string, find: FindTile): SumdbRoute {
  return {
    name,
    knows: false,
    isUp: () => false,
    fetch: async (path, maxBytes) => {
      const bytes = await find(path.slice(1));
      if (bytes === undefined || bytes.length > maxBytes) return { status: 404, bytes: new Uint8Array() };
      return { status: 200, bytes };
    },
  };
}

/** Those tiles at hand that lead from the first `older` records to `head`, by path: at most some twenty. */
export async function tilesBetween(older: number, head: Checkpoint, find: FindTile): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const readTile = async (tile: Tile): Promise<Uint8Array> => {
    for (const path of new Set([formatTilePath(tile), formatTilePath(fullTile(tile))])) {
      const bytes = await find(path);
      if (bytes === undefined) continue;
      found.set(path, bytes);
      return bytes.subarray(0, tile.width * hashSize);
    }
    return new Uint8Array();
  };
  const tiles = {
    height: tileHeight,
    readTiles: (wanted: readonly Tile[]) => Promise.all(wanted.map(readTile)),
    saveTiles: () => undefined,
  };
  try {
    if (older < head.size) await readHashes(head, tiles, subtreeIndexes(older));
  } catch (error) {
    // Some are missing or wrong: whoever gets them will see.
    if (!(error instanceof ProtocolError)) throw error;
  }
  return found;
}

/** Heads with what proves them: what a client's folders hold, or a request brings. */
export type Offer = {
  readonly heads: readonly {
    /** Where it was found, for the report. */
    readonly from: string;
    /** The signed note. */
    readonly note: string;
  }[];
  /** Tiles by database. */
  readonly tiles?: ReadonlyMap<string, FindTile>;
};

export type OfferReport = OfferView & {
  readonly from: string;
  /** Undefined when no configured database has signed the note. */
  readonly database?: string;
};

type Taker = { readonly name: string; offer(note: Uint8Array, tiles?: SumdbRoute): Promise<OfferView> };

/** Brings each head to the database whose name is among its signatures. */
export async function offerAll({ heads, tiles }: Offer, databases: readonly Taker[]): Promise<OfferReport[]> {
  const reports: OfferReport[] = [];
  for (const { from, note } of heads) {
    const names = signersOf(note);
    const database = databases.find(({ name }) => names.includes(name));
    if (database === undefined) {
      const reason = names.length === 0 ? "no signed note" : `signed by ${names.join(", ")}, which is not configured`;
      reports.push({ from, verdict: "refused", reason });
      continue;
    }
    const find = tiles?.get(database.name);
    const route = find === undefined ? undefined : tilesAtHand("cache", find);
    reports.push({ from, database: database.name, ...(await database.offer(Buffer.from(note), route)) });
  }
  return reports;
}

/** Names on a note's signature lines; whether they signed is not asked. */
export function signersOf(note: string): string[] {
  return [...note.matchAll(/^— (\S{1,256}) \S+$/gm)].slice(0, maxSignatures).map(([, name = ""]) => name);
}
