// What the go command does with the checksum database of a `file://` proxy (x/mod sumdb/client.go, protocol
// reference §5.5), over the keys of a Storage and nothing else.

import assert from "node:assert/strict";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import type { Verifier } from "#protocol/note.ts";
import { findSums, parseLookup, type Sums } from "#protocol/record.ts";
import { formatTilePath, fullTile, type Tile } from "#protocol/tile.ts";
import { emptyRoot, hashSize, isEqualHash, recordHash, storedHashIndex, treeHash, type Tree } from "#protocol/tlog.ts";
import { readHashes, treeReader } from "#protocol/tree-reader.ts";
import { lookupKey } from "#services/sumdb/layout.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { PlainStorage } from "./plain-storage.ts";

export class FileProxyClient {
  readonly #storage: PlainStorage;
  readonly #verifier: Verifier;
  readonly #cache = new Map<string, Uint8Array>();
  latest: Tree = { size: 0, root: emptyRoot() };

  constructor(storage: PlainStorage, verifier: Verifier) {
    this.#storage = storage;
    this.#verifier = verifier;
  }

  async lookup(id: ModuleVersion): Promise<Sums> {
    assert.ok(this.#storage.objects.has(`modules/sumdb/${this.#verifier.name}/supported`), "not a database's mirror");
    const kept = this.#storage.objects.get(lookupKey(this.#verifier.name, id));
    assert.ok(kept, `${id.path} is not kept`);
    const { id: number, text, checkpointNote } = parseLookup(kept.bytes);
    await this.#merge(openCheckpoint(checkpointNote, this.#verifier));
    assert.ok(number < this.latest.size);
    const [hash] = await readHashes(this.latest, this.#tiles(), [storedHashIndex(0, number)]);
    assert.ok(isEqualHash(hash!, recordHash(text)), "the record is not in the log");
    return findSums(text, id.path, id.version);
  }

  async #merge(head: Tree): Promise<void> {
    const [older, newer] = head.size <= this.latest.size ? [head, this.latest] : [this.latest, head];
    const root = await treeHash(older.size, treeReader(newer, this.#tiles()));
    assert.ok(isEqualHash(root, older.root), "fork");
    this.latest = newer;
  }

  #tiles() {
    return {
      height: 8,
      readTiles: (tiles: readonly Tile[]) => Promise.all(tiles.map((tile) => Promise.resolve(this.#tile(tile)))),
      saveTiles: (tiles: readonly Tile[], data: readonly Uint8Array[]) => {
        tiles.forEach((tile, i) => this.#cache.set(formatTilePath(tile), data[i]!));
      },
    };
  }

  /** Exactly the tile, else the full one: from its own cache, then from the proxy. */
  #tile(tile: Tile): Uint8Array {
    const paths = [formatTilePath(tile), formatTilePath(fullTile(tile))];
    const cached = paths.map((path) => this.#cache.get(path));
    const served = paths.map(
      (path) => this.#storage.objects.get(`modules/sumdb/${this.#verifier.name}/${path}`)?.bytes,
    );
    const bytes = [...cached, ...served].find((each) => each !== undefined);
    assert.ok(bytes, `${paths[0]} is not kept`);
    return bytes.subarray(0, tile.width * hashSize);
  }
}
