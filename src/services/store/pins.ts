// Hashes of private modules, pinned when first seen: no public database vouches for them, so we remember ourselves.

import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import { pinKey } from "./layout.ts";
import type { Storage } from "./ports.ts";

export type Pin = { readonly mod?: string; readonly zip?: string };
export type PinnedVersion = Pin & { readonly path: string; readonly version: string };

const maxPinBytes = 64 * 1024;
const prefix = "state/pins/";

export class Pins {
  readonly #storage: Storage;
  readonly #events: EventSink;

  constructor(storage: Storage, events: EventSink) {
    this.#storage = storage;
    this.#events = events;
  }

  /** Pins what is not pinned yet and returns what is pinned now: the first sight wins. */
  async pin(id: ModuleVersion, seen: Pin): Promise<Pin> {
    for (;;) {
      const stored = await this.#storage.get(pinKey(id), maxPinBytes);
      const known: Pin = stored === undefined ? {} : parsePin(stored.bytes);
      const next = { ...seen, ...known };
      if (stored !== undefined && next.mod === known.mod && next.zip === known.zip) return next;
      const bytes = Buffer.from(`${JSON.stringify({ path: id.path, version: id.version, ...next })}\n`);
      if ((await this.#storage.replace(pinKey(id), bytes, stored?.token)) === "conflict") continue;
      for (const kind of ["mod", "zip"] as const)
        if (known[kind] === undefined && next[kind] !== undefined)
          this.#events.emit({ name: "pin.set", module: id.path, version: id.version, kind, hash: next[kind] });
      return next;
    }
  }

  async *list(): AsyncGenerator<PinnedVersion> {
    for await (const { key } of this.#storage.list(prefix)) {
      const stored = await this.#storage.get(key, maxPinBytes);
      if (stored !== undefined) yield parsePin(stored.bytes);
    }
  }

  /** Forgets a pin, so that other bytes may be seen first. Kept bytes stay as they are. */
  async forget(path: string, version: string): Promise<boolean> {
    const id = checkModuleVersion(parsePath(path), version);
    const stored = await this.#storage.get(pinKey(id), maxPinBytes);
    if (stored === undefined) return false;
    const pin = parsePin(stored.bytes);
    await this.#storage.remove(pinKey(id));
    for (const kind of ["mod", "zip"] as const)
      if (pin[kind] !== undefined)
        this.#events.emit({ name: "pin.forgotten", module: path, version, kind, hash: pin[kind] });
    return true;
  }
}

/** Throws on a damaged pin: doubt about a pin must not open the way for other bytes. */
function parsePin(bytes: Uint8Array): PinnedVersion {
  const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as PinnedVersion;
  if (typeof value.path !== "string" || typeof value.version !== "string") throw new Error("a pin file is damaged");
  return value;
}
