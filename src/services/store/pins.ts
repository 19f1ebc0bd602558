// Hashes of private modules, pinned when first seen: no public database vouches for them, so we remember ourselves.

import { ProtocolError } from "#protocol/errors.ts";
import { parsePath, unescapePath } from "#protocol/path.ts";
import { checkModuleVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import { StoreDamaged } from "./errors.ts";
import { pinKey } from "./layout.ts";
import type { Storage, StorageKey } from "./ports.ts";

/** h1 hashes of a version's go.mod and zip, as far as they were seen. */
export type Pin = { readonly mod?: string; readonly zip?: string };
export type PinnedVersion = Pin & { readonly path: string; readonly version: string };

/** What a damaged pin shows instead of its hashes. */
export const damagedPin = "damaged";

/** Two hashes and two names. */
const maxPinBytes = 64 * 1024;
const prefix = "state/pins/";
const kinds = ["mod", "zip"] as const;

export class Pins {
  readonly #storage: Storage;
  readonly #events: EventSink;

  constructor(storage: Storage, events: EventSink) {
    this.#storage = storage;
    this.#events = events;
  }

  /**
   * Pins what is not pinned yet and returns what is pinned now: the first sight wins. Throws StoreDamaged on a damaged
   * pin: doubt must not open the way for other bytes.
   */
  async pin(id: ModuleVersion, seen: Pin): Promise<Pin> {
    const key = pinKey(id);
    for (;;) {
      const stored = await this.#storage.get(key, maxPinBytes);
      const known = stored === undefined ? {} : parsePin(key, id, stored.bytes);
      const next: Pin = { ...seen, ...known };
      const added = kinds.filter((kind) => next[kind] !== known[kind]);
      if (added.length === 0) return next;
      const bytes = Buffer.from(`${JSON.stringify({ path: id.path, version: id.version, ...next })}\n`);
      if ((await this.#storage.replace(key, bytes, stored?.token)) === "conflict") continue;
      this.#tell("pin.set", id, pick(next, added));
      return next;
    }
  }

  /** What is pinned for a version; undefined when nothing is. Throws what a damaged pin throws. */
  async find(id: ModuleVersion): Promise<Pin | undefined> {
    const key = pinKey(id);
    const stored = await this.#storage.get(key, maxPinBytes);
    return stored === undefined ? undefined : parsePin(key, id, stored.bytes);
  }

  /** Every pinned version; a damaged pin shows `damagedPin` for its hashes. */
  async *list(): AsyncGenerator<PinnedVersion> {
    for await (const { key } of this.#storage.list(prefix)) {
      const id = versionOf(key);
      if (id === undefined) continue;
      const stored = await this.#storage.get(key, maxPinBytes);
      if (stored !== undefined) yield { path: id.path, version: id.version, ...pinOrDamage(key, id, stored.bytes) };
    }
  }

  /**
   * Forgets a pin, also a damaged one, so that other bytes may be seen first. Kept bytes stay as they are. False when
   * there was none. Throws ProtocolError when the names are no module version.
   */
  async forget(path: string, version: string): Promise<boolean> {
    const id = checkModuleVersion(parsePath(path), version);
    const key = pinKey(id);
    const stored = await this.#storage.get(key, maxPinBytes);
    if (stored === undefined || !(await this.#storage.remove(key))) return false;
    this.#tell("pin.forgotten", id, pinOrDamage(key, id, stored.bytes));
    return true;
  }

  #tell(name: "pin.set" | "pin.forgotten", { path, version }: ModuleVersion, pin: Pin): void {
    for (const kind of kinds)
      if (pin[kind] !== undefined) this.#events.emit({ name, module: path, version, kind, hash: pin[kind] });
  }
}

function pick(pin: Pin, wanted: readonly (keyof Pin)[]): Pin {
  return Object.fromEntries(wanted.map((kind) => [kind, pin[kind]]));
}

/** The version a pin's key names; undefined for a file that is not ours. */
function versionOf(key: StorageKey): ModuleVersion | undefined {
  const [, path, version] = /^state\/pins\/(.+)\/@v\/([^/]+)[.]json$/.exec(key) ?? [];
  if (path === undefined || version === undefined) return undefined;
  try {
    return checkModuleVersion(unescapePath(path), unescapeVersion(version));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function pinOrDamage(key: StorageKey, id: ModuleVersion, bytes: Uint8Array): Pin {
  try {
    return parsePin(key, id, bytes);
  } catch (error) {
    if (error instanceof StoreDamaged) return { mod: damagedPin, zip: damagedPin };
    throw error;
  }
}

function parsePin(key: StorageKey, id: ModuleVersion, bytes: Uint8Array): Pin {
  const damaged = new StoreDamaged(key, { expected: `a pin of ${id.path}@${id.version}`, found: "something else" });
  let value: Partial<PinnedVersion> | null;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<PinnedVersion> | null;
  } catch {
    throw damaged;
  }
  if (value?.path !== id.path || value.version !== id.version) throw damaged;
  const { mod, zip } = value;
  if (!isHash(mod) || !isHash(zip) || (mod === undefined && zip === undefined)) throw damaged;
  return { ...(mod !== undefined && { mod }), ...(zip !== undefined && { zip }) };
}

function isHash(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && /^h1:[A-Za-z0-9+/]{43}=$/.test(value));
}
