// Opening the store's directory, in our words when it cannot be.

import { openDiskStorage } from "#adapters/storage/disk.ts";
import type { DiskOptions, DiskStorage } from "#adapters/storage/disk.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { openServedStorage } from "#adapters/storage/late.ts";
import type { Opened } from "#adapters/storage/late.ts";
import { lockStore } from "#adapters/storage/lock.ts";
import { StoreLocked, StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";

/** Throws GRANARY_STORE_UNWRITABLE or GRANARY_STORE_TOO_NEW. */
export async function openStore(dir: string, options: DiskOptions): Promise<DiskStorage> {
  return await inOurWords(dir, () => openDiskStorage(dir, options));
}

/**
 * The store with its lock, for `granary serve`; for reading alone while its disk takes no writes. Throws as openStore()
 * and takeStore() do.
 */
export async function openServedStore(dir: string, options: DiskOptions): Promise<Opened> {
  return await inOurWords(dir, () => openServedStorage(dir, options));
}

async function inOurWords<T>(dir: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof StoreLocked) throw locked(dir, error);
    if (error instanceof StoreUnwritable)
      throw new GranaryError("GRANARY_STORE_UNWRITABLE", { dir, reason: error.message }, { cause: error });
    if (!(error instanceof StoreTooNew)) throw error;
    const { found, supported } = error;
    throw new GranaryError(
      "GRANARY_STORE_TOO_NEW",
      { dir, found: String(found), supported: String(supported) },
      { cause: error },
    );
  }
}

/** Takes the store for a server. Throws GRANARY_STORE_LOCKED; returns how to give it back. */
export async function takeStore(dir: string): Promise<() => Promise<void>> {
  try {
    return await lockStore(dir);
  } catch (error) {
    if (!(error instanceof StoreLocked)) throw error;
    throw locked(dir, error);
  }
}

function locked(dir: string, error: StoreLocked): GranaryError {
  return new GranaryError("GRANARY_STORE_LOCKED", { dir, holder: `process ${error.holder}` }, { cause: error });
}
