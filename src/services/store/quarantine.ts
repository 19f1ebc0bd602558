// Refused bytes and why: evidence for people, never served. Bounded; the oldest leave first.
//
//   state/quarantine/<id>.json   the facts, written first      state/quarantine/<id>.bytes   the bytes
//
// An id is the first 16 hex digits of sha256(upstream, module, version, kind, found hash): the same lie is kept once.

import { createHash } from "node:crypto";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Clock, Stage, Storage, StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";

export type Quarantined = {
  readonly id: string;
  readonly path: string;
  readonly version: string;
  readonly kind: "mod" | "zip";
  readonly upstream: string;
  readonly expected: string;
  readonly found: string;
  readonly size: number;
  /** RFC 3339. */
  readonly at: string;
};

export type Refused = {
  readonly upstream: string;
  readonly id: ModuleVersion;
  readonly kind: "mod" | "zip";
  readonly bytes: Uint8Array | Stage;
  readonly expected: string;
  readonly found: string;
};

/** All quarantined bytes together: two of the largest zips, and many small ones. */
const maxQuarantineBytes = 1 << 30;
/** Pieces of evidence: an upstream that lies about everything must not fill the disk with tiny files. */
const maxQuarantined = 1000;
const maxFactBytes = 16 * 1024;
/** How long a node may not know of what others hold: so much more than the limits may lie there. */
const lookMs = 60_000;
const prefix = "state/quarantine/";

export type QuarantineLimits = { readonly maxBytes: number; readonly maxPieces: number };

export class Quarantine {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #limits: QuarantineLimits;
  /** What is held as of the last look, oldest first: each refusal would read it all otherwise. Other nodes add to it. */
  #held: Quarantined[] | undefined;
  #lookedMs = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    storage: Storage,
    clock: Clock,
    limits: QuarantineLimits = { maxBytes: maxQuarantineBytes, maxPieces: maxQuarantined },
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Keeps refused bytes, once. A stage that was sealed is taken over. Returns the id. */
  async put(refused: Refused): Promise<string> {
    const mine = this.#last.then(() => this.#put(refused));
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  /** Everything held, oldest first. A damaged fact is left out. */
  async list(): Promise<Quarantined[]> {
    const facts: Quarantined[] = [];
    for await (const { key } of this.#storage.list(prefix)) {
      const fact = key.endsWith(".json") ? await this.find(idIn(key)) : undefined;
      if (fact !== undefined) facts.push(fact);
    }
    return facts.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  async find(id: string): Promise<Quarantined | undefined> {
    if (!isId(id)) return undefined;
    const stored = await this.#storage.get(factKey(id), maxFactBytes);
    return stored && parseFact(id, stored.bytes);
  }

  /** Removes a piece of evidence; nothing when there is none. */
  async remove(id: string): Promise<void> {
    if (!isId(id)) return;
    this.#held = this.#held?.filter((fact) => fact.id !== id);
    // The fact last: as long as there are bytes, something tells of them.
    await this.#storage.remove(quarantinedBytesKey(id));
    await this.#storage.remove(factKey(id));
  }

  async #put(refused: Refused): Promise<string> {
    const { upstream, kind, bytes, expected, found } = refused;
    const { path, version } = refused.id;
    const id = idOf([upstream, path, version, kind, found]);
    if ((await this.#storage.stat(quarantinedBytesKey(id))) !== undefined && (await this.find(id)) !== undefined)
      return id;
    const size = bytes instanceof Uint8Array ? bytes.length : bytes.size;
    const at = new Date(this.#clock.now()).toISOString();
    const fact: Quarantined = { id, path, version, kind, upstream, expected, found, size, at };
    await this.remove(id); // half of it, left by a crash
    const held = await this.#makeRoom(size);
    try {
      await this.#storage.create(factKey(id), Buffer.from(`${JSON.stringify(fact)}\n`));
      await this.#storage.create(quarantinedBytesKey(id), bytes);
    } catch (error) {
      await this.remove(id).catch(() => undefined); // the first failure tells more
      throw error;
    }
    held.push(fact);
    return id;
  }

  async #makeRoom(size: number): Promise<Quarantined[]> {
    const now = this.#clock.now();
    if (this.#held === undefined || now - this.#lookedMs >= lookMs) {
      this.#held = await this.#sweep();
      this.#lookedMs = now;
    }
    let total = this.#held.reduce((sum, fact) => sum + fact.size, size);
    for (const oldest of [...this.#held]) {
      if (total <= this.#limits.maxBytes && this.#held.length < this.#limits.maxPieces) break;
      await this.remove(oldest.id);
      total -= oldest.size;
    }
    return this.#held;
  }

  /** All that is held; bytes that no sound fact tells of would never leave, so they leave now. */
  async #sweep(): Promise<Quarantined[]> {
    const held = await this.list();
    const known = new Set(held.map((fact) => fact.id));
    for await (const { key } of this.#storage.list(prefix)) {
      // Another node may have added it since.
      if (known.has(idIn(key)) || (await this.find(idIn(key))) !== undefined) continue;
      await this.#storage.remove(key);
    }
    return held;
  }
}

/** Where the refused bytes lie. */
export function quarantinedBytesKey(id: string): StorageKey {
  return storageKey(`${prefix}${id}.bytes`);
}

function factKey(id: string): StorageKey {
  return storageKey(`${prefix}${id}.json`);
}

function idIn(key: string): string {
  return key.slice(prefix.length).replace(/[.](json|bytes)$/, "");
}

function idOf(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

function isId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}

/** Undefined when the bytes are not a fact of this id. */
function parseFact(id: string, bytes: Uint8Array): Quarantined | undefined {
  let fact: Partial<Quarantined> | null;
  try {
    fact = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Quarantined> | null;
  } catch {
    return undefined;
  }
  const texts = [fact?.path, fact?.version, fact?.upstream, fact?.expected, fact?.found, fact?.at];
  const isSound =
    fact?.id === id &&
    (fact.kind === "mod" || fact.kind === "zip") &&
    texts.every((text) => typeof text === "string") &&
    Number.isSafeInteger(fact.size) &&
    !Number.isNaN(Date.parse(fact.at ?? ""));
  return isSound ? (fact as Quarantined) : undefined;
}
