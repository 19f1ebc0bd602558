// What one client asked for first, in its order, and what that teaches about clients to come. Only its own requests
// are on the trail, never what was fetched ahead for it.

import { compareVersions } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";

/** `listing` is a list, `@latest` or a branch, with the version it means; `info` counts after a listing only: elsewhere the graph says it. */
export type Step = "listing" | "info" | "mod" | "zip";

/** `after` was asked for after `before`, by one client. Names are those of `nameOf`. */
export type Lesson = {
  readonly before: string;
  readonly after: readonly Follower[];
  /** Its silence about this one is evidence too, unless somebody was given the very same: it may lie ready-made. */
  readonly silentAbout?: Follower;
};
export type Follower = { readonly step: Step; readonly id: ModuleVersion };

/** What is learned is about paths: the versions of tomorrow are not known today. */
export function nameOf(step: Step, path: string): string {
  return `${step} ${path}`;
}

/** What follows later has other reasons. A cold go.mod graph stands between a listing and its zip. */
export const followMs = 30_000;
/** Followers noted of one step. */
export const maxFollowers = 4;
/** Steps remembered of one client; beyond it the client is remembered anew. */
export const maxSteps = 8_192;

type Seen = Follower & { readonly atMs: number };

export class Trail {
  readonly #seen = new Map<string, Seen>();

  get size(): number {
    return this.#seen.size;
  }

  add(step: Step, id: ModuleVersion, atMs: number): void {
    if (step === "info" && !this.#seen.has(nameOf("listing", id.path))) return;
    const name = nameOf(step, id.path);
    const before = this.#seen.get(name);
    // Of the many go.mod files of a path the highest may be the one whose zip is wanted. The place stays the first.
    if (before !== undefined && (step !== "mod" || compareVersions(id.version, before.id.version) <= 0)) return;
    if (before === undefined && this.#seen.size >= maxSteps) return;
    this.#seen.set(name, { step, id, atMs: before?.atMs ?? atMs });
  }

  /**
   * @param how.selected the version of a path that the client's graph selects, when it is known
   * @param how.seesAll false when others answer some requests of this client: its silence then says nothing
   */
  lessons(how: {
    readonly selected: (path: string) => string | undefined;
    readonly seesAll: boolean;
  }): readonly Lesson[] {
    const zips = [...this.#seen.values()].filter(({ step }) => step === "zip");
    const lessons = zips.map((zip, at) => this.#afterZip(zip, zips.slice(at + 1, at + 1 + maxFollowers)));
    for (const seen of this.#seen.values()) {
      if (seen.step === "listing") lessons.push(this.#afterListing(seen));
      // Who asked for no zip at all only looked at the graph.
      if (seen.step === "mod" && zips.length > 0 && how.seesAll) lessons.push(...this.#afterMod(seen, how.selected));
    }
    return lessons;
  }

  #afterZip({ id, atMs }: Seen, next: readonly Seen[]): Lesson {
    return { before: nameOf("zip", id.path), after: next.filter((zip) => zip.atMs - atMs <= followMs) };
  }

  #afterListing({ id, atMs }: Seen): Lesson {
    const own = (["info", "zip"] as const).flatMap((step) => this.#seen.get(nameOf(step, id.path)) ?? []);
    const after = own.filter((seen) => seen.atMs >= atMs && seen.atMs - atMs <= followMs);
    return { before: nameOf("listing", id.path), after };
  }

  #afterMod({ id }: Seen, selected: (path: string) => string | undefined): Lesson[] {
    const before = nameOf("mod", id.path);
    const zip = this.#seen.get(nameOf("zip", id.path));
    if (zip !== undefined) return [{ before, after: [zip] }];
    // It asked for the go.mod of an old version only; whether it wanted the zip of the selected one was not seen.
    if ((selected(id.path) ?? id.version) !== id.version) return [];
    return [{ before, after: [], silentAbout: { step: "zip", id } }];
  }
}
