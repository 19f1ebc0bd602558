// A module cache in memory: files by path; zips are the `h1:` text that they hash to.
import { hash } from "node:crypto";
import type { CacheEntry, CacheFacts, CacheKeeper, CacheTree, ZipHash } from "#services/modcache/ports.ts";
import { CacheUnreadable } from "#services/modcache/ports.ts";

export class MemoryCache implements CacheTree, CacheKeeper {
  readonly root = "/mod";
  readonly files = new Map<string, Uint8Array>();
  /** When a file was last read and written; 0 without it. */
  readonly times = new Map<string, number>();
  readonly unreadable = new Set<string>();
  /** Locks that others hold. */
  readonly held = new Set<string>();
  isReadOnly = false;
  hasLocks = true;

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.files.set(path, Buffer.from(text));
  }

  names(folder: string): Promise<readonly CacheEntry[]> {
    const inside = folder === "" ? "" : `${folder}/`;
    const names = new Map<string, CacheEntry>();
    for (const path of this.files.keys()) {
      const [name = "", ...rest] = path.startsWith(inside) ? path.slice(inside.length).split("/") : [""];
      if (name !== "") names.set(name, { name, kind: rest.length > 0 ? "folder" : "file" });
    }
    return Promise.resolve([...names.values()]);
  }

  facts(path: string): Promise<CacheFacts | undefined> {
    const bytes = this.files.get(path);
    const isFolder = path === "" || [...this.files.keys()].some((each) => each.startsWith(`${path}/`));
    if (bytes === undefined && !isFolder) return Promise.resolve(undefined);
    const ms = this.times.get(path) ?? 0;
    const kind = bytes === undefined ? "folder" : "file";
    return Promise.resolve({
      kind,
      size: bytes?.length ?? 0,
      mode: kind === "file" ? 0o444 : 0o555,
      modifiedMs: ms,
      accessedMs: ms,
      isOurs: true,
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not a throw
  async read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    if (this.unreadable.has(path)) throw new CacheUnreadable(path, "EACCES");
    return this.files.get(path)?.subarray(0, maxBytes);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async digest(path: string): Promise<string> {
    if (this.unreadable.has(path)) throw new CacheUnreadable(path, "EACCES");
    return hash("sha256", this.files.get(path) ?? "");
  }

  hashZip(path: string): Promise<ZipHash> {
    const text = Buffer.from(this.files.get(path) ?? "").toString();
    if (!text.startsWith("h1:")) return Promise.resolve({ kind: "broken", reason: "not a zip" });
    return Promise.resolve({ kind: "hash", h1: text, goModSha256: undefined });
  }

  isLocked(path: string): Promise<boolean> {
    return Promise.resolve(this.held.has(path));
  }

  isWritable(): Promise<boolean> {
    return Promise.resolve(!this.isReadOnly);
  }

  lock(path: string): ReturnType<CacheKeeper["lock"]> {
    if (!this.hasLocks) return Promise.resolve("no-locks");
    if (this.held.has(path)) return Promise.resolve("held");
    if (!this.files.has(path)) this.files.set(path, new Uint8Array());
    return Promise.resolve({
      isWantedByOthers: () => Promise.resolve(false),
      release: () => Promise.resolve(),
    });
  }

  removeFile(path: string): Promise<boolean> {
    return Promise.resolve(this.files.delete(path));
  }

  removeTree(folder: string): Promise<void> {
    for (const path of [...this.files.keys()]) if (path.startsWith(`${folder}/`)) this.files.delete(path);
    return Promise.resolve();
  }

  write(path: string, bytes: Uint8Array): Promise<void> {
    this.files.set(path, bytes);
    return Promise.resolve();
  }

  overwrite(path: string, bytes: Uint8Array): Promise<void> {
    return this.write(path, bytes);
  }

  copyIn(): Promise<number> {
    return Promise.reject(new Error("nothing is copied in memory"));
  }
}
