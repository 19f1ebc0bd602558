// Kept bytes as evidence: a copy that quarantine may take over.

import type { KeptMod, KeptZip } from "#services/store/module-store.ts";
import { stageOf } from "#services/store/object-bytes.ts";
import type { Stage, Storage } from "#services/store/ports.ts";

/** The go.mod, or a sealed copy of the zip; the caller discards a stage. Throws what the store throws. */
export async function evidenceOf(
  kept: KeptMod | KeptZip,
  storage: Pick<Storage, "stage">,
): Promise<Uint8Array | Stage> {
  if (!("open" in kept)) return kept.mod;
  const source = await kept.open();
  try {
    return (await stageOf(source, storage)).stage;
  } finally {
    await source.close();
  }
}
