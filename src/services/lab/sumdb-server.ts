// A checksum database in memory, with a key of its own: what tests and the demo put behind HTTP. It signs honestly;
// `tamper` lies on its behalf, and `fork` makes a second log that the same key signs.

import { randomBytes } from "node:crypto";
import { formatTree } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { generateKey, parseSignerKey, signNote, type Signer } from "#protocol/note.ts";
import { formatDataTile, formatRecord } from "#protocol/record.ts";
import { parseTarget } from "#protocol/request.ts";
import { parseTilePath, readTileData, tileWidth } from "#protocol/tile.ts";
import { storedHashes, treeHash, type Hash, type HashReader } from "#protocol/tlog.ts";
import type { ModuleVersion } from "#protocol/version.ts";

export type DatabaseAnswer = { readonly status: number; readonly contentType: string; readonly bytes: Uint8Array };

/** What to answer instead of the honest `answer`. */
export type Tamper = (path: string, answer: DatabaseAnswer) => DatabaseAnswer;

export class TestDatabase {
  readonly name: string;
  /** For GOSUMDB. */
  readonly verifierKey: string;
  /** Applied to every answer. */
  tamper: Tamper | undefined;
  /** The size of the head that answers carry; undefined: the whole log. A lookup's head covers its record anyway. */
  headSize: number | undefined;
  /** Every path asked, in order. */
  readonly asked: string[] = [];
  readonly #seed: Uint8Array;
  readonly #signer: Signer;
  readonly #texts: string[] = [];
  readonly #hashes: Hash[] = [];
  /** Record numbers by `path@version`. */
  readonly #numbers = new Map<string, number>();
  readonly #reader: HashReader = (indexes) => Promise.resolve(indexes.map((index) => this.#hashAt(index)));

  /** @param options.seed 32 bytes; the same seed makes the same key */
  constructor({ name, seed = randomBytes(32) }: { readonly name: string; readonly seed?: Uint8Array }) {
    const keys = generateKey(name, seed);
    this.name = name;
    this.verifierKey = keys.verifierKey;
    this.#seed = seed;
    this.#signer = parseSignerKey(keys.signerKey);
  }

  /** Number of records. */
  get size(): number {
    return this.#texts.length;
  }

  /** Appends a record and returns its number. Lookups find it by the path and version its first line starts with. */
  async add(text: string): Promise<number> {
    const number = this.#texts.length;
    formatRecord({ id: number, text });
    this.#hashes.push(...(await storedHashes(number, text, this.#reader)));
    this.#texts.push(text);
    const [path = "", version = ""] = text.split(" ", 2);
    this.#numbers.set(`${path}@${version}`, number);
    return number;
  }

  /** Appends the record of a module version, given its `h1:` hashes. */
  async addModule(id: ModuleVersion, { zip, mod }: { readonly zip: string; readonly mod: string }): Promise<number> {
    return await this.add(`${id.path} ${id.version} ${zip}\n${id.path} ${id.version}/go.mod ${mod}\n`);
  }

  /** A database of the same name and key whose log is this one's up to `size` records. */
  async fork(size: number): Promise<TestDatabase> {
    const twin = new TestDatabase({ name: this.name, seed: this.#seed });
    for (const text of this.#texts.slice(0, size)) await twin.add(text);
    return twin;
  }

  /** The signed head of the log's first `size` records. */
  async head(size = this.size): Promise<string> {
    return this.sign(formatTree({ size, root: await treeHash(size, this.#reader) }));
  }

  /** Signs any text: a database can sign nonsense too. */
  sign(text: string): string {
    return signNote(text, [this.#signer]);
  }

  /** Answers a path below the database's root as it is on the wire: `/lookup/…`, `/tile/8/…`, `/latest`, `/supported`. */
  async answer(path: string): Promise<DatabaseAnswer> {
    this.asked.push(path);
    const answer = await this.#answerHonestly(path);
    return this.tamper === undefined ? answer : this.tamper(path, answer);
  }

  async #answerHonestly(path: string): Promise<DatabaseAnswer> {
    try {
      return await this.#find(path);
    } catch (error) {
      if (error instanceof ProtocolError) return failure(400, error.message);
      throw error;
    }
  }

  async #find(path: string): Promise<DatabaseAnswer> {
    const target = parseTarget(`/sumdb/${this.name}${path}`);
    if (target.kind !== "sumdb") return failure(404, "not found");
    const { endpoint } = target;
    switch (endpoint.kind) {
      case "supported":
        return found("");
      case "latest":
        return found(await this.head(this.headSize));
      case "lookup":
        return await this.#lookup(`${endpoint.path}@${endpoint.version}`);
      case "tile":
        return await this.#tile(endpoint.text);
    }
  }

  async #lookup(name: string): Promise<DatabaseAnswer> {
    const id = this.#numbers.get(name);
    const text = this.#texts[id ?? -1];
    if (id === undefined || text === undefined) return failure(404, `not found: ${name}`);
    const head = await this.head(Math.max(this.headSize ?? this.size, id + 1));
    return found(`${Buffer.from(formatRecord({ id, text })).toString()}${head}`);
  }

  async #tile(path: string): Promise<DatabaseAnswer> {
    const tile = parseTilePath(path);
    if (tileWidth(tile, this.size) < tile.width) return failure(404, "no such tile yet");
    const first = tile.index * 2 ** tile.height;
    const bytes =
      tile.level === -1
        ? formatDataTile(this.#texts.slice(first, first + tile.width))
        : await readTileData(tile, this.#reader);
    return { status: 200, contentType: "application/octet-stream", bytes };
  }

  #hashAt(index: number): Hash {
    const hash = this.#hashes[index];
    if (hash === undefined) throw new RangeError(`no hash ${index}`);
    return hash;
  }
}

const plain = "text/plain; charset=utf-8";

function found(text: string): DatabaseAnswer {
  return { status: 200, contentType: plain, bytes: Buffer.from(text) };
}

function failure(status: number, text: string): DatabaseAnswer {
  return { status, contentType: plain, bytes: Buffer.from(`${text}\n`) };
}
