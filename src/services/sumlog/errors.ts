// Why an own log does not go on.

import { GranaryError } from "#services/errors/granary-error.ts";

export type SumLogCode =
  /** What is kept is not what was committed. */
  | "SUMLOG_DAMAGED"
  /** What is kept is older than, or another log than, what this key has signed before. */
  | "SUMLOG_RESET"
  /** So many records wait to be appended that no more are taken. */
  | "SUMLOG_FULL"
  /** The log has a record of this version with other hashes. */
  | "SUMLOG_CONFLICT";

export class SumLogError extends Error {
  override readonly name = "SumLogError";
  readonly code: SumLogCode;
  readonly log: string;
  constructor(code: SumLogCode, log: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.log = log;
  }
}

/** The failure in the words of whoever asked. */
export function sumLogFailure(error: SumLogError): GranaryError {
  const { code, log, message } = error;
  if (code === "SUMLOG_FULL")
    return new GranaryError("GRANARY_OVERLOADED", { limit: "sumlog", value: maxPendingRecords }, { cause: error });
  if (code === "SUMLOG_CONFLICT")
    return new GranaryError("GRANARY_SUMLOG_CONFLICT", { database: log, reason: message }, { cause: error });
  return new GranaryError("GRANARY_SUMLOG_STOPPED", { database: log, reason: message }, { cause: error });
}

/** Appends that wait: some 300 bytes each. */
export const maxPendingRecords = 20_000;
