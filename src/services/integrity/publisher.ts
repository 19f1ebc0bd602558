// The integrity list of this store: the hashes that a checksum database proved, of public modules only, signed.
//
// Made when it is asked for, and then at most every few minutes; who asks meanwhile gets the one that is held. One is
// made at a time, however many ask. In memory are its text (16 MiB at most) and its lines while it is made.

import { createHash } from "node:crypto";
import { formatIntegrityLine, maxIntegrityBytes, signIntegrityList } from "#protocol/integrity.ts";
import type { Signer } from "#protocol/note.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest } from "#services/store/manifest.ts";
import type { Clock, Storage, StorageKey } from "#services/store/ports.ts";

/** How long a list may be believed: a day without us must not stop those who rely on it. */
export const validMs = 24 * 3_600_000;
/** How old a list may be before the next who asks has a new one made. */
const remakeMs = 5 * 60_000;
/** Manifests that are read at the same time. */
const readers = 8;

export type Published = { readonly bytes: Buffer; /** hex */ readonly sha256: string; readonly lines: number };

export type PublisherUse = {
  readonly storage: Pick<Storage, "list" | "get">;
  readonly signer: Signer;
  /** True for names that must not be told to anybody: private modules, and what leads to them. */
  readonly isPrivate: (path: string) => boolean;
  readonly clock: Pick<Clock, "now">;
};

export class IntegrityPublisher {
  readonly #use: PublisherUse;
  #held: { readonly list: Published; readonly madeMs: number } | undefined;
  #making: Promise<Published> | undefined;

  constructor(use: PublisherUse) {
    this.#use = use;
  }

  /** The list as it is served. Throws what the store throws, and RangeError when it would be too large. */
  async list(): Promise<Published> {
    const held = this.#held;
    if (held !== undefined && this.#use.clock.now() - held.madeMs < remakeMs) return held.list;
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    return await this.#making;
  }

  /** What is private may have changed: what is held is forgotten. */
  forget(): void {
    this.#held = undefined;
  }

  async #make(): Promise<Published> {
    const { clock, signer } = this.#use;
    const madeMs = clock.now();
    const lines = await this.#lines();
    const bytes = signIntegrityList(lines, { madeMs, untilMs: madeMs + validMs }, signer);
    const list = { bytes, sha256: createHash("sha256").update(bytes).digest("hex"), lines: lines.length };
    this.#held = { list, madeMs };
    return list;
  }

  async #lines(): Promise<string[]> {
    const lines: string[] = [];
    let size = 0;
    let running: Promise<string | undefined>[] = [];
    const settle = async (): Promise<void> => {
      for (const line of await Promise.all(running)) {
        if (line === undefined) continue;
        lines.push(line);
        size += line.length + 1;
      }
      running = [];
      if (size > maxIntegrityBytes) throw new RangeError(`the list is larger than ${maxIntegrityBytes} bytes`);
    };
    for await (const { key } of this.#use.storage.list("modules/")) {
      if (key.startsWith("modules/sumdb/") || !/[.](mod|zip)[.]manifest$/.test(key)) continue;
      running.push(this.#line(key));
      if (running.length >= readers) await settle();
    }
    await settle();
    return lines;
  }

  /** Undefined for what nobody may be told, for what no database proved, and for a damaged manifest. */
  async #line(key: StorageKey): Promise<string | undefined> {
    const stored = await this.#use.storage.get(key, maxManifestBytes);
    if (stored === undefined) return undefined;
    try {
      const manifest = key.endsWith(".zip.manifest")
        ? parseZipManifest(key, stored.bytes)
        : parseModManifest(key, stored.bytes);
      // A pin is our own word, and another's list must not become ours: only a proof is passed on.
      if (manifest.verifiedBy !== "sumdb" || this.#use.isPrivate(manifest.path)) return undefined;
      const id = checkModuleVersion(manifest.path, manifest.version);
      const hash = manifest.stage === "zip" ? manifest.zip.h1 : manifest.mod.h1;
      return formatIntegrityLine(id, manifest.stage, hash);
    } catch (error) {
      if (error instanceof StoreDamaged) return undefined;
      throw error;
    }
  }
}
