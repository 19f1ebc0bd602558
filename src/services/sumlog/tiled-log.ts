// An own log in the form of C2SP tlog-tiles, for monitors and witnesses. The tree is the same; the checkpoint names the
// log, and carries what witnesses signed of it.

import { signNote, type Signer } from "#protocol/note.ts";
import type { Tile } from "#protocol/tile.ts";
import type { Tree } from "#protocol/tlog.ts";
import { formatEntries, formatOriginTree } from "#protocol/tlog-tiles.ts";
import type { SumLog } from "./log.ts";

/** Says which checkpoint is shown, where witnesses have a say in that. */
export interface Publisher {
  checkpoint(): Promise<Uint8Array>;
}

export class TiledLog {
  readonly name: string;
  readonly #log: SumLog;
  readonly #signer: Signer;
  readonly #publisher: Publisher | undefined;
  readonly #beforeShown: () => Promise<void>;

  constructor(use: {
    readonly log: SumLog;
    readonly signer: Signer;
    readonly publisher?: Publisher | undefined;
    /** What must be done before a checkpoint is shown; called for each. */
    readonly beforeShown?: (() => Promise<void>) | undefined;
  }) {
    this.name = use.log.name;
    this.#log = use.log;
    this.#signer = use.signer;
    this.#publisher = use.publisher;
    this.#beforeShown = use.beforeShown ?? (() => Promise.resolve());
  }

  /** The newest checkpoint; with witnesses, the newest that enough of them cosigned. Throws SumLogError. */
  async checkpoint(): Promise<Uint8Array> {
    await this.#beforeShown();
    if (this.#publisher !== undefined) return await this.#publisher.checkpoint();
    const text = checkpointText(this.name, await this.#log.head());
    return Buffer.from(signNote(text, [this.#signer]));
  }

  /** The bytes of a tile, or of an entry bundle for level -1; undefined beyond the newest head. Throws SumLogError. */
  async tile(tile: Tile): Promise<Uint8Array | undefined> {
    if (tile.level >= 0) return await this.#log.hashTile(tile);
    const texts = await this.#log.records(tile);
    return texts && formatEntries(texts);
  }
}

/** A log's origin is its name. */
export function checkpointText(name: string, { size, root }: Tree): string {
  return formatOriginTree({ origin: name, size, root });
}
