// Inflating raw deflate streams one after another on the calling thread, in a bounded piece of memory that is used
// again and again.
//
// A module zip has hundreds of small files, and node:zlib makes an engine, a stream object and a buffer for each call:
// making and collecting those was half the cost of checking a zip, and its streams hand every chunk to another thread.
// So one engine is kept and its native handle is driven directly. That handle is no documented interface: it is tried
// on known bytes first, and where it is missing or does otherwise, inflateRawSync() does the same, only dearer.

import { constants, createInflateRaw, inflateRawSync } from "node:zlib";
import type { InflateRaw } from "node:zlib";

import { bytesSource } from "./zip-bytes.ts";
import type { ByteSource } from "./zip-bytes.ts";

/** The bytes are no deflate stream, or end before it does, or hold more than they may. */
export class InflateError extends Error {
  override readonly name = "InflateError";
}

export type InflateRange = {
  readonly offset: number;
  readonly length: number;
  /** How much may come out of it. */
  readonly maxBytes: number;
};

export interface Inflater {
  /**
   * Inflates the stream that a range of the source begins with, and returns how many of its bytes belong to it. Each
   * piece is handed to `take` and overwritten afterwards; what `take` throws ends the work. Throws InflateError.
   */
  inflate(source: ByteSource, range: InflateRange, take: (piece: Uint8Array) => void): number;
}

/** Most files of modules fit, so that they come in one piece, and a processor's cache holds it while it is hashed. */
const pieceBytes = 256 * 1024;

let ours: Inflater | undefined;

/** The inflater of this thread. It must not be used again from within `take`. */
export function threadInflater(): Inflater {
  ours ??= handleInflater() ?? documentedInflater;
  return ours;
}

/** What node:zlib keeps behind a stream, as far as it is used here. */
type Handle = {
  writeSync(...args: [number, Uint8Array, number, number, Uint8Array, number, number]): void;
  reset(): void;
  onerror: (message: string, errno: number) => void;
};

/** Undefined where node:zlib is made otherwise. */
export function handleInflater(engine: unknown = createInflateRaw()): Inflater | undefined {
  const { _handle: handle, _writeState: state } = engine as { _handle?: Partial<Handle>; _writeState?: unknown };
  if (typeof handle?.writeSync !== "function" || typeof handle.reset !== "function") return undefined;
  if (!(state instanceof Uint32Array) || state.length < 2) return undefined;
  const inflater = new HandleInflater(engine, handle as Handle, state);
  return behaves(inflater) ? inflater : undefined;
}

class HandleInflater implements Inflater {
  /** Owns the handle: must not be collected before it. */
  readonly engine: unknown;
  readonly #handle: Handle;
  /** What each writeSync() leaves: room in the output, bytes of the input that were not taken. */
  readonly #state: Uint32Array;
  readonly #piece = Buffer.allocUnsafeSlow(pieceBytes);
  /** What the last writeSync() said was wrong; empty when nothing was. */
  #fault = "";

  constructor(engine: unknown, handle: Handle, state: Uint32Array) {
    this.engine = engine;
    this.#handle = handle;
    this.#state = state;
    handle.onerror = (message, errno) => {
      this.#fault = `${message} (${errno})`;
    };
  }

  inflate(source: ByteSource, { offset, length, maxBytes }: InflateRange, take: (piece: Uint8Array) => void): number {
    this.#handle.reset();
    let size = 0;
    const bounded = (piece: Uint8Array): void => {
      size += piece.length;
      if (size > maxBytes) throw tooMuch(maxBytes);
      take(piece);
    };
    let used = 0;
    do {
      const part = source.read(offset + used, Math.min(pieceBytes, length - used));
      const isLast = used + part.length === length;
      // With Z_FINISH, a stream that goes on beyond its last byte is an error; and one that comes whole is not copied.
      const left = this.#write(isLast ? constants.Z_FINISH : constants.Z_NO_FLUSH, part, bounded);
      used += part.length - left;
      // There was room in the output, and yet it took no more: the stream is over.
      if (left > 0) break;
    } while (used < length);
    return used;
  }

  /** Returns how many bytes of `part` were not taken. */
  #write(flush: number, part: Uint8Array, take: (piece: Uint8Array) => void): number {
    const out = this.#piece;
    for (let left = part.length; ;) {
      this.#fault = "";
      this.#handle.writeSync(flush, part, part.length - left, left, out, 0, out.length);
      this.#throwFault();
      const [room = 0, rest = 0] = this.#state;
      left = rest;
      if (room < out.length) take(out.subarray(0, out.length - room));
      if (room > 0) return left;
    }
  }

  #throwFault(): void {
    if (this.#fault !== "") throw new InflateError(this.#fault);
  }
}

/** By documented means. Holds all that goes in and all that comes out, up to `maxBytes`, in memory at once. */
export const documentedInflater: Inflater = {
  inflate(source, { offset, length, maxBytes }, take) {
    const { buffer, engine } = inflateWhole(source.read(offset, length), maxBytes);
    if (buffer.length > 0) take(buffer);
    return engine.bytesWritten;
  },
};

function inflateWhole(data: Uint8Array, maxBytes: number): { buffer: Uint8Array; engine: InflateRaw } {
  // One byte more than may come, so that a longer stream shows without a second buffer.
  const options = { chunkSize: Math.max(64, maxBytes + 1), maxOutputLength: Math.max(1, maxBytes), info: true };
  try {
    return inflateRawSync(data, options) as unknown as { buffer: Uint8Array; engine: InflateRaw };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooMuch(maxBytes);
    if (typeof code === "string" && code.startsWith("Z_")) throw new InflateError((error as Error).message);
    throw error;
  }
}

function tooMuch(maxBytes: number): InflateError {
  return new InflateError(`more than ${maxBytes} bytes`);
}

/** `hello`, deflated, and the same cut short. */
const known = Uint8Array.of(0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00);

/** All that is relied on, tried once: contents, where a stream ends, and that a broken one is told. */
function behaves(inflater: Inflater): boolean {
  try {
    return (
      inflated(inflater, known) === "hello 7" &&
      inflated(inflater, Buffer.concat([known, known])) === "hello 7" &&
      inflated(inflater, known.subarray(0, 5)) === undefined &&
      inflated(inflater, Uint8Array.of(0xff, 0xff)) === undefined &&
      inflated(inflater, known) === "hello 7"
    );
  } catch {
    return false;
  }
}

function inflated(inflater: Inflater, bytes: Uint8Array): string | undefined {
  let text = "";
  try {
    const range = { offset: 0, length: bytes.length, maxBytes: known.length };
    const used = inflater.inflate(
      bytesSource(bytes),
      range,
      (piece) => (text += Buffer.from(piece).toString("latin1")),
    );
    return `${text} ${used}`;
  } catch (error) {
    if (error instanceof InflateError) return undefined;
    throw error;
  }
}
