// Versions that an operator holds back: nobody is given them, whoever vouches for their bytes. Nothing of them is removed.
//
//   state/held.json      {"held":[{"module":"…","version":"…","reason":"…","since":"…"}]}
//
// Written by `granary store quarantine hold`, read again by running servers when it changed.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { StoreAway, StoreUnavailable, storageKey } from "#services/store/ports.ts";

export type Held = {
  readonly module: string;
  readonly version: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly since: string;
};

export const heldKey = storageKey("state/held.json");
/** Some ten thousand versions. */
const maxFileBytes = 4 << 20;
const maxHeld = 10_000;
export const maxReasonLetters = 200;
/** How long a running server may not know of a change. */
const lookMs = 2_000;

export class HeldVersions {
  readonly #storage: Storage;
  readonly #clock: Clock;
  #held: ReadonlyMap<string, Held> = new Map();
  #token: string | undefined;

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** As of the last look; costs nothing. */
  of(module: string, version: string): Held | undefined {
    return this.#held.size === 0 ? undefined : this.#held.get(`${module}@${version}`);
  }

  /** All, the oldest first. Throws StoreUnavailable when the file cannot be read. */
  async list(): Promise<readonly Held[]> {
    await this.look();
    return [...this.#held.values()];
  }

  /** False when it was held already. Throws StoreUnavailable, also when too many are. */
  async hold(id: ModuleVersion, reason: string): Promise<boolean> {
    const since = new Date(this.#clock.now()).toISOString();
    const one = { module: id.path, version: id.version, reason: reason.slice(0, maxReasonLetters), since };
    return await this.#change((held) => {
      if (held.has(formatModuleVersion(id))) return undefined;
      if (held.size >= maxHeld) throw new StoreUnavailable(heldKey, `more than ${maxHeld} versions are held`);
      return [...held.values(), one];
    });
  }

  /** False when it was not held. Throws StoreUnavailable. */
  async free(id: ModuleVersion): Promise<boolean> {
    const what = formatModuleVersion(id);
    return await this.#change((held) =>
      held.has(what) ? [...held].filter(([name]) => name !== what).map(([, one]) => one) : undefined,
    );
  }

  /** Reads the file if it changed. Resolves to the modules with a version that is held, or free, since then. Throws StoreUnavailable. */
  async look(): Promise<readonly string[]> {
    const stat = await this.#storage.stat(heldKey);
    if (stat?.token === this.#token) return [];
    const stored = await this.#storage.get(heldKey, maxFileBytes);
    const held = stored === undefined ? new Map<string, Held>() : parseHeld(stored.bytes);
    const changed = [...this.#held, ...held].filter(([name]) => this.#held.has(name) !== held.has(name));
    this.#held = held;
    this.#token = stored?.token;
    return [...new Set(changed.map(([, { module }]) => module))];
  }

  /** Looks until it is stopped. What cannot be read stays as it was, and is told once. */
  async run(
    stop: AbortSignal,
    on: { readonly changed: (module: string) => Promise<void>; readonly unread: (reason: string) => void },
  ): Promise<void> {
    let told = "";
    const isOver = (): boolean => stop.aborted;
    while (!isOver()) {
      try {
        for (const module of await this.look()) await on.changed(module);
        told = "";
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        // A store that is away is told by whoever asks it, and says nothing about the list.
        const isNews = reason !== told && !(error instanceof StoreAway);
        if (isNews) on.unread(reason);
        if (isNews) told = reason;
      }
      await this.#clock.sleep(lookMs, stop).catch(() => undefined); // stopped
    }
  }

  async #change(edit: (held: ReadonlyMap<string, Held>) => readonly Held[] | undefined): Promise<boolean> {
    for (;;) {
      await this.look();
      const held = edit(this.#held);
      if (held === undefined) return false;
      const bytes = Buffer.from(`${JSON.stringify({ held }, null, 1)}\n`);
      if ((await this.#storage.replace(heldKey, bytes, this.#token)) === "conflict") continue;
      await this.look();
      return true;
    }
  }
}

/** Throws StoreUnavailable: a file that cannot be understood frees nobody. */
function parseHeld(bytes: Uint8Array): Map<string, Held> {
  try {
    const { held } = JSON.parse(Buffer.from(bytes).toString()) as { readonly held: readonly Held[] };
    return new Map(
      held.map((one) => {
        const texts = [one.module, one.version, one.reason, one.since];
        if (texts.some((text) => typeof text !== "string")) throw new TypeError("an entry is none");
        return [`${one.module}@${one.version}`, one];
      }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailable(heldKey, `not a list of held versions: ${reason}`, { cause: error });
  }
}
