// The one error that reaches people. Its message is for logs; catalogue.ts turns code and fields into sentences.

import type { Fields, GranaryCode } from "./codes.ts";

export class GranaryError<C extends GranaryCode = GranaryCode> extends Error {
  override readonly name = "GranaryError";
  readonly code: C;
  readonly fields: Fields[C];

  constructor(code: C, fields: Fields[C], options?: { cause?: unknown }) {
    super(code, options);
    this.code = code;
    this.fields = fields;
  }
}

/** True when `error` is a GranaryError, and of code `code` when one is given. */
export function isGranaryError(error: unknown): error is GranaryError;
export function isGranaryError<C extends GranaryCode>(error: unknown, code: C): error is GranaryError<C>;
export function isGranaryError(error: unknown, code?: GranaryCode): boolean {
  return error instanceof GranaryError && (code === undefined || error.code === code);
}

/** `error` itself when it is ours, else GRANARY_INTERNAL around it. */
export function asGranaryError(error: unknown): GranaryError {
  if (isGranaryError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new GranaryError("GRANARY_INTERNAL", { reason }, { cause: error });
}
