// A folder as the files of a module, walked as x/mod zip.listFilesInDir walks it: not into what version control systems
// keep, not into modules below it, and not through symbolic links.

import { constants, createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { repositoryFolders } from "#protocol/module-files.ts";
import type { Omitted } from "#protocol/module-files.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { SourceFile, SourceTree } from "#services/packing/ports.ts";

/** Files and folders; the largest public modules have fewer than 70,000 files. */
const maxEntries = 500_000;

/** Lists the folder. Throws GRANARY_INPUT_UNREADABLE. */
export async function openModuleFolder(folder: string, signal: AbortSignal): Promise<SourceTree> {
  const files: SourceFile[] = [];
  const omitted: Omitted[] = [];
  const waiting = [""];
  for (let seen = 0, at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    signal.throwIfAborted();
    const here = at;
    const entries = await readable(here === "" ? folder : join(folder, here), (place) =>
      readdir(place, { withFileTypes: true }),
    );
    seen += entries.length;
    if (seen > maxEntries)
      throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: folder, reason: `more than ${maxEntries} files` });
    if (here !== "" && entries.some((entry) => entry.name === "go.mod" && !entry.isDirectory())) {
      omitted.push({ path: here, reason: "nested-module" });
      continue;
    }
    for (const entry of entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
      const path = here === "" ? entry.name : `${here}/${entry.name}`;
      // Of a worktree or submodule `.git` is a file, which names a folder of this machine.
      if (repositoryFolders.has(entry.name) && (entry.isDirectory() || entry.name === ".git"))
        omitted.push({ path, reason: "repository" });
      else if (entry.isDirectory()) waiting.push(path);
      else if (entry.isSymbolicLink()) files.push({ path, size: 0, kind: "symlink", chunks: () => [] });
      else files.push(await fileOf(folder, path));
    }
  }
  return { files, omitted, close: () => Promise.resolve() };
}

async function fileOf(folder: string, path: string): Promise<SourceFile> {
  const file = join(folder, path);
  const found = await readable(file, (place) => lstat(place));
  if (!found.isFile()) return { path, size: 0, kind: "irregular", chunks: () => [] };
  return { path, size: found.size, kind: "regular", chunks: () => chunksOf(file) };
}

/** Never through a link that somebody put in its place meanwhile. */
async function* chunksOf(file: string): AsyncIterable<Uint8Array> {
  const stream = createReadStream(file, { flags: constants.O_RDONLY | constants.O_NOFOLLOW } as never);
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function readable<T>(place: string, read: (place: string) => Promise<T>): Promise<T> {
  try {
    return await read(place);
  } catch (error) {
    throw unreadable(place, error);
  }
}

function unreadable(place: string, error: unknown): GranaryError {
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return new GranaryError("GRANARY_INPUT_UNREADABLE", { place, reason }, { cause: error });
}
