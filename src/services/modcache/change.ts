// Changes to one version, made so that a go command beside us never takes half of something for the whole: under its lock,
// and a tree only behind its `.partial` mark, which tells every go that there is none.

import type { ModulePath } from "#protocol/path.ts";
import { canonicalVersion, sortVersions } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Part } from "./damage.ts";
import { listPath, treePath, unitPath, versionsFolder } from "./layout.ts";
import type { CacheKeeper, CacheLock, CacheTree } from "./ports.ts";

export type Changed<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "busy" | "no-locks" };

/** Does `work` while we hold the version's lock. */
export async function locked<T>(
  keeper: CacheKeeper,
  id: ModuleVersion,
  work: (lock: CacheLock) => Promise<T>,
): Promise<Changed<T>> {
  const lock = await keeper.lock(unitPath(id, "lock"));
  if (lock === "held") return { kind: "busy" };
  if (lock === "no-locks") return { kind: "no-locks" };
  try {
    return { kind: "done", value: await work(lock) };
  } finally {
    await lock.release();
  }
}

/**
 * Takes parts of a version away; the caller holds its lock. A crash leaves what go mends by itself. The order matters to a
 * go that arrives meanwhile: it looks for zip and hash without the lock, and then relies on the zip while it waits for us.
 */
export async function removeParts(keeper: CacheKeeper, id: ModuleVersion, parts: readonly Part[]): Promise<void> {
  const hasTree = parts.includes("tree") || parts.includes("partial");
  if (hasTree) await keeper.write(unitPath(id, "partial"), new Uint8Array());
  for (const part of ["ziphash", "zip"] as const) if (parts.includes(part)) await keeper.removeFile(unitPath(id, part));
  if (hasTree) await keeper.removeTree(treePath(id));
  for (const part of ["info", "mod"] as const) if (parts.includes(part)) await keeper.removeFile(unitPath(id, part));
  if (hasTree) await keeper.removeFile(unitPath(id, "partial"));
}

/** Writes a module's `list` anew from the go.mod files that are there, as go does (cmd/go modfetch.rewriteVersionList). */
export async function rewriteList(
  cache: Pick<CacheTree, "names">,
  keeper: CacheKeeper,
  path: ModulePath,
): Promise<void> {
  const list = listPath(path);
  const versions = (await cache.names(versionsFolder(path))).flatMap(({ name }) => {
    const version = name.endsWith(".mod") ? name.slice(0, -".mod".length) : "";
    return version !== "" && canonicalVersion(version) === version ? [version] : [];
  });
  const lock = await keeper.lock(list);
  // Whoever holds it writes it anew this very moment.
  if (typeof lock === "string") return;
  try {
    await keeper.overwrite(
      list,
      Buffer.from(
        sortVersions(versions)
          .map((version) => `${version}\n`)
          .join(""),
      ),
    );
  } finally {
    await lock.release();
  }
}
