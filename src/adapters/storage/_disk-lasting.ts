// Stages on disk that outlive their process: the bytes and a journal beside them, in tmp/.

import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { LastingStage, LastingStages, LeftStage } from "#services/store/ports.ts";
import { maxJournalBytes } from "#services/store/ports.ts";
import { inOurWords, readFully } from "./_disk-calls.ts";
import { removeBoth } from "./_disk-left.ts";
import type { LeftStages } from "./_disk-left.ts";
import { DiskStage, tempFolder } from "./_disk-temp.ts";
import type { StageParts, TempSpace } from "./_disk-temp.ts";

export class DiskLastingStages implements LastingStages {
  readonly #temp: TempSpace;
  readonly #left: LeftStages;

  constructor(temp: TempSpace, left: LeftStages) {
    this.#temp = temp;
    this.#left = left;
  }

  async begin(name: string, maxBytes: number): Promise<LastingStage> {
    await this.#left.dropOld();
    return await this.#temp.enter(async (path, sync) => {
      const handle = await open(path, "wx", 0o644);
      const parts = { path, handle, maxBytes, sync, space: this.#temp };
      const journal = await open(this.#left.journalOf(path, name), "wx", 0o644).catch(async (error: unknown) => {
        await handle.close();
        await unlink(path);
        throw error;
      });
      return new DiskLastingStage(parts, { name, journal, left: this.#left });
    });
  }

  async resume(name: string, maxBytes: number): Promise<LeftStage | undefined> {
    const taken = await this.#left.take(name);
    if (taken === undefined) return undefined;
    try {
      return await this.#open(taken, { name, maxBytes });
    } catch (error) {
      await removeBoth(taken);
      throw inOurWords(tempFolder, error);
    }
  }

  async #open(
    taken: { readonly path: string; readonly journal: string },
    as: { readonly name: string; readonly maxBytes: number },
  ): Promise<LeftStage> {
    const handles = await openBoth(taken);
    try {
      const { size } = await handles.bytes.stat();
      const text = Buffer.alloc(maxJournalBytes);
      const journal = text.toString("utf8", 0, await readFully(handles.journal, text, 0));
      const stage = await this.#temp.enter((_, sync) => {
        const parts = { path: taken.path, handle: handles.bytes, maxBytes: as.maxBytes, sync, space: this.#temp };
        // Not awaited before it is counted: nothing may come between.
        this.#temp.grow(size);
        return Promise.resolve(
          new DiskLastingStage(parts, { name: as.name, journal: handles.journal, left: this.#left, size }),
        );
      });
      return {
        stage,
        journal,
        read: (offset, into) => readFully(handles.bytes, into, offset),
        cut: (to) => stage.cut(to),
      };
    } catch (error) {
      await handles.bytes.close();
      await handles.journal.close();
      throw error;
    }
  }
}

/** For appending and for reading back; a link in their place is not followed. */
async function openBoth(at: { readonly path: string; readonly journal: string }) {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const bytes = await open(at.path, flags);
  try {
    return { bytes, journal: await open(at.journal, flags) };
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

type Beside = {
  readonly name: string;
  readonly journal: FileHandle;
  readonly left: LeftStages;
  /** Bytes that are there already. */
  readonly size?: number;
};

class DiskLastingStage extends DiskStage implements LastingStage {
  readonly #parts: StageParts;
  readonly #beside: Beside;
  #isJournalOpen = true;

  constructor(parts: StageParts, beside: Beside) {
    super(parts);
    this.#parts = parts;
    this.#beside = beside;
    this.size = beside.size ?? 0;
  }

  async note(text: string): Promise<void> {
    try {
      await this.#beside.journal.appendFile(text);
    } catch (error) {
      throw inOurWords(tempFolder, error);
    }
  }

  async cut(size: number): Promise<void> {
    if (size >= this.size) return;
    try {
      await this.#parts.handle.truncate(size);
    } catch (error) {
      throw inOurWords(tempFolder, error);
    }
    this.#parts.space.grow(size - this.size);
    this.size = size;
  }

  override async discard(): Promise<void> {
    await this.#closeJournal();
    if ((await this.end()) !== "gone") await removeBoth(this.#files());
  }

  async leave(): Promise<void> {
    await this.#closeJournal();
    const state = await this.end();
    if (state === "open") await this.#beside.left.add(this.path, this.#beside.name);
    else if (state !== "gone") await removeBoth(this.#files());
  }

  #files(): { readonly path: string; readonly journal: string } {
    const { left, name } = this.#beside;
    return { path: this.path, journal: left.journalOf(this.path, name) };
  }

  async #closeJournal(): Promise<void> {
    if (!this.#isJournalOpen) return;
    this.#isJournalOpen = false;
    await this.#beside.journal.close().catch(() => undefined);
  }
}
