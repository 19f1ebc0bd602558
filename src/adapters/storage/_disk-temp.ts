// Temporary files: bytes on their way in, on the same file system as the place they go to.

import { randomBytes } from "node:crypto";
import { open, readdir, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "#services/store/ports.ts";
import { StageTooLarge, StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import { codeOf, inOurWords } from "./_disk-calls.ts";

export const tempFolder = "tmp";
/** `<pid>-<run>-<n>`: who a temporary file belongs to. The run tells us from an earlier process with our pid. */
const mine = `${process.pid}-${randomBytes(6).toString("hex")}-`;
let count = 0;

/** A name in the temporary folder that no other process and no other call has. */
export function tempPath(root: string): string {
  return join(root, tempFolder, `${mine}${(count++).toString(36)}`);
}

/**
 * Removes what dead processes left, but for what `keeps` picks among their names; a living one may be writing beside us.
 * Takes as long as there are temporary files, however large they are.
 */
export async function emptyTemp(root: string, keeps: Keeps): Promise<void> {
  // A folder, or gone already: not ours to judge.
  for (const name of await deadTemps(root, keeps)) await unlink(join(root, tempFolder, name)).catch(() => undefined);
}

export type Keeps = (names: readonly string[]) => Promise<ReadonlySet<string>>;

/** What emptyTemp() would remove. */
export async function deadTemps(root: string, keeps: Keeps): Promise<string[]> {
  const names = await readdir(join(root, tempFolder));
  const left = names.filter((name) => !name.startsWith(mine) && !isAnotherAlive(Number(name.split("-", 1)[0])));
  const kept = await keeps(left);
  return left.filter((name) => !kept.has(name));
}

/** True while another process has this number, also one that belongs to somebody else. */
export function isAnotherAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

export type TempLimits = {
  /** Bytes of all temporary files together. */
  readonly maxBytes: number;
  /** Temporary files open or sealed at a time. */
  readonly maxStages: number;
  readonly sync: boolean;
  /** Makes the folder again when it has vanished; without it that is a failure. */
  readonly remake?: (() => Promise<void>) | undefined;
};

/** All temporary files of one storage and the limits they share. */
export class TempSpace {
  readonly #root: string;
  readonly #limits: TempLimits;
  #bytes = 0;
  #stages = 0;

  constructor(root: string, limits: TempLimits) {
    this.#root = root;
    this.#limits = limits;
  }

  /** Throws StoreUnavailable beyond `maxStages`; writes throw StoreFull beyond `maxBytes`. */
  async open(maxBytes: number): Promise<DiskStage> {
    return await this.enter(async (path) => {
      const handle = await open(path, "wx", 0o644);
      return new DiskStage({ path, handle, maxBytes, sync: this.#limits.sync, space: this });
    });
  }

  /** Makes a stage of a new temporary file, under the limits; the stage calls end() once. Throws as open(). */
  async enter<T extends DiskStage>(make: (path: string, sync: boolean) => Promise<T>): Promise<T> {
    if (this.#stages >= this.#limits.maxStages)
      throw new StoreUnavailable(tempFolder, `more than ${this.#limits.maxStages} temporary files at a time`);
    this.#stages++;
    try {
      return await this.#orAnew(() => make(tempPath(this.#root), this.#limits.sync));
    } catch (error) {
      this.#stages--;
      throw inOurWords(tempFolder, error);
    }
  }

  async #orAnew<T>(make: () => Promise<T>): Promise<T> {
    const { remake } = this.#limits;
    try {
      return await make();
    } catch (error) {
      if (remake === undefined || codeOf(error) !== "ENOENT") throw error;
      await remake();
      return await make();
    }
  }

  grow(bytes: number): void {
    if (this.#bytes + bytes > this.#limits.maxBytes)
      throw new StoreFull(tempFolder, `temporary files would exceed ${this.#limits.maxBytes} bytes`);
    this.#bytes += bytes;
  }

  end(bytes: number): void {
    this.#bytes -= bytes;
    this.#stages--;
  }
}

export type StageParts = {
  readonly path: string;
  readonly handle: FileHandle;
  readonly maxBytes: number;
  readonly sync: boolean;
  readonly space: TempSpace;
};

export class DiskStage implements Stage {
  readonly path: string;
  readonly #parts: StageParts;
  /** `broken`: a write or fsync failed; what is in the file cannot be known any more. */
  #state: "open" | "sealed" | "broken" | "gone" = "open";
  #isHandleOpen = true;
  size = 0;

  constructor(parts: StageParts) {
    this.path = parts.path;
    this.#parts = parts;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { handle, maxBytes, space } = this.#parts;
    if (this.#state !== "open") throw new Error("the stage takes no more writes");
    if (this.size + chunk.length > maxBytes) throw new StageTooLarge(maxBytes);
    space.grow(chunk.length);
    this.size += chunk.length;
    try {
      for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
    } catch (error) {
      throw this.#broken(error);
    }
  }

  async seal(): Promise<void> {
    if (this.#state === "sealed") return;
    if (this.#state !== "open") throw new Error(`the stage is ${this.#state}`);
    const { handle, sync } = this.#parts;
    try {
      const now = nextStamp();
      await handle.utimes(now, now);
      if (sync) await handle.sync();
      this.#isHandleOpen = false;
      await handle.close();
    } catch (error) {
      throw this.#broken(error);
    }
    this.#state = "sealed";
  }

  /** Throws Error when the stage is not sealed. */
  locate(): { readonly path: string } {
    if (this.#state !== "sealed") throw new Error("the stage is not sealed");
    return { path: this.path };
  }

  async discard(): Promise<void> {
    // A temporary file that stays is removed at the next open.
    if ((await this.end()) !== "gone") await unlink(this.path).catch(() => undefined);
  }

  /** Gives everything back but the file. Returns how the stage stood; `gone` when somebody had done so before. */
  protected async end(): Promise<"open" | "sealed" | "broken" | "gone"> {
    const state = this.#state;
    if (state === "gone") return state;
    this.#state = "gone";
    if (this.#isHandleOpen) await this.#parts.handle.close().catch(() => undefined);
    this.#isHandleOpen = false;
    this.#parts.space.end(this.size);
    return state;
  }

  #broken(error: unknown): unknown {
    this.#state = "broken";
    return inOurWords(tempFolder, error);
  }
}

let lastStampMs = 0;

/**
 * Seconds since the epoch, never twice the same in a process. A file system may hand out a freed inode number again
 * within one tick of its clock; with the same size, only the time is left to tell the two files' tokens apart.
 */
function nextStamp(): number {
  lastStampMs = Math.max(Date.now(), lastStampMs + 0.001);
  return lastStampMs / 1000;
}
