// Fills a store from a foreign directory: each version is handed to whoever proves and keeps it, a few at a time, and
// what became of it is counted. Nothing is remembered between runs: what is kept is passed over quickly.

import type { GranaryError } from "#services/errors/granary-error.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { atOnce } from "./at-once.ts";
import type { Clock } from "./ports.ts";
import type { SourceVersion, Stranger } from "./source-versions.ts";

/**
 * Why something is not kept, beside what `failed` with an error of its own. `torn`: neither go.mod nor zip. `no-zip`:
 * a go.mod alone, where versions are validated whole. `other-mod`, `other-zip`: not the bytes that are kept. Else what a
 * stranger is.
 */
export type Refusal =
  | { readonly why: "torn" | "no-zip" | "other-mod" | "other-zip" }
  | { readonly why: Stranger["why"]; readonly reason: string }
  | { readonly why: "failed"; readonly error: GranaryError };

/** What became of a version. `bytes`: new ones, of files that were kept, also when another file was not. */
export type Outcome =
  | { readonly kind: "imported"; readonly bytes: number }
  | { readonly kind: "kept" }
  /** Nobody could say what its hashes must be, or whether it may come in: another try may do better. */
  | { readonly kind: "unproven"; readonly error: GranaryError; readonly bytes: number }
  | { readonly kind: "rejected"; readonly refusal: Refusal; readonly bytes: number };

/** `what`: a version, or the path of a stranger. */
export type Left = { readonly what: string } & Refusal;

export type ImportReport = {
  /** Versions that were found. */
  readonly found: number;
  /** Versions of which something new is kept now; in a dry run: would be tried. */
  readonly imported: number;
  readonly kept: number;
  readonly unproven: number;
  /** Strangers too. */
  readonly rejected: number;
  /** The first ones of those, sorted. */
  readonly unprovenList: readonly Left[];
  readonly rejectedList: readonly Left[];
  readonly bytes: number;
  readonly ms: number;
  readonly wasInterrupted: boolean;
};

export type ImportProgress = {
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  readonly rejected: number;
  readonly ms: number;
};

export type ImportUse = {
  /** Walks the directory anew each time. */
  readonly walk: () => AsyncIterable<SourceVersion | Stranger>;
  /** Throws what must end the import. */
  readonly take: (version: SourceVersion) => Promise<Outcome>;
  /** Versions at a time. */
  readonly jobs: number;
  readonly clock: Pick<Clock, "now">;
  /** When aborted, versions under way are ended, and no others begun. */
  readonly signal: AbortSignal;
  readonly progress: (progress: ImportProgress) => void;
};

/** Names listed of each kind; a directory that is wrong throughout must not fill the memory. */
export const maxListed = 10_000;

/** Throws what `take` throws, once all that was under way has ended. */
export async function importVersions(use: ImportUse): Promise<ImportReport> {
  const { walk, clock, signal } = use;
  const started = clock.now();
  const total = await countVersions(walk(), signal);
  const tally = new Tally();
  await atOnce(walk(), use, async (item) => {
    await step(item, use, tally);
    use.progress({ ...tally.progress, total, ms: clock.now() - started });
  });
  return { ...tally.report(), found: total, ms: clock.now() - started, wasInterrupted: signal.aborted };
}

async function countVersions(items: AsyncIterable<SourceVersion | Stranger>, signal: AbortSignal): Promise<number> {
  let total = 0;
  for await (const { kind } of items) {
    if (signal.aborted) break;
    if (kind === "version") total++;
  }
  return total;
}

async function step(item: SourceVersion | Stranger, { take }: ImportUse, tally: Tally): Promise<void> {
  if (item.kind === "stranger") {
    tally.refuse({ what: item.path, why: item.why, reason: item.reason });
    return;
  }
  tally.add(formatModuleVersion(item.id), await take(item));
}

class Tally {
  #done = 0;
  #imported = 0;
  #kept = 0;
  #bytes = 0;
  #unproven = 0;
  #rejected = 0;
  readonly #unprovenList: Left[] = [];
  readonly #rejectedList: Left[] = [];

  get progress(): Pick<ImportProgress, "done" | "bytes" | "rejected"> {
    return { done: this.#done, bytes: this.#bytes, rejected: this.#rejected };
  }

  add(what: string, outcome: Outcome): void {
    this.#done++;
    if (outcome.kind !== "kept") this.#bytes += outcome.bytes;
    switch (outcome.kind) {
      case "imported":
        this.#imported++;
        return;
      case "kept":
        this.#kept++;
        return;
      case "unproven":
        this.#unproven++;
        note(this.#unprovenList, { what, why: "failed", error: outcome.error });
        return;
      case "rejected":
        this.refuse({ what, ...outcome.refusal });
    }
  }

  refuse(left: Left): void {
    this.#rejected++;
    note(this.#rejectedList, left);
  }

  report(): Omit<ImportReport, "found" | "ms" | "wasInterrupted"> {
    const byName = (a: Left, b: Left): number => (a.what < b.what ? -1 : 1);
    return {
      imported: this.#imported,
      kept: this.#kept,
      unproven: this.#unproven,
      rejected: this.#rejected,
      unprovenList: this.#unprovenList.toSorted(byName),
      rejectedList: this.#rejectedList.toSorted(byName),
      bytes: this.#bytes,
    };
  }
}

function note(list: Left[], left: Left): void {
  if (list.length < maxListed) list.push(left);
}
