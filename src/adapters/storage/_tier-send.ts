// Bytes on their way to the far storage, and whether two objects are the same.

import { open } from "node:fs/promises";
import type { OpenObject, Stage, Storage } from "#services/store/ports.ts";

const pieceBytes = 256 << 10;

/** Runs `send` with a body that the far storage takes. A stage stays its owner's: the near copy is made of it afterwards. */
export async function forFar<T>(
  body: Uint8Array | Stage,
  to: { readonly far: Pick<Storage, "stage">; readonly takesStages: boolean },
  send: (body: Uint8Array | Stage) => Promise<T>,
): Promise<T> {
  if (body instanceof Uint8Array) return await send(body);
  if (to.takesStages) return await send(lent(body));
  const copy = await to.far.stage(body.size);
  try {
    for await (const piece of piecesOf(body)) await copy.write(piece);
    await copy.seal();
    return await send(copy);
  } finally {
    await copy.discard();
  }
}

/** True when both have the same bytes; reads them to the first difference. */
export async function sameBytes(a: OpenObject, b: OpenObject): Promise<boolean> {
  if (a.size !== b.size) return false;
  const [ours, theirs] = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)];
  for (let at = 0; at < a.size; at += pieceBytes) {
    const length = Math.min(pieceBytes, a.size - at);
    await Promise.all([fill(a, at, ours.subarray(0, length)), fill(b, at, theirs.subarray(0, length))]);
    if (ours.compare(theirs, 0, length, 0, length) !== 0) return false;
  }
  return true;
}

async function fill(from: OpenObject, offset: number, into: Uint8Array): Promise<void> {
  for (let done = 0; done < into.length;) {
    const got = await from.read(offset + done, into.subarray(done));
    // Shorter than it said: no other object has these bytes.
    if (got === 0) {
      into.fill(0, done);
      return;
    }
    done += got;
  }
}

function lent(stage: Stage): Stage {
  const no = (): Promise<void> => Promise.reject(new Error("a sealed stage takes no writes"));
  return {
    size: stage.size,
    write: no,
    seal: () => Promise.resolve(),
    locate: () => stage.locate(),
    discard: () => Promise.resolve(),
  };
}

async function* piecesOf(stage: Stage): AsyncGenerator<Uint8Array> {
  const at = stage.locate();
  if ("bytes" in at) {
    yield at.bytes;
    return;
  }
  const file = await open(at.path, "r");
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (;;) {
      const { bytesRead } = await file.read(piece);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
