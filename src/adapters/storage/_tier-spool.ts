// A large object on its way from afar: one request brings it into a temporary file, and all who want it read what has
// come so far. When it is whole it becomes the near copy.
//
// Where no file can be had, everybody reads from afar, each part as it is wanted.

import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { ObjectStat, OpenObject, Stage, Storage, StorageKey } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import { DiskStage } from "./_disk-temp.ts";

export type SpoolUse = {
  readonly key: StorageKey;
  /** What was opened; the spool closes it. */
  readonly source: OpenObject;
  /** Opens it once more, after its connection was lost. */
  readonly again: () => Promise<OpenObject | undefined>;
  /** Where files come from; undefined where none are to be made. */
  readonly disk: Pick<Storage, "stage"> | undefined;
  /** Takes the whole; called at most once. */
  readonly keep: (stage: Stage) => Promise<void>;
  /** It is over, one way or another; new readers must look elsewhere. */
  readonly over: () => void;
  /** Nobody has opened it for so long: it is given up. */
  readonly unwantedMs: number;
};

const chunkBytes = 256 << 10;
/** A reader this far ahead of what has come asks for its part by itself. */
const farAheadBytes = 8 << 20;
const maxResumes = 3;

export class Spool implements ObjectStat {
  readonly size: number;
  readonly modifiedMs = 0;
  readonly token: string;
  /** The token it has afar. */
  readonly farToken: string;
  readonly #use: SpoolUse;
  #source: OpenObject;
  #aside: Promise<OpenObject | undefined> | undefined;
  #stage: Stage | undefined;
  #file: FileHandle | undefined;
  #come = 0;
  #state: "waiting" | "coming" | "whole" | "direct" | "failed" = "waiting";
  #failure: unknown;
  #readers = 0;
  #isForgotten = false;
  #wake: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(use: SpoolUse) {
    this.#use = use;
    this.#source = use.source;
    this.size = use.source.size;
    this.farToken = use.source.token;
    this.token = farTokenOf(use.source.token);
    this.#timer = setTimeout(() => void this.#giveUp(), use.unwantedMs);
    this.#timer.unref();
  }

  /** What comes must not be kept: it may be old. Who reads it reads on. */
  forget(): void {
    this.#isForgotten = true;
    this.#use.over();
    if (this.#state === "waiting") void this.#giveUp();
  }

  /** False once it was given up. */
  get isOpen(): boolean {
    return this.#state !== "failed";
  }

  open(): OpenObject {
    this.#readers++;
    clearTimeout(this.#timer);
    if (this.#state === "waiting") {
      this.#state = "coming";
      void this.#run();
    }
    let isOpen = true;
    const { size, modifiedMs, token } = this;
    return {
      ...{ size, modifiedMs, token },
      read: (offset, into) => this.#read(offset, into),
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        this.#readers--;
        await this.#closeUnused();
      },
    };
  }

  async #read(offset: number, into: Uint8Array): Promise<number> {
    const end = Math.min(this.size, offset + into.length);
    if (end <= offset) return 0;
    while (this.#state === "coming" && this.#come < end && offset - this.#come < farAheadBytes)
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    if (this.#file !== undefined && this.#come >= end) {
      const { bytesRead } = await this.#file.read(into, 0, end - offset, offset);
      return bytesRead;
    }
    if (this.#state === "failed") throw this.#failure;
    return await (await this.#besides()).read(offset, into.subarray(0, end - offset));
  }

  /** Another way to the object: nobody else reads from it in order. */
  async #besides(): Promise<OpenObject> {
    if (this.#state === "direct") return this.#source;
    this.#aside ??= this.#use.again();
    const object = await this.#aside.catch((error: unknown) => {
      this.#aside = undefined;
      throw error;
    });
    if (object === undefined || object.token !== this.farToken) throw this.#changed();
    return object;
  }

  async #run(): Promise<void> {
    try {
      await this.#openFile();
      await this.#fill();
      this.#state = "whole";
      if (!this.#isForgotten) await this.#settle();
    } catch (error) {
      if (this.#state === "coming") this.#fail(error);
    } finally {
      this.#rouse();
      if (this.#state !== "direct") await this.#source.close().catch(() => undefined);
      // After it was kept: who finds no spool must find the copy.
      this.#use.over();
      await this.#closeUnused();
    }
  }

  async #openFile(): Promise<void> {
    try {
      if (this.#use.disk === undefined) throw new Error("no copies");
      this.#stage = await this.#use.disk.stage(this.size);
      if (!(this.#stage instanceof DiskStage)) throw new Error("no file to read from");
      this.#file = await open(this.#stage.path, "r");
    } catch (error) {
      await this.#goDirect();
      throw error;
    }
  }

  /** All of it into the file. A lost connection is made anew; a file that takes no more is given up for reading from afar. */
  async #fill(): Promise<void> {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, this.size)));
    for (let resumes = 0; this.#come < this.size;) {
      let got: number;
      try {
        got = await this.#source.read(this.#come, chunk);
        if (got === 0) throw new StoreUnavailable(this.#use.key, `it ended at ${this.#come} of ${this.size} bytes`);
      } catch (error) {
        if (++resumes > maxResumes) throw error;
        await this.#resume();
        continue;
      }
      try {
        await this.#stage?.write(chunk.subarray(0, got));
      } catch (error) {
        await this.#goDirect();
        throw error;
      }
      this.#come += got;
      this.#rouse();
    }
  }

  async #resume(): Promise<void> {
    const next = await this.#use.again();
    if (next === undefined || next.token !== this.farToken) {
      await next?.close();
      throw this.#changed();
    }
    await this.#source.close().catch(() => undefined);
    this.#source = next;
  }

  async #settle(): Promise<void> {
    if (this.#stage === undefined) return;
    try {
      await this.#stage.seal();
      // Somebody may have said meanwhile that it is old.
      if (!this.#isForgotten) await this.#use.keep(this.#stage);
    } catch {
      // Without a copy the next one comes from afar again; those who read this one have its file.
    }
  }

  async #goDirect(): Promise<void> {
    this.#state = "direct";
    // It has been read in order so far; from here on each part is asked for.
    this.#rouse();
    await this.#stage?.discard().catch(() => undefined);
    this.#stage = undefined;
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#state = "failed";
  }

  async #giveUp(): Promise<void> {
    if (this.#state !== "waiting") return;
    this.#fail(new StoreUnavailable(this.#use.key, "nobody wanted it"));
    this.#use.over();
    await this.#source.close().catch(() => undefined);
  }

  #rouse(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  async #closeUnused(): Promise<void> {
    if (this.#readers > 0 || this.#state === "coming" || this.#state === "waiting") return;
    const [file, stage, aside] = [this.#file, this.#stage, this.#aside];
    this.#file = this.#stage = this.#aside = undefined;
    await file?.close().catch(() => undefined);
    await stage?.discard().catch(() => undefined);
    await (await aside?.catch(() => undefined))?.close().catch(() => undefined);
    if (this.#state === "direct") await this.#source.close().catch(() => undefined);
  }

  #changed(): StoreUnavailable {
    return new StoreUnavailable(this.#use.key, "it changed while it was read");
  }
}

/** The token of bytes that were read from afar, where there is no copy. */
export function farTokenOf(token: string): string {
  return `far ${token}`;
}
