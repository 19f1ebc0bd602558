// One version of a snapshot on its way back into a store: files first, the manifest that names them last, so that a crash
// leaves what a crash of a commit leaves. What the store has committed stays: the same name means the same bytes for ever.

import type { ModuleVersion } from "#protocol/version.ts";
import type { Restorer } from "./_restore-files.ts";
import { modManifestEnd, named, tombstoneEnd, zipManifestEnd } from "./_snapshot-versions.ts";
import { sha256 as sha256Of } from "./_version-files.ts";
import { StoreDamaged } from "./errors.ts";
import { formatManifest, maxManifestBytes, parseModManifest, parseZipManifest } from "./manifest.ts";
import type { ModManifest, ZipManifest } from "./manifest.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";
import { SnapshotDamaged } from "./snapshot-index.ts";
import type { SnapshotFile, Unit } from "./snapshot-index.ts";

/** `isComplete`: the version has a zip now, and belongs on its module's list. */
export type VersionRestored =
  | { readonly is: "there"; readonly id: ModuleVersion; readonly isComplete: boolean }
  /** The store has committed other bytes; nothing was touched. */
  | { readonly is: "otherBytes"; readonly clash: Clash };

/** A committed file, by its ending, with both hashes. */
export type Clash = { readonly file: ".info" | ".mod" | ".zip"; readonly ours: string; readonly theirs: string };

/** What puts a version's files into a store. */
export type VersionWriter = Pick<Restorer, "read" | "ensure" | "write" | "remove" | "wasThere">;

type Use = { readonly restorer: VersionWriter; readonly store: Storage };

type Stage<T> = { readonly file: SnapshotFile; readonly sha256: string; readonly id: ModuleVersion; readonly facts: T };

/** Throws SnapshotDamaged when the snapshot lacks a file, StoreUnavailable when the store fails. */
export async function restoreVersion(unit: Unit, use: Use): Promise<VersionRestored> {
  const find = (end: string): SnapshotFile | undefined => unit.files.find(({ key }) => key === `${unit.name}${end}`);
  const [modFile, zipFile, tombstone] = [find(modManifestEnd), find(zipManifestEnd), find(tombstoneEnd)];
  if (modFile === undefined) throw new SnapshotDamaged(`${unit.name}: the snapshot has no manifest of it`);
  const mod = await readStage(modFile, use.restorer, parseMod);
  const zip = zipFile && (await readStage(zipFile, use.restorer, parseZip));
  const theirMod = await keptStage(modFile, use.store, parseMod);
  const theirZip = await keptStage({ ...modFile, key: keyOf(unit.name, zipManifestEnd) }, use.store, parseZip);
  const clash = clashOf({ mod, zip }, { mod: theirMod, zip: theirZip });
  if (clash !== undefined) return { is: "otherBytes", clash };
  if (tombstone !== undefined)
    if (theirMod === undefined) await use.restorer.ensure(tombstone);
    else use.restorer.wasThere();
  const ensure = async (end: string): Promise<void> => {
    const file = find(end);
    if (file !== undefined) await use.restorer.ensure(file);
  };
  await ensure(".info");
  await ensure(".mod");
  if (theirMod === undefined) await use.restorer.ensure(modFile);
  else use.restorer.wasThere();
  await ensure(".zip");
  const modManifest = (theirMod ?? mod).sha256;
  if (zip !== undefined)
    if (theirZip?.facts.modManifest === modManifest) use.restorer.wasThere();
    else await putZipManifest(zip, modManifest, use);
  if (tombstone === undefined) await bury(keyOf(unit.name, tombstoneEnd), use);
  return { is: "there", id: mod.id, isComplete: tombstone === undefined && (zip ?? theirZip) !== undefined };
}

/** Which committed file has other bytes; undefined when none has. */
function clashOf(
  ours: { readonly mod: Stage<ModManifest>; readonly zip: Stage<ZipManifest> | undefined },
  theirs: { readonly mod: Stage<ModManifest> | undefined; readonly zip: Stage<ZipManifest> | undefined },
): Clash | undefined {
  const pairs = [
    [".info", ours.mod.facts.info.sha256, theirs.mod?.facts.info.sha256],
    [".mod", ours.mod.facts.mod.sha256, theirs.mod?.facts.mod.sha256],
    [".zip", ours.zip?.facts.zip.sha256, theirs.zip?.facts.zip.sha256],
  ] as const;
  for (const [file, mine, other] of pairs)
    if (mine !== undefined && other !== undefined && mine !== other) return { file, ours: mine, theirs: other };
  return undefined;
}

/** The zip's manifest names that of the go.mod. Where the store has one of its own, with the same bytes, it names that. */
async function putZipManifest(
  zip: Stage<ZipManifest>,
  modManifest: string,
  { restorer }: Pick<Use, "restorer">,
): Promise<void> {
  if (zip.facts.modManifest === modManifest) await restorer.ensure(zip.file);
  else await restorer.write(zip.file.key, formatManifest({ ...zip.facts, modManifest }));
}

/** The version's files are back. */
async function bury(key: StorageKey, { restorer, store }: Use): Promise<void> {
  if ((await store.stat(key)) !== undefined) await restorer.remove(key);
}

type Parse<T> = (key: StorageKey, bytes: Uint8Array) => { readonly id: ModuleVersion; readonly manifest: T };

const parseMod: Parse<ModManifest> = (key, bytes) => named(parseModManifest(key, bytes), key, "mod.manifest");
const parseZip: Parse<ZipManifest> = (key, bytes) => named(parseZipManifest(key, bytes), key, "zip.manifest");

async function readStage<T>(file: SnapshotFile, restorer: VersionWriter, parse: Parse<T>): Promise<Stage<T>> {
  const bytes = await restorer.read(file);
  try {
    const { id, manifest } = parse(file.key, bytes);
    return { file, sha256: file.sha256, id, facts: manifest };
  } catch (error) {
    if (error instanceof StoreDamaged) throw new SnapshotDamaged(error.message, { cause: error });
    throw error;
  }
}

/** What the store has committed; undefined when nothing, or when nobody can tell any more what it was. */
async function keptStage<T>(at: SnapshotFile, store: Storage, parse: Parse<T>): Promise<Stage<T> | undefined> {
  const stored = await store.get(at.key, maxManifestBytes);
  if (stored === undefined) return undefined;
  try {
    const { id, manifest } = parse(at.key, stored.bytes);
    return { file: at, sha256: sha256Of(stored.bytes), id, facts: manifest };
  } catch (error) {
    if (error instanceof StoreDamaged) return undefined;
    throw error;
  }
}

function keyOf(name: string, end: string): StorageKey {
  return storageKey(`${name}${end}`);
}
