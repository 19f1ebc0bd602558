// Is this a module zip that the go command would take, and what is its h1? All rules of x/mod zip.checkZip and Unzip,
// over every entry, without writing a file.

import { createHash, hash } from "node:crypto";
import type { Hash } from "node:crypto";

import { hash1 } from "./dirhash.ts";
import type { FileHash } from "./dirhash.ts";
import { ProtocolError } from "./errors.ts";
import { maxGoModBytes } from "./gomod.ts";
import { openZip } from "./zip.ts";
import type { ZipDirectory, ZipLimits } from "./zip.ts";
import type { ByteSource, ZipWarning } from "./zip-bytes.ts";
import { readEntry } from "./zip-entry.ts";
import type { ZipEntry } from "./zip-local.ts";
import { ZipNames, zipPrefix } from "./zip-names.ts";
import type { NameRule } from "./zip-names.ts";

/** x/mod zip.MaxZipFile: bounds the zip and the sum of its declared sizes. */
export const maxZipBytes = 500 * 1024 * 1024;

/** x/mod zip.MaxLICENSE; the root file of this very name only. */
export const maxLicenseBytes = 16 * 1024 * 1024;

/** A hostile zip may break a rule 100,000 times; nobody reads more than this. */
const maxProblems = 100;

export type ZipRule =
  | NameRule
  | "structure" // not a zip, or one with two readings
  | "zip-size"
  | "total-size"
  | "go-mod-size"
  | "license-size"
  | "directory-data" // a directory entry with bytes
  | "data"; // does not inflate to what was declared

export type ZipProblem = {
  /** The entry's name, empty when the zip as a whole is at fault. */
  readonly name: string;
  readonly rule: ZipRule;
  readonly reason: string;
};

export type ZipReport = {
  /** True when the go command would take it; `h1` and `goMod` mean something only then. */
  readonly valid: boolean;
  /** The first hundred; empty when valid. */
  readonly problems: readonly ZipProblem[];
  readonly warnings: readonly ZipWarning[];
  readonly files: number;
  readonly uncompressedBytes: number;
  /** The root go.mod, when there is one. */
  readonly goMod?: Uint8Array;
  /** x/mod dirhash.HashZip, `h1:…`; empty when not valid. */
  readonly h1: string;
};

/** Checks a module zip; whatever the bytes, it reports and does not throw (only a failing source throws). */
export function checkModuleZip(
  source: ByteSource,
  id: { readonly path: string; readonly version: string },
  limits?: ZipLimits,
): ZipReport {
  if (source.size > maxZipBytes) return refused("zip-size", `zip of ${source.size} bytes; limit is ${maxZipBytes}`);
  let name = "";
  let rule: ZipRule = "structure";
  try {
    const directory = openZip(source, limits);
    const problems = checkEntries(directory, zipPrefix(id));
    if (problems.length > 0) return { ...invalid, problems, warnings: directory.warnings };
    rule = "data";
    return hashEntries(source, directory, {
      goModName: `${zipPrefix(id)}go.mod`,
      onEntry: (entry) => (name = entry.name),
    });
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "BAD_ZIP") return refused(rule, error.message, name);
    throw error;
  }
}

const invalid = { valid: false, files: 0, uncompressedBytes: 0, h1: "" } as const;

function refused(rule: ZipRule, reason: string, name = ""): ZipReport {
  return { ...invalid, problems: [{ name: shorten(name), rule, reason }], warnings: [] };
}

function checkEntries(directory: ZipDirectory, prefix: string): ZipProblem[] {
  const names = new ZipNames(prefix);
  const problems: ZipProblem[] = [];
  let total = 0;
  for (const entry of directory.entries) {
    if (problems.length === maxProblems) break;
    const report = (rule: ZipRule, reason: string): unknown =>
      problems.push({ name: shorten(entry.name), rule, reason: shorten(reason) });
    if (!entry.validName) {
      report("encoding", "name is not UTF-8");
      continue;
    }
    const bad = names.add(entry.name) ?? sizeProblem(entry, prefix);
    if (bad) report(bad.rule, bad.reason);
    total += entry.size;
  }
  if (total > maxZipBytes) {
    const reason = `total uncompressed size of module contents too large (max size is ${maxZipBytes} bytes)`;
    problems.push({ name: "", rule: "total-size", reason });
  }
  return problems;
}

function sizeProblem(entry: ZipEntry, prefix: string): { rule: ZipRule; reason: string } | undefined {
  if (isDirectory(entry) && entry.size > 0) return { rule: "directory-data", reason: "a directory has no bytes" };
  if (entry.name === `${prefix}go.mod` && entry.size > maxGoModBytes) {
    return { rule: "go-mod-size", reason: `go.mod file too large (max size is ${maxGoModBytes} bytes)` };
  }
  if (entry.name === `${prefix}LICENSE` && entry.size > maxLicenseBytes) {
    return { rule: "license-size", reason: `LICENSE file too large (max size is ${maxLicenseBytes} bytes)` };
  }
  return undefined;
}

function hashEntries(
  source: ByteSource,
  directory: ZipDirectory,
  options: { goModName: string; onEntry: (entry: ZipEntry) => void },
): ZipReport {
  const warnings = new Set<ZipWarning>(directory.warnings);
  const hashes: FileHash[] = [];
  let goMod: Uint8Array | undefined;
  let files = 0;
  let uncompressedBytes = 0;
  for (const entry of directory.entries) {
    options.onEntry(entry);
    // Like dirhash.HashZip: a directory entry counts as an empty file, its data is not looked at.
    if (isDirectory(entry)) {
      warnings.add("directory-entry");
      hashes.push({ name: entry.name, sha256: sha256OfNothing });
      continue;
    }
    files++;
    uncompressedBytes += entry.size;
    const chunks: Uint8Array[] = [];
    const keep = entry.name === options.goModName ? chunks : undefined;
    hashes.push({ name: entry.name, sha256: hashEntry(source, entry, { warnings, keep }) });
    if (keep) goMod = Uint8Array.from(Buffer.concat(keep));
  }
  if (files === 0) warnings.add("empty");
  return {
    valid: true,
    problems: [],
    warnings: [...warnings],
    files,
    uncompressedBytes,
    ...(goMod && { goMod }),
    h1: hash1(hashes),
  };
}

const sha256OfNothing = hash("sha256", "");

/** The SHA-256 of an entry's bytes, in hexadecimal; copies of their chunks go to `keep`. */
function hashEntry(
  source: ByteSource,
  entry: ZipEntry,
  to: { readonly warnings: Set<ZipWarning>; readonly keep: Uint8Array[] | undefined },
): string {
  let whole: string | undefined;
  let parts: Hash | undefined;
  const take = (chunk: Uint8Array): void => {
    to.keep?.push(new Uint8Array(chunk));
    // Most entries come in one chunk, and one call costs less than an object and three calls.
    if (chunk.length === entry.size) whole = hash("sha256", chunk);
    else (parts ??= createHash("sha256")).update(chunk);
  };
  readEntry(source, entry, { take, warnings: to.warnings });
  return whole ?? parts?.digest("hex") ?? sha256OfNothing;
}

function isDirectory(entry: ZipEntry): boolean {
  return entry.name.endsWith("/");
}

/** Names may be 65,535 bytes long; reports are read by people and kept. */
function shorten(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
