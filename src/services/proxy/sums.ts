// What a module version's hashes must be, and who says so: a checksum database for public modules, our own
// first-sight pins for private ones.

import { equalHash } from "#protocol/dirhash.ts";
import type { Sums as RecordSums } from "#protocol/record.ts";
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
    options: { readonly signal: AbortSignal; readonly cachedOnly?: boolean; readonly isHurried?: boolean },
  ): Promise<VerifiedRecord>;
}

/** A signed list of hashes for when no database can be reached. Never asked otherwise. */
export interface LastResort {
  readonly name: string;
  /** What it says; nothing when it does not know the version. Never throws but for the signal. */
  find(id: ModuleVersion, signal: AbortSignal): Promise<RecordSums>;
}

export type Expectation =
  | { readonly by: "sumdb"; readonly record: VerifiedRecord; readonly refs: readonly RecordRef[] }
  | { readonly by: "pin" }
  /** `failure` is what a hash that the list does not name ends with: the databases' own silence. */
  | { readonly by: "integrity"; readonly list: string; readonly sums: RecordSums; readonly failure: SumdbError }
  | { readonly by: "off" };

/** Bytes that are not what the database recorded, or not what we pinned. */
export class HashMismatch extends Error {
  override readonly name = "HashMismatch";
  readonly what: "mod" | "zip";
  readonly expected: string;
  readonly found: string;
  readonly source:
    | { readonly kind: "sumdb"; readonly record: VerifiedRecord }
    | { readonly kind: "pin" }
    | { readonly kind: "integrity"; readonly list: string };
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
  readonly #lastResort: LastResort | undefined;

  constructor(use: {
    readonly databases: readonly Database[];
    readonly privacy: Privacy;
    readonly pins: Pins;
    readonly lastResort?: LastResort | undefined;
  }) {
    this.#databases = use.databases;
    this.#privacy = use.privacy;
    this.#pins = use.pins;
    this.#lastResort = use.lastResort;
  }

  /**
   * Who must agree to the hashes of `id`. The first database that holds a proven record decides; a database that
   * cannot be reached passes the question on. When every one was silent, a configured list is asked, and only then: a
   * word of any database, be it "no such record", is one. Throws SumdbError when none could answer.
   */
  async expect(id: ModuleVersion, signal: AbortSignal): Promise<Expectation> {
    // An ancestor of a private name gives it away as well: whoever served it, no database hears of it.
    if (this.#privacy.mustNotTravel(id.path) && !isToolchain(id.path)) return { by: "pin" };
    if (this.#databases.length === 0) return { by: "off" };
    const failures: SumdbError[] = [];
    try {
      const record = await this.#lookup(id, signal, failures);
      return { by: "sumdb", record, refs: [{ database: record.database, id: record.id, treeSize: record.treeSize }] };
    } catch (error) {
      if (!(error instanceof SumdbError) || this.#lastResort === undefined || !areSilent([...failures, error]))
        throw error;
      const { name: list } = this.#lastResort;
      return { by: "integrity", list, sums: await this.#lastResort.find(id, signal), failure: error };
    }
  }

  /** The hashes of a public version's record, where there is one to be had; an alarm throws its SumdbError. */
  async recorded(
    id: ModuleVersion,
    options: { readonly signal: AbortSignal; readonly cachedOnly: boolean },
  ): Promise<RecordSums | undefined> {
    if (this.#privacy.mustNotTravel(id.path) && !isToolchain(id.path)) return undefined;
    for (const database of this.#databases) {
      try {
        return (await database.lookup(id, options)).sums;
      } catch (error) {
        if (!(error instanceof SumdbError) || isAlarm(error)) throw error;
      }
    }
    return undefined;
  }

  /** @param failures what each database said instead, in the order they said it */
  async #lookup(id: ModuleVersion, signal: AbortSignal, failures: SumdbError[]): Promise<VerifiedRecord> {
    // One that is out of reach may be back in a moment; who can be asked instead is asked first.
    const isHurried = this.#databases.length > 1;
    let patient: Database | undefined;
    for (const database of this.#databases) {
      try {
        return await database.lookup(id, { signal, isHurried });
      } catch (error) {
        // An alarm is never a reason to ask somebody else.
        if (!(error instanceof SumdbError) || isAlarm(error)) throw error;
        failures.push(error);
        if (isHurried && error.code === "SUMDB_UNREACHABLE") patient ??= database;
      }
    }
    const [failure] = failures;
    if (patient === undefined) throw failure ?? new RangeError("no database is configured");
    try {
      return await patient.lookup(id, { signal });
    } catch (error) {
      if (error instanceof SumdbError) failures.push(error);
      // What the first one said is told, now as before.
      const isNews = !(error instanceof SumdbError) || isAlarm(error) || error.database === failure?.database;
      throw isNews ? error : failure;
    }
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
    const expected = expectation.by === "pin" ? (await this.#pins.find(id))?.[what] : sumsOf(expectation)[what];
    return expected === undefined ? expectation.by === "pin" : equalHash(expected, found);
  }

  /** Holds `found` against the expectation; pins it when it is the first sight. Throws HashMismatch; a list's silence is the databases'. */
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
      case "integrity": {
        const { list, sums, failure } = expectation;
        const expected = sums[what];
        if (expected === undefined) throw failure;
        if (!equalHash(expected, found)) throw new HashMismatch(what, { expected, found }, { kind: "integrity", list });
        return;
      }
      case "pin": {
        const pinned = (await this.#pins.pin(id, { [what]: found }))[what] ?? found;
        if (!equalHash(pinned, found)) throw new HashMismatch(what, { expected: pinned, found }, { kind: "pin" });
      }
    }
  }
}

function sumsOf(expectation: Extract<Expectation, { readonly by: "sumdb" | "integrity" }>): RecordSums {
  return expectation.by === "sumdb" ? expectation.record.sums : expectation.sums;
}

/** Nobody said anything: some could not be reached, and the others are no more than what is kept of one. */
function areSilent(failures: readonly SumdbError[]): boolean {
  const silent = failures.every(({ code }) => code === "SUMDB_UNREACHABLE" || code === "SUMDB_NOT_KEPT");
  return silent && failures.some(({ code }) => code === "SUMDB_UNREACHABLE");
}

export function verifiedBy(expectation: Expectation): VerifiedBy {
  return expectation.by;
}

export function recordsOf(expectation: Expectation): readonly RecordRef[] {
  return expectation.by === "sumdb" ? expectation.refs : [];
}

/** A fork, or an answer that could not be proven. */
function isAlarm({ code }: SumdbError): boolean {
  return code === "SUMDB_FORK" || code === "SUMDB_INVALID";
}
