// What this room asks of the world.

import type { ZipProblem } from "#protocol/zip-check.ts";
import type { ZipWarning } from "#protocol/zip-bytes.ts";

/** The zip's bytes: in memory, or in a file that nobody writes to. */
export type ZipLocation = { readonly path: string } | { readonly bytes: Uint8Array };

/** Zips are hashed in blocks of this size, so that a kept one can be checked piece by piece. */
export const blockBytes = 64 * 1024;

export type VerifiedZip = {
  readonly report: {
    /** True when the go command would take it. Says nothing of what the checksum database thinks. */
    readonly valid: boolean;
    readonly problems: readonly ZipProblem[];
    readonly warnings: readonly ZipWarning[];
    readonly files: number;
    readonly uncompressedBytes: number;
  };
  /** The root go.mod, when the zip is valid and has one. */
  readonly goMod?: Uint8Array;
  /** `h1:…` of the zip; empty when it is not valid. */
  readonly h1: string;
  /** Of the zip's bytes, in hexadecimal. */
  readonly sha256: string;
  readonly size: number;
  /** The SHA-256 of each block of the zip's bytes, 32 bytes each, one after another. */
  readonly blocks: Uint8Array;
};

/** Checks zips away from the event loop. */
export interface Verifier {
  /** Reads the whole zip. A bad zip is a report, not an error; throws VerifierFault, or the signal's reason. */
  check(where: ZipLocation, id: ZipModule, signal: AbortSignal): Promise<VerifiedZip>;
  /**
   * The directories inside a module zip that was found valid, relative to its root (`cmd/x`), without the root.
   * Throws VerifierFault, or the signal's reason.
   */
  directories(where: ZipLocation, id: ZipModule, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Fails what is under way with `closed` and lets go of everything. */
  close(): Promise<void>;
}

/** Whose zip it is said to be. */
export type ZipModule = { readonly path: string; readonly version: string };

export type VerifierFaultReason =
  | "busy" // too many zips wait already
  | "timeout" // one zip took longer than any honest one
  | "crashed" // the thread died, for example out of memory
  | "unreadable" // the bytes are no zip that was ever found valid
  | "unable" // no thread could be started, or the file not be read: this machine's fault; the cause may have a `code`
  | "closed";

/** No verdict about a zip. */
export class VerifierFault extends Error {
  override readonly name = "VerifierFault";
  readonly reason: VerifierFaultReason;
  constructor(reason: VerifierFaultReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}
