// What this room asks of the rest: modules that can be forgotten, listed and brought in, and an index of what is new.

import type { ModulePath } from "#protocol/path.ts";
import type { ModuleVersion } from "#protocol/version.ts";

/** How an attempt to fetch, verify and keep a version ended. */
export type Brought =
  | { readonly outcome: "kept" }
  /** Those who can know say that there is no such version, for now. */
  | { readonly outcome: "absent" }
  /** `isFinal`: another try gives the same. `isUnproven`: no checksum database said anything. */
  | { readonly outcome: "failed"; readonly code: string; readonly isFinal: boolean; readonly isUnproven: boolean };

export interface Modules {
  /**
   * Forgets what upstreams said of a module, of those below it and of its ancestors' absence. Resolves when no process
   * answers about them from memory any more. What is kept stays.
   */
  forget(path: string): Promise<void>;
  /** The list, asked for unless it is fresh. Throws GranaryError. */
  list(path: ModulePath, signal: AbortSignal): Promise<readonly string[]>;
  /** Fetches, verifies and keeps both stages. Throws only the signal's reason. */
  bring(id: ModuleVersion, signal: AbortSignal): Promise<Brought>;
  /** True when some version is kept, or the list was asked for once. */
  isKnown(path: ModulePath): Promise<boolean>;
  /** True for names that no public upstream may hear. */
  isPrivate(path: string): boolean;
  /** What the integrity list says of a version, in a few words; undefined when none is configured. */
  listed(id: ModuleVersion, signal: AbortSignal): Promise<string | undefined>;
}

export interface IndexSource {
  /**
   * One page of the index: newline-delimited JSON, at most `maxPageBytes`. Throws when nothing came, or no page.
   *
   * @param since RFC 3339, inclusive
   */
  page(url: string, asked: { readonly since: string; readonly limit: number }, signal: AbortSignal): Promise<string>;
}

/** A page of 2,000 lines is some 300 KiB. */
export const maxPageBytes = 2 << 20;
