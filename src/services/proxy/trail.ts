// What one client asked for last, as far as the next thing follows from it: zips, and listings of a module whose zip may
// follow. Only its own requests are on the trail, never what was fetched ahead for it.

import type { ModulePath } from "#protocol/path.ts";

/** What follows later has other reasons. A cold go.mod graph stands between a listing and its zip. */
export const followMs = 30_000;
/** A zip follows so many zips before it. */
export const maxBack = 4;
/** Listings remembered of one client; `go list -m -u all` asks for one of each module. */
const maxListings = 4_096;

type Zip = { readonly path: ModulePath; readonly atMs: number };

export class Trail {
  /** The last zips, oldest first. */
  #zips: readonly Zip[] = [];
  readonly #listings = new Map<ModulePath, number>();

  /** A listing; false for one that repeats a recent one, so that no client counts twice. */
  listed(path: ModulePath, nowMs: number): boolean {
    const lastMs = this.#listings.get(path);
    if (lastMs === undefined ? this.#listings.size >= maxListings : isRecent(lastMs, nowMs)) return false;
    this.#listings.set(path, nowMs);
    return true;
  }

  /** The client asks for the module's zip. True, once, when that follows a listing. */
  wasListed(path: ModulePath, nowMs: number): boolean {
    const lastMs = this.#listings.get(path);
    this.#listings.delete(path);
    return lastMs !== undefined && isRecent(lastMs, nowMs);
  }

  /** A zip. Returns the modules whose zips it follows; undefined when it repeats a recent one. */
  zip(path: ModulePath, nowMs: number): readonly ModulePath[] | undefined {
    if (this.#zips.some((zip) => zip.path === path)) return undefined;
    const before = this.#zips.filter(({ atMs }) => isRecent(atMs, nowMs));
    this.#zips = [...this.#zips, { path, atMs: nowMs }].slice(-maxBack);
    return before.map((zip) => zip.path);
  }
}

function isRecent(atMs: number, nowMs: number): boolean {
  return nowMs - atMs <= followMs;
}
