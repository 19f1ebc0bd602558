// The newest head that a key has signed, in a folder beside the key: a HeadMemory that is lost only together with the key.
// Each head is a file of its own, so that of two processes the slower one cannot put an older head in a newer one's place.

import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseTree } from "#protocol/checkpoint.ts";
import type { HeadMemory } from "#services/sumlog/ports.ts";

/** `KEY.heads/<size>` beside the file of the key. Errors other than absence are thrown: doubt must not pass for "new". */
export class HeadFile implements HeadMemory {
  readonly #folder: string;

  constructor(keyFile: string) {
    this.#folder = `${keyFile}.heads`;
  }

  async recall(): Promise<Uint8Array | undefined> {
    for (let tries = 1; ; tries++) {
      const newest = (await this.#names()).filter((name) => name.length === digits).at(-1);
      if (newest === undefined) return undefined;
      try {
        return await readFile(join(this.#folder, newest));
      } catch (error) {
        // Another process has remembered a newer one in the meantime.
        if (codeOf(error) !== "ENOENT" || tries === maxTries) throw error;
      }
    }
  }

  async remember(note: Uint8Array): Promise<void> {
    const name = String(parseTree(Buffer.from(note).toString()).size).padStart(digits, "0");
    const names = await this.#names();
    if (names.some((known) => known.length === digits && known >= name)) return;
    if ((await mkdir(this.#folder, { recursive: true, mode: 0o700 })) !== undefined) await sync(dirname(this.#folder));
    const temp = join(this.#folder, `${name}.${randomUUID()}`);
    try {
      const file = await open(temp, "wx", 0o600);
      try {
        await file.writeFile(note);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temp, join(this.#folder, name));
      await sync(this.#folder);
    } catch (error) {
      await unlink(temp).catch(() => undefined);
      throw error;
    }
    // Older ones, and what killed processes left of them.
    for (const old of names)
      if (old.slice(0, digits) < name) await unlink(join(this.#folder, old)).catch(() => undefined);
  }

  /** Oldest first. */
  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => /^[0-9]{16}(\.|$)/.test(name)).sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }
}

/** Sorted by name, heads are sorted by size. */
const digits = 16;
/** Heads may come faster than they are read, but not for long. */
const maxTries = 20;

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Makes the names in a folder durable. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
