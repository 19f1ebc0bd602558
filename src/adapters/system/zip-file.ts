// A zip in a temporary file, written at any position and read again.

import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { ZipFile } from "#services/packing/ports.ts";
import { openFileSource } from "./file-source.ts";

/** Creates `file`, which must not be there. Its owner discards it. Writing throws the signal's reason when aborted. */
export async function createZipFile(file: string, signal: AbortSignal): Promise<ZipFile> {
  const handle = await open(file, "wx", 0o600);
  return {
    write: async (bytes, position) => {
      signal.throwIfAborted();
      await writeAll(handle, bytes, position);
    },
    truncate: async (size) => await handle.truncate(size),
    open: () => openFileSource(file),
    body: () => createReadStream(file) as AsyncIterable<Uint8Array>,
    discard: async () => {
      await handle.close();
      await rm(file, { force: true });
    },
  };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
