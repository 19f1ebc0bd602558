// The module of a tag: which commit, which directory, which path, and its tree as go would zip it.

import { ProtocolError } from "#protocol/errors.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { goModPlaces, locateModule, parseModuleTag } from "#protocol/module-tag.ts";
import type { TaggedModule } from "#protocol/module-tag.ts";
import type { ModulePath } from "#protocol/path.ts";
import { maxLicenseBytes } from "#protocol/zip-check.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Repository, SourceFile, SourceTree } from "./ports.ts";

export type TaggedTree = TaggedModule & {
  readonly commit: string;
  /** The go.mod as it was committed, which is what go hashes; .gitattributes may give the zip another one. */
  readonly goMod: Uint8Array | undefined;
  readonly tree: SourceTree;
};

/**
 * Opens what a tag names; the caller closes the tree. Throws GRANARY_NOT_PUBLISHABLE.
 * @param named the module path it must have; without a go.mod it gives it
 */
export async function openTagged(
  tag: string,
  named: ModulePath | undefined,
  use: { readonly repository: Repository; readonly signal: AbortSignal },
): Promise<TaggedTree> {
  const { repository, signal } = use;
  const parsed = judged(tag, () => parseModuleTag(tag));
  const commit = await repository.commitOf(tag, signal);
  if (commit === undefined)
    throw new GranaryError("GRANARY_NOT_PUBLISHABLE", { what: tag, reason: "the repository has no such tag" });
  const read = async (path: string | undefined): Promise<Uint8Array | undefined> =>
    path === undefined ? undefined : await repository.readFile({ commit, path, maxBytes: maxGoModBytes }, signal);
  const places = goModPlaces(parsed);
  const found = { own: await read(places.own), major: await read(places.major) };
  const module = judged(tag, () => locateModule(parsed, found, named));
  const goMod = found.major ?? found.own;
  const whole = await repository.archive(commit, module.dir, signal);
  try {
    const tree = await withLicense(whole, module.dir, () =>
      repository.readFile({ commit, path: "LICENSE", maxBytes: maxLicenseBytes }, signal),
    );
    return { ...module, commit, goMod: module.hasGoMod ? goMod : undefined, tree };
  } catch (error) {
    await whole.close();
    throw error;
  }
}

/** A module in a directory without a LICENSE gets the repository's, whatever else it has (codeRepo.Zip). */
async function withLicense(
  tree: SourceTree,
  dir: string,
  read: () => Promise<Uint8Array | undefined>,
): Promise<SourceTree> {
  if (dir === "" || tree.files.some(({ path }) => path === "LICENSE")) return tree;
  const license = await read();
  if (license === undefined) return tree;
  const file: SourceFile = { path: "LICENSE", size: license.length, kind: "regular", chunks: () => [license] };
  return { files: [...tree.files, file], omitted: tree.omitted, close: () => tree.close() };
}

function judged<T>(what: string, judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_NOT_PUBLISHABLE", { what, reason: error.message }, { cause: error });
  }
}
