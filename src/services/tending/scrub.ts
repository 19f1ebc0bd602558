// Reads what lies unread: disks rot in silence, and damage is best found while an upstream still has the bytes.

import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import type { StoreIndex } from "./ports.ts";

export type ScrubReport = {
  readonly versions: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Of those, how many are whole again. */
  readonly mended: number;
};

export type ScrubUse = {
  readonly index: StoreIndex;
  readonly store: Pick<ModuleStore, "check">;
  readonly clock: Clock;
  /** How much is read; 0 for as much as the disk gives. */
  readonly bytesPerSecond: () => number;
  /** Tries to bring the committed bytes again; true when it did. Without it damage is only told. */
  readonly mend: ((id: ModuleVersion, damage: StoreDamaged) => Promise<boolean>) | undefined;
  readonly onDamage: (damage: StoreDamaged | StoreUnavailable, isMended: boolean) => void;
  readonly signal: AbortSignal;
  readonly progress?: (versions: number, bytes: number) => void;
};

/** Versions taken from the index at a time. */
const pageSize = 100;
/** Waits shorter than this are saved up: a timer per small file would cost more than the file. */
const shortestWaitMs = 50;

/** One round: everything that was not read since `sinceMs`, longest unread first. Throws the signal's reason. */
export async function scrub(sinceMs: number, use: ScrubUse): Promise<ScrubReport> {
  let [versions, bytes, damaged, mended, owedMs] = [0, 0, 0, 0, 0];
  for (;;) {
    const page = await use.index.page("unchecked", undefined, pageSize);
    const due = page.versions.filter((one) => one.checkedMs < sinceMs);
    for (const { path, version } of due) {
      use.signal.throwIfAborted();
      const id = checkModuleVersion(path, version);
      try {
        const read = await use.store.check(id);
        bytes += read;
        owedMs += use.bytesPerSecond() > 0 ? (read / use.bytesPerSecond()) * 1000 : 0;
      } catch (error) {
        if (!(error instanceof StoreDamaged) && !(error instanceof StoreUnavailable)) throw error;
        damaged++;
        const isMended = error instanceof StoreDamaged && use.mend !== undefined && (await use.mend(id, error));
        if (isMended) mended++;
        use.onDamage(error, isMended);
      }
      versions++;
      use.progress?.(versions, bytes);
      if (owedMs < shortestWaitMs) continue;
      await use.clock.sleep(owedMs, use.signal);
      owedMs = 0;
    }
    await use.index.checked(due, Math.max(use.clock.now(), sinceMs));
    if (due.length < page.versions.length || page.versions.length < pageSize)
      return { versions, bytes, damaged, mended };
  }
}
