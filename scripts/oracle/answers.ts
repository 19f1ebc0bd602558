// What every group of answers shares.

import { ProtocolError } from "#protocol/errors.ts";

/** One line of the Go program: what was asked, and what x/mod answered (null: an error). */
export type Vector = { readonly k: string; readonly i: unknown; readonly o: unknown };

/** Per kind of question: our answer, in the form in which the Go program writes x/mod's. */
export type Answers = Readonly<Record<string, (input: unknown) => unknown>>;

/** The answer, or null when our function refuses. Any other error is a bug and travels on. */
export function orNull<T>(answer: () => T): T | null {
  try {
    return answer();
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

export function accepts(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** Bytes as the Go program writes them: as text where they are UTF-8. */
export function bytesOf(input: unknown): Uint8Array {
  return typeof input === "string" ? Buffer.from(input) : Buffer.from((input as { b64: string }).b64, "base64");
}

export function rawOf(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString();
  return buffer.equals(Buffer.from(text)) ? text : { b64: buffer.toString("base64") };
}

/** The answer about a zip that must not be kept; the two sides word their reasons as they like. */
export function isRefused(answer: unknown): answer is { error: string; reason: string } {
  return typeof answer === "object" && answer !== null && "error" in answer;
}
