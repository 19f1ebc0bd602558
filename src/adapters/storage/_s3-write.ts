// Writes under a condition, of which we say for certain whether they were done.
//
// A connection may die after the service has stored the object and before we hear of it; the next try is then refused
// because of our own first one. So each write carries a random id in the object's metadata, and after a doubt we look
// whose object is there.

import { randomBytes } from "node:crypto";
import type { S3Facts } from "./_s3-facts.ts";
import { S3Failure } from "./_s3-failure.ts";
import { tried } from "./_s3-tries.ts";
import type { Tries } from "./_s3-tries.ts";
import type { S3Wire, Sendable } from "./_s3-wire.ts";

export type Writing = {
  readonly wire: S3Wire;
  readonly tries: Tries;
  readonly name: string;
};

/**
 * Creates an object where there is none; `send` tries once, with the id. Throws S3Failure when nobody can say whether it did.
 * `marker`: there is none, and yet it was refused: some services take no new object over a delete marker.
 */
export async function createOnce(
  { wire, tries, name }: Writing,
  { id, send }: { readonly id: string; readonly send: () => Promise<void> },
): Promise<"written" | "refused" | "marker"> {
  const done = await sent(tries, send);
  if (done.is === "written") return "written";
  const there = await looked(wire, tries, name);
  if (there !== undefined) return there.writeId === id ? "written" : "refused";
  if (done.is === "refused") return "marker";
  throw done.failure;
}

/**
 * Replaces the object that has this ETag. Throws S3Failure when nobody can say whether it did.
 * `unknown`: what is there now is neither ours nor what was to be replaced; ours may have been there in between.
 */
export async function replaceOnce(
  { wire, tries, name }: Writing,
  { body, etag }: { readonly body: Sendable; readonly etag: string },
): Promise<"written" | "refused" | "unknown"> {
  const id = newId();
  const done = await sent(tries, () => wire.put(name, body, { id, when: { etag } }));
  if (done.is === "written") return "written";
  if (done.is === "refused" && !done.inDoubt) return "refused";
  const there = await looked(wire, tries, name);
  if (there?.writeId === id) return "written";
  // Another's object: ours may have been there before it.
  if (there?.etag !== etag) return "unknown";
  throw done.failure;
}

type Done =
  | { readonly is: "written" }
  | { readonly is: "refused"; readonly inDoubt: boolean; readonly failure: S3Failure }
  /** It may have been done, and no try succeeded. */
  | { readonly is: "doubtful"; readonly failure: S3Failure };

/** Throws S3Failure when it was certainly not done. */
async function sent(tries: Tries, send: () => Promise<void>): Promise<Done> {
  const doubts: S3Failure[] = [];
  try {
    await tried(tries, async () => {
      try {
        await send();
      } catch (error) {
        if (error instanceof S3Failure && !error.isUndone) doubts.push(error);
        throw error;
      }
    });
    return { is: "written" };
  } catch (failure) {
    if (!(failure instanceof S3Failure)) throw failure;
    const inDoubt = doubts.length > 0;
    // 404: there is nothing any more that could be replaced.
    if (failure.isRefused || (failure.isAbsent && failure.status === 404)) return { is: "refused", inDoubt, failure };
    if (inDoubt) return { is: "doubtful", failure };
    throw failure;
  }
}

async function looked(wire: S3Wire, tries: Tries, name: string): Promise<S3Facts | undefined> {
  return await tried(tries, () => wire.head(name));
}

export function newId(): string {
  return randomBytes(16).toString("hex");
}

/** Bounds the rounds of clearing and creating, of which others may spoil some. */
export const maxClearings = 5;

/** Removes what is left of an object that was deleted, so that it can be created again. False when there was nothing to remove. */
export async function clearMarkers(wire: S3Wire, tries: Tries, name: string): Promise<boolean> {
  const listed = await tried(tries, () => wire.versions(name));
  // Somebody has created it, or the marker is gone.
  if (listed[0]?.isMarker !== true) return false;
  // The oldest first: while the newest marker stands, no older version shows.
  for (const { id } of [...listed].reverse()) await tried(tries, () => wire.remove(name, id));
  return true;
}

/**
 * The same for what is in the way above an object: services that keep objects as files keep the marker of `a` as a file,
 * and then cannot hold `a/b`. False when nothing was removed.
 */
export async function clearAbove(wire: S3Wire, tries: Tries, names: readonly string[]): Promise<boolean> {
  let isClear = false;
  for (const name of names) isClear = (await clearMarkers(wire, tries, name)) || isClear;
  return isClear;
}
