// A directory that somebody else filled, read for an import. Symbolic links to files are followed as long as they end
// inside; links to folders are not, so that a walk always ends.

import { constants } from "node:fs";
import type { Dirent } from "node:fs";
import { open, opendir, realpath, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { SourceEntry, SourceFile, SourceTree } from "#services/store/ports.ts";
import { SourceUnreadable } from "#services/store/ports.ts";
import { codeOf, isAbsent } from "./_disk-calls.ts";

/** One read; large enough to keep a zip moving, small enough to hold many. */
const pieceBytes = 256 * 1024;
/** Directory entries read at a time. */
const entriesAtOnce = 512;
/** Opening a named pipe would wait for its writer for ever. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Undefined when there is no such directory. Throws SourceUnreadable when it cannot be looked at.
 *
 * @param except a folder that is passed over wherever it is met
 */
export async function openSourceTree(
  dir: string,
  { except }: { readonly except?: string } = {},
): Promise<SourceTree | undefined> {
  try {
    const root = await realpath(dir);
    const without = except === undefined ? undefined : await realpath(except).catch(() => resolve(except));
    return (await stat(root)).isDirectory() ? new DiskSourceTree(root, without) : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(dir, error);
  }
}

class DiskSourceTree implements SourceTree {
  readonly #root: string;
  readonly #except: string | undefined;

  constructor(root: string, except: string | undefined) {
    this.#root = root;
    this.#except = except;
  }

  async *names(folder: string): AsyncGenerator<SourceEntry> {
    try {
      for await (const entry of await opendir(join(this.#root, folder), { bufferSize: entriesAtOnce })) {
        if (join(this.#root, folder, entry.name) === this.#except) continue;
        yield { name: entry.name, kind: await this.#kindOf(folder, entry) };
      }
    } catch (error) {
      if (isAbsent(error)) return;
      throw unreadable(folder, error);
    }
  }

  async size(path: string): Promise<number | undefined> {
    try {
      const facts = await stat(await this.#inside(path));
      return facts.isFile() ? facts.size : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw unreadable(path, error);
    }
  }

  async read(path: string): Promise<SourceFile | undefined> {
    let file: FileHandle | undefined;
    try {
      const opened = (file = await open(await this.#inside(path), openFlags));
      const facts = await opened.stat();
      const close = (): Promise<void> => opened.close();
      if (facts.isFile()) return { size: facts.size, bytes: pieces(opened, path), close };
      await close();
      return undefined;
    } catch (error) {
      await file?.close().catch(() => undefined);
      if (isAbsent(error)) return undefined;
      throw unreadable(path, error);
    }
  }

  locate(path: string): { readonly path: string } {
    return { path: join(this.#root, path) };
  }

  async #kindOf(folder: string, entry: Dirent): Promise<SourceEntry["kind"]> {
    if (entry.isFile()) return "file";
    if (entry.isDirectory()) return "folder";
    const path = `${folder}/${entry.name}`;
    return entry.isSymbolicLink() && (await this.size(path).catch(() => undefined)) !== undefined ? "file" : "other";
  }

  /** The file's own path. A link that ends elsewhere leads nowhere. */
  async #inside(path: string): Promise<string> {
    const real = await realpath(join(this.#root, path));
    if (real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) return real;
    throw Object.assign(new Error(`${path} leads out of the directory`), { code: "ENOENT" });
  }
}

async function* pieces(file: FileHandle, path: string): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const { bytesRead } = await file.read(piece, 0, pieceBytes, null);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}

/** Anything but an error of the file system is a bug and travels on. */
function unreadable(path: string, error: unknown): unknown {
  const code = codeOf(error);
  return code === undefined ? error : new SourceUnreadable(path, `cannot be read: ${code}`, { cause: error });
}
