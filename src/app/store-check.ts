// `granary store check`: the probes of the store that is configured, and what is concluded from them.

import { currentLayout, openDiskStorage } from "#adapters/storage/disk.ts";
import type { DiskStorage } from "#adapters/storage/disk.ts";
import { DiskSpace } from "#adapters/storage/space.ts";
import type { StoreCheckView } from "#doors/cli/services.ts";
import { judgeBucket, judgeDisk } from "#services/places/judge.ts";
import { StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import type { DiskSeen } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { s3OptionsOf } from "./s3-options.ts";

export async function checkStore(config: Config): Promise<StoreCheckView> {
  // The probe has no use for stages.
  const staging = { stage: () => Promise.reject(new Error("nothing is staged")) };
  const options = await s3OptionsOf(config, staging);
  if (options === undefined) {
    const seen = await seeDisk(config.values.store);
    return { kind: "disk", where: seen.dir, ...judgeDisk(seen, currentLayout) };
  }
  const { probeBucket } = await import("#adapters/storage/s3-probe.ts");
  const { bucket, prefix, endpoint } = options;
  const where = `${endpoint === "" ? "AWS" : endpoint} ${prefix === "" ? bucket : `${bucket}/${prefix}`}`;
  return { kind: "bucket", where, ...judgeBucket(await probeBucket(options)) };
}

/** Opens the store as a server would, and writes a few bytes that are gone afterwards. */
async function seeDisk(dir: string): Promise<DiskSeen> {
  const seen = { dir, trouble: undefined, layout: undefined, freeBytes: undefined, fsyncMs: undefined };
  let storage: DiskStorage;
  try {
    storage = await openDiskStorage(dir);
  } catch (error) {
    if (error instanceof StoreUnwritable) return { ...seen, trouble: { is: "unwritable", said: error.message } };
    if (!(error instanceof StoreTooNew)) throw error;
    const { found, supported } = error;
    return { ...seen, trouble: { is: "too-new", found, supported } };
  }
  try {
    const fsyncMs = await timeOfSync(storage);
    const { freeBytes } = await new DiskSpace(dir).space();
    return { ...seen, layout: await storage.layout(), freeBytes, fsyncMs };
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { ...seen, trouble: { is: "fsync", said: error.message } };
  }
}

const fewBytes = 4096;

async function timeOfSync(storage: DiskStorage): Promise<number> {
  const stage = await storage.stage(fewBytes);
  try {
    await stage.write(new Uint8Array(fewBytes));
    const start = performance.now();
    await stage.seal();
    return performance.now() - start;
  } finally {
    await stage.discard();
  }
}
