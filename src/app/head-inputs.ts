// What `granary sumdb heads import` reads: a go command's folder of heads, one signed note, a trusted file; and the
// tiles of a module cache.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { maxNoteBytes } from "#protocol/note.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { FindTile, Offer } from "#services/sumdb/offered.ts";
import { BadTrustedFile, maxTrustedBytes, parseTrusted, trustedFirstLine } from "#services/sumdb/trusted-file.ts";
import type { Pin } from "#services/sumdb/trusted-file.ts";
import { readStandardInput } from "./standard-input.ts";

/** `<name>/latest`, and names have few slashes. */
const maxDepth = 8;
const maxHeads = 1_000;

/** Heads of a folder, a file, or standard input (`-`). Throws GRANARY_INPUT_UNREADABLE or GRANARY_TRUSTED_UNREADABLE. */
export async function readHeads(from: string): Promise<Offer["heads"]> {
  const files = from === "-" ? [from] : await inPlace(from, () => headFiles(from));
  const heads: Offer["heads"][number][] = [];
  for (const file of files) {
    const text = await readText(file);
    if (text.startsWith(trustedFirstLine.slice(0, trustedFirstLine.lastIndexOf(" "))))
      heads.push(...pinsOf(file, text).map(({ note }) => ({ from: file, note })));
    // The go command makes the file before it has a head to put there.
    else if (text !== "" || files.length === 1) heads.push({ from: file, note: text });
  }
  if (heads.length > 0) return heads;
  const reason = "there is no head in it: it should hold NAME/latest, as GOPATH/pkg/sumdb does";
  throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: from, reason });
}

/** The pins of a trusted file. Throws GRANARY_INPUT_UNREADABLE or GRANARY_TRUSTED_UNREADABLE. */
export async function readTrusted(file: string): Promise<Pin[]> {
  return pinsOf(file, await readText(file));
}

function pinsOf(file: string, text: string): Pin[] {
  try {
    return parseTrusted(text);
  } catch (error) {
    if (!(error instanceof BadTrustedFile)) throw error;
    const { line, found, accepted } = error;
    throw new GranaryError("GRANARY_TRUSTED_UNREADABLE", { file, line, found, accepted }, { cause: error });
  }
}

/** The tiles of a database that a module cache (GOMODCACHE) holds. */
export function cachedTiles(cache: string, database: string): FindTile {
  const folder = join(cache, "cache", "download", "sumdb", database);
  return async (path) => {
    // Paths are ours: formatTilePath makes them.
    const file = join(folder, ...path.split("/"));
    const bytes = await readFile(file).catch(() => undefined);
    return bytes !== undefined && bytes.length <= maxNoteBytes ? bytes : undefined;
  };
}

async function headFiles(from: string): Promise<string[]> {
  if (!(await stat(from)).isDirectory()) return [from];
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile() && entry.name === "latest" && found.length < maxHeads) found.push(path);
      if (entry.isDirectory() && depth < maxDepth) await look(path, depth + 1);
    }
  };
  await look(from, 0);
  return found.sort();
}

async function readText(file: string): Promise<string> {
  return await inPlace(file, async () => {
    if (file === "-") return await readStandardInput(maxTrustedBytes);
    const { size } = await stat(file);
    if (size > maxTrustedBytes) throw new Error(`longer than ${maxTrustedBytes} bytes`);
    return await readFile(file, "utf8");
  });
}

async function inPlace<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place, reason }, { cause: error });
  }
}
