// A checkpoint with what witnesses signed of it, and the newest one of them that is kept.

import { readCosignatures, type Cosignature } from "#protocol/cosignature.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxNoteBytes, openNote, signNote, type NoteSignature, type Signer } from "#protocol/note.ts";
import { parseOriginTree } from "#protocol/tlog-tiles.ts";
import { checkTree, isEqualHash, type Tree } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import { SumLogError } from "./errors.ts";
import { cosignedKey } from "./layout.ts";
import type { SumLog } from "./log.ts";
import type { Witness } from "./ports.ts";
import { checkpointText } from "./tiled-log.ts";

export type Cosigned = Tree & { readonly cosignatures: readonly Cosignature[] };

/** The signed note, as the stable URL shows it. */
export function formatCosigned(name: string, { cosignatures, ...tree }: Cosigned, signer: Signer): Uint8Array {
  return Buffer.from(signNote(checkpointText(name, tree), [signer], cosignatures));
}

export type CosignedUse = {
  readonly log: SumLog;
  readonly signer: Signer;
  readonly witnesses: readonly Witness[];
  readonly storage: Storage;
};

/** What is kept, and the token to replace it under; a tree of which nobody cosigned anything counts as nothing. */
export async function readCosigned(
  use: CosignedUse,
): Promise<{ readonly cosigned: Cosigned | undefined; readonly token: string | undefined }> {
  const kept = await use.storage.get(cosignedKey(use.log.name), maxNoteBytes);
  const cosigned = kept && parse(kept.bytes, use);
  if (cosigned !== undefined) await checkHistory(cosigned, use.log);
  return { cosigned, token: kept?.token };
}

/** False when somebody else was faster: read again. */
export async function keepCosigned(cosigned: Cosigned, token: string | undefined, use: CosignedUse): Promise<boolean> {
  const bytes = formatCosigned(use.log.name, cosigned, use.signer);
  return (await use.storage.replace(cosignedKey(use.log.name), bytes, token)) === "replaced";
}

/** Nothing that the witnesses of another day signed may come back later: by then more has been shown. */
export async function forgetCosigned(use: Pick<CosignedUse, "log" | "storage">): Promise<void> {
  await use.storage.remove(cosignedKey(use.log.name));
}

function parse(bytes: Uint8Array, { log, signer, witnesses }: CosignedUse): Cosigned | undefined {
  try {
    const { text, unverified } = openNote(bytes, [signer.verifier]);
    const { origin, size, root } = parseOriginTree(text);
    if (origin !== log.name) return undefined;
    const cosigners = witnesses.map(({ cosigner }) => cosigner);
    const cosignatures = readCosignatures(linesOf(unverified), text, cosigners);
    return cosignatures.length === 0 ? undefined : { size, root, cosignatures };
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function linesOf(signatures: readonly NoteSignature[]): string {
  return signatures.map(({ name, base64 }) => `\u2014 ${name} ${base64}\n`).join("");
}

/** This key signed it: a log that does not begin with it has been set back. Throws SUMLOG_RESET. */
async function checkHistory(cosigned: Cosigned, log: SumLog): Promise<void> {
  const head = await log.head();
  const { size, root } = cosigned;
  if (size > head.size) throw reset(log, `it has ${head.size} records, and witnesses have cosigned ${size}`);
  if (size === head.size && isEqualHash(root, head.root)) return;
  try {
    checkTree(await log.proof(size, head.size), head, cosigned);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw reset(log, `its first ${size} records are not those that witnesses have cosigned`, error);
  }
}

function reset({ name }: SumLog, message: string, cause?: unknown): SumLogError {
  return new SumLogError("SUMLOG_RESET", name, message, { cause });
}
