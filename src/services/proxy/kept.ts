// Committed files as answers. They are the same for every asker and for ever.

import type { ModuleTarget } from "#protocol/request.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { KeptMod, KeptZip, ModuleStore } from "#services/store/module-store.ts";
import type { Answer } from "./answer.ts";
import { forever, local } from "./answer.ts";

/**
 * The kept file that a target of a public module names; undefined when it is not kept, when no database has proven it
 * (then somebody must vouch for it first), or when the target names no committed file. Throws what the store throws.
 */
export async function keptAnswer(
  store: Pick<ModuleStore, "findMod" | "findZip">,
  target: ModuleTarget,
): Promise<Answer | undefined> {
  const { path } = target;
  if (target.kind === "zip") return zipAnswer(await store.findZip({ path, version: target.version }));
  if (target.kind === "mod") return modAnswer("mod", await store.findMod({ path, version: target.version }));
  if (target.kind !== "info" || target.version === undefined) return undefined;
  const id: ModuleVersion = { path, version: target.version };
  // Whoever asks for `.info` may ask for the zip next: the one who can fetch it ahead should notice.
  if ((await store.findZip(id)) === undefined) return undefined;
  return modAnswer("info", await store.findMod(id));
}

function modAnswer(media: "info" | "mod", kept: KeptMod | undefined): Answer | undefined {
  if (kept?.manifest.verifiedBy !== "sumdb") return undefined;
  const { sha256 } = kept.manifest[media];
  const answer = { kind: "bytes", media, bytes: kept[media], sha256, ...committed(kept) } as const;
  return media === "mod" ? { ...answer, goModOf: kept.id } : answer;
}

function zipAnswer(zip: KeptZip | undefined): Answer | undefined {
  if (zip?.manifest.verifiedBy !== "sumdb") return undefined;
  const { size, sha256 } = zip.manifest.zip;
  return { kind: "zip", media: "zip", zip, size, sha256, ...committed(zip) };
}

function committed({ since }: { readonly since: Date }) {
  return { since, provenance: local, reuseMs: forever, isPrivate: false };
}
