// Refused bytes and why: evidence for people, never served. Bounded; the oldest leave first.
//
//   state/quarantine/<id>.json   the facts          state/quarantine/<id>.bytes   the bytes
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

/** All quarantined bytes together. */
export const maxQuarantineBytes = 1 << 30;
const maxFactBytes = 16 * 1024;
const prefix = "state/quarantine/";

export class Quarantine {
  readonly #storage: Storage;
  readonly #clock: Clock;

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Keeps refused bytes. A stage is taken over. Returns the id. */
  async put(refused: {
    readonly upstream: string;
    readonly id: ModuleVersion;
    readonly kind: "mod" | "zip";
    readonly bytes: Uint8Array | Stage;
    readonly expected: string;
    readonly found: string;
  }): Promise<string> {
    const { upstream, kind, bytes, expected, found } = refused;
    const { path, version } = refused.id;
    const name = [upstream, path, version, kind, found].join("\n");
    const id = createHash("sha256").update(name).digest("hex").slice(0, 16);
    const size = bytes instanceof Uint8Array ? bytes.length : bytes.size;
    await this.#makeRoom(size);
    const at = new Date(this.#clock.now()).toISOString();
    const fact: Quarantined = { id, path, version, kind, upstream, expected, found, size, at };
    await this.#storage.create(quarantinedBytesKey(id), bytes);
    await this.#storage.create(factKey(id), Buffer.from(`${JSON.stringify(fact)}\n`));
    return id;
  }

  /** Everything held, oldest first. */
  async list(): Promise<Quarantined[]> {
    const facts: Quarantined[] = [];
    for await (const { key } of this.#storage.list(prefix)) {
      if (!key.endsWith(".json")) continue;
      const stored = await this.#storage.get(key, maxFactBytes);
      if (stored !== undefined) facts.push(JSON.parse(Buffer.from(stored.bytes).toString("utf8")) as Quarantined);
    }
    return facts.sort((a, b) => (a.at < b.at ? -1 : 1));
  }

  async find(id: string): Promise<Quarantined | undefined> {
    return (await this.list()).find((fact) => fact.id === id);
  }

  async remove(id: string): Promise<void> {
    await this.#storage.remove(quarantinedBytesKey(id));
    await this.#storage.remove(factKey(id));
  }

  async #makeRoom(size: number): Promise<void> {
    const held = await this.list();
    let total = held.reduce((sum, fact) => sum + fact.size, size);
    for (const fact of held) {
      if (total <= maxQuarantineBytes) return;
      await this.remove(fact.id);
      total -= fact.size;
    }
  }
}

function factKey(id: string): StorageKey {
  return storageKey(`${prefix}${id}.json`);
}

/** Where the refused bytes lie. */
export function quarantinedBytesKey(id: string): StorageKey {
  return storageKey(`${prefix}${id}.bytes`);
}
