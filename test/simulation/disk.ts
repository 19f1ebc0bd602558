// A disk that crashes. It outlives processes; each process reaches it through a storage of its own.
//
// A change is made (others see it), then it is durable, then it is acknowledged. When a process is killed, what was made
// stays; when the power goes, what was made and is not durable stays or not, by a coin. Stages never stay.
import { createHash } from "node:crypto";
import type { StorageKey } from "#services/store/ports.ts";
import type { Chance } from "./chance.ts";

/** The bytes of one object. Rot changes them in place; a writer makes another one. */
export type Inode = {
  readonly bytes: Uint8Array;
  token: string;
  modifiedMs: number;
  /** Not what was written. */
  isRotten: boolean;
  /** In hexadecimal, of what was written; made when it is asked for. */
  sha256: string | undefined;
};

type Change = { readonly key: StorageKey; readonly before: Inode | undefined; readonly after: Inode | undefined };

/** A bad while: some calls fail. `full` fails what needs room, `eio` anything. */
export type Sickness = { readonly kind: "eio" | "full"; readonly share: number; readonly untilMs: number };

export class Disk {
  readonly #objects = new Map<StorageKey, Inode>();
  /** How many objects lie below each folder: a disk cannot hold `a` and `a/b`. */
  readonly #folders = new Map<string, number>();
  /** Made, and not durable yet, in this order. */
  #volatile: Change[] = [];
  #writes = 0;
  readonly #now: () => number;
  sickness: Sickness | undefined;
  /** Told after each change, before it is durable. */
  changed: () => void = () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  find(key: StorageKey): Inode | undefined {
    return this.#objects.get(key);
  }

  /** Keys in the order in which they were made. */
  keys(): StorageKey[] {
    return [...this.#objects.keys()];
  }

  /** What is in the way of `key`. */
  clash(key: StorageKey): StorageKey | undefined {
    if ((this.#folders.get(key) ?? 0) > 0) return key;
    return foldersOf(key).find((folder) => this.#objects.has(folder));
  }

  newInode(bytes: Uint8Array): Inode {
    this.#writes++;
    const token = String(this.#writes);
    return { bytes: new Uint8Array(bytes), token, modifiedMs: this.#now(), isRotten: false, sha256: undefined };
  }

  /** Makes a change; returns what makes it durable. */
  change(key: StorageKey, after: Inode | undefined): () => void {
    const change = { key, before: this.#objects.get(key), after };
    this.#set(key, after);
    this.#volatile.push(change);
    return () => (this.#volatile = this.#volatile.filter((each) => each !== change));
  }

  /** The power goes. Returns the keys whose last change is lost. */
  losePower(chance: Chance): StorageKey[] {
    const lost: StorageKey[] = [];
    for (const { key, before, after } of this.#volatile.reverse()) {
      // A later change of the same name was durable, or was kept by the coin: the earlier one is part of it.
      if (this.#objects.get(key) !== after || chance.is(0.5)) continue;
      this.#set(key, before);
      lost.push(key);
    }
    this.#volatile = [];
    return lost;
  }

  /** The process is killed: the system goes on, and writes what it has. */
  loseProcess(): void {
    this.#volatile = [];
  }

  /** Flips a bit of an object. Its token tells when somebody wrote it, and does not when it rots in silence. */
  rot(key: StorageKey, chance: Chance, { isSilent }: { readonly isSilent: boolean }): boolean {
    const inode = this.#objects.get(key);
    if (inode === undefined || inode.bytes.length === 0) return false;
    inode.sha256 ??= sha256Of(inode.bytes);
    const at = chance.below(inode.bytes.length);
    inode.bytes[at] = (inode.bytes[at] ?? 0) ^ (1 << chance.below(8));
    inode.isRotten = true;
    if (!isSilent) {
      this.#writes++;
      inode.token = String(this.#writes);
      inode.modifiedMs = this.#now();
    }
    return true;
  }

  /** Removes an object at once and for good, as another process would. */
  drop(key: StorageKey): boolean {
    if (!this.#objects.has(key)) return false;
    this.#volatile = this.#volatile.filter((change) => change.key !== key);
    this.#set(key, undefined);
    return true;
  }

  #set(key: StorageKey, inode: Inode | undefined): void {
    const step = Number(inode !== undefined) - Number(this.#objects.has(key));
    if (inode === undefined) this.#objects.delete(key);
    else this.#objects.set(key, inode);
    if (step !== 0)
      for (const folder of foldersOf(key)) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + step);
  }
}

/** `a/b/c` lies in `a` and in `a/b`. */
function foldersOf(key: StorageKey): StorageKey[] {
  const folders: StorageKey[] = [];
  for (let at = key.indexOf("/"); at >= 0; at = key.indexOf("/", at + 1)) folders.push(key.slice(0, at) as StorageKey);
  return folders;
}

/** What was written, whatever became of it. */
export function writtenSha256(inode: Inode): string {
  inode.sha256 ??= sha256Of(inode.bytes);
  return inode.sha256;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
