// Idempotency keys of uploads: what a key stood for first is what it stands for, a day long, also after a crash.
// Source: draft-ietf-httpapi-idempotency-key-header.

import { createHash } from "node:crypto";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";

const prefix = "state/publish-keys/";
/** A client that does not know after a day whether its upload arrived asks for the version instead. */
const lifeMs = 24 * 3_600_000;
/** Between two looks for keys that are over. */
const sweepMs = 3_600_000;
const maxEntryBytes = 8 * 1024;
/** Longest key that is taken; a UUID has 36 letters. */
export const maxKeyLetters = 255;

export type Claim = {
  /** Who uploads: the keys of two tokens have nothing to do with each other. */
  readonly by: string;
  readonly what: string;
  readonly sha256: string;
  /** The version is not there yet. */
  readonly isMissing: boolean;
};

export class RepeatKeys {
  readonly #storage: Storage;
  readonly #wall: Pick<Clock, "now">;
  #sweptMs = 0;

  constructor(storage: Storage, wall: Pick<Clock, "now">) {
    this.#storage = storage;
    this.#wall = wall;
  }

  /**
   * Remembers what a key stands for, before anything is kept. For a request that was made before, resolves to whether the
   * version was missing then: it gets the answer of the first time. Undefined for the first one. Throws
   * GRANARY_PUBLISH_KEY when the key stands for something else.
   */
  async claim(key: string | undefined, claim: Claim): Promise<boolean | undefined> {
    if (key === undefined) return undefined;
    const { by, what, sha256, isMissing } = claim;
    const at = storageKey(`${prefix}${createHash("sha256").update(`${by}\n${key}`).digest("hex")}.json`);
    await this.#sweep();
    const stored = await this.#storage.get(at, maxEntryBytes);
    const known = stored === undefined || this.#isOver(stored) ? undefined : parseEntry(stored.bytes);
    if (known !== undefined) {
      if (known.what !== what || known.sha256 !== sha256) throw new GranaryError("GRANARY_PUBLISH_KEY", { what, key });
      return known.isMissing === true;
    }
    const entry = Buffer.from(`${JSON.stringify({ what, sha256, isMissing })}\n`);
    if ((await this.#storage.replace(at, entry, stored?.token)) === "replaced") return undefined;
    return await this.claim(key, claim);
  }

  #isOver({ modifiedMs }: { readonly modifiedMs: number }): boolean {
    return this.#wall.now() - modifiedMs > lifeMs;
  }

  async #sweep(): Promise<void> {
    if (this.#wall.now() - this.#sweptMs < sweepMs) return;
    this.#sweptMs = this.#wall.now();
    for await (const found of this.#storage.list(prefix))
      if (this.#isOver(found)) await this.#storage.remove(found.key);
  }
}

/** Undefined for a damaged one: it stands for nothing any more, and the content of the version decides. */
function parseEntry(bytes: Uint8Array): Partial<Claim> | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Partial<Claim>;
  } catch {
    return undefined;
  }
}
