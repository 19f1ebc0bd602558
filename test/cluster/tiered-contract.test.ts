// The storage contract over the tiers with a real S3 service behind them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "#adapters/system/clock.ts";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { openTieredStorage } from "#adapters/storage/tiered.ts";
import { storageContract } from "../contract/storage.ts";
import type { Opened } from "../contract/storage.ts";
import { makeBucket, s3StorageOf } from "../support/s3-store.ts";
import { missingS3, startS3 } from "../support/servers/s3.ts";
import type { S3Server } from "../support/servers/s3.ts";

const missing = missingS3("versitygw");

if (missing !== undefined) test("storage contract: tiers over s3", { skip: missing }, () => undefined);
else {
  let server: S3Server;
  let folder: string;
  let count = 0;
  const ends: (() => Promise<void> | void)[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "granary-tiers-s3-"));
    server = await startS3({ after: (work) => void ends.push(work as () => Promise<void>) }, "versitygw");
    await makeBucket(server, "tiers");
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
    await rm(folder, { recursive: true, force: true });
  });
  storageContract("tiers over s3", async (): Promise<Opened> => {
    const prefix = `p${count++}`;
    const ends: (() => Promise<void>)[] = [];
    let nodes = 0;
    const open = async () => {
      const root = join(folder, `${prefix}-${nodes++}`);
      const near = await openDiskStorage(root, { fsync: "never" });
      const far = await s3StorageOf(server, { bucket: "tiers", prefix, folder: `${root}-far` });
      const limits = { nearBytes: 2 ** 30, memoryBytes: 1 << 20, queueBytes: 1 << 20 };
      const storage = await openTieredStorage({ near, far, farTakesStages: true, limits, clock: systemClock });
      ends.push(async () => {
        await storage.settled();
        await far.close();
      });
      return storage;
    };
    return {
      storage: await open(),
      reopen: open,
      dispose: () => Promise.all(ends.map((end) => end())).then(() => undefined),
    };
  });
}
