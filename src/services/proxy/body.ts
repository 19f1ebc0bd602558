// Reading what an upstream sent.

import { ProtocolError } from "#protocol/errors.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { readWhole } from "#services/upstreams/attempt.ts";
import { Unusable } from "#services/upstreams/walk.ts";

/** The whole body. The adapter has bounded it by the request's maxBytes. */
export async function readBody(response: UpstreamResponse): Promise<Uint8Array> {
  return await readWhole(response.body);
}

/** What `parse` makes of foreign bytes; bytes that break a rule make this upstream's answer unusable. */
export function unusableUnless<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ProtocolError) throw new Unusable("BAD_MODULE", error.message, { cause: error });
    throw error;
  }
}
