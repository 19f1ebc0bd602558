// The shared store of a running server: the bucket behind this node's tiers. A server whose bucket does not answer at
// its start serves what is near, and goes on as usual when the bucket is back.

import type { DiskStorage } from "#adapters/storage/disk.ts";
import { LaterStorage } from "#adapters/storage/later.ts";
import { openS3Storage } from "#adapters/storage/s3.ts";
import type { S3Storage } from "#adapters/storage/s3.ts";
import { openTieredStorage } from "#adapters/storage/tiered.ts";
import type { TieredStorage, TierListener, TierView } from "#adapters/storage/tiered.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Clock } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { inOurWords } from "./open-store.ts";
import { s3OptionsOf } from "./s3-options.ts";

export type SharedStore = {
  readonly storage: TieredStorage;
  readonly bucket: string;
  readonly view: () => TierView;
  /** Tends the tiers until it is stopped. */
  readonly run: (stop: AbortSignal) => Promise<void>;
  /** Ends every request to the bucket. */
  readonly close: () => Promise<void>;
};

/** Longest wait for the bucket at the start. */
const startMs = 5_000;

/**
 * Undefined when no bucket is configured. Throws GRANARY_STORE_UNWRITABLE when the bucket answers and is not for us,
 * GRANARY_STORE_TOO_NEW, GRANARY_NOT_WITH_SHARED_STORE.
 */
export async function openSharedStore(
  config: Config,
  use: {
    readonly near: DiskStorage;
    readonly clock: Clock;
    readonly listener: TierListener;
    /** True while clients are sent to the bucket for large zips. */
    readonly sendsElsewhere: () => boolean;
    /** Told of every request to the service. */
    readonly onRequest: (what: string) => void;
  },
): Promise<SharedStore | undefined> {
  const { values } = config;
  const { near, clock, listener, onRequest, sendsElsewhere } = use;
  const options = await s3OptionsOf(config, near);
  if (options === undefined) return undefined;
  const bucket = values["s3.bucket"];
  if (values.workers > 0)
    throw new GranaryError("GRANARY_NOT_WITH_SHARED_STORE", {
      what: "--workers",
      because: "Workers read the directory by themselves, and with a bucket it has only copies, which may leave.",
      instead: "Leave --workers away, and run more nodes on the same bucket.",
    });
  const far = new LaterStorage<S3Storage>(() =>
    inOurWords(`s3://${bucket}`, () => openS3Storage({ ...options, onRequest })),
  );
  await openInTime(far);
  const storage = await openTieredStorage({
    near,
    far,
    farTakesStages: true,
    limits: { nearBytes: values["s3.near"], memoryBytes: values["s3.memory"], queueBytes: values["s3.queue"] },
    clock,
    listener,
    largeStaysAway: sendsElsewhere,
  });
  return {
    storage,
    bucket,
    view: () => storage.view,
    run: (stop) => storage.run(stop),
    close: async () => {
      await storage.settled();
      await far.opened?.close();
    },
  };
}

/** A bucket that answers must be right; one that does not is waited for later. */
async function openInTime(far: LaterStorage<S3Storage>): Promise<void> {
  const opening = far.ready().catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable)) throw error;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, startMs);
  });
  try {
    await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
    opening.catch(() => undefined);
  }
}
