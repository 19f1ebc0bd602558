// Small text files of other programs: read without surprises, written whole or not at all.

import { constants } from "node:fs";
import { access, mkdir, open, readdir, realpath, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Settings are some kB; what is longer is cut off here and no reader looks further. */
const maxTextBytes = 1 << 20;
/** Files of one folder of settings. */
const maxNames = 200;

/** The beginning of a regular file, or undefined when there is none; a device or pipe is none. Other failures throw. */
export async function readTextFile(file: string): Promise<string | undefined> {
  try {
    // Without O_NONBLOCK a pipe with that name would hold us up for ever.
    await using handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK | 0));
    if (!(await handle.stat()).isFile()) return undefined;
    const buffer = Buffer.alloc(maxTextBytes);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, size, maxTextBytes - size);
      size += bytesRead;
      if (bytesRead === 0 || size === maxTextBytes) return buffer.toString("utf8", 0, size);
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Names in a folder that end so, sorted; none when there is no such folder or it may not be read. */
export async function namesIn(folder: string, wanted: RegExp): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => wanted.test(name))
      .sort()
      .slice(0, maxNames);
  } catch {
    return [];
  }
}

export type WriteOptions = {
  /** Of a new file; one that is replaced keeps its own. */
  readonly mode: number;
};

/** Replaces the file by a whole new one, through a symbolic link too. */
export async function writeTextFile(path: string, text: string, { mode }: WriteOptions): Promise<void> {
  // Dotfiles are often links into a repository: the link stays.
  const file = await realpath(path).catch(() => path);
  const before = await stat(file).catch(() => undefined);
  await mkdir(dirname(file), { recursive: true });
  const draft = join(dirname(file), `.granary-${process.pid}-${Date.now().toString(36)}`);
  try {
    {
      await using handle = await open(draft, "wx", (before?.mode ?? mode) & 0o777);
      await handle.chmod((before?.mode ?? mode) & 0o777);
      await handle.writeFile(text);
      await handle.sync();
    }
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}

/** Takes a file away; one that is not there is as good. */
export async function removeTextFile(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR";
}

export async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
