// Reading zips as Go's archive/zip reads them, only stricter: what makes bytes ambiguous is refused (BAD_ZIP), what
// is merely odd is a warning. openZip() looks at every header, readEntry() inflates one entry.

import { badZip } from "./zip-bytes.ts";
import type { ByteSource, ZipWarning } from "./zip-bytes.ts";
import { readDirectory } from "./zip-directory.ts";
import { readDirectoryEnd } from "./zip-end.ts";
import { locateEntries } from "./zip-local.ts";
import type { ZipEntry } from "./zip-local.ts";

/** An opened zip: every local header agrees with the directory, and no two entries share bytes. */
export type ZipDirectory = {
  /** In the order of the central directory. */
  readonly entries: readonly ZipEntry[];
  readonly warnings: readonly ZipWarning[];
};

export type ZipLimits = {
  readonly maxEntries: number;
  readonly maxDirectoryBytes: number;
};

/** The largest public modules have fewer than 70,000 files; a million empty ones cost a client minutes. */
export const maxZipEntries = 100_000;

/** Room for 100,000 names of 600 bytes; the directory is held in memory whole. */
export const maxDirectoryBytes = 64 * 1024 * 1024;

const defaultLimits: ZipLimits = { maxEntries: maxZipEntries, maxDirectoryBytes };

/** Opens a zip; throws BAD_ZIP for what Go refuses and for what two readers could understand differently. */
export function openZip(source: ByteSource, limits: ZipLimits = defaultLimits): ZipDirectory {
  const warnings = new Set<ZipWarning>();
  const end = readDirectoryEnd(source, warnings);
  if (end.directorySize > limits.maxDirectoryBytes)
    throw badZip(`directory of ${end.directorySize} bytes is too large`);
  const declared = readDirectory(source, end, limits.maxEntries);
  if (declared.length !== end.records) warnings.add("count");
  const entries = locateEntries(source, end, declared, warnings);
  return { entries, warnings: [...warnings] };
}
