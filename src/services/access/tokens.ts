// Operator and reader tokens: random, shown once, kept only as a hash.
//
//   grn_1f2e3d4c_5Jm…   grn_ ID _ SECRET   (ID 8 hex digits; SECRET 32 random bytes, base64url)
//
// 256 random bits need no slow hash: one SHA-256, compared in constant time. The file is state/tokens.json in the
// store, written by `granary token`, read again by a running server when it changed.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock, Storage } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";

/** `read` opens private modules; `write` also opens every route that changes something. */
export type Scope = "read" | "write";

export type TokenRecord = {
  readonly id: string;
  readonly scope: Scope;
  /** sha256 of the whole token, hex. */
  readonly hash: string;
  readonly created: string;
  readonly note: string;
};

const key = storageKey("state/tokens.json");
const maxFileBytes = 1 << 20;
/** A longer text is no token of ours; do not hash what a stranger sends without bound. */
const maxTokenLength = 128;
/** How old the server's copy may get before the file is looked at again. */
const recheckMs = 2_000;

export class Tokens {
  readonly #storage: Storage;
  readonly #clock: Clock;
  #records: readonly TokenRecord[] = [];
  #fileToken: string | undefined;
  #checkedMs = -Infinity;

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** All tokens, without their secrets. */
  async list(): Promise<readonly TokenRecord[]> {
    await this.#refresh(0);
    return this.#records;
  }

  /** Makes a token. The returned text is the only time its secret is seen. */
  async add(scope: Scope, note: string): Promise<{ readonly text: string; readonly record: TokenRecord }> {
    const id = randomBytes(4).toString("hex");
    const text = `grn_${id}_${randomBytes(32).toString("base64url")}`;
    const created = new Date(this.#clock.now()).toISOString();
    const record = { id, scope, hash: hashOf(text).toString("hex"), created, note: note.slice(0, 200) };
    await this.#change((records) => [...records, record]);
    return { text, record };
  }

  /** Ends a token; false when there is none with this id. */
  async revoke(id: string): Promise<boolean> {
    let found = false;
    await this.#change((records) => {
      found = records.some((record) => record.id === id);
      return records.filter((record) => record.id !== id);
    });
    return found;
  }

  /** True when any token opens `scope`. */
  async anyFor(scope: Scope): Promise<boolean> {
    await this.#refresh(recheckMs);
    return this.#records.some((record) => opens(record, scope));
  }

  /** The record of a presented token that opens `scope`, or undefined. */
  async check(text: string, scope: Scope): Promise<TokenRecord | undefined> {
    if (text.length > maxTokenLength) return undefined;
    await this.#refresh(recheckMs);
    const hash = hashOf(text);
    let match: TokenRecord | undefined;
    // Every record is compared, so that time tells nothing of which one matched.
    for (const record of this.#records) if (timingSafeEqual(hash, Buffer.from(record.hash, "hex"))) match = record;
    return match !== undefined && opens(match, scope) ? match : undefined;
  }

  /** The file may have changed: it is looked at before the next answer. */
  lookAgain(): void {
    this.#checkedMs = -Infinity;
  }

  async #refresh(maxAgeMs: number): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#checkedMs < maxAgeMs) return;
    const stat = await this.#storage.stat(key);
    if (stat?.token !== this.#fileToken || this.#checkedMs === -Infinity) await this.#read();
    this.#checkedMs = now;
  }

  async #read(): Promise<void> {
    const stored = await this.#storage.get(key, maxFileBytes);
    this.#records = stored === undefined ? [] : parseTokens(stored.bytes);
    this.#fileToken = stored?.token;
  }

  async #change(edit: (records: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    for (;;) {
      await this.#read();
      const records = edit(this.#records);
      const bytes = Buffer.from(`${JSON.stringify({ tokens: records }, null, 1)}\n`);
      if ((await this.#storage.replace(key, bytes, this.#fileToken)) === "replaced") return this.#read();
    }
  }
}

function opens(record: TokenRecord, scope: Scope): boolean {
  return record.scope === scope || record.scope === "write";
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Throws when the file is not what `granary token` writes: a damaged token file must not open anything. */
function parseTokens(bytes: Uint8Array): readonly TokenRecord[] {
  const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
  if (typeof parsed !== "object" || parsed === null || !("tokens" in parsed) || !Array.isArray(parsed.tokens))
    throw new Error(`${key} is not a token file`);
  return parsed.tokens.map((entry: unknown) => {
    const record = entry as { readonly id: unknown; readonly hash: string; readonly scope: string };
    const valid =
      typeof record.id === "string" &&
      /^[0-9a-f]{64}$/.test(record.hash) &&
      (record.scope === "read" || record.scope === "write");
    if (!valid) throw new Error(`${key} holds a malformed token`);
    return entry as TokenRecord;
  });
}
