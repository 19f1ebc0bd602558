// A file as the random-access bytes that zips are read from, for threads that may block.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

import type { ByteSource } from "#protocol/zip-bytes.ts";

/** Most zips of modules fit whole, so that what hashes a zip and what reads its entries fetch each byte once. */
const windowBytes = 4 * 1024 * 1024;

/** The window of the last file that was closed, for the next one: new memory costs more than what is done with it. */
let spare: Buffer | undefined;

export interface FileSource extends ByteSource {
  close(): void;
}

/** Opens a file for reading. Views of one read() are overwritten by the next. Its owner closes it. */
export function openFileSource(path: string): FileSource {
  const file = openSync(path, "r");
  try {
    return new WindowedFile(file, fstatSync(file).size);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

class WindowedFile implements FileSource {
  readonly size: number;
  readonly #file: number;
  readonly #window: Buffer;
  #start = 0;
  #end = 0;

  constructor(file: number, size: number) {
    this.#file = file;
    this.size = size;
    this.#window = spare ?? Buffer.allocUnsafeSlow(windowBytes);
    spare = undefined;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new RangeError("read outside the file");
    if (length > windowBytes) return this.#fill(Buffer.allocUnsafeSlow(length), offset);
    if (offset < this.#start || offset + length > this.#end) this.#move(offset);
    return this.#window.subarray(offset - this.#start, offset - this.#start + length);
  }

  close(): void {
    closeSync(this.#file);
    spare = this.#window;
  }

  #move(offset: number): void {
    const length = Math.min(windowBytes, this.size - offset);
    // Nothing is in the window if this throws halfway.
    this.#end = 0;
    this.#start = 0;
    this.#fill(this.#window.subarray(0, length), offset);
    this.#start = offset;
    this.#end = offset + length;
  }

  #fill(into: Buffer, offset: number): Buffer {
    let filled = 0;
    while (filled < into.length) {
      const read = readSync(this.#file, into, filled, into.length - filled, offset + filled);
      if (read === 0) throw new Error("file became shorter while it was read");
      filled += read;
    }
    return into;
  }
}
