// `granary store migrate --to`: a store from its directory into the bucket of the settings, or back.

import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { handOver, nearOf } from "#adapters/storage/near-mark.ts";
import { openReadOnly, readOnlyStorage } from "#adapters/storage/read-only.ts";
import { openS3ForReading, openS3Storage } from "#adapters/storage/s3.ts";
import type { S3Options } from "#adapters/storage/s3.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { CliServices, MoveRequest, MoveView, SettingFlags } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { NoStore, StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { moveStore } from "#services/store/move.ts";
import type { MoveReport, MoveUse } from "#services/store/move.ts";
import type { Stage, Storage, StorageKey } from "#services/store/ports.ts";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import { logCopies } from "#services/sumlog/log-copies.ts";
import { logRestores } from "#services/sumlog/log-restores.ts";
import type { LogKey } from "#services/sumlog/log-restores.ts";
import { awake } from "./awake.ts";
import type { Config } from "./config.ts";
import { indexPlaceOf } from "./index-place.ts";
import { takeStore } from "./open-store.ts";
import { readSignerKey } from "./own-log.ts";
import { s3OptionsOf } from "./s3-options.ts";
import { doubtIndex } from "./tending.ts";

export type MoveCommands = Pick<CliServices, "storeMove">;

type Use = {
  readonly load: (flags: SettingFlags) => Promise<Config>;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

/** Both ends. */
type Ends = Pick<MoveUse, "from" | "to" | "inPlace" | "source"> & { readonly close: () => Promise<void> };

export function moveCommands({ load, onStop }: Use): MoveCommands {
  return {
    storeMove: async (request, flags, progress) => {
      const config = await load(flags);
      const stop = new AbortController();
      const off = onStop(() => stop.abort(new GranaryError("GRANARY_STOPPED", {})));
      try {
        return await awake(() => move(request, config, { signal: stop.signal, progress }));
      } finally {
        off();
      }
    },
  };
}

async function move(
  request: MoveRequest,
  config: Config,
  { signal, progress }: Pick<MoveUse, "signal" | "progress">,
): Promise<MoveView> {
  const { values } = config;
  // Nothing of the target is staged when it is a bucket: files are sent from where they lie.
  const options = await s3OptionsOf(config, { stage: () => Promise.reject(new Error("nothing is staged")) });
  if (options === undefined)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: "no bucket is named, here or in the settings",
      usage: "granary store migrate --to s3 --s3 BUCKET --s3-endpoint URL",
    });
  const { bucket, dir } = { bucket: values["s3.bucket"], dir: resolve(values.store) };
  const place = { bucket: `s3://${bucket}`, dir };
  const copiesOf = await inOurWords(place, () => nearOf(dir));
  if (copiesOf !== undefined) throw new GranaryError("GRANARY_STORE_IS_COPY", { dir, bucket: copiesOf });
  const begun = performance.now();
  const logs = await logsOf(values["sumlog.key"]);
  const ends = await inOurWords(place, () => openEnds(request, options, dir));
  const release = request.handsOver ? await takeStore(dir).catch(closing(ends)) : undefined;
  try {
    const { verify, isDry, bytesPerSecond, jobs } = request;
    const use = { verify, isDry, bytesPerSecond, jobs, logs, clock: systemClock, signal, progress, ...ends };
    const report = await inOurWords(place, () => moveStore(use));
    // An index that others keep of the target lacks what came this way.
    if (!isDry && (request.to === "disk" || values["postgres.url"] !== ""))
      await doubtIndex(await indexPlaceOf(config));
    const isHandedOver = request.handsOver && !isDry && isAllThere(report);
    if (isHandedOver) await inOurWords(place, () => handOver(dir, bucket));
    const [from, to] = request.to === "s3" ? [dir, place.bucket] : [place.bucket, dir];
    return { ...report, from, to, ms: performance.now() - begun, isDry, isHandedOver };
  } finally {
    await release?.();
    await ends.close();
  }
}

function closing(ends: Ends): (error: unknown) => Promise<never> {
  return async (error) => {
    await ends.close();
    throw error;
  };
}

function isAllThere({ found, more, logs, wasInterrupted }: MoveReport): boolean {
  const isWell = logs.every(({ verdict }) => verdict.is === "restore" || verdict.is === "kept");
  return found.length + more === 0 && isWell && !wasInterrupted;
}

async function openEnds({ to, isDry }: MoveRequest, options: S3Options, dir: string): Promise<Ends> {
  if (to === "s3") {
    const from = await openReadOnly(dir);
    const bucket = isDry ? await openS3ForReading(options) : await openS3Storage(options);
    const inPlace = (key: StorageKey, size: number): Stage => fileAt(join(dir, key), size);
    return { from, to: bucket, inPlace, source: `${hostname()} ${dir}`, close: () => bucket.close() };
  }
  const bucket = await openS3ForReading(options);
  try {
    const disk: Storage = isDry ? readOnlyStorage(dir) : await openDiskStorage(dir);
    const source = `${options.endpoint} ${options.bucket} ${options.prefix}`;
    return { from: bucket, to: disk, source, close: () => bucket.close() };
  } catch (error) {
    await bucket.close();
    throw error;
  }
}

async function logsOf(keyFile: string): Promise<MoveUse["logs"]> {
  if (keyFile === "") return movesWith(undefined);
  const { verifier } = await readSignerKey(keyFile);
  // The source is the log itself: what its key has signed beyond what is copied comes with the next run.
  const memory = { recall: () => Promise.resolve(undefined), remember: () => Promise.resolve() };
  return movesWith({ verifier, memory });
}

function movesWith(key: LogKey | undefined): MoveUse["logs"] {
  const restores = logRestores(key);
  return { ...logCopies, judge: (name, copy, store) => restores.judge(name, copy, store) };
}

/** A file of a store, to be read by whoever sends it. What is committed is never written into. */
function fileAt(path: string, size: number): Stage {
  return {
    size,
    write: () => Promise.reject(new Error("a file of the source takes no writes")),
    seal: () => Promise.resolve(),
    locate: () => ({ path }),
    discard: () => Promise.resolve(),
  };
}

async function inOurWords<T>(
  place: { readonly bucket: string; readonly dir: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const options = { cause: error };
    if (error instanceof NoStore) throw new GranaryError("GRANARY_NO_STORE", { dir: place.dir }, options);
    if (error instanceof StoreUnwritable) {
      const dir = error.message.startsWith("bucket ") ? place.bucket : place.dir;
      throw new GranaryError("GRANARY_STORE_UNWRITABLE", { dir, reason: error.message }, options);
    }
    if (error instanceof StoreTooNew) {
      const [found, supported] = [String(error.found), String(error.supported)];
      throw new GranaryError(
        "GRANARY_STORE_TOO_NEW",
        { dir: `${place.dir}, ${place.bucket}`, found, supported },
        options,
      );
    }
    if (error instanceof StoreFull) throw new GranaryError("GRANARY_STORE_FULL", { what: error.key }, options);
    if (error instanceof StoreUnavailable)
      throw new GranaryError("GRANARY_STORE_UNAVAILABLE", { what: error.key, reason: error.message }, options);
    throw error;
  }
}
