// The shared store itself, for a command that runs beside a server: what it changes must not live on in the copies of
// this node. Stages are files of this node's directory.

import type { LastingStages, Stage, Storage, StorageKey } from "#services/store/ports.ts";

export class BesideCopies implements Storage {
  readonly #far: Storage;
  readonly #near: Storage;

  constructor(far: Storage, near: Storage) {
    this.#far = far;
    this.#near = near;
  }

  get lasting(): LastingStages | undefined {
    return this.#near.lasting;
  }

  get(key: StorageKey, maxBytes: number): ReturnType<Storage["get"]> {
    return this.#far.get(key, maxBytes);
  }

  stat(key: StorageKey): ReturnType<Storage["stat"]> {
    return this.#far.stat(key);
  }

  open(key: StorageKey): ReturnType<Storage["open"]> {
    return this.#far.open(key);
  }

  list(prefix: string): ReturnType<Storage["list"]> {
    return this.#far.list(prefix);
  }

  create(key: StorageKey, body: Uint8Array | Stage): ReturnType<Storage["create"]> {
    return this.#far.create(key, body);
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): ReturnType<Storage["replace"]> {
    const made = await this.#far.replace(key, body, expected);
    if (made === "replaced") await this.#drop(key);
    return made;
  }

  async remove(key: StorageKey): Promise<boolean> {
    const removed = await this.#far.remove(key);
    await this.#drop(key);
    return removed;
  }

  stage(maxBytes: number): Promise<Stage> {
    return this.#near.stage(maxBytes);
  }

  async #drop(key: StorageKey): Promise<void> {
    await this.#near.remove(key).catch(() => false);
  }
}
