// Lies in the tiles: a record with the wrong hash, and tiles that are to prove it under the database's true head.
import type { Lie, Lies } from "./evil-database.ts";
import type { SparseLog } from "./evil-log.ts";
import type { EvilMode } from "./evil-modes.ts";
import { about } from "./evil-modes-answers.ts";
import { answer, evil, headOf, helloNumber, honestLog, isOnTheWay, plainSize, recordOf, tileOf } from "./evil-world.ts";
import { isFullTile } from "#protocol/tile.ts";
import type { Tile } from "#protocol/tile.ts";

type TileLie = (tile: Tile, forged: Uint8Array) => Lie;

/** The forged record, tiles that agree with it up to a level, and what else is done to tiles. */
function forged(upTo: number, { log = honestLog, lie }: { log?: SparseLog; lie?: TileLie } = {}): Lies {
  const twin = log.with({ texts: { [helloNumber]: recordOf(evil) } });
  return {
    ...about(async () => answer(helloNumber, recordOf(evil), await headOf(log)), log),
    tile: async (tile) => {
      const bytes = await tileOf(isOnTheWay(tile) && tile.level <= upTo ? twin : log, tile);
      const other = bytes === undefined ? undefined : lie?.(tile, bytes);
      return other ?? (isOnTheWay(tile) && tile.level <= upTo ? bytes : undefined);
    },
  };
}

const levels = [0, 1, 2, 3];
const places = ["the lowest level", "level 1", "level 2", "the top level, which lies on the tree's edge"];

/** Where the tree's edge is, the partial tile of the lowest level. */
const isEdge = (tile: Tile): boolean => tile.level === 0 && tile.index === Math.floor(plainSize / 256);

export const evilTiles: readonly EvilMode[] = [
  ...levels.map((level) => ({
    name: `forged-tile-${level}`,
    what: `A forged record, and forged tiles that agree with it up to ${places[level]}.`,
    lies: () => forged(level),
  })),
  {
    name: "forged-unchecked-tile",
    what: "The same on the lowest level alone, in a tree whose edge has several subtrees in one tile: the tiles after it went unchecked.",
    hole: "CVE-2026-56865",
    lies: () => forged(0, { log: honestLog.with({ size: plainSize + 254 }) }),
  },
  ...levels.map((level) => ({
    name: `truncated-tile-${level}`,
    what: `Forged tiles as before; half of the bytes are missing in the one of ${places[level]}.`,
    lies: () =>
      forged(level, {
        lie: (tile, bytes) => (isOnTheWay(tile, level) ? bytes.subarray(0, bytes.length / 2) : undefined),
      }),
  })),
  {
    name: "partial-as-full",
    what: "404 for the partial tile of the tree's edge, and its few hashes as the full tile.",
    lies: () =>
      forged(2, {
        lie: (tile, bytes) => (isEdge(tile) && !isFullTile(tile) ? "absent" : isEdge(tile) ? bytes : undefined),
      }),
  },
  {
    name: "wrong-width",
    what: "Two hashes more in the partial tile of the tree's edge than its name says.",
    lies: () =>
      forged(2, { lie: (tile, bytes) => (isEdge(tile) ? Buffer.concat([bytes, Buffer.alloc(64)]) : undefined) }),
  },
  {
    name: "endless-tile",
    what: "A tile that has no end.",
    lies: () => forged(0),
    endless: /\/tile\/8\/0\/003$/,
  },
];
