// An open object's bytes to their end: hashed, or staged once more.

import { createHash } from "node:crypto";
import type { OpenObject, Stage, Storage } from "./ports.ts";

const pieceBytes = 1 << 20;

type Readable = Pick<OpenObject, "size" | "read">;

/** In pieces; each is good until the next one is asked for. The caller closes the object. */
export async function* piecesOf(object: Readable): AsyncGenerator<Uint8Array, void> {
  const piece = new Uint8Array(Math.min(Math.max(object.size, 1), pieceBytes));
  for (let at = 0; ;) {
    const got = await object.read(at, piece);
    if (got === 0) return;
    yield piece.subarray(0, got);
    at += got;
  }
}

/** sha256, hexadecimal. Throws the signal's reason. */
export async function hashOf(object: Readable, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of piecesOf(object)) {
    signal?.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest("hex");
}

/** The bytes once more, sealed, with their sha256. The caller discards the stage. */
export async function stageOf(
  object: Readable,
  storage: Pick<Storage, "stage">,
): Promise<{ readonly stage: Stage; readonly hash: string }> {
  const stage = await storage.stage(object.size);
  const hash = createHash("sha256");
  try {
    for await (const piece of piecesOf(object)) {
      await stage.write(piece);
      hash.update(piece);
    }
    await stage.seal();
    return { stage, hash: hash.digest("hex") };
  } catch (error) {
    await stage.discard();
    throw error;
  }
}
