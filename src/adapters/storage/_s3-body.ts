// The body of one answer, read to the end that its headers promised.

import type { Readable } from "node:stream";
import { S3Failure, failureOf } from "./_s3-failure.ts";
import type { S3Got } from "./_s3-wire.ts";

/** A body that ended early, as a failure that another try may mend. */
export function truncated(size: number, got: number): S3Failure {
  const message = `the answer ended after ${got} of ${size} bytes`;
  return new S3Failure("get", { status: undefined, code: "Truncated", message });
}

/** The chunks of a body of `size` bytes. Throws S3Failure when there are fewer or more. */
export async function* chunksOf(body: Readable, size: number): AsyncGenerator<Uint8Array> {
  let got = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      got += chunk.length;
      if (got > size) throw truncated(size, got);
      yield chunk;
    }
  } catch (error) {
    throw failureOf("get", error);
  } finally {
    body.destroy();
  }
  if (got < size) throw truncated(size, got);
}

/** All of a body, in memory; the caller has looked at its size. Throws S3Failure when it is cut. */
export async function wholeBody({ facts, body }: S3Got): Promise<Uint8Array> {
  const bytes = new Uint8Array(facts.size);
  let at = 0;
  for await (const chunk of chunksOf(body, facts.size)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
