// Fetches that were given up, kept so that a person sees them: one small file each, bounded in number.
//
//   state/jobs/<id>.json      id: the first 16 hex digits of sha256("zip path@version")

import { createHash } from "node:crypto";
import { ProtocolError } from "#protocol/errors.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Storage, StorageKey } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";

export type JobKind = "mod" | "zip";

export type DeadLetter = {
  readonly id: string;
  readonly kind: JobKind;
  readonly module: ModuleVersion;
  /** Times it was tried in the background. */
  readonly tries: number;
  /** Why, as an error code or a few words. */
  readonly reason: string;
  /** When a client's fetch failed first, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly diedMs: number;
};

/** A page of them, and some 400 KiB on disk: with more, the upstream is the news and not the single version. */
const maxLetters = 1_000;
/** The longest path and version, escaped as JSON, fit several times. */
const maxLetterBytes = 16 * 1024;
const maxReason = 400;
const prefix = "state/jobs/";

export class DeadLetters {
  readonly #storage: Storage;
  readonly #maxLetters: number;
  /** Oldest first. */
  readonly #letters = new Map<string, DeadLetter>();

  constructor(storage: Storage, limits: { readonly maxLetters: number } = { maxLetters }) {
    this.#storage = storage;
    this.#maxLetters = limits.maxLetters;
  }

  /** Reads what an earlier process left. Files that are no letters are left alone. Throws StoreUnavailable. */
  async load(): Promise<void> {
    const found: DeadLetter[] = [];
    for await (const { key } of this.#storage.list(prefix)) {
      const stored = key.endsWith(".json") ? await this.#storage.get(key, maxLetterBytes) : undefined;
      const letter = stored && parseLetter(key, stored.bytes);
      if (letter !== undefined) found.push(letter);
    }
    for (const letter of found.sort((a, b) => a.diedMs - b.diedMs)) this.#letters.set(letter.id, letter);
  }

  find(id: string): DeadLetter | undefined {
    return this.#letters.get(id);
  }

  list(): readonly DeadLetter[] {
    return [...this.#letters.values()];
  }

  /**
   * Keeps a letter, in place of an older one of the same job, and returns those that left to make room. Throws
   * StoreUnavailable when files did not follow: this process knows the letter, the next one will not.
   */
  async put(letter: DeadLetter): Promise<readonly DeadLetter[]> {
    const cut = { ...letter, reason: letter.reason.slice(0, maxReason) };
    this.#letters.delete(letter.id);
    this.#letters.set(letter.id, cut);
    const left = [...this.#letters.values()].slice(0, Math.max(0, this.#letters.size - this.#maxLetters));
    for (const { id } of left) this.#letters.delete(id);
    for (const { id } of [...left, letter]) await this.#storage.remove(letterKey(id));
    await this.#storage.create(letterKey(letter.id), formatLetter(cut));
    return left;
  }

  /** False when there was none. Throws StoreUnavailable when only its file could not be removed. */
  async remove(id: string): Promise<boolean> {
    if (!this.#letters.delete(id)) return false;
    await this.#storage.remove(letterKey(id));
    return true;
  }
}

export function jobId(kind: JobKind, { path, version }: { readonly path: string; readonly version: string }): string {
  return createHash("sha256").update(`${kind} ${path}@${version}`).digest("hex").slice(0, 16);
}

function letterKey(id: string): StorageKey {
  return storageKey(`${prefix}${id}.json`);
}

function formatLetter({ module, ...letter }: DeadLetter): Uint8Array {
  return Buffer.from(`${JSON.stringify({ ...letter, path: module.path, version: module.version })}\n`);
}

/** Undefined when the bytes are not the letter that the key names. */
function parseLetter(key: string, bytes: Uint8Array): DeadLetter | undefined {
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown> | null;
  } catch {
    return undefined;
  }
  const { id, kind, path, version, tries, reason, sinceMs, diedMs } = value ?? {};
  if ((kind !== "mod" && kind !== "zip") || typeof path !== "string" || typeof version !== "string") return undefined;
  if (!isCount(tries) || !isCount(sinceMs) || !isCount(diedMs) || typeof reason !== "string") return undefined;
  const module = versionOf(path, version);
  if (module === undefined || id !== jobId(kind, module) || key !== letterKey(id)) return undefined;
  return { id, kind, module, tries, reason: reason.slice(0, maxReason), sinceMs, diedMs };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function versionOf(path: string, version: string): ModuleVersion | undefined {
  try {
    return checkModuleVersion(parsePath(path), version);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
