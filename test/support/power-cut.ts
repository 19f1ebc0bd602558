// What a power cut may leave of a directory. A recorder writes down all that a process does to its disk (disk-shim.ts);
// stateAt() then makes up a state that POSIX allows after a cut at some moment: all that an fsync has made durable, and of
// the rest any part. Bytes that were not synced may be there, be gone, end early, or be zeros; names that were not synced
// may be there or not, each by itself and whatever came after; a rename is there whole or not at all, but its old name may
// have stayed.
import { link, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { DiskCall, DiskObserver } from "./disk-shim.ts";

type Inode = number;
const rootInode: Inode = 0;

type Change =
  | { readonly kind: "write"; readonly inode: Inode; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly inode: Inode; readonly size: number }
  | { readonly kind: "name"; readonly folder: Inode; readonly name: string; readonly inode: Inode }
  | { readonly kind: "unname"; readonly folder: Inode; readonly name: string; readonly inode: Inode }
  | { readonly kind: "rename"; readonly from: Name; readonly to: Name; readonly inode: Inode };
type Name = { readonly folder: Inode; readonly name: string };
/** Logical times; a change under way at a cut may have happened. */
type Span = { readonly begun: number; readonly ended: number };

export type DiskState = {
  readonly folders: Map<Inode, Map<string, Inode>>;
  readonly files: Map<Inode, Buffer>;
};

/** What a mutant forgets, to show that its loss is found. */
export type Forgets = "nothing" | "fsync of files" | "fsync of folders";

export class DiskRecorder implements DiskObserver {
  readonly #base: DiskState;
  readonly #forgets: Forgets;
  /** What a process sees now: the inode of each path. */
  readonly #seen = new Map<string, Inode>();
  readonly #changes: (Change & Span)[] = [];
  readonly #syncs = new Map<Inode, Span[]>();
  readonly #acknowledged: { readonly what: string; readonly at: number }[] = [];
  readonly #begun = new Map<number, number>();
  /** Inode and position of each open file. */
  readonly #open = new Map<number, { readonly inode: Inode; position: number }>();
  /** As they are seen now, and the largest they ever were. */
  readonly #sizes = new Map<Inode, number>();
  readonly #most = new Map<Inode, number>();
  #inodes = 1;
  #now = 0;

  private constructor(base: DiskState, forgets: Forgets) {
    this.#base = base;
    this.#forgets = forgets;
  }

  /** All that lies below `root` now counts as durable. */
  static async of(root: string, forgets: Forgets = "nothing"): Promise<DiskRecorder> {
    const recorder = new DiskRecorder({ folders: new Map(), files: new Map() }, forgets);
    await recorder.#load(root, "", rootInode);
    return recorder;
  }

  /** The present moment; cuts may happen from 0 to here. */
  get now(): number {
    return this.#now;
  }

  /** Somebody was promised something. */
  acknowledge(what: string): void {
    this.#acknowledged.push({ what, at: ++this.#now });
  }

  acknowledgedBefore(cut: number): string[] {
    return this.#acknowledged.filter(({ at }) => at < cut).map(({ what }) => what);
  }

  before({ step }: DiskCall): void {
    this.#begun.set(step, ++this.#now);
  }

  after(call: DiskCall, result: unknown): void {
    const span = { begun: this.#begun.get(call.step) ?? this.#now, ended: ++this.#now };
    this.#begun.delete(call.step);
    if (call.file !== undefined && call.name !== "open")
      this.#onHandle(call, { ...call, file: call.file }, span, result);
    else this.#onPath(call, span);
  }

  #onHandle({ name, args }: DiskCall, { file }: { readonly file: number }, span: Span, result: unknown): void {
    const open = this.#open.get(file);
    if (open === undefined) return;
    const { inode } = open;
    if (name === "close") this.#open.delete(file);
    else if (name === "sync" || name === "datasync") this.#sync(inode, span);
    else if (name === "truncate") {
      const size = Number(args[0] ?? 0);
      this.#changes.push({ kind: "truncate", inode, size, ...span });
      this.#sizes.set(inode, size);
    } else if (name === "write") {
      const [bytes, from = 0, , position] = args as [Uint8Array, number?, number?, (number | null)?];
      const { bytesWritten } = result as { readonly bytesWritten: number };
      this.#write(open, Buffer.from(bytes.subarray(from, from + bytesWritten)), span, position ?? undefined);
    } else if (name === "writeFile" || name === "appendFile") this.#write(open, bytesOf(args[0]), span);
    else if (name === "writev") throw new Error("the recorder does not know writev()");
  }

  #onPath(call: DiskCall, span: Span): void {
    const { name, path, to = "", args } = call;
    switch (name) {
      case "open": {
        const inode = call.changes ? (this.#seen.get(path) ?? this.#make(path, span)) : this.#seen.get(path);
        if (inode === undefined || call.file === undefined) return;
        // What is opened to go on with is appended to.
        this.#open.set(call.file, { inode, position: typeof args[1] === "number" ? this.#sizeOf(inode) : 0 });
        return;
      }
      case "writeFile":
      case "appendFile": {
        const inode = this.#seen.get(path) ?? this.#make(path, span);
        this.#write({ inode, position: name === "writeFile" ? 0 : this.#sizeOf(inode) }, bytesOf(args[1]), span);
        // It syncs at its end, after all that it wrote.
        if ((args[2] as { flush?: boolean } | undefined)?.flush === true)
          this.#sync(inode, { begun: ++this.#now, ended: ++this.#now });
        return;
      }
      case "mkdir":
        this.#makeFolders(path, span);
        return;
      case "link":
        this.#name(to, this.#inodeOf(path), span);
        return;
      case "rename": {
        const inode = this.#inodeOf(path);
        this.#changes.push({ kind: "rename", from: this.#placeOf(path), to: this.#placeOf(to), inode, ...span });
        this.#seen.delete(path);
        this.#seen.set(to, inode);
        return;
      }
      case "unlink":
        this.#changes.push({ kind: "unname", ...this.#placeOf(path), inode: this.#inodeOf(path), ...span });
        this.#seen.delete(path);
        return;
      default:
        if (call.changes && !["utimes", "chmod"].includes(name))
          throw new Error(`the recorder does not know ${name}()`);
    }
  }

  #sync(inode: Inode, span: Span): void {
    const isFolder = this.#base.folders.has(inode);
    if (this.#forgets === (isFolder ? "fsync of folders" : "fsync of files")) return;
    this.#syncs.set(inode, [...(this.#syncs.get(inode) ?? []), span]);
  }

  #write(open: { readonly inode: Inode; position: number }, bytes: Buffer, span: Span, at = open.position): void {
    this.#changes.push({ kind: "write", inode: open.inode, offset: at, bytes, ...span });
    open.position = at + bytes.length;
    this.#sizes.set(open.inode, Math.max(this.#sizeOf(open.inode), open.position));
    this.#most.set(open.inode, Math.max(this.#most.get(open.inode) ?? 0, open.position));
  }

  #sizeOf(inode: Inode): number {
    return this.#sizes.get(inode) ?? this.#base.files.get(inode)?.length ?? 0;
  }

  #make(path: string, span: Span): Inode {
    const inode = this.#inodes++;
    this.#base.files.set(inode, Buffer.alloc(0));
    this.#name(path, inode, span);
    return inode;
  }

  #makeFolders(path: string, span: Span): void {
    if (this.#seen.has(path)) return;
    if (path !== "" && !this.#seen.has(parentOf(path))) this.#makeFolders(parentOf(path), span);
    const inode = this.#inodes++;
    this.#base.folders.set(inode, new Map());
    this.#name(path, inode, span);
  }

  #name(path: string, inode: Inode, span: Span): void {
    this.#changes.push({ kind: "name", ...this.#placeOf(path), inode, ...span });
    this.#seen.set(path, inode);
  }

  #placeOf(path: string): Name {
    return { folder: this.#inodeOf(parentOf(path)), name: basename(path) };
  }

  #inodeOf(path: string): Inode {
    const inode = this.#seen.get(path);
    if (inode === undefined) throw new Error(`the recorder does not know ${path}`);
    return inode;
  }

  async #load(root: string, path: string, inode: Inode): Promise<void> {
    this.#seen.set(path, inode);
    const names = new Map<string, Inode>();
    this.#base.folders.set(inode, names);
    for (const entry of await readdir(join(root, path), { withFileTypes: true })) {
      const [below, child] = [join(path, entry.name), this.#inodes++];
      names.set(entry.name, child);
      if (entry.isDirectory()) await this.#load(root, below, child);
      else {
        this.#seen.set(below, child);
        this.#base.files.set(child, await readFile(join(root, below)));
      }
    }
  }

  /** What a cut at that moment may leave, as the random numbers in [0, 1) decide. */
  stateAt(cut: number, random: () => number): DiskState {
    const folders = new Map([...this.#base.folders].map(([inode, names]) => [inode, new Map(names)]));
    const images = new Map<Inode, Image>();
    const imageOf = (inode: Inode): Image => {
      const known = images.get(inode) ?? new Image(this.#base.files.get(inode), this.#most.get(inode) ?? 0);
      images.set(inode, known);
      return known;
    };
    // Some disks had written nearly all, some nearly nothing.
    const [keepsNames, keepsBytes] = [lean(random()), lean(random())];
    const isDurable = (inode: Inode, { ended }: Span): boolean =>
      (this.#syncs.get(inode) ?? []).some((sync) => sync.begun > ended && sync.ended < cut);
    for (const change of this.#changes) {
      if (change.begun >= cut) continue;
      switch (change.kind) {
        case "write": {
          const isKept = isDurable(change.inode, change) || random() < keepsBytes;
          imageOf(change.inode).write(change.offset, isKept ? change.bytes : damaged(change.bytes, random));
          break;
        }
        case "truncate":
          if (isDurable(change.inode, change) || random() < keepsBytes) imageOf(change.inode).cut(change.size);
          break;
        case "name":
          if (isDurable(change.folder, change) || random() < keepsNames)
            folders.get(change.folder)?.set(change.name, change.inode);
          break;
        case "unname":
          if (isDurable(change.folder, change) || random() < keepsNames) unname(folders, change, change.inode);
          break;
        case "rename": {
          const isGone = isDurable(change.from.folder, change);
          if (!isGone && !isDurable(change.to.folder, change) && random() >= keepsNames) break;
          folders.get(change.to.folder)?.set(change.to.name, change.inode);
          if (isGone || random() < keepsNames) unname(folders, change.from, change.inode);
        }
      }
    }
    const files = new Map(this.#base.files);
    for (const [inode, image] of images) files.set(inode, image.bytes);
    return { folders, files };
  }
}

/** The bytes of a file in the making. */
class Image {
  readonly #room: Buffer;
  #size: number;

  constructor(before: Buffer = Buffer.alloc(0), most = 0) {
    this.#room = Buffer.alloc(Math.max(before.length, most));
    this.#size = before.copy(this.#room);
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  write(offset: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    bytes.copy(this.#room, offset);
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  cut(size: number): void {
    this.#room.fill(0, size);
    this.#size = Math.min(this.#size, size);
  }
}

/** Writes a state to an empty directory, hard links as such. */
export async function writeState(state: DiskState, root: string): Promise<void> {
  const written = new Map<Inode, string>();
  const fill = async (folder: Inode, path: string): Promise<void> => {
    await mkdir(path, { recursive: true });
    for (const [name, inode] of state.folders.get(folder) ?? []) {
      const below = join(path, name);
      const other = written.get(inode);
      if (state.folders.has(inode)) await fill(inode, below);
      else if (other !== undefined) await link(other, below);
      else await writeFile(below, state.files.get(inode) ?? Buffer.alloc(0));
      written.set(inode, below);
    }
  };
  await fill(rootInode, root);
}

/** 0 and 1 are as likely as all between. */
function lean(random: number): number {
  return random < 0.25 ? 0 : random > 0.75 ? 1 : (random - 0.25) * 2;
}

function unname(folders: DiskState["folders"], { folder, name }: Name, inode: Inode): void {
  if (folders.get(folder)?.get(name) === inode) folders.get(folder)?.delete(name);
}

/** Nothing, a beginning, zeros, or a beginning and zeros. */
function damaged(bytes: Buffer, random: () => number): Buffer {
  const kept = random() < 0.5 ? 0 : Math.floor(random() * bytes.length);
  const zeros = random() < 0.5 ? 0 : bytes.length - kept;
  return Buffer.concat([bytes.subarray(0, kept), Buffer.alloc(zeros)]);
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}

function bytesOf(data: unknown): Buffer {
  return typeof data === "string" ? Buffer.from(data) : Buffer.from(data as Uint8Array);
}
