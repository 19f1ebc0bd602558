// Looking a whole store over: what is in it, and whether every kept byte is what was committed. Reads, never repairs.

import { createHash } from "node:crypto";
import { StoreDamaged } from "./errors.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest } from "./manifest.ts";
import type { OpenObject, Storage, StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";

export type Stats = {
  readonly modules: number;
  /** Versions of which at least `.info` and go.mod are kept. */
  readonly versions: number;
  readonly zips: number;
  readonly bytes: number;
  /** Checksum records kept. */
  readonly records: number;
};

export type Survey = {
  readonly checked: number;
  readonly bytes: number;
  readonly findings: readonly { readonly key: string; readonly problem: string }[];
};

const modulesPrefix = "modules/";
const sumdbPrefix = "modules/sumdb/";

export async function storeStats(storage: Storage): Promise<Stats> {
  const modules = new Set<string>();
  let [versions, zips, bytes, records] = [0, 0, 0, 0];
  for await (const { key, size } of storage.list(modulesPrefix)) {
    bytes += size;
    if (key.startsWith(sumdbPrefix)) {
      if (key.includes("/lookup/")) records++;
      continue;
    }
    if (key.endsWith(".zip.manifest")) zips++;
    if (!key.endsWith(".mod.manifest")) continue;
    versions++;
    modules.add(key.slice(0, key.lastIndexOf("/@v/")));
  }
  return { modules: modules.size, versions, zips, bytes, records };
}

/** Reads every committed file and holds it against its manifest. `progress` is called after each version. */
export async function verifyStore(
  storage: Storage,
  progress: (checked: number, bytes: number) => void,
): Promise<Survey> {
  const findings: { key: string; problem: string }[] = [];
  let [checked, bytes] = [0, 0];
  for await (const { key } of storage.list(modulesPrefix)) {
    if (!key.endsWith(".manifest")) continue;
    try {
      for (const { file, size, sha256 } of await filesOf(storage, key)) {
        bytes += size;
        await checkFile(storage, { key: file, size, sha256 });
      }
    } catch (error) {
      if (!(error instanceof StoreDamaged)) throw error;
      findings.push({ key: error.key, problem: `expected ${error.expected}, found ${error.found}` });
    }
    checked++;
    progress(checked, bytes);
  }
  return { checked, bytes, findings };
}

type CommittedFile = { readonly file: StorageKey; readonly size: number; readonly sha256: string };

async function filesOf(storage: Storage, key: StorageKey): Promise<CommittedFile[]> {
  const stored = await storage.get(key, maxManifestBytes);
  if (stored === undefined) return [];
  if (key.endsWith(".mod.manifest")) {
    const stem = key.slice(0, -".mod.manifest".length);
    const { info, mod } = parseModManifest(key, stored.bytes);
    return [
      { file: storageKey(`${stem}.info`), ...info },
      { file: storageKey(`${stem}.mod`), ...mod },
    ];
  }
  const stem = key.slice(0, -".zip.manifest".length);
  const { zip, modManifest } = parseZipManifest(key, stored.bytes);
  const first = storageKey(`${stem}.mod.manifest`);
  return [
    { file: first, size: (await storage.stat(first))?.size ?? 0, sha256: modManifest },
    { file: storageKey(`${stem}.zip`), ...zip },
  ];
}

async function checkFile(
  storage: Storage,
  want: { readonly key: StorageKey; readonly size: number; readonly sha256: string },
): Promise<void> {
  const object = await storage.open(want.key);
  if (object === undefined) throw new StoreDamaged(want.key, { expected: want.sha256, found: "no file" });
  try {
    const found = await hashOf(object);
    if (found !== want.sha256) throw new StoreDamaged(want.key, { expected: want.sha256, found });
  } finally {
    await object.close();
  }
}

async function hashOf(object: OpenObject): Promise<string> {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 20);
  for (let at = 0; ;) {
    const got = await object.read(at, piece);
    if (got === 0) return hash.digest("hex");
    hash.update(piece.subarray(0, got));
    at += got;
  }
}
