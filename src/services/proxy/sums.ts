// What a module version's hashes must be, and who says so: a checksum database for public modules, our own
// first-sight pins for private ones.

import { equalHash } from "#protocol/dirhash.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { VerifiedRecord } from "#services/sumdb/mirror.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { Pins } from "#services/store/pins.ts";
import type { RecordRef, VerifiedBy } from "#services/store/manifest.ts";
import type { Privacy } from "./privacy.ts";
import { isToolchain } from "./privacy.ts";

/** The part of a checksum database mirror that this room asks. */
export interface Database {
  readonly name: string;
  lookup(
    id: ModuleVersion,
    options: { readonly signal: AbortSignal; readonly cachedOnly?: boolean },
  ): Promise<VerifiedRecord>;
}

export type Expectation =
  | { readonly by: "sumdb"; readonly record: VerifiedRecord; readonly refs: readonly RecordRef[] }
  | { readonly by: "pin" }
  | { readonly by: "off" };

/** Bytes that are not what the database recorded, or not what we pinned. */
export class HashMismatch extends Error {
  override readonly name = "HashMismatch";
  readonly what: "mod" | "zip";
  readonly expected: string;
  readonly found: string;
  readonly source: { readonly kind: "sumdb"; readonly record: VerifiedRecord } | { readonly kind: "pin" };
  constructor(
    what: "mod" | "zip",
    hashes: { readonly expected: string; readonly found: string },
    source: HashMismatch["source"],
  ) {
    super(`${what}: recorded ${hashes.expected}, received ${hashes.found}`);
    this.what = what;
    this.expected = hashes.expected;
    this.found = hashes.found;
    this.source = source;
  }
}

export class Sums {
  readonly #databases: readonly Database[];
  readonly #privacy: Privacy;
  readonly #pins: Pins;

  constructor(use: { readonly databases: readonly Database[]; readonly privacy: Privacy; readonly pins: Pins }) {
    this.#databases = use.databases;
    this.#privacy = use.privacy;
    this.#pins = use.pins;
  }

  /**
   * Who must agree to the hashes of `id`. The first database that holds a proven record decides; a database that
   * cannot be reached passes the question on. Throws SumdbError when none could answer.
   */
  async expect(id: ModuleVersion, signal: AbortSignal): Promise<Expectation> {
    // An ancestor of a private name gives it away as well: whoever served it, no database hears of it.
    if (this.#privacy.mustNotTravel(id.path) && !isToolchain(id.path)) return { by: "pin" };
    let failure: unknown;
    for (const database of this.#databases) {
      try {
        const record = await database.lookup(id, { signal });
        return { by: "sumdb", record, refs: [{ database: record.database, id: record.id, treeSize: record.treeSize }] };
      } catch (error) {
        // A fork or a bad proof is an alarm, never a reason to ask somebody else.
        if (!(error instanceof SumdbError) || error.code === "SUMDB_FORK" || error.code === "SUMDB_INVALID")
          throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure as SumdbError;
    return { by: "off" };
  }

  /** True when what vouched for kept bytes is at least what has to vouch for them now. */
  suffices(path: string, by: VerifiedBy): boolean {
    const mayBePinned = this.#privacy.mustNotTravel(path) && !isToolchain(path);
    return by === "sumdb" || this.#databases.length === 0 || mayBePinned;
  }

  /** Whether `found` is what is expected, as far as that is known; pins nothing. */
  async agrees(
    id: ModuleVersion,
    expectation: Expectation,
    { what, found }: { readonly what: "mod" | "zip"; readonly found: string },
  ): Promise<boolean> {
    if (expectation.by === "off") return true;
    const expected = expectation.by === "sumdb" ? expectation.record.sums[what] : (await this.#pins.find(id))?.[what];
    return expected === undefined ? expectation.by === "pin" : equalHash(expected, found);
  }

  /** Holds `found` against the expectation; pins it when it is the first sight. Throws HashMismatch. */
  async check(
    id: ModuleVersion,
    expectation: Expectation,
    hash: { readonly what: "mod" | "zip"; readonly found: string },
  ): Promise<void> {
    const { what, found } = hash;
    switch (expectation.by) {
      case "off":
        return;
      case "sumdb": {
        const expected = expectation.record.sums[what] ?? "no hash in the record";
        if (!equalHash(expected, found))
          throw new HashMismatch(what, { expected, found }, { kind: "sumdb", record: expectation.record });
        return;
      }
      case "pin": {
        const pinned = (await this.#pins.pin(id, { [what]: found }))[what] ?? found;
        if (!equalHash(pinned, found)) throw new HashMismatch(what, { expected: pinned, found }, { kind: "pin" });
      }
    }
  }
}

export function verifiedBy(expectation: Expectation): VerifiedBy {
  return expectation.by;
}

export function recordsOf(expectation: Expectation): readonly RecordRef[] {
  return expectation.by === "sumdb" ? expectation.refs : [];
}
