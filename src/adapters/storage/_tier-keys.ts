// Which objects never change once they are committed, and which belong together.
//
// A version's files are bound to its manifest by their hashes, tiles and records to a signed head by a proof; so a copy
// that is not what it should be is found by whoever reads it. Partial tiles are among them: a tile of one width is the
// same for ever. Everything else may change at any time.

import { modulesPrefix, sumdbPrefix } from "./_tier-places.ts";

/** True for what may be copied: version files but tombstones and lists, and what a checksum database published. */
export function isLasting(key: string): boolean {
  if (!key.startsWith(modulesPrefix)) return false;
  if (key.startsWith(sumdbPrefix))
    return /^[^/]+\/(lookup|tile)\/|^[^/]+\/supported$/.test(key.slice(sumdbPrefix.length));
  return versionFile.test(key);
}

const versionFile = /\/@v\/[^/]+\.(info|mod|zip|mod\.manifest|zip\.manifest)$/;

/** Zips are streamed; everything else that lasts is read whole. */
export function isLarge(key: string): boolean {
  return !key.startsWith(sumdbPrefix) && key.endsWith(".zip");
}

/** What must arrive in the order in which it was made: the files of a version, the things of a checksum database. */
export function groupOf(key: string): string {
  if (!key.startsWith(sumdbPrefix)) return key.replace(/\.(mod\.manifest|zip\.manifest|info|mod|zip|tombstone)$/, "");
  return key.slice(0, key.indexOf("/", sumdbPrefix.length) + 1);
}

/** The files of a version, whichever of them there are; nothing for a checksum database. */
export function filesOf(group: string): string[] {
  if (group.endsWith("/")) return [];
  return ["mod.manifest", "zip.manifest", "info", "mod", "zip"].map((file) => `${group}.${file}`);
}

/** The group of a tombstone: whoever sees it lets go of the copies of its version. */
export function buriedBy(key: string): string | undefined {
  return key.startsWith(modulesPrefix) && key.endsWith(".tombstone") ? groupOf(key) : undefined;
}
