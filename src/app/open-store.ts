// Opening the store, in our words when it cannot be: a directory, or a bucket that several nodes share, of which the
// directory then has copies.

import { mkdir } from "node:fs/promises";
import { BesideCopies } from "#adapters/storage/beside-copies.ts";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import type { DiskOptions, DiskStorage } from "#adapters/storage/disk.ts";
import { openServedStorage } from "#adapters/storage/late.ts";
import type { Opened } from "#adapters/storage/late.ts";
import { lockStore } from "#adapters/storage/lock.ts";
import { claimNear, nearOf } from "#adapters/storage/near-mark.ts";
import { openReadOnly, readOnlyStorage } from "#adapters/storage/read-only.ts";
import { openS3Storage } from "#adapters/storage/s3.ts";
import type { S3Storage } from "#adapters/storage/s3.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { StoreLocked, StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import type { Storage } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { s3OptionsOf } from "./s3-options.ts";

type Read = Pick<Config, "values" | "origins" | "source">;

/** The store as a command uses it. */
export type OpenedStore = {
  readonly storage: Storage;
  /** This node's directory: the index, events and stages lie there, and what is kept too when no bucket is shared. */
  readonly root: string;
  layout(): Promise<number>;
  raiseLayout(): Promise<void>;
};

/**
 * The store of the settings. Throws GRANARY_STORE_UNWRITABLE, GRANARY_STORE_TOO_NEW, GRANARY_STORE_IS_COPY,
 * GRANARY_STORE_NOT_FREE, GRANARY_SHARED_STORE_AWAY.
 */
export async function openStore(config: Read, options: DiskOptions): Promise<OpenedStore> {
  const dir = config.values.store;
  if (config.values["s3.bucket"] === "") {
    await refuseCopies(dir);
    const disk = await openDirectory(dir, options);
    return { storage: disk, root: dir, layout: () => disk.layout(), raiseLayout: () => disk.raiseLayout() };
  }
  const near = await openDirectory(dir, options);
  await claimDirectory(config);
  const far = await openBucket(config, near);
  return {
    storage: new BesideCopies(far, near),
    root: dir,
    layout: () => far.layout(),
    raiseLayout: () => far.raiseLayout(),
  };
}

/** The same for reading alone; makes no directory. Throws NoStore as well. */
export async function openStoreForReading(config: Read): Promise<Storage> {
  const { store, ["s3.bucket"]: bucket } = config.values;
  if (bucket !== "") return readOnly((await openStore(config, {})).storage);
  await refuseCopies(store);
  return await openReadOnly(store);
}

/** As openStoreForReading(), and a directory that is not there has nothing. */
export async function storeAsItIs(config: Read): Promise<Storage> {
  const { store, ["s3.bucket"]: bucket } = config.values;
  if (bucket !== "") return readOnly((await openStore(config, {})).storage);
  await refuseCopies(store);
  return readOnlyStorage(store);
}

/** A directory that is a store by itself, whatever the settings say. Throws GRANARY_STORE_UNWRITABLE or GRANARY_STORE_TOO_NEW. */
export async function openDirectory(dir: string, options: DiskOptions): Promise<DiskStorage> {
  return await inOurWords(dir, () => openDiskStorage(dir, options));
}

/**
 * The directory with its lock, for `granary serve`; for reading alone while its disk takes no writes. Throws as openStore()
 * and takeStore() do.
 */
export async function openServedStore(config: Read, options: DiskOptions): Promise<Opened> {
  const dir = config.values.store;
  const isShared = config.values["s3.bucket"] !== "";
  if (!isShared) await refuseCopies(dir);
  const remake = async (): Promise<void> => {
    await mkdir(dir, { recursive: true });
    await claimDirectory(config);
  };
  const opened = await inOurWords(dir, () => openServedStorage(dir, isShared ? { ...options, remake } : options));
  if (!isShared) return opened;
  try {
    await claimDirectory(config);
    return opened;
  } catch (error) {
    await opened.release();
    throw error;
  }
}

/** The bucket. Throws GRANARY_STORE_UNWRITABLE, GRANARY_STORE_TOO_NEW, GRANARY_SHARED_STORE_AWAY. */
async function openBucket(config: Read, near: DiskStorage): Promise<S3Storage> {
  const bucket = config.values["s3.bucket"];
  const options = await s3OptionsOf(config, near);
  if (options === undefined) throw new Error("no bucket is configured");
  try {
    return await inOurWords(`s3://${bucket}`, () => openS3Storage(options));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const endpoint = options.endpoint === "" ? "AWS" : options.endpoint;
    throw new GranaryError("GRANARY_SHARED_STORE_AWAY", { bucket, endpoint, reason: error.message }, { cause: error });
  }
}

async function refuseCopies(dir: string): Promise<void> {
  const bucket = await nearOf(dir);
  if (bucket !== undefined) throw new GranaryError("GRANARY_STORE_IS_COPY", { dir, bucket });
}

/** The directory is for the copies of the bucket, and for nothing else. */
async function claimDirectory({ values }: Read): Promise<void> {
  const { store: dir, ["s3.bucket"]: bucket } = values;
  const claim = await claimNear(dir, bucket);
  if (claim.is === "ours") return;
  throw new GranaryError("GRANARY_STORE_NOT_FREE", { dir, bucket, of: claim.is === "other" ? claim.of : "" });
}

function readOnly(storage: Storage): Storage {
  const refuse = (what: string): Promise<never> => Promise.reject(new Error(`the store is only read: ${what}`));
  return {
    get: (key, maxBytes) => storage.get(key, maxBytes),
    stat: (key) => storage.stat(key),
    open: (key) => storage.open(key),
    list: (prefix) => storage.list(prefix),
    create: refuse,
    replace: refuse,
    remove: refuse,
    stage: () => refuse("a stage"),
  };
}

/** What opening throws, in our words; StoreUnavailable stays what it is. */
export async function inOurWords<T>(dir: string, open: () => Promise<T>): Promise<T> {
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
