// Reading an upstream's body: whole and small into memory, or large into a stage.

import { ProtocolError } from "#protocol/errors.ts";
import type { Stage } from "#services/store/ports.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { Unusable } from "#services/upstreams/walk.ts";

/** The whole body. The adapter has bounded it by the request's maxBytes. */
export async function readBody(response: UpstreamResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
  }
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Writes the body into the stage and seals it. */
export async function stageBody(response: UpstreamResponse, stage: Stage): Promise<void> {
  for await (const chunk of response.body) await stage.write(chunk);
  await stage.seal();
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
