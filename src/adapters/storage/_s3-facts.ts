// Names and tokens of objects in a bucket.

import type { ObjectStat, StorageKey } from "#services/store/ports.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";

/** What an answer's headers tell of an object. */
export type S3Facts = {
  readonly size: number;
  readonly modifiedMs: number;
  /** With its quotes. */
  readonly etag: string;
  /** Empty where the bucket keeps no versions. */
  readonly version: string;
  /** The random name that its writer gave this write; empty when somebody else wrote it. */
  readonly writeId: string;
};

/** The protocol's limit, in bytes of UTF-8, prefix included. */
export const maxS3KeyBytes = 1024;
/** Names at the root that no key may begin with; as on disk. */
const temp = "tmp";

/** Where the store lies in its bucket: keys to object names and back. */
export class S3Names {
  /** Empty, or ends in `/`. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  }

  /** Throws RangeError on a reserved key (a bug of the caller), StoreUnavailable on one that the protocol cannot hold. */
  nameOf(key: StorageKey): string {
    if (isReserved(key)) throw new RangeError(`reserved storage key ${JSON.stringify(key)}`);
    const name = this.prefix + key;
    const bytes = Buffer.byteLength(name);
    if (bytes > maxS3KeyBytes)
      throw new StoreUnavailable(key, `the name has ${bytes} bytes; S3 takes at most ${maxS3KeyBytes}`);
    return name;
  }

  /** The names that `a/b/c` lies below: `a`, `a/b`. */
  namesAbove(key: StorageKey): string[] {
    const elements = key.split("/");
    return elements.slice(1).map((_, n) => this.prefix + elements.slice(0, n + 1).join("/"));
  }

  /** Undefined for an object that is none of the store's. */
  keyOf(name: string): StorageKey | undefined {
    if (!name.startsWith(this.prefix)) return undefined;
    const key = name.slice(this.prefix.length);
    if (isReserved(key)) return undefined;
    try {
      return storageKey(key);
    } catch {
      return undefined;
    }
  }
}

function isReserved(key: string): boolean {
  const first = key.split("/", 1)[0] ?? "";
  return first === temp || first.startsWith("granary.");
}

/**
 * An ETag alone comes back when the same bytes do, so the token also names the version and the write. Only the ETag can
 * be the condition of a write: a replacement of bytes that were replaced and then restored goes through.
 */
export function statOf(facts: S3Facts): ObjectStat {
  const { size, modifiedMs, etag, version, writeId } = facts;
  return { size, modifiedMs, token: `${etag} ${version} ${writeId}` };
}

export function etagOf(token: string): string {
  return token.split(" ", 1)[0] ?? "";
}

/** True when the bucket kept versions as this token was made. */
export function hasVersion(token: string): boolean {
  return (token.split(" ")[1] ?? "") !== "";
}
