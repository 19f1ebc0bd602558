// The tiers keep every promise of the storage port, over a far storage in memory and over one on a disk.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#adapters/system/clock.ts";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { openTieredStorage } from "#adapters/storage/tiered.ts";
import type { TieredStorage, TierLimits } from "#adapters/storage/tiered.ts";
import type { Storage } from "#services/store/ports.ts";
import { storageContract } from "./storage.ts";
import type { Opened } from "./storage.ts";

const usual: TierLimits = { nearBytes: 2 ** 30, memoryBytes: 1 << 20, queueBytes: 1 << 20 };
const nothing: TierLimits = { nearBytes: 0, memoryBytes: 0, queueBytes: 0 };

async function openTiers(far: (folder: string) => Promise<Storage>, limits: TierLimits): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "granary-tiers-"));
  const opened: TieredStorage[] = [];
  const again = async (): Promise<Storage> => {
    const storage = await openTieredStorage({
      near: await openDiskStorage(join(folder, `near-${opened.length}`), { fsync: "never" }),
      far: await far(join(folder, "far")),
      farTakesStages: false,
      limits,
      clock: systemClock,
    });
    opened.push(storage);
    return storage;
  };
  const storage = await again();
  const dispose = async (): Promise<void> => {
    for (const each of opened) await each.settled();
    await rm(folder, { recursive: true, force: true });
  };
  return { storage, reopen: again, dispose };
}

const disk = (folder: string) => openDiskStorage(folder, { fsync: "never" });

storageContract("tiers over memory", async () => {
  const far = new MemoryStorage();
  return await openTiers(() => Promise.resolve(far), usual);
});
storageContract("tiers over a disk", () => openTiers(disk, usual));
storageContract("tiers that may keep nothing, over a disk", () => openTiers(disk, nothing));
