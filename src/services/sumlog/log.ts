// An own log: append-only, signed, on any Storage that never overwrites.
//
// Appending is creating the commit that follows the present size, under the size as its key. Of two processes that
// try, one creates it; the other reads what came and goes on from there. So the log has one history, whoever writes,
// and a head is only ever signed for what that history already holds. The size is the fencing token: whoever was
// asleep while the log went on finds its key taken or, when that commit was cleared away, a newer head.
//
//   create commit ─> full tiles ─> create head ─> acknowledge
//
// A crash anywhere leaves the log at a commit; the next reader does what the commit still needs.

import { formatTree, openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { signNote, type Signer } from "#protocol/note.ts";
import type { LogRecord } from "#protocol/record.ts";
import { tileWidth, type Tile } from "#protocol/tile.ts";
import { isEqualHash, proveTree, recordHash, type Hash } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import { maxCommitBytes, maxCommitRecords, type Commit } from "./commit.ts";
import { maxPendingRecords, SumLogError } from "./errors.ts";
import { History, type State } from "./history.ts";
import { KeptNumbers } from "./kept-numbers.ts";
import type { HeadMemory } from "./ports.ts";
import type { InTurn } from "./sequencer.ts";
import { keyOf } from "./sums-text.ts";
import { height, tileRecords } from "./tiles.ts";

export type SumLogUse = {
  readonly signer: Signer;
  readonly storage: Storage;
  /** Nothing but the store remembers what was signed when it is absent. */
  readonly memory?: HeadMemory;
  /** Called whenever a newer head is signed; must not throw, and is not waited for. */
  readonly onGrowth?: () => void;
  /** Where several nodes append to one log: lets one at a time do so. It changes how much is done in vain, and nothing else. */
  readonly turn?: InTurn | undefined;
  /** Waits a moment: called after a commit of ours while others append too, so that they get their turn. */
  readonly giveWay?: (() => Promise<void>) | undefined;
};

/** Commits of others that may lie there before they are cleared away; our own ones are at once. */
const maxUncleared = 64;

/** A commit takes no more when it holds so much: far below what a commit may have. */
const enoughCommitBytes = maxCommitBytes / 4;

type Pending = {
  readonly key: string;
  readonly text: string;
  readonly done: (number: number) => void;
  readonly failed: (error: unknown) => void;
};

/** A state whose head covers all of it. */
type Signed = State & { readonly head: Checkpoint };

export class SumLog {
  readonly name: string;
  readonly #signer: Signer;
  readonly #memory: HeadMemory | undefined;
  readonly #history: History;
  readonly #numbers: KeptNumbers;
  readonly #onGrowth: () => void;
  readonly #turn: InTurn;
  readonly #giveWay: () => Promise<void>;
  #hasOthers = false;
  /** Undefined until it is read, and again when something failed half-way. */
  #state: Signed | undefined;
  readonly #pending: Pending[] = [];
  #work: Promise<unknown> = Promise.resolve();
  #isDraining = false;

  constructor({
    signer,
    storage,
    memory,
    onGrowth = () => undefined,
    turn = (work) => work(),
    giveWay = () => Promise.resolve(),
  }: SumLogUse) {
    this.name = signer.verifier.name;
    this.#signer = signer;
    this.#memory = memory;
    this.#onGrowth = onGrowth;
    this.#turn = turn;
    this.#giveWay = giveWay;
    this.#history = new History(signer.verifier, storage);
    this.#numbers = new KeptNumbers(this.name, storage);
  }

  /** Records under the newest head; undefined while the log is not read. */
  get size(): number | undefined {
    return this.#state?.head.size;
  }

  /**
   * Appends the record of `key` (`path@version`), unless the log has one of it. Resolves to the record's number when a
   * signed head covers it: what is acknowledged is in the log. Throws SumLogError.
   */
  async append(key: string, text: string): Promise<number> {
    if (this.#pending.length >= maxPendingRecords)
      throw new SumLogError("SUMLOG_FULL", this.name, `${maxPendingRecords} records wait to be appended`);
    return await new Promise<number>((done, failed) => {
      this.#pending.push({ key, text, done, failed });
      void this.#drain();
    });
  }

  /** The record of `key`; undefined when the log, as far as it was read, has none. Throws SumLogError. */
  async find(key: string): Promise<LogRecord | undefined> {
    return await this.#findIn(await this.#current(), key);
  }

  /** The newest signed head that was read or written here. Throws SumLogError. */
  async head(): Promise<Checkpoint> {
    return (await this.#current()).head;
  }

  /** Reads what other processes have appended. */
  async refresh(): Promise<void> {
    await this.#alone(() => this.#caughtUp());
  }

  /** The bytes of a hash tile; undefined beyond the newest head. Throws SumLogError. */
  async hashTile(tile: Tile): Promise<Uint8Array | undefined> {
    const { frontier, head } = await this.#current();
    const isThere = tile.height === height && tile.level >= 0 && tile.width <= tileWidth(tile, head.size);
    return isThere ? await this.#history.tiles.read(tile, frontier) : undefined;
  }

  /** The texts of a data tile's records; undefined beyond the newest head. Throws SumLogError. */
  async records(tile: Tile): Promise<readonly string[] | undefined> {
    const state = await this.#current();
    if (tile.height !== height || tile.width > tileWidth(tile, state.head.size)) return undefined;
    return (await this.#history.recordsAt(state, tile.index)).slice(0, tile.width);
  }

  /** That the first `oldSize` records are the beginning of the newest head's. Throws BAD_PROOF for a size beyond it. */
  async prove(oldSize: number): Promise<{ readonly head: Checkpoint; readonly proof: readonly Hash[] }> {
    const { head } = await this.#current();
    return { head, proof: await this.proof(oldSize, head.size) };
  }

  /** That the first `oldSize` records are the beginning of the first `size`. Throws BAD_PROOF, RangeError beyond the log. */
  async proof(oldSize: number, size: number): Promise<readonly Hash[]> {
    const state = await this.#current();
    if (size > state.head.size) throw new RangeError(`${this.name} has ${state.head.size} records, not ${size}`);
    return oldSize === 0 ? [] : await proveTree(size, oldSize, this.#history.readerOf(state));
  }

  async #current(): Promise<Signed> {
    return this.#state ?? (await this.#alone(() => this.#load()));
  }

  /** Loading, following and appending take turns. */
  async #alone<T>(job: () => Promise<T>): Promise<T> {
    const next = this.#work.then(job, job);
    this.#work = next.catch(() => undefined);
    return await next;
  }

  /** Whoever appends while a commit is being written is part of the next one. */
  async #drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    while (this.#pending.length > 0) {
      this.#hasOthers = false;
      await this.#alone(async () => {
        const batch = this.#takeBatch();
        try {
          await this.#turn(() => this.#append(batch));
        } catch (error) {
          this.#state = undefined;
          for (const { failed } of batch) failed(error);
        }
      });
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- #caughtUp() sets it
      if (this.#hasOthers) await this.#giveWay().catch(() => undefined);
    }
    this.#isDraining = false;
  }

  #takeBatch(): Pending[] {
    let bytes = 0;
    const end = this.#pending.findIndex(({ text }, i) => {
      bytes += 2 * text.length;
      return i === maxCommitRecords || (i > 0 && bytes > enoughCommitBytes);
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end);
  }

  async #append(batch: readonly Pending[]): Promise<void> {
    for (;;) {
      const state = await this.#caughtUp();
      const { numbers, texts } = await this.#sort(state, batch);
      if (texts.length > 0) {
        const next = state.frontier.copy();
        for (const text of texts) next.append(recordHash(text));
        const commit = { from: state.frontier.size, texts, root: next.tree().root };
        if (!(await this.#history.commit(commit))) continue;
        await this.#goOn(state, commit, { isOurs: true });
      }
      for (const { key, done } of batch) done(numbers.get(key) ?? NaN);
      return;
    }
  }

  /** The numbers that the keys have or will have, and the texts to append for it. */
  async #sort(
    state: Signed,
    batch: readonly Pending[],
  ): Promise<{ readonly numbers: ReadonlyMap<string, number>; readonly texts: readonly string[] }> {
    const numbers = new Map<string, number>();
    const texts: string[] = [];
    for (const { key, text } of batch) {
      if (numbers.has(key)) continue;
      const known = await this.#findIn(state, key);
      numbers.set(key, known?.id ?? state.frontier.size + texts.length);
      if (known === undefined) texts.push(text);
    }
    return { numbers, texts };
  }

  /** The log with everything that anybody has appended. */
  async #caughtUp(): Promise<Signed> {
    for (;;) {
      const state = await this.#load();
      const next = await this.#history.next(state.frontier.size);
      if (next === undefined) return state;
      if (next === "unsure") this.#state = undefined;
      else {
        this.#hasOthers = true;
        await this.#goOn(state, next, { isOurs: false });
      }
    }
  }

  async #goOn(state: Signed, commit: Commit, { isOurs }: { readonly isOurs: boolean }): Promise<void> {
    this.#state = undefined; // until all of it is done
    const fresh = await this.#history.apply(state, commit);
    this.#numbers.add(state.frontier.size - fresh.length, fresh);
    const signed = { ...state, head: await this.#sign(state) };
    this.#state = signed;
    this.#onGrowth();
    // Whoever wrote it tidies up.
    if (!isOurs && signed.commits.length <= maxUncleared) return;
    await this.#history.clear(signed);
    await this.#numbers.save();
  }

  async #load(): Promise<Signed> {
    if (this.#state !== undefined) return this.#state;
    // First: another process may go on, and remember more, while the log is read.
    const remembered = await this.#memory?.recall();
    const state = await this.#history.read();
    await this.#checkMemory(state, remembered);
    await this.#numbers.load(state.frontier.size, (index) => this.#history.recordsAt(state, index));
    const isCovered = state.head !== undefined && state.head.size === state.frontier.size;
    const signed = { ...state, head: isCovered && state.head ? state.head : await this.#sign(state) };
    // Whoever signed it may have died before it was remembered, and clients will see it now.
    if (isCovered) await this.#memory?.remember(signed.head.bytes);
    this.#state = signed;
    return signed;
  }

  async #sign({ frontier }: State): Promise<Checkpoint> {
    const head = await this.#history.keepHead(Buffer.from(signNote(formatTree(frontier.tree()), [this.#signer])));
    await this.#memory?.remember(head.bytes);
    return head;
  }

  /** The store may have been set back or made anew, while clients have seen more. Throws SUMLOG_RESET. */
  async #checkMemory(state: State, remembered: Uint8Array | undefined): Promise<void> {
    if (remembered === undefined) return;
    const { size, root } = openCheckpoint(remembered, this.#signer.verifier);
    if (size > state.frontier.size)
      throw this.#reset(`it has ${state.frontier.size} records, and this key has signed ${size}`);
    if (size > 0 && !isEqualHash(await this.#history.rootAt(state, size), root))
      throw this.#reset(`its first ${size} records are not those that this key has signed`);
  }

  async #findIn(state: State, key: string): Promise<LogRecord | undefined> {
    for (const id of this.#numbers.find(key)) {
      if (id >= state.frontier.size) continue;
      const text = (await this.#history.recordsAt(state, Math.floor(id / tileRecords)))[id % tileRecords];
      if (text !== undefined && keyOf(text) === key) return { id, text };
    }
    return undefined;
  }

  #reset(message: string): SumLogError {
    return new SumLogError("SUMLOG_RESET", this.name, message);
  }
}
