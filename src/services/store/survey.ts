// Looking a whole store over: what is in it, and whether every kept byte is what was committed. Reads, never repairs.

import { ProtocolError } from "#protocol/errors.ts";
import { maxListBytes, parseList } from "#protocol/info.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { checkModuleVersion, formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { noFile, StoreDamaged } from "./errors.ts";
import { listKey, modulesPrefix, sumdbPrefix, versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest } from "./manifest.ts";
import { hashOf } from "./object-bytes.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { isEvicted } from "./tombstone.ts";

export type Stats = {
  readonly modules: number;
  /** Versions of which at least `.info` and go.mod are kept. */
  readonly versions: number;
  readonly zips: number;
  /** Versions whose files made room, and whose manifests stay. */
  readonly evicted: number;
  readonly bytes: number;
  /** Checksum records kept. */
  readonly records: number;
};

export type Finding = { readonly key: string; readonly problem: string };

export type Survey = {
  /** Manifests looked at. */
  readonly checked: number;
  /** Bytes that were hashed. */
  readonly bytes: number;
  readonly findings: readonly Finding[];
};

export async function storeStats(storage: Storage): Promise<Stats> {
  const modules = new Set<string>();
  let [versions, zips, evicted, bytes, records] = [0, 0, 0, 0, 0];
  for await (const { key, size } of storage.list(modulesPrefix)) {
    bytes += size;
    if (key.startsWith(sumdbPrefix)) {
      if (key.includes("/lookup/")) records++;
      continue;
    }
    if (key.endsWith(".zip.manifest")) zips++;
    if (key.endsWith(".tombstone")) evicted++;
    if (!key.endsWith(".mod.manifest")) continue;
    versions++;
    modules.add(key.slice(0, key.lastIndexOf("/@v/")));
  }
  return { modules: modules.size, versions, zips, evicted, bytes, records };
}

/**
 * Reads every committed file and holds it against its manifest. `progress` is called after each manifest. What cannot
 * be read is a finding as well: the rest of the store is still looked over.
 */
export async function verifyStore(
  storage: Storage,
  progress: (checked: number, bytes: number) => void,
): Promise<Survey> {
  const findings: Finding[] = [];
  let [checked, bytes] = [0, 0];
  for await (const { key } of storage.list(modulesPrefix)) {
    if (!key.endsWith(".manifest") || key.startsWith(sumdbPrefix)) continue;
    for (const check of await checksOf(storage, key, findings)) {
      const problem = await problemOf(key, async () => {
        bytes += await check();
      });
      if (problem !== undefined) findings.push(problem);
    }
    checked++;
    progress(checked, bytes);
  }
  return { checked, bytes, findings };
}

/** Checks one thing; returns the bytes it read. Throws StoreDamaged or StoreUnavailable. */
type Check = () => Promise<number>;

async function checksOf(storage: Storage, key: StorageKey, findings: Finding[]): Promise<Check[]> {
  let checks: Check[] = [];
  const problem = await problemOf(key, async () => {
    const stored = await storage.get(key, maxManifestBytes);
    if (stored === undefined) return; // removed since it was listed
    checks = key.endsWith(".mod.manifest")
      ? modChecks(storage, key, stored.bytes)
      : zipChecks(storage, key, stored.bytes);
  });
  if (problem !== undefined) findings.push(problem);
  return checks;
}

function modChecks(storage: Storage, key: StorageKey, bytes: Uint8Array): Check[] {
  const manifest = parseModManifest(key, bytes);
  const id = namedBy(manifest, key, "mod.manifest");
  return [
    () => checkFile(storage, { id, file: "info" }, manifest.info.sha256),
    () => checkFile(storage, { id, file: "mod" }, manifest.mod.sha256),
  ];
}

function zipChecks(storage: Storage, key: StorageKey, bytes: Uint8Array): Check[] {
  const manifest = parseZipManifest(key, bytes);
  const id = namedBy(manifest, key, "zip.manifest");
  return [
    () => checkFile(storage, { id, file: "mod.manifest" }, manifest.modManifest),
    () => checkFile(storage, { id, file: "zip" }, manifest.zip.sha256),
    () => checkListed(storage, id),
  ];
}

/** A manifest binds its module: one that lies under another's name is damage. */
function namedBy(
  manifest: { readonly path: string; readonly version: string },
  key: StorageKey,
  file: "mod.manifest" | "zip.manifest",
): ModuleVersion {
  const found = `${manifest.path}@${manifest.version}`;
  try {
    const id = checkModuleVersion(manifest.path, manifest.version);
    if (versionKey(id, file) === key) return id;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw new StoreDamaged(key, { expected: "the manifest of this version", found: `that of ${found}` });
}

async function checkFile(
  storage: Storage,
  of: { readonly id: ModuleVersion; readonly file: VersionFile },
  expected: string,
): Promise<number> {
  const key = versionKey(of.id, of.file);
  const object = await storage.open(key);
  if (object === undefined) {
    if (of.file !== "mod.manifest" && (await isEvicted(storage, of.id))) return 0;
    throw new StoreDamaged(key, { expected, found: noFile });
  }
  try {
    const found = await hashOf(object);
    if (found !== expected) throw new StoreDamaged(key, { expected, found });
    return object.size;
  } finally {
    await object.close();
  }
}

async function checkListed(storage: Storage, id: ModuleVersion): Promise<number> {
  if (isPseudoVersion(id.version) || (await isEvicted(storage, id))) return 0;
  const key = listKey(id.path);
  const stored = await storage.get(key, maxListBytes);
  const isListed = stored !== undefined && parseList(stored.bytes).includes(id.version);
  if (!isListed) throw new StoreDamaged(key, { expected: formatModuleVersion(id), found: "a list without it" });
  return 0;
}

async function problemOf(key: StorageKey, work: () => Promise<void>): Promise<Finding | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof StoreDamaged)
      return { key: error.key, problem: `expected ${error.expected}, found ${error.found}` };
    if (error instanceof StoreUnavailable) return { key, problem: `cannot be read: ${error.message}` };
    throw error;
  }
}
