// Why a checksum database gave nothing that may be used.

import type { Tried } from "#services/errors/codes.ts";

export type SumdbCode =
  /** No route gave an answer that says anything. */
  | "SUMDB_UNREACHABLE"
  /** Somebody who can know says that there is no such record; the message quotes the database. */
  | "SUMDB_ABSENT"
  /** Answers came, and none of them could be proven. */
  | "SUMDB_INVALID"
  /** Two signed heads that belong to different logs; the message is the storage key of the evidence. */
  | "SUMDB_FORK"
  /** Something beyond the newest head that any route gives. */
  | "SUMDB_BEHIND"
  /** Something beyond our newest head, and nobody could be asked for a newer one: `newer` has the sizes. */
  | "SUMDB_NEWER"
  /** Not kept, and nobody may be asked. */
  | "SUMDB_NOT_KEPT";

/** Records under our newest head, and how many a client's head has at least. */
export type NewerHead = { readonly ours: number; readonly atLeast: number };

export class SumdbError extends Error {
  override readonly name = "SumdbError";
  readonly code: SumdbCode;
  readonly database: string;
  /** Each route that was asked and why that did not help. */
  readonly tried: readonly Tried[];
  readonly newer: NewerHead | undefined;

  constructor(
    code: SumdbCode,
    database: string,
    facts: {
      readonly message: string;
      readonly tried?: readonly Tried[];
      readonly newer?: NewerHead;
      readonly cause?: unknown;
    },
  ) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.database = database;
    this.tried = facts.tried ?? [];
    this.newer = facts.newer;
  }
}
