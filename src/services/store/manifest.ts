// Manifests: the commit points of a kept version, and all that is known about its files. JSON, one per stage.
//
//   <version>.mod.manifest   `.info` and go.mod are kept and proven
//   <version>.zip.manifest   the zip is kept and proven; names the first one's sha256
//
// Written last and never changed. A file without its manifest is a leftover of an interrupted commit.

import { StoreDamaged } from "./errors.ts";

export type VerifiedBy = "sumdb" | "pin" | "off";

/** Where in a checksum database a version is recorded, and the tree its inclusion was proven in. */
export type RecordRef = { readonly database: string; readonly id: number; readonly treeSize: number };

/** Facts of one arrival. */
export type Facts = {
  readonly verifiedBy: VerifiedBy;
  readonly records: readonly RecordRef[];
  readonly origin: { readonly upstream: string; readonly url: string };
  /** RFC 3339. */
  readonly firstSeen: string;
};

type FileFacts = { readonly size: number; /** hex */ readonly sha256: string };

export type ModManifest = Facts & {
  readonly manifest: 1;
  readonly stage: "mod";
  readonly path: string;
  readonly version: string;
  readonly info: FileFacts;
  readonly mod: FileFacts & { readonly h1: string };
};

export type ZipManifest = Facts & {
  readonly manifest: 1;
  readonly stage: "zip";
  readonly path: string;
  readonly version: string;
  /** sha256 of the mod manifest's bytes: both stages are one snapshot. */
  readonly modManifest: string;
  readonly zip: FileFacts & { readonly h1: string; readonly blockBytes: number; /** sha256 of each block, base64 of all */ readonly blocks: string };
  readonly files: number;
  readonly uncompressedBytes: number;
};

/** Largest manifest: a 500 MiB zip has 8,000 blocks, 350 KiB in base64. */
export const maxManifestBytes = 1 << 20;

export function formatManifest(manifest: ModManifest | ZipManifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/** Throws StoreDamaged when the bytes are not a mod manifest of this program's layout. */
export function parseModManifest(key: string, bytes: Uint8Array): ModManifest {
  const value = parse(key, bytes, "mod") as Partial<ModManifest>;
  if (!isFile(value.info) || !isFile(value.mod) || !isH1(value.mod.h1)) throw damaged(key);
  return value as ModManifest;
}

/** Throws StoreDamaged when the bytes are not a zip manifest of this program's layout. */
export function parseZipManifest(key: string, bytes: Uint8Array): ZipManifest {
  const value = parse(key, bytes, "zip") as Partial<ZipManifest>;
  const { zip } = value;
  if (!isFile(zip) || !isH1(zip.h1) || !isHash(value.modManifest)) throw damaged(key);
  const blocks = Math.ceil(zip.size / zip.blockBytes);
  if (zip.blockBytes !== zipBlockBytes || Buffer.from(zip.blocks, "base64").length !== blocks * 32) throw damaged(key);
  return value as ZipManifest;
}

/** Zips are checked in blocks of this size when they are first read. */
export const zipBlockBytes = 64 * 1024;

function parse(key: string, bytes: Uint8Array, stage: string): object {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw damaged(key);
  }
  const manifest = value as Partial<ModManifest> | null;
  const known = typeof value === "object" && manifest?.manifest === 1 && (manifest.stage as string) === stage;
  const named = typeof manifest?.path === "string" && typeof manifest.version === "string" && typeof manifest.firstSeen === "string";
  if (!known || !named || manifest === null) throw damaged(key);
  return manifest;
}

function isFile<T extends FileFacts>(file: T | undefined): file is T {
  return typeof file === "object" && Number.isSafeInteger(file.size) && file.size >= 0 && isHash(file.sha256);
}

function isHash(text: unknown): boolean {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

function isH1(text: unknown): boolean {
  return typeof text === "string" && /^h1:[A-Za-z0-9+/]{43}=$/.test(text);
}

function damaged(key: string): StoreDamaged {
  return new StoreDamaged(key, { expected: "a manifest of layout 1", found: "something else" });
}
