// Reads everything of one version that can be checked.

import { hash } from "node:crypto";
import { hashGoMod } from "#protocol/dirhash.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxInfoBytes } from "#protocol/info.ts";
import { maxZiphashBytes, readInfo, readZiphash } from "./files.ts";
import type { InfoReading, Ziphash } from "./files.ts";
import { unitPath } from "./layout.ts";
import type { UnitFile } from "./layout.ts";
import { CacheUnreadable } from "./ports.ts";
import type { CacheTree, ZipHash } from "./ports.ts";
import type { Unit } from "./survey.ts";
import { hashTree } from "./tree-hash.ts";
import type { TreeHash } from "./tree-hash.ts";

export type Unreadable = { readonly path: string; readonly reason: string };

/** Undefined parts are not there, or cannot be read: then they are in `unreadable`. */
export type Seen = {
  readonly zip: ZipHash | undefined;
  readonly ziphash: Ziphash | undefined;
  readonly tree: TreeHash | undefined;
  readonly info: InfoReading | undefined;
  /** The `h1:` that go.sum would have. */
  readonly mod: string | undefined;
  readonly modSha256: string | undefined;
  readonly unreadable: readonly Unreadable[];
};

/** Throws the signal's reason. */
export async function lookAt(cache: CacheTree, unit: Unit, signal: AbortSignal): Promise<Seen> {
  const { id, files } = unit;
  const unreadable: Unreadable[] = [];
  const reading = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof CacheUnreadable)) throw error;
      unreadable.push({ path: error.path, reason: error.message });
      return undefined;
    }
  };
  const read = async (file: UnitFile, maxBytes: number): Promise<Uint8Array | undefined> =>
    files[file] && (await reading(() => cache.read(unitPath(id, file), maxBytes)));
  const [ziphash, info, mod] = [
    await read("ziphash", maxZiphashBytes),
    await read("info", maxInfoBytes),
    await read("mod", maxGoModBytes + 1),
  ];
  const zip = files.zip && (await reading(() => cache.hashZip(unitPath(id, "zip"), id, signal)));
  // What is being extracted, or was given up half-way, is no tree yet.
  const isWhole = unit.tree !== undefined && files.partial === undefined;
  return {
    zip,
    ziphash: ziphash && readZiphash(ziphash),
    tree: isWhole ? await hashTree(cache, id, signal) : undefined,
    info: info && readInfo(info, id.version),
    mod: mod && hashGoMod(mod),
    modSha256: mod && hash("sha256", mod),
    unreadable,
  };
}
