// An own checksum database's log on its way into another store: as far as one signed head, which is made last. A target that
// has more stays as it is, one that has another log too.

import { TargetDiffers } from "./_move-files.ts";
import type { Carrier } from "./_move-files.ts";
import { reading } from "./_snapshot-copy.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import type { LogCopies, LogRestores, LogVerdict } from "./snapshot-logs.ts";

export type LogMoves = LogCopies & Pick<LogRestores, "judge">;

export type LogMoved = { readonly name: string; readonly verdict: LogVerdict };

/** A log that moves on while it is copied, so often in a row, is being written by somebody gone mad. */
const maxTries = 100;

/** Undefined before the source's first head. Throws Unreadable, StoreDamaged, TargetDiffers, TargetWrong, StoreUnavailable. */
export async function moveLog(
  name: string,
  use: {
    readonly logs: LogMoves;
    readonly from: Storage;
    readonly to: Storage;
    readonly carrier: Carrier;
    readonly isDry: boolean;
  },
): Promise<LogMoved | undefined> {
  const { logs, from, to } = use;
  for (let tries = 0; tries < maxTries; tries++) {
    const plan = await reading(() => logs.plan(from, name));
    if (plan === undefined) return undefined;
    if (typeof plan === "string") return { name, verdict: { is: "unsound", reason: plan } };
    const verdict = await logs.judge(name, new Some(plan.keys, from), to);
    // What was cleared away meanwhile lies under a newer head.
    if (verdict.is === "unsound" && (await hasMovedOn(plan.size, name, use))) continue;
    if (verdict.is !== "restore" || use.isDry) return { name, verdict };
    if (await carryAll(plan.keys, use)) {
      for (const key of logs.early(name)) await carryCosigned(key, use);
      return { name, verdict };
    }
  }
  return { name, verdict: { is: "unsound", reason: "it moves on faster than it can be copied" } };
}

async function hasMovedOn(
  size: number,
  name: string,
  { logs, from }: { readonly logs: LogMoves; readonly from: Storage },
): Promise<boolean> {
  const plan = await logs.plan(from, name);
  return typeof plan === "object" && plan.size !== size;
}

/** In the other order than they were read: the head last. False when one is gone. Throws TargetDiffers. */
async function carryAll(
  keys: readonly StorageKey[],
  { carrier, to }: { readonly carrier: Carrier; readonly to: Storage },
): Promise<boolean> {
  for (const key of keys.toReversed()) {
    const ours = await carrier.bytes(key, maxLogFileBytes);
    if (ours === undefined) return false;
    const theirs = await to.get(key, maxLogFileBytes);
    if (theirs === undefined) await carrier.write(key, ours.bytes);
    else if (Buffer.compare(theirs.bytes, ours.bytes) === 0) carrier.wasThere();
    else throw new TargetDiffers(key, "other bytes are there");
  }
  return true;
}

/** One that is there stays: witnesses sign anew what is newer. */
async function carryCosigned(
  key: StorageKey,
  { carrier, to }: { readonly carrier: Carrier; readonly to: Storage },
): Promise<void> {
  const ours = await carrier.bytes(key, maxLogFileBytes);
  if (ours === undefined) return;
  if ((await to.stat(key)) === undefined) await carrier.write(key, ours.bytes);
  else carrier.wasThere();
}

/** Far above a commit, a tile of records, a head. */
const maxLogFileBytes = 64 << 20;

/** Some files of a storage, as if there were no others: what is written meanwhile is not part of what is looked at. */
class Some implements Storage {
  readonly #keys: ReadonlySet<StorageKey>;
  readonly #of: Storage;

  constructor(keys: readonly StorageKey[], of: Storage) {
    this.#keys = new Set(keys);
    this.#of = of;
  }

  async get(key: StorageKey, maxBytes: number): ReturnType<Storage["get"]> {
    return this.#keys.has(key) ? await this.#of.get(key, maxBytes) : undefined;
  }

  async stat(key: StorageKey): ReturnType<Storage["stat"]> {
    return this.#keys.has(key) ? await this.#of.stat(key) : undefined;
  }

  async *list(prefix: string): ReturnType<Storage["list"]> {
    await Promise.resolve();
    for (const key of this.#keys) if (key.startsWith(prefix)) yield { key, size: 0, modifiedMs: 0 };
  }

  async open(key: StorageKey): ReturnType<Storage["open"]> {
    return this.#keys.has(key) ? await this.#of.open(key) : undefined;
  }

  create(key: StorageKey): Promise<never> {
    return refuse(key);
  }

  replace(key: StorageKey): Promise<never> {
    return refuse(key);
  }

  remove(key: StorageKey): Promise<never> {
    return refuse(key);
  }

  stage(): Promise<never> {
    return refuse("stage");
  }
}

function refuse(key: string): Promise<never> {
  return Promise.reject(new StoreUnavailable(key, "the source is only read"));
}
