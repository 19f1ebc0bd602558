// What could not be had, and why: told once per version and code.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Outcome } from "./asker.ts";
import type { FileKind } from "./wanted.ts";

export type Failure = {
  /** `path@version` */
  readonly what: string;
  readonly kind: FileKind;
  /** `GRANARY_SUMDB_MISMATCH`, `HTTP 418`, `no answer`. */
  readonly code: string;
  /** The rest of the server's first line. */
  readonly said: string;
};

export function failureOf(id: ModuleVersion, kind: FileKind, outcome: Extract<Outcome, { ok: false }>): Failure {
  return { what: formatModuleVersion(id), kind, code: outcome.code, said: outcome.said };
}

/** A version whose three files fail for one reason is one failure. */
export function withoutEchoes(failures: readonly Failure[]): Failure[] {
  const first = new Map<string, Failure>();
  for (const failure of failures) {
    const key = `${failure.what} ${failure.code}`;
    if (!first.has(key)) first.set(key, failure);
  }
  return [...first.values()];
}
