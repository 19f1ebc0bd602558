// What this room asks of the world: a git repository, trees of files, a place for a zip, a server that takes it.

import type { Omitted, TreeFile } from "#protocol/module-files.ts";
import type { ByteSource } from "#protocol/zip-bytes.ts";
import type { ZipTarget } from "#protocol/zip-stream.ts";

export type SourceFile = TreeFile & {
  /** Its bytes from the first on, each time it is called; a chunk is the caller's own. Only of regular files. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
};

/** The files below the root of a module. */
export interface SourceTree {
  readonly files: readonly SourceFile[];
  /** What whoever listed it passed over already. */
  readonly omitted: readonly Omitted[];
  close(): Promise<void>;
}

/** Every failure of git is GRANARY_GIT_FAILED. */
export interface Repository {
  /** The commit of a tag; undefined without such a tag, or when it names no commit. */
  commitOf(tag: string, signal: AbortSignal): Promise<string | undefined>;
  /** A file of a commit as it was committed; undefined when there is none. Throws when it is longer. */
  readFile(
    file: { readonly commit: string; readonly path: string; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /** The tree below a directory ("" for all) as `git archive` gives it to go. Its owner closes it. */
  archive(commit: string, dir: string, signal: AbortSignal): Promise<SourceTree>;
}

/** A zip that is being written, and is gone when discarded. */
export interface ZipFile extends ZipTarget {
  /** Reads what was written. Its owner closes it. */
  open(): ByteSource & { close(): void };
  /** The bytes, as a body; each call starts anew. */
  body(): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

export type PublishRequest = {
  readonly target: string;
  readonly idempotencyKey: string;
  readonly size: number;
  readonly body: () => AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
};

export type PublishReply = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Cut off when it is longer than any answer of ours. */
  readonly text: string;
};

export interface PublishServer {
  /** Sends one PUT. Throws ServerBroke when no whole answer came, and the signal's reason when aborted. */
  put(request: PublishRequest): Promise<PublishReply>;
}

/** The server did not answer: it is not there, broke off, or took too long. */
export class ServerBroke extends Error {
  override readonly name = "ServerBroke";
}
