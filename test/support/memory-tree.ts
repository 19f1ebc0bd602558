// A foreign directory in memory: files by path, and what cannot be read.
import type { SourceEntry, SourceFile, SourceTree } from "#services/store/ports.ts";
import { SourceUnreadable } from "#services/store/ports.ts";

export class MemoryTree implements SourceTree {
  readonly files = new Map<string, Uint8Array>();
  /** Files and folders whose reading fails. */
  readonly locked = new Set<string>();
  /** Names that are neither file nor folder. */
  readonly odd = new Set<string>();
  /** Files that were opened, in order. */
  readonly opened: string[] = [];

  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    for (const [path, content] of Object.entries(files)) this.files.set(path, Buffer.from(content));
  }

  async *names(folder: string): AsyncGenerator<SourceEntry> {
    await Promise.resolve();
    if (this.locked.has(folder)) throw new SourceUnreadable(folder, "cannot be read: EACCES");
    const inside = folder === "" ? "" : `${folder}/`;
    const seen = new Set<string>();
    for (const path of [...this.files.keys(), ...this.odd]) {
      if (!path.startsWith(inside)) continue;
      const [name = "", ...rest] = path.slice(inside.length).split("/");
      if (seen.has(name)) continue;
      seen.add(name);
      yield { name, kind: rest.length > 0 ? "folder" : this.odd.has(path) ? "other" : "file" };
    }
  }

  size(path: string): Promise<number | undefined> {
    return Promise.resolve(this.files.get(path)?.length);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not a throw
  async read(path: string): Promise<SourceFile | undefined> {
    if (this.locked.has(path)) throw new SourceUnreadable(path, "cannot be read: EACCES");
    const bytes = this.files.get(path);
    if (bytes === undefined) return undefined;
    this.opened.push(path);
    return { size: bytes.length, bytes: halves(bytes), close: () => Promise.resolve() };
  }

  locate(path: string): { readonly path: string } {
    return { path };
  }
}

async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = Math.ceil(bytes.length / 2);
  yield await Promise.resolve(bytes.subarray(0, middle));
  if (middle < bytes.length) yield bytes.subarray(middle);
}
