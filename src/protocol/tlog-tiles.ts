// The same log in the form of C2SP tlog-tiles, for monitors and witnesses: a checkpoint that names its log, tiles
// without a height in their paths, entries with their lengths before them.
// Sources: c2sp.org/tlog-checkpoint, c2sp.org/tlog-tiles.

import { decodeBase64, encodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";
import { formatTilePath, parseTilePath, type Tile } from "./tile.ts";
import { hashSize, maxTreeSize, type Tree } from "./tlog.ts";

/** A tree and whose it is. */
export type OriginTree = Tree & { readonly origin: string };

/** The text of a checkpoint. */
export function formatOriginTree({ origin, size, root }: OriginTree): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Parses the text of a checkpoint, or throws BAD_CHECKPOINT. Lines after the third are extensions: ignored. */
export function parseOriginTree(text: string): OriginTree {
  const [origin = "", size = "", root = "", ...rest] = text.split("\n", 4);
  const hash = decodeBase64(root);
  const isSound = origin !== "" && rest.length > 0 && /^(0|[1-9][0-9]*)$/.test(size) && hash?.length === hashSize;
  if (!isSound || Number(size) > maxTreeSize) throw new ProtocolError("BAD_CHECKPOINT", "malformed checkpoint");
  return { origin, size: Number(size), root: hash };
}

/** `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`; entries have level -1. BAD_TILE for any other spelling. */
export function parseTilesPath(path: string): Tile {
  const [, level = "", rest = ""] = /^tile\/([^/]*)\/(.*)$/.exec(path) ?? [];
  if (level === "data") throw new ProtocolError("BAD_TILE", "malformed tile path");
  return parseTilePath(`tile/${height}/${level === "entries" ? "data" : level}/${rest}`);
}

/** The path of a tile of height 8. */
export function formatTilesPath(tile: Tile): string {
  const rest = formatTilePath(tile).slice(`tile/${height}/`.length);
  return `tile/${rest.replace(/^data/, "entries")}`;
}

/** The bytes of an entry bundle. Throws RangeError for an entry that is longer than its length can say. */
export function formatEntries(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const entry = Buffer.from(text);
      if (entry.length > maxEntryBytes) throw new RangeError(`an entry of ${entry.length} bytes`);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** The entries of a bundle. Throws BAD_TILE when the last one is not whole. */
export function parseEntries(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + 2;
    const end = start + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) throw new ProtocolError("BAD_TILE", "an entry of the bundle is cut off");
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return entries;
}

/** Longest entry of a bundle. */
export const maxEntryBytes = 0xffff;

/** The specification knows no other. */
const height = 8;
