// The body of `POST /-/api/sumdb/heads`: tree heads, and tiles that prove them.
//
//     { "heads": [{ "from": "…", "note": "go.sum database tree\n…" }],
//       "tiles": { "sum.golang.org": { "tile/8/0/001": "BASE64" } } }

import { GranaryError } from "#services/errors/granary-error.ts";
import type { FindTile, Offer } from "#services/sumdb/offered.ts";

/** A hundred heads with some twenty tiles of 8 KiB each would be less than half of it. */
export const maxOfferBytes = 4 * 1024 * 1024;
const maxHeads = 1_000;
const maxFromLetters = 1_000;

/** Throws GRANARY_BAD_REQUEST. */
export function parseOffer(text: string): Offer {
  const body = objectIn(parseJson(text), "the body");
  const { heads, tiles } = body;
  if (!Array.isArray(heads) || heads.length > maxHeads) throw bad(`"heads" is no list of at most ${maxHeads}`);
  return {
    heads: heads.map((head, n) => {
      const { from = String(n), note } = objectIn(head, `heads[${n}]`);
      if (typeof note !== "string" || typeof from !== "string") throw bad(`heads[${n}] needs a "note"`);
      return { note, from: from.slice(0, maxFromLetters) };
    }),
    tiles: new Map(Object.entries(objectIn(tiles ?? {}, `"tiles"`)).map(([name, of]) => [name, tilesIn(name, of)])),
  };
}

function tilesIn(name: string, value: unknown): FindTile {
  const byPath = new Map(
    Object.entries(objectIn(value, `the tiles of ${name}`)).map(([path, base64]) => {
      if (typeof base64 !== "string") throw bad(`${path} is no base64`);
      return [path, Buffer.from(base64, "base64")] as const;
    }),
  );
  return (path) => Promise.resolve(byPath.get(path));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bad("the body is no JSON");
  }
}

function objectIn(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${what} is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function bad(reason: string): GranaryError {
  return new GranaryError("GRANARY_BAD_REQUEST", { target: "/-/api/sumdb/heads", reason });
}
