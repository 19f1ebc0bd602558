// What snapshots ask of whoever knows an own checksum database's log; implemented in services/sumlog.

import type { Storage, StorageKey } from "./ports.ts";

/** A log as far as one signed head: in itself consistent, whatever is appended meanwhile. */
export type LogPlan = {
  readonly name: string;
  /** Records under the head. */
  readonly size: number;
  /** In the order in which they must be copied: what may vanish meanwhile first. */
  readonly keys: readonly StorageKey[];
};

export interface LogCopies {
  names(store: Storage): Promise<string[]>;
  /** What must be copied before the plan is made, because it may not be newer than the head. */
  early(name: string): readonly StorageKey[];
  /** Undefined before the first head; a text when the log is not sound. Throws StoreUnavailable. */
  plan(store: Storage, name: string): Promise<LogPlan | string | undefined>;
  /**
   * Whether the copy is the log of its head; `fresh` are those of its files that no earlier check has seen. Resolves to
   * what is wrong with it.
   */
  check(copy: Storage, plan: LogPlan, fresh: ReadonlySet<StorageKey>): Promise<string | undefined>;
}

export type LogVerdict =
  /** The store's log is the beginning of the snapshot's, or the same, or is not there. */
  | { readonly is: "restore"; readonly size: number; readonly head: Uint8Array }
  /** The snapshot's is the beginning of the store's. */
  | { readonly is: "kept"; readonly size: number; readonly kept: number }
  /** The key has signed more than the snapshot has. */
  | { readonly is: "behind"; readonly size: number; readonly signed: number }
  /** The snapshot's is another log than the store's, or than what the key has signed. */
  | { readonly is: "fork"; readonly reason: string }
  | { readonly is: "unsound"; readonly reason: string }
  /** No key of this name: what it has signed is not known. */
  | { readonly is: "keyless" };

export interface LogRestores {
  /** Holds the snapshot's log against the store's and against what the key remembers. Throws StoreUnavailable. */
  judge(name: string, copy: Storage, store: Storage): Promise<LogVerdict>;
  /** The key has signed this head: nothing shorter is gone on with from now on. */
  remember(name: string, head: Uint8Array): Promise<void>;
  /** True when nobody remembers a head of this log but the store and the snapshot. */
  isForgotten(name: string): Promise<boolean>;
}
