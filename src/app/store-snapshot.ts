// Snapshots of a store and putting one back: whom the services are handed.

import { dirname, join, relative, resolve } from "node:path";
import { realpath } from "node:fs/promises";
import { compactDatabase } from "#adapters/storage/compact.ts";
import { DiskStorage } from "#adapters/storage/disk.ts";
import { DiskLeftovers } from "#adapters/storage/leftovers.ts";
import { lockStore } from "#adapters/storage/lock.ts";
import { openReadOnly, readOnlyStorage } from "#adapters/storage/read-only.ts";
import { openSnapshotFolder, readSnapshotFolder } from "#adapters/storage/snapshot-folder.ts";
import { HeadFile } from "#adapters/system/head-file.ts";
import type { CliServices, RestoredLog, SettingFlags } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { defragStore } from "#services/store/defrag.ts";
import type { Compacted } from "#services/store/defrag.ts";
import { NoStore, SnapshotsUnusable, StoreLocked, StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import type { Storage } from "#services/store/ports.ts";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import { restoreSnapshot } from "#services/store/restore.ts";
import type { LogRestored } from "#services/store/restore.ts";
import { isSnapshotId, SnapshotDamaged, SnapshotIndex, snapshotIds } from "#services/store/snapshot-index.ts";
import { takeSnapshot } from "#services/store/snapshot.ts";
import { listSnapshots, pruneSnapshots } from "#services/store/snapshots.ts";
import { logCopies } from "#services/sumlog/log-copies.ts";
import { logRestores } from "#services/sumlog/log-restores.ts";
import type { LogKey } from "#services/sumlog/log-restores.ts";
import type { HeadMemory } from "#services/sumlog/ports.ts";
import type { Config } from "./config.ts";
import { openStore, openStoreForReading, takeStore } from "./open-store.ts";
import { readSignerKey } from "./own-log.ts";
import { indexPlaceOf } from "./index-place.ts";
import { doubtIndex } from "./tending.ts";

export type SnapshotCommands = Pick<CliServices, "storeSnapshot" | "storeSnapshots" | "storeRestore" | "storeDefrag">;

export function snapshotCommands(load: (flags: SettingFlags) => Promise<Config>): SnapshotCommands {
  return {
    storeSnapshot: async ({ dir, isDeep, keep }, flags, progress) => {
      const config = await load(flags);
      const { store } = config.values;
      const begun = performance.now();
      return await inOurWords({ dir, store }, async () => {
        await checkApart(dir, store);
        const storage = await openStoreForReading(config);
        const { vault, release } = await openSnapshotFolder(dir);
        try {
          const taken = await takeSnapshot({ store: storage, vault, logs: logCopies, now: Date.now, isDeep, progress });
          const pruned = keep === undefined ? undefined : await pruneSnapshots(vault, keep);
          return { ...taken, dir, store, ms: performance.now() - begun, pruned };
        } finally {
          await release();
        }
      });
    },
    storeSnapshots: async (dir) =>
      await inOurWords({ dir, store: dir }, async () => await listSnapshots(await readSnapshotFolder(dir))),
    storeRestore: async ({ dir, id, isDry, replacesState }, flags, progress) => {
      const config = await load(flags);
      const { values } = config;
      const { store } = values;
      refuseShared(config, "granary store restore");
      const place = await indexPlaceOf(config);
      const begun = performance.now();
      return await inOurWords({ dir, store }, async () => {
        const vault = await readSnapshotFolder(dir);
        await checkApart(dir, store);
        const logs = logRestores(await readKey(values["sumlog.key"]));
        const index = await openSnapshot(vault, { dir, id });
        try {
          const report = await withTarget(config, isDry, (target) =>
            restoreSnapshot({ vault, index, store: target, logs, isDry, replacesState, progress }),
          );
          if (!isDry) await doubtIndex(place);
          const ms = performance.now() - begun;
          return { ...report, logs: report.logs.map(toRestoredLog), dir, store, ms, isDry };
        } finally {
          await index.close();
        }
      });
    },
    storeDefrag: async (isDry, flags) => {
      const config = await load(flags);
      const { store } = config.values;
      refuseShared(config, "granary store defrag");
      return await inOurWords({ dir: store, store }, async () => {
        await openReadOnly(store);
        const release = await tryLock(store);
        try {
          const report = await defragStore({
            // Not opened as a server does: what is in tmp/ is to be counted.
            storage: new DiskStorage(store, {}),
            leftovers: new DiskLeftovers(store),
            now: Date.now,
            isAlone: release !== undefined,
            isDry,
            compact: () => compact(join(store, "state", "index.sqlite")),
          });
          return { ...report, store, isDry };
        } finally {
          await release?.();
        }
      });
    },
  };
}

/** Nobody can lock out the other nodes of a bucket. Throws GRANARY_NOT_WITH_SHARED_STORE. */
function refuseShared({ values }: Config, what: string): void {
  if (values["s3.bucket"] === "") return;
  throw new GranaryError("GRANARY_NOT_WITH_SHARED_STORE", {
    what,
    because: "It must be alone on the store, and other nodes may use the bucket at the same time.",
    instead:
      "Restore into a directory: --store DIR, without --s3. Then: granary store migrate --to s3 --s3 BUCKET --store DIR",
  });
}

/** The store that is restored into, ours alone meanwhile. A dry run makes and locks nothing. */
async function withTarget<T>(config: Config, isDry: boolean, work: (target: Storage) => Promise<T>): Promise<T> {
  const { store } = config.values;
  if (isDry) return await work(readOnlyStorage(store));
  const { storage: target } = await openStore(config, {});
  const release = await takeStore(store);
  try {
    return await work(target);
  } finally {
    await release();
  }
}

/** Throws GRANARY_NO_SUCH_ID, SnapshotsUnusable or SnapshotDamaged. */
async function openSnapshot(
  vault: Storage,
  { dir, id }: { readonly dir: string; readonly id: string | undefined },
): Promise<SnapshotIndex> {
  const ids = await snapshotIds(vault);
  const wanted = id ?? ids.at(-1);
  if (wanted === undefined) throw new SnapshotsUnusable(`${dir} has no snapshot that came to its end`);
  if (!isSnapshotId(wanted) || !ids.includes(wanted))
    throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "snapshot", id: wanted });
  return await SnapshotIndex.open(vault, wanted);
}

async function readKey(file: string): Promise<LogKey | undefined> {
  if (file === "") return undefined;
  const { verifier } = await readSignerKey(file);
  const heads = new HeadFile(file);
  const memory: HeadMemory = {
    recall: () => heads.recall(),
    remember: async (note) => {
      try {
        await heads.remember(note);
      } catch (error) {
        const fields = { what: `${file}.heads`, reason: String(error) };
        throw new GranaryError("GRANARY_STORE_UNAVAILABLE", fields, { cause: error });
      }
    },
  };
  return { verifier, memory };
}

function toRestoredLog({ name, verdict, isForgotten }: LogRestored): RestoredLog {
  const size = "size" in verdict ? verdict.size : 0;
  return { name, is: verdict.is, size, isForgotten, failure: failureOf(name, verdict) };
}

function failureOf(database: string, verdict: LogRestored["verdict"]): GranaryError | undefined {
  switch (verdict.is) {
    case "restore":
    case "kept":
      return undefined;
    case "behind": {
      const { size: found, signed } = verdict;
      return new GranaryError("GRANARY_RESTORE_LOG_BEHIND", { database, found, signed });
    }
    case "fork":
      return new GranaryError("GRANARY_RESTORE_LOG_FORK", { database, reason: verdict.reason });
    case "unsound":
      return new GranaryError("GRANARY_RESTORE_LOG_UNSOUND", { database, reason: verdict.reason });
    case "keyless":
      return new GranaryError("GRANARY_RESTORE_LOG_KEYLESS", { database });
  }
}

/** Undefined while a server has the store. */
async function tryLock(store: string): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lockStore(store);
  } catch (error) {
    if (error instanceof StoreLocked) return undefined;
    throw error;
  }
}

async function compact(file: string): Promise<Compacted | undefined> {
  try {
    return await compactDatabase(file);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A snapshot inside the store would be lost with it. Throws SnapshotsUnusable. */
async function checkApart(dir: string, store: string): Promise<void> {
  const from = relative(await realPathOf(store), await realPathOf(dir));
  if (from === "" || !(from === ".." || from.startsWith("../")))
    throw new SnapshotsUnusable(`it is inside the store ${store}, and would be lost with it`);
}

/** Of a path that need not be there yet. */
async function realPathOf(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch {
    const above = dirname(whole);
    return above === whole ? whole : join(await realPathOf(above), relative(above, whole));
  }
}

async function inOurWords<T>(at: { readonly dir: string; readonly store: string }, work: () => Promise<T>): Promise<T> {
  const { dir, store } = at;
  try {
    return await work();
  } catch (error) {
    const options = { cause: error };
    if (error instanceof NoStore) throw new GranaryError("GRANARY_NO_STORE", { dir: store }, options);
    if (error instanceof SnapshotsUnusable || error instanceof SnapshotDamaged)
      throw new GranaryError("GRANARY_SNAPSHOTS_UNUSABLE", { dir, reason: error.message }, options);
    if (error instanceof StoreUnwritable)
      throw new GranaryError("GRANARY_STORE_UNWRITABLE", { dir: store, reason: error.message }, options);
    if (error instanceof StoreTooNew) {
      const [found, supported] = [String(error.found), String(error.supported)];
      throw new GranaryError("GRANARY_STORE_TOO_NEW", { dir: store, found, supported }, options);
    }
    if (error instanceof StoreFull) throw new GranaryError("GRANARY_STORE_FULL", { what: error.key }, options);
    if (error instanceof StoreUnavailable)
      throw new GranaryError("GRANARY_STORE_UNAVAILABLE", { what: error.key, reason: error.message }, options);
    throw error;
  }
}
