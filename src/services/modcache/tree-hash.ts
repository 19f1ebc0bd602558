// The `h1:` of an extracted tree, as x/mod dirhash.HashDir makes it: every file below it, under `PATH@VERSION/`.

import { hash1 } from "#protocol/dirhash.ts";
import type { FileHash } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipEntries } from "#protocol/zip.ts";
import { treePath } from "./layout.ts";
import { CacheUnreadable } from "./ports.ts";
import type { CacheTree } from "./ports.ts";
import { inTurns } from "./survey.ts";

/** `odd`: something in it cannot come from a zip, or cannot be read. */
export type TreeHash =
  | { readonly kind: "hash"; readonly h1: string }
  | { readonly kind: "odd"; readonly path: string; readonly reason: string };

/** Throws the signal's reason. */
export async function hashTree(tree: CacheTree, id: ModuleVersion, signal: AbortSignal): Promise<TreeHash> {
  const top = treePath(id);
  const files: string[] = [];
  try {
    const odd = await filesBelow(tree, top, files);
    if (odd !== undefined) return odd;
    const digests = new Map<string, string>();
    await inTurns(files, async (path) => {
      signal.throwIfAborted();
      digests.set(path, await tree.digest(path));
    });
    const hashes = [...digests]
      .filter(([path, sha256]) => !(id.path === toolchainPath && isGosCopy(path, sha256, digests)))
      .map(([path, sha256]): FileHash => ({ name: `${formatModuleVersion(id)}${path.slice(top.length)}`, sha256 }));
    return { kind: "hash", h1: hash1(hashes) };
  } catch (error) {
    if (error instanceof CacheUnreadable) return { kind: "odd", path: error.path, reason: error.message };
    if (error instanceof ProtocolError) return { kind: "odd", path: top, reason: error.message };
    throw error;
  }
}

const toolchainPath = "golang.org/toolchain";

/** Zips of toolchains have `_go.mod` for go.mod; go copies each when it first runs the toolchain (cmd/go toolchain.Exec). */
function isGosCopy(path: string, sha256: string, digests: ReadonlyMap<string, string>): boolean {
  return path.endsWith("/go.mod") && digests.get(path.replace(/go\.mod$/, "_go.mod")) === sha256;
}

async function filesBelow(tree: CacheTree, top: string, files: string[]): Promise<TreeHash | undefined> {
  const waiting = [top];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const { name, kind } of await tree.names(folder)) {
      const path = `${folder}/${name}`;
      if (kind === "folder") waiting.push(path);
      else if (kind === "file") files.push(path);
      else return { kind: "odd", path, reason: "neither a file nor a folder" };
      if (files.length > maxZipEntries) return { kind: "odd", path: top, reason: `more than ${maxZipEntries} files` };
    }
  return undefined;
}

/** As many files as are named. */
const maxNamed = 3;
/** Files of one extraction are written within moments of each other. */
const sameMomentMs = 2_000;

/** The files of a tree that were written well after the first of them: the edited ones, if any were. The last first. */
export async function writtenLater(tree: CacheTree, id: ModuleVersion): Promise<readonly string[]> {
  const files: string[] = [];
  try {
    await filesBelow(tree, treePath(id), files);
    const times: { path: string; ms: number }[] = [];
    await inTurns(files, async (path) => {
      times.push({ path, ms: (await tree.facts(path))?.modifiedMs ?? 0 });
    });
    times.sort((a, b) => b.ms - a.ms);
    const first = times.at(-1)?.ms ?? 0;
    return times
      .filter(({ ms }) => ms > first + sameMomentMs)
      .slice(0, maxNamed)
      .map(({ path }) => path);
  } catch (error) {
    if (error instanceof CacheUnreadable) return [];
    throw error;
  }
}
