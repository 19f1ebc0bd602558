// Pins: what stays whatever its age and size. Each is a file of its own, so that nothing but its removal takes it away.

import { createHash } from "node:crypto";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import type { Clock, Storage, StorageKey } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";

export type Pinned = {
  /** Eight hexadecimal digits, of what is pinned: the same thing pinned again is the same pin. */
  readonly id: string;
  /** What it was made from, as people know it: a file's name, or the pattern. */
  readonly from: string;
  /** RFC 3339. */
  readonly since: string;
  /** Versions, as `path@version`. */
  readonly versions: readonly string[];
  /** Patterns of module paths, in GOPRIVATE's syntax. */
  readonly patterns: readonly string[];
};

const prefix = "state/retained/";
/** Some 100,000 versions: the go.sum files of a large company in one pin. */
const maxPinBytes = 16 << 20;
/** Pins; each is read whole. */
const maxPins = 10_000;

export class Retained {
  readonly #storage: Storage;
  readonly #clock: Clock;

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Pins by what `from` names. One with the same name is replaced: a go.sum moves on. */
  async add(what: Omit<Pinned, "id" | "since">): Promise<Pinned> {
    const id = createHash("sha256").update(what.from).digest("hex").slice(0, 8);
    const pinned: Pinned = { id, since: new Date(this.#clock.now()).toISOString(), ...what };
    const bytes = Buffer.from(`${JSON.stringify({ retained: 1, ...pinned })}\n`);
    if (bytes.length > maxPinBytes) throw new RangeError(`a pin of more than ${maxPinBytes} bytes`);
    const key = keyOf(id);
    for (;;) {
      const before = await this.#storage.stat(key);
      if ((await this.#storage.replace(key, bytes, before?.token)) === "replaced") return pinned;
    }
  }

  /** Throws StoreUnavailable when a pin cannot be read: then nobody knows what must stay. */
  async list(): Promise<Pinned[]> {
    const pins: Pinned[] = [];
    for await (const { key } of this.#storage.list(prefix)) {
      if (pins.length >= maxPins) throw new RangeError(`more than ${maxPins} pins`);
      const stored = await this.#storage.get(key, maxPinBytes);
      if (stored !== undefined) pins.push(parsePinned(key, stored.bytes));
    }
    return pins.sort((one, other) => (one.since < other.since ? -1 : 1));
  }

  /** False when there is no such pin. */
  async remove(id: string): Promise<boolean> {
    return /^[0-9a-f]{8}$/.test(id) && (await this.#storage.remove(keyOf(id)));
  }

  /** A snapshot of what is pinned now, quick to ask. */
  async asked(): Promise<(path: string, version: string) => boolean> {
    const pins = await this.list();
    const versions = new Set(pins.flatMap((pin) => pin.versions));
    const patterns = pins.flatMap((pin) => pin.patterns).join(",");
    return (path, version) => versions.has(`${path}@${version}`) || matchPrefixPatterns(patterns, path);
  }
}

/** A pin that cannot be understood: nothing may be taken away until somebody mends or removes it. */
export class PinDamaged extends Error {
  override readonly name = "PinDamaged";
  readonly key: string;
  constructor(key: string) {
    super(`${key} is not a pin of this program`);
    this.key = key;
  }
}

function keyOf(id: string): StorageKey {
  return storageKey(`${prefix}${id}.json`);
}

function parsePinned(key: string, bytes: Uint8Array): Pinned {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Pinned & { retained: number }> | null;
    const { id, from, since, versions, patterns } = value ?? {};
    if (
      value?.retained === 1 &&
      isText(id) &&
      isText(from) &&
      isText(since) &&
      areTexts(versions) &&
      areTexts(patterns)
    )
      return { id, from, since, versions, patterns };
  } catch {
    // told below
  }
  throw new PinDamaged(key);
}

const isText = (value: unknown): value is string => typeof value === "string";
const areTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
