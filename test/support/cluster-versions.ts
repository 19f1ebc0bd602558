// Versions that two nodes keep at once, each with the same files in another zip, and another `.info`.
import type { ModuleVersion } from "#protocol/version.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import type { KeptZip, Keeping, ProvenZip } from "#services/store/module-store.ts";
import type { Stage, Storage } from "#services/store/ports.ts";
import { readFile } from "node:fs/promises";
import { arrivalFacts as facts, moduleVersion, someBytes, zipFacts } from "./manifests.ts";

export type Packing = "ours" | "theirs" | "broken";

const mod = Buffer.from("module example.com/fenced\n");
/** More than a block, and more than is read of an object at once in some places. */
const zipSize = 150_000;

export function versionOf(n: number): ModuleVersion {
  return moduleVersion("example.com/fenced", `v1.${n}.0`);
}

export function zipOf({ version }: ModuleVersion, packing: Packing): Uint8Array {
  return Buffer.concat([Buffer.from(`${packing} ${version}\n`), someBytes(zipSize, packing.length)]);
}

export function infoOf({ version }: ModuleVersion, packing: Packing): Uint8Array {
  const time = packing === "ours" ? "2024-01-02T03:04:05Z" : "2024-01-02T03:04:06Z";
  return Buffer.from(packing === "broken" ? "<html>" : JSON.stringify({ Version: version, Time: time }));
}

/** Keeps a version as a node does that was given it in this packing. */
export async function keepVersion(
  storage: Storage,
  { id, packing }: { readonly id: ModuleVersion; readonly packing: Packing },
): Promise<Keeping<KeptZip>> {
  const store = new ModuleStore(storage);
  const { h1 } = zipFacts(mod);
  const zip = zipOf(id, packing);
  const proveZip = async (stage: Stage): Promise<ProvenZip | undefined> => {
    const at = stage.locate();
    const bytes = "bytes" in at ? at.bytes : await readFile(at.path);
    const isProven = (["ours", "theirs"] as const).some((one) => Buffer.compare(zipOf(id, one), bytes) === 0);
    return isProven ? { zip: { ...zipFacts(bytes), h1 }, mod } : undefined;
  };
  const provesMod = (found: Uint8Array) => Promise.resolve(Buffer.compare(found, mod) === 0);
  await store.keepMod({ id, info: infoOf(id, packing), mod, facts, provesMod });
  const stage = await storage.stage(zip.length);
  try {
    await stage.write(zip);
    await stage.seal();
    return await store.keepZip({ id, stage, zip: { ...zipFacts(zip), h1 }, facts, proveZip });
  } finally {
    await stage.discard();
    await store.close();
  }
}
