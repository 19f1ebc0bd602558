// What the file system under the store has left: statfs(2), as `df` shows it to a user without privileges.

import { statfs } from "node:fs/promises";
import type { Space, StorageSpace } from "#services/store/ports.ts";
import { inOurWords } from "./_disk-calls.ts";

export class DiskSpace implements StorageSpace {
  readonly #root: string;
  #asking: Promise<Space> | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** A question that is still open is joined: a file system that does not answer is asked once. */
  async space(): Promise<Space> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return await this.#asking;
  }

  async #ask(): Promise<Space> {
    try {
      const { bavail, blocks, bsize, ffree, files } = await statfs(this.#root);
      // btrfs and some network file systems make inodes as they need them, and say 0.
      const inodes = files === 0 ? undefined : { free: ffree, total: files };
      return {
        freeBytes: bavail * bsize,
        totalBytes: blocks * bsize,
        freeInodes: inodes?.free,
        totalInodes: inodes?.total,
      };
    } catch (error) {
      throw inOurWords("", error);
    }
  }
}
