// A log as large as the real one, for a database that lies: a few records that matter, and the same filler record at
// every other place, so that a hash of sixteen million records costs as much as one of twenty.
import { nodeHash, recordHash, splitStoredHashIndex, treeHash } from "#protocol/tlog.ts";
import type { Hash, HashReader } from "#protocol/tlog.ts";

const filler = "example.com/filler v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

/** Hashes of complete subtrees of filler, by level. */
const fillerHashes: Hash[] = [recordHash(filler)];

export class SparseLog {
  readonly size: number;
  readonly #texts: ReadonlyMap<number, string>;
  readonly #hashes = new Map<string, Hash>();
  readonly reader: HashReader = (indexes) => Promise.resolve(indexes.map((index) => this.#stored(index)));

  /** @param texts the records that are no filler, by number */
  constructor(size: number, texts: ReadonlyMap<number, string>) {
    this.size = size;
    this.#texts = texts;
  }

  /** The same log with other records at some places, or of another size. */
  with(change: { readonly size?: number; readonly texts?: Readonly<Record<number, string>> }): SparseLog {
    const texts = Object.entries(change.texts ?? {}).map(([number, text]) => [Number(number), text] as const);
    return new SparseLog(change.size ?? this.size, new Map([...this.#texts, ...texts]));
  }

  /** The number and the text of the record that starts with `name` (`path version `). */
  find(name: string): { readonly id: number; readonly text: string } | undefined {
    const found = [...this.#texts].find(([id, text]) => id < this.size && text.startsWith(name));
    return found === undefined ? undefined : { id: found[0], text: found[1] };
  }

  /** The root of the first `size` records. */
  async root(size = this.size): Promise<Hash> {
    return await treeHash(size, this.reader);
  }

  #stored(index: number): Hash {
    const { level, n } = splitStoredHashIndex(index);
    return this.#hash(level, n);
  }

  #hash(level: number, n: number): Hash {
    const [from, to] = [n * 2 ** level, (n + 1) * 2 ** level];
    if (![...this.#texts.keys()].some((number) => number >= from && number < to)) return fillerHash(level);
    const name = `${level}/${n}`;
    const known = this.#hashes.get(name);
    if (known !== undefined) return known;
    const hash =
      level === 0
        ? recordHash(this.#texts.get(n) ?? filler)
        : nodeHash(this.#hash(level - 1, 2 * n), this.#hash(level - 1, 2 * n + 1));
    this.#hashes.set(name, hash);
    return hash;
  }
}

function fillerHash(level: number): Hash {
  const known = fillerHashes[level];
  if (known !== undefined) return known;
  const below = fillerHash(level - 1);
  return (fillerHashes[level] = nodeHash(below, below));
}
