// Kept bytes as evidence: a copy that quarantine may take over.

import type { KeptMod, KeptZip } from "#services/store/module-store.ts";
import type { Stage, Storage } from "#services/store/ports.ts";

const pieceBytes = 1 << 20;

/** The go.mod, or a sealed copy of the zip; the caller discards a stage. Throws what the store throws. */
export async function evidenceOf(
  kept: KeptMod | KeptZip,
  storage: Pick<Storage, "stage">,
): Promise<Uint8Array | Stage> {
  if (!("open" in kept)) return kept.mod;
  const stage = await storage.stage(kept.manifest.zip.size);
  try {
    const source = await kept.open();
    try {
      const piece = new Uint8Array(pieceBytes);
      for (let at = 0; at < source.size;) {
        const got = await source.read(at, piece);
        await stage.write(piece.slice(0, got));
        at += got;
      }
    } finally {
      await source.close();
    }
    await stage.seal();
    return stage;
  } catch (error) {
    await stage.discard();
    throw error;
  }
}
