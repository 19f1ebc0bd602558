// One version on its way into a snapshot: its manifests, and every file that they name with the hash that they name.

import { ProtocolError } from "#protocol/errors.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { Unreadable } from "./_snapshot-copy.ts";
import type { Copier } from "./_snapshot-copy.ts";
import { StoreDamaged } from "./errors.ts";
import { modulesPrefix, sumdbPrefix, versionKey } from "./layout.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest } from "./manifest.ts";
import type { ModManifest, ZipManifest } from "./manifest.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";
import type { SnapshotFile, SnapshotIndex, Unit } from "./snapshot-index.ts";

export const modManifestEnd = ".mod.manifest";
export const zipManifestEnd = ".zip.manifest";
/** Says that files of a version were removed on purpose, and its manifests stay. */
export const tombstoneEnd = ".tombstone";

/** `asBefore`: the version is damaged in the store, and the snapshot before has it. `missing`: nobody has it. */
export type VersionOutcome =
  | { readonly is: "sound"; readonly unit: Unit }
  | { readonly is: "asBefore"; readonly unit: Unit; readonly problem: string }
  | { readonly is: "missing"; readonly problem: string }
  | { readonly is: "gone" };

/** What a file of a version is got from, with its hash. */
export type VersionReader = Pick<Copier, "bytes" | "file">;

/** The version that a manifest stands for: the first manifest, or the second one where the first is lost. */
export async function versionNamed(store: Storage, key: StorageKey): Promise<string | undefined> {
  if (key.startsWith(sumdbPrefix) || !key.startsWith(modulesPrefix)) return undefined;
  if (key.endsWith(modManifestEnd)) return key.slice(0, -modManifestEnd.length);
  if (!key.endsWith(zipManifestEnd)) return undefined;
  const name = key.slice(0, -zipManifestEnd.length);
  const first = await store.stat(storageKey(`${name}${modManifestEnd}`)).catch(() => "unknown");
  return first === undefined ? name : undefined;
}

/** A version that was found damaged is looked at once more: it may have been mended or trimmed just then. */
export const looks = 2;

/** @param name what the keys of the version's files have in common */
export async function copyVersion(
  name: string,
  use: { readonly copier: Copier; readonly before: SnapshotIndex | undefined },
): Promise<VersionOutcome> {
  const before = await use.before?.find(name);
  let problem = "";
  for (let look = 0; look < looks; look++) {
    try {
      if (before !== undefined && (await isUnchanged(before, use.copier))) {
        use.copier.tookOver(before.files.length);
        return { is: "sound", unit: before };
      }
      const files = await copyFiles(name, { copier: use.copier, before });
      return files === undefined ? { is: "gone" } : { is: "sound", unit: { kind: "version", name, files } };
    } catch (error) {
      if (!(error instanceof StoreDamaged) && !(error instanceof Unreadable)) throw error;
      problem = error.message;
    }
  }
  const isHeld = before !== undefined && (await use.copier.hasAll(before.files));
  return isHeld ? { is: "asBefore", unit: before, problem } : { is: "missing", problem };
}

/** The same files, each as it was, and none more that says something. */
async function isUnchanged({ name, files }: Unit, copier: Copier): Promise<boolean> {
  for (const file of files) if (!(await copier.isUnchanged(file))) return false;
  for (const end of [zipManifestEnd, tombstoneEnd]) {
    const key = keyOf(name, end);
    if (!files.some((file) => file.key === key) && (await copier.stat(key)) !== undefined) return false;
  }
  return true;
}

/**
 * All files of a version, in the order in which they are to be put back; undefined when its manifest is gone. Throws
 * StoreDamaged when one is not as its manifest says, and what the reader throws.
 */
export async function copyFiles(
  name: string,
  { copier, before }: { readonly copier: VersionReader; readonly before?: Unit | undefined },
): Promise<SnapshotFile[] | undefined> {
  const known = (key: string): SnapshotFile | undefined => before?.files.find((file) => file.key === key);
  // What names a file is read before the file: whoever commits writes it after.
  const zip = await copier.bytes(keyOf(name, zipManifestEnd), maxManifestBytes);
  const mod = await copier.bytes(keyOf(name, modManifestEnd), maxManifestBytes);
  const tombstone = await copier.file(keyOf(name, tombstoneEnd), { before: known(keyOf(name, tombstoneEnd)) });
  // Who gives a version up removes both.
  if (mod === undefined && zip === undefined) return undefined;
  const isZipLost = zip === undefined && known(keyOf(name, zipManifestEnd)) !== undefined;
  if (mod === undefined || isZipLost) {
    const lost = keyOf(name, isZipLost ? zipManifestEnd : modManifestEnd);
    throw new StoreDamaged(lost, { expected: "a manifest of layout 1", found: "no file" });
  }
  const modFacts = named(parseModManifest(mod.file.key, mod.bytes), mod.file.key, "mod.manifest");
  const zipFacts = zip && named(parseZipManifest(zip.file.key, zip.bytes), zip.file.key, "zip.manifest");
  if (zipFacts !== undefined && zipFacts.manifest.modManifest !== mod.file.sha256)
    throw new StoreDamaged(mod.file.key, { expected: zipFacts.manifest.modManifest, found: mod.file.sha256 });
  const copy = async (key: StorageKey, sha256: string): Promise<SnapshotFile[]> => {
    const file = await copier.file(key, { before: known(key), sha256 });
    if (file !== undefined) return [file];
    if (tombstone !== undefined) return [];
    throw new StoreDamaged(key, { expected: sha256, found: "no file" });
  };
  const { id, manifest } = modFacts;
  return [
    ...(tombstone === undefined ? [] : [tombstone]),
    ...(await copy(versionKey(id, "info"), manifest.info.sha256)),
    ...(await copy(versionKey(id, "mod"), manifest.mod.sha256)),
    mod.file,
    ...(zipFacts === undefined ? [] : await copy(versionKey(id, "zip"), zipFacts.manifest.zip.sha256)),
    ...(zip === undefined ? [] : [zip.file]),
  ];
}

/** A manifest binds its module: one that lies under another's name is damage. */
export function named<T extends ModManifest | ZipManifest>(
  manifest: T,
  key: StorageKey,
  file: "mod.manifest" | "zip.manifest",
): { readonly id: ModuleVersion; readonly manifest: T } {
  try {
    const id = checkModuleVersion(manifest.path, manifest.version);
    if (versionKey(id, file) === key) return { id, manifest };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  const found = `that of ${manifest.path}@${manifest.version}`;
  throw new StoreDamaged(key, { expected: "the manifest of this version", found });
}

function keyOf(name: string, end: string): StorageKey {
  return storageKey(`${name}${end}`);
}
