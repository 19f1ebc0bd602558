// Manifests: the commit points of a kept version, and all that is known about its files. JSON, one per stage.
//
//   <version>.mod.manifest   `.info` and go.mod are kept and proven
//   <version>.zip.manifest   the zip is kept and proven; names the first one's sha256
//
// Written last and never changed. A file without its manifest is a leftover of an interrupted commit.

import { StoreDamaged } from "./errors.ts";

/** `integrity`: a signed list, while no database could be reached; a database has to agree since (docs/integrity.md). */
export type VerifiedBy = "sumdb" | "pin" | "off" | "integrity";

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

/** The upstream of what was published here: nobody else has it. */
export const publishedHere = "published";

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
  readonly zip: FileFacts & {
    readonly h1: string;
    readonly blockBytes: number;
    /** sha256 of each block, base64 of all */
    readonly blocks: string;
  };
  readonly files: number;
  readonly uncompressedBytes: number;
};

/** Largest manifest: a 500 MiB zip has 8,000 blocks, 350 KiB in base64. */
export const maxManifestBytes = 1 << 20;

/** Zips are checked in blocks of this size when they are first read. */
export const zipBlockBytes = 64 * 1024;

export function formatManifest(manifest: ModManifest | ZipManifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/** Throws StoreDamaged when the bytes are not a mod manifest of this program's layout. */
export function parseModManifest(key: string, bytes: Uint8Array): ModManifest {
  const value = parse(key, bytes, "mod");
  const { info, mod } = value;
  if (!isFile(info) || !isFile(mod) || !isH1(mod["h1"])) throw damaged(key);
  return value as ModManifest;
}

/** Throws StoreDamaged when the bytes are not a zip manifest of this program's layout. */
export function parseZipManifest(key: string, bytes: Uint8Array): ZipManifest {
  const value = parse(key, bytes, "zip");
  const { zip, modManifest, files, uncompressedBytes } = value;
  if (!isFile(zip) || !isH1(zip["h1"]) || !isHash(modManifest)) throw damaged(key);
  if (zip["blockBytes"] !== zipBlockBytes || !isBase64Of(zip["blocks"], Math.ceil(zip.size / zipBlockBytes) * 32))
    throw damaged(key);
  if (!isCount(files) || !isCount(uncompressedBytes)) throw damaged(key);
  return value as ZipManifest;
}

const vouchers: ReadonlySet<string> = new Set<VerifiedBy>(["sumdb", "pin", "off", "integrity"]);

type Loose = { readonly [name in keyof ModManifest | keyof ZipManifest]?: unknown };

/** What both manifests have in common. Members this program does not know are left alone. */
function parse(key: string, bytes: Uint8Array, stage: "mod" | "zip"): Loose {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw damaged(key);
  }
  if (!isObject(value)) throw damaged(key);
  const { manifest, path, version, verifiedBy, records, origin, firstSeen } = value;
  const isOurs = manifest === 1 && value["stage"] === stage && isText(path) && isText(version);
  const isProven = isText(verifiedBy) && vouchers.has(verifiedBy);
  const isRecorded = Array.isArray(records) && records.every(isRecordRef);
  const isFrom = isObject(origin) && isText(origin["upstream"]) && isText(origin["url"]);
  const isDated = isText(firstSeen) && !Number.isNaN(Date.parse(firstSeen));
  if (!isOurs || !isProven || !isRecorded || !isFrom || !isDated) throw damaged(key);
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecordRef(value: unknown): value is RecordRef {
  return isObject(value) && isText(value["database"]) && isCount(value["id"]) && isCount(value["treeSize"]);
}

function isFile(value: unknown): value is FileFacts & Readonly<Record<string, unknown>> {
  return isObject(value) && isCount(value["size"]) && isHash(value["sha256"]);
}

function isHash(value: unknown): boolean {
  return isText(value) && /^[0-9a-f]{64}$/.test(value);
}

function isH1(value: unknown): boolean {
  return isText(value) && /^h1:[A-Za-z0-9+/]{43}=$/.test(value);
}

/** Buffer.from() skips what is not base64, so the text must come back as it was. */
function isBase64Of(value: unknown, length: number): boolean {
  if (!isText(value)) return false;
  const bytes = Buffer.from(value, "base64");
  return bytes.length === length && bytes.toString("base64") === value;
}

function damaged(key: string): StoreDamaged {
  return new StoreDamaged(key, { expected: "a manifest of layout 1", found: "something else" });
}
