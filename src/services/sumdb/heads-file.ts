// `state/sumdb/<name>/heads.json`: the head that kept records carry now, and the heads accepted last.

export type AcceptedHead = {
  readonly size: number;
  /** Base64, as in the signed note. */
  readonly root: string;
  readonly atMs: number;
};

export type HeadsState = {
  /** A signed note. */
  readonly serving: string | undefined;
  /** Oldest first. */
  readonly accepted: readonly AcceptedHead[];
};

/** Enough to see what was trusted when; proofs need the newest only. */
export const maxAcceptedHeads = 64;

/** One note of at most a megabyte, and the list. */
export const maxHeadsBytes = 4 * 1024 * 1024;

export function formatHeads(state: HeadsState): Uint8Array {
  return Buffer.from(`${JSON.stringify({ version: 1, ...state }, undefined, 2)}\n`);
}

/** The state, or undefined when the file is damaged. */
export function parseHeads(bytes: Uint8Array): HeadsState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { version, serving, accepted } = value as Record<string, unknown>;
  if (version !== 1 || !Array.isArray(accepted) || !accepted.every(isAccepted)) return undefined;
  return { serving: typeof serving === "string" ? serving : undefined, accepted };
}

function isAccepted(value: unknown): value is AcceptedHead {
  if (typeof value !== "object" || value === null) return false;
  const { size, root, atMs } = value as Record<string, unknown>;
  return Number.isSafeInteger(size) && typeof root === "string" && Number.isSafeInteger(atMs);
}
