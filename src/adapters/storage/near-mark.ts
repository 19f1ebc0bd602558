// Whose copies lie in a directory. Copies may leave at any time, so a store of its own must never be taken for them, nor
// the copies of one bucket for those of another, nor copies for a store.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreUnavailable } from "#services/store/ports.ts";
import { codeOf, isAbsent } from "./_disk-calls.ts";

const markName = "granary.near.json";

export type NearClaim =
  | { readonly is: "ours" }
  /** It has the copies of another place. */
  | { readonly is: "other"; readonly of: string }
  /** It is a store by itself. */
  | { readonly is: "store" };

/** What the directory has copies of; undefined when it is no such directory. Throws StoreUnavailable. */
export async function nearOf(root: string): Promise<string | undefined> {
  try {
    const { of } = JSON.parse(await readFile(join(root, markName), "utf8")) as { readonly of?: unknown };
    return typeof of === "string" ? of : "";
  } catch (error) {
    if (isAbsent(error)) return undefined;
    if (error instanceof SyntaxError) return "";
    throw new StoreUnavailable(markName, codeOf(error) ?? String(error), { cause: error });
  }
}

/**
 * A store all of which is in `of` becomes the place of this node's copies of it. Nobody uses it meanwhile. Throws
 * StoreUnavailable.
 */
export async function handOver(root: string, of: string): Promise<void> {
  try {
    await writeFile(join(root, markName), `${JSON.stringify({ of })}\n`, { flush: true });
  } catch (error) {
    throw new StoreUnavailable(markName, codeOf(error) ?? String(error), { cause: error });
  }
}

/** Makes the directory the place of the copies of `of`, if it is free. A disk that takes no writes is taken as it is. */
export async function claimNear(root: string, of: string): Promise<NearClaim> {
  const marked = await nearOf(root);
  if (marked !== undefined) return marked === of ? { is: "ours" } : { is: "other", of: marked };
  const modules = await readdir(join(root, "modules")).catch(() => []);
  if (modules.length > 0) return { is: "store" };
  await writeFile(join(root, markName), `${JSON.stringify({ of })}\n`).catch(() => undefined);
  return { is: "ours" };
}
