// Files on their way from one store into another that others may be writing: each is read once, hashed on its way, made
// where there is none, and read back.
//
// What is there stays, unless it is not what the target's own manifest says of it.

import { createHash } from "node:crypto";
import { reading } from "./_snapshot-copy.ts";
import { modManifestEnd, zipManifestEnd } from "./_snapshot-versions.ts";
import { sha256 as sha256Of, VersionFiles } from "./_version-files.ts";
import { noFile, StoreDamaged } from "./errors.ts";
import { hashOf, piecesOf } from "./object-bytes.ts";
import type { Clock, OpenObject, Stage, Storage, StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";
import type { SnapshotFile } from "./snapshot-index.ts";

export type MoveCounts = {
  copiedFiles: number;
  copiedBytes: number;
  /** Were there already. */
  same: number;
  /** Read back from the target, and found to be the same. */
  verifiedFiles: number;
  verifiedBytes: number;
};

/** `written`: what this run has written is read back. `all`: what was there before too, and damage there is mended. */
export type MoveVerify = "written" | "all" | "none";

export type CarrierUse = {
  readonly from: Storage;
  readonly to: Storage;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly verify: MoveVerify;
  /** Decides and counts, and writes nothing. */
  readonly isDry: boolean;
  /** Bytes read a second, from both together; undefined: no limit. */
  readonly bytesPerSecond: number | undefined;
  /** A file of the source as a stage that the target reads where it lies; absent where it cannot. */
  readonly inPlace?: (key: StorageKey, size: number) => Stage;
  /** Called after each file. */
  readonly progress: (counts: Readonly<MoveCounts>) => void;
};

/** Other bytes are in the target, and stay. */
export class TargetDiffers extends Error {
  override readonly name = "TargetDiffers";
  readonly key: StorageKey;
  constructor(key: StorageKey, message: string) {
    super(`${key}: ${message}`);
    this.key = key;
  }
}

/** The target gives back other bytes than were written. */
export class TargetWrong extends Error {
  override readonly name = "TargetWrong";
  constructor(key: StorageKey, hashes: { readonly written: string; readonly read: string }) {
    super(`${key}: written ${hashes.written}, read back ${hashes.read}`);
  }
}

/** What is larger goes through a stage, piece by piece. */
const smallBytes = 1 << 20;

type Wanted = { readonly key: StorageKey; readonly size: number; readonly sha256: string };

/** Reads versions as a snapshot does, and writes them as a restore does. */
export class Carrier {
  readonly counts: MoveCounts = { copiedFiles: 0, copiedBytes: 0, same: 0, verifiedFiles: 0, verifiedBytes: 0 };
  readonly #use: CarrierUse;
  #freeAtMs = 0;

  constructor(use: CarrierUse) {
    this.#use = use;
  }

  // What there is to carry.

  /** A small file of the source with its bytes. Throws Unreadable. */
  async bytes(
    key: StorageKey,
    maxBytes: number,
  ): Promise<{ readonly file: SnapshotFile; readonly bytes: Uint8Array } | undefined> {
    const stored = await reading(() => this.#use.from.get(key, maxBytes));
    if (stored === undefined) return undefined;
    const { size, token, bytes } = stored;
    return { file: { key, size, token, sha256: sha256Of(bytes) }, bytes };
  }

  /** A file of the source that must have this hash, which is looked at when it is carried; undefined when there is none. */
  async file(key: StorageKey, known: { readonly sha256?: string } = {}): Promise<SnapshotFile | undefined> {
    const { sha256 } = known;
    if (sha256 === undefined) return (await this.bytes(key, smallBytes))?.file;
    const stat = await reading(() => this.#use.from.stat(key));
    return stat && { key, size: stat.size, token: stat.token, sha256 };
  }

  /** A small file's bytes once more. Throws StoreDamaged when they have changed, Unreadable. */
  async read({ key, size, sha256 }: SnapshotFile): Promise<Uint8Array> {
    const stored = await this.bytes(key, size);
    if (stored?.file.sha256 !== sha256)
      throw new StoreDamaged(key, { expected: sha256, found: stored?.file.sha256 ?? noFile });
    return stored.bytes;
  }

  // Carrying it.

  /**
   * Makes sure that the target has these very bytes. Throws StoreDamaged or Unreadable when the source does not have them,
   * TargetDiffers, TargetWrong, and the signal's reason.
   */
  async ensure(file: Wanted): Promise<void> {
    const { to, isDry, verify } = this.#use;
    this.#use.signal.throwIfAborted();
    // Asked first where it spares much: a small file is refused as cheaply as it is asked for.
    if (isDry || verify === "all" || file.size > smallBytes) {
      const size = (await to.stat(file.key))?.size;
      if (size === file.size && (isDry || (await this.#isSame(file)))) {
        if (isDry) this.wasThere();
        return;
      }
    }
    if (isDry) this.#copied(file.size);
    else if (file.size <= smallBytes) await this.#putSmall(file);
    else await this.#putLarge(file);
  }

  /** Makes a file of bytes that are at hand; the same may be there. Throws TargetDiffers and TargetWrong. */
  async write(key: StorageKey, bytes: Uint8Array): Promise<void> {
    const file = { key, size: bytes.length, sha256: sha256Of(bytes) };
    if (this.#use.isDry) this.#copied(bytes.length);
    else if ((await this.#use.to.create(key, bytes)) === "created") await this.#written(file);
    else if (!(await this.#isSame(file))) throw new TargetDiffers(key, "other bytes are there");
  }

  /** Carries a file of any size whose hash nobody has recorded; one that is there stays. False when it has other bytes. */
  async ensureSome(key: StorageKey, mayDiffer: boolean): Promise<boolean> {
    const { from, to } = this.#use;
    if (mayDiffer && (await to.stat(key)) !== undefined) {
      this.wasThere();
      return true;
    }
    const object = await reading(() => from.open(key));
    if (object === undefined) return true;
    let file: Wanted;
    try {
      await this.#pace(object.size);
      file = { key, size: object.size, sha256: await reading(() => hashOf(object, this.#use.signal)) };
    } finally {
      await object.close();
    }
    const there = await to.open(key);
    if (there === undefined) {
      await this.ensure(file);
      return true;
    }
    try {
      const isSame = there.size === file.size && (await this.#hash(there)) === file.sha256;
      if (isSame) this.wasThere();
      return isSame;
    } finally {
      await there.close();
    }
  }

  /** Puts bytes in the place of those that are called `expected`; false when others have come. */
  async replace(key: StorageKey, bytes: Uint8Array, expected: string | undefined): Promise<boolean> {
    if (!this.#use.isDry) {
      if ((await this.#use.to.replace(key, bytes, expected)) === "conflict") return false;
      await this.#written({ key, size: bytes.length, sha256: sha256Of(bytes) });
    } else this.#copied(bytes.length);
    return true;
  }

  async remove(key: StorageKey): Promise<void> {
    if (!this.#use.isDry) await this.#use.to.remove(key);
  }

  /** Counts files that the target has. */
  wasThere(files = 1): void {
    this.counts.same += files;
    this.#use.progress(this.counts);
  }

  async #putSmall(file: Wanted): Promise<void> {
    await this.#pace(file.size);
    const stored = await this.bytes(file.key, smallBytes);
    this.#mustBe(file, stored?.file.sha256);
    const bytes = stored?.bytes ?? new Uint8Array();
    if ((await this.#use.to.create(file.key, bytes)) === "created") await this.#written(file);
    else if (!(await this.#isSame(file))) {
      await this.#mustBeDamaged(file);
      await new VersionFiles(this.#use.to).overwrite(file.key, bytes);
      await this.#written(file);
    }
  }

  async #putLarge(file: Wanted): Promise<void> {
    const { to, inPlace } = this.#use;
    const stage = inPlace?.(file.key, file.size) ?? (await to.stage(file.size));
    try {
      this.#mustBe(file, await this.#fill(inPlace === undefined ? stage : undefined, file.key));
      if (inPlace === undefined) await stage.seal();
      if ((await to.create(file.key, stage)) === "exists") {
        if (await this.#isSame(file)) return;
        await this.#mustBeDamaged(file);
        await new VersionFiles(to).place(file.key, stage, () => Promise.resolve("goes"));
      }
    } finally {
      await stage.discard();
    }
    await this.#written(file);
  }

  /** Reads the source's file, into the stage if there is one. Resolves to its hash; undefined when there is no file. */
  async #fill(stage: Stage | undefined, key: StorageKey): Promise<string | undefined> {
    const object = await reading(() => this.#use.from.open(key));
    if (object === undefined) return undefined;
    try {
      const source = {
        size: object.size,
        read: (at: number, into: Uint8Array) => reading(() => object.read(at, into)),
      };
      return await this.#hash(source, async (piece) => stage?.write(piece));
    } finally {
      await object.close();
    }
  }

  #mustBe({ key, sha256 }: Wanted, found: string | undefined): void {
    if (found !== sha256) throw new StoreDamaged(key, { expected: sha256, found: found ?? noFile, sha256 });
  }

  /**
   * Other bytes are there than those wanted. A file that a manifest names is damaged then, for whoever got here has compared
   * the manifests; what no manifest names somebody may be about to commit. Throws TargetDiffers.
   */
  async #mustBeDamaged({ key }: Wanted): Promise<void> {
    const [, name, end] = /^(.*)[.](info|mod|zip)$/.exec(key) ?? [];
    if (name === undefined) throw new TargetDiffers(key, "other bytes are there");
    const manifest = storageKey(`${name}${end === "zip" ? zipManifestEnd : modManifestEnd}`);
    if ((await this.#use.to.stat(manifest)) === undefined)
      throw new TargetDiffers(key, "other bytes are there, and no manifest names them yet");
  }

  /** True when the target has the bytes, which counts. */
  async #isSame(file: Wanted): Promise<boolean> {
    const { to } = this.#use;
    const object = await to.open(file.key);
    if (object === undefined) return false;
    try {
      if (object.size !== file.size || (await this.#hash(object)) !== file.sha256) return false;
    } finally {
      await object.close();
    }
    this.#verified(file.size);
    this.wasThere();
    return true;
  }

  async #written(file: Wanted): Promise<void> {
    if (this.#use.verify !== "none") {
      const object = await this.#use.to.open(file.key);
      try {
        const read = object === undefined ? noFile : await this.#hash(object);
        if (read !== file.sha256) throw new TargetWrong(file.key, { written: file.sha256, read });
      } finally {
        await object?.close();
      }
      this.#verified(file.size);
    }
    this.#copied(file.size);
  }

  async #hash(
    object: Pick<OpenObject, "size" | "read">,
    into: (piece: Uint8Array) => Promise<void> = () => Promise.resolve(),
  ): Promise<string> {
    const hash = createHash("sha256");
    for await (const piece of piecesOf(object)) {
      await this.#pace(piece.length);
      hash.update(piece);
      await into(piece);
    }
    return hash.digest("hex");
  }

  /** Waits until so many bytes may be read. Throws the signal's reason. */
  async #pace(bytes: number): Promise<void> {
    const { clock, signal, bytesPerSecond } = this.#use;
    signal.throwIfAborted();
    if (bytesPerSecond === undefined) return;
    const now = clock.now();
    const at = Math.max(now, this.#freeAtMs);
    this.#freeAtMs = at + (bytes / bytesPerSecond) * 1000;
    if (at > now) await clock.sleep(at - now, signal);
  }

  #copied(bytes: number): void {
    this.counts.copiedFiles++;
    this.counts.copiedBytes += bytes;
    this.#use.progress(this.counts);
  }

  #verified(bytes: number): void {
    this.counts.verifiedFiles++;
    this.counts.verifiedBytes += bytes;
  }
}
