// Whoever asks for what is private must be one of its readers.

import type { Access } from "#services/access/access.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { callerOf } from "./caller.ts";
import type { Request } from "./send.ts";

/** Throws GRANARY_TOKEN_NEEDS_TLS or GRANARY_UNAUTHORIZED. */
export async function requireReader(
  access: Pick<Access, "mayReadPrivate">,
  request: Request,
  what: string,
): Promise<void> {
  const verdict = await access.mayReadPrivate(callerOf(request));
  if (verdict.verdict === "allow") return;
  if (verdict.verdict === "challenge" && verdict.reason === "insecure")
    throw new GranaryError("GRANARY_TOKEN_NEEDS_TLS", { what });
  throw new GranaryError("GRANARY_UNAUTHORIZED", { what });
}
