// What the emulated upstream serves: a folder in GOPROXY layout, with checksum databases below /sumdb. What the
// folder lacks can be fetched once from a real proxy and kept ("live"); frozen, the folder is all there is.
//
// Every lookup carries the same signed head, the one in `sumdb/NAME/latest`: any head that covers a record is a right
// answer, and with one head a recorded database is complete and the same for every client that asks in any order.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export type Content = {
  readonly size: number;
  readonly type: string;
  /** Without quotes. */
  readonly tag: string;
  readonly body: Buffer | { readonly file: string };
};

export type FilesOptions = {
  /** GOPROXY layout on disk. */
  readonly root: string;
  /** Base URL of a real proxy for what is not in `root`. */
  readonly live?: string | undefined;
  /** What is fetched from there: the checksum databases only (default), or anything. */
  readonly keep?: "sumdb" | "all";
};

/** Smaller files are kept in memory, so that the emulator costs little of the shared processors. */
const maxInMemory = 1 << 20;
const memoryBytes = 256 << 20;

export class UpstreamFiles {
  /** No more live requests. */
  frozen = false;
  readonly #options: FilesOptions;
  readonly #memory = new Map<string, Content>();
  readonly #running = new Map<string, Promise<Content | undefined>>();
  #memoryUsed = 0;
  #temporary = 0;

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** What is at `path` (decoded, with its leading slash), or undefined. Throws when a live request fails. */
  async find(path: string): Promise<Content | undefined> {
    const kept = this.#memory.get(path);
    if (kept !== undefined) return kept;
    // One look per path at a time: a herd must not read a large file a thousand times.
    const running = this.#running.get(path) ?? this.#look(path).finally(() => this.#running.delete(path));
    this.#running.set(path, running);
    return running;
  }

  async #look(path: string): Promise<Content | undefined> {
    if (path.split("/").includes("..")) return undefined;
    if (path.endsWith("/supported")) return inMemory(path, Buffer.alloc(0));
    if (path.includes("/lookup/")) return this.#remember(path, await this.#lookup(path));
    if (path.endsWith("/@latest")) return this.#remember(path, await this.#latest(path));
    const file = await this.#file(path);
    if (file === undefined) return undefined;
    const { size, mtimeMs } = await stat(file);
    if (size <= maxInMemory) return this.#remember(path, await readFile(file));
    return { size, type: typeOf(path), tag: shortHash(`${path}\n${size}\n${mtimeMs}`), body: { file } };
  }

  #remember(path: string, body: Buffer | undefined): Content | undefined {
    if (body === undefined) return undefined;
    const content = inMemory(path, body);
    this.#memoryUsed += body.length;
    if (this.#memoryUsed < memoryBytes) this.#memory.set(path, content);
    return content;
  }

  async #lookup(path: string): Promise<Buffer | undefined> {
    const answer = await this.#read(path);
    const head = await this.#read(`${path.slice(0, path.indexOf("/lookup/"))}/latest`);
    const note = (answer?.indexOf("\n\n") ?? -1) + 2;
    if (answer === undefined || head === undefined || note === 1 || !covers(head, answer)) return answer;
    return Buffer.concat([answer.subarray(0, note), head]);
  }

  async #latest(path: string): Promise<Buffer | undefined> {
    const recorded = await this.#read(path);
    if (recorded !== undefined) return recorded;
    const module = path.slice(0, -"/@latest".length);
    const list = (await this.#read(`${module}/@v/list`))?.toString() ?? "";
    const versions = list.trim().split("\n");
    // As `go` chooses: a release before anything else.
    const newest = versions.findLast((version) => !version.includes("-")) ?? versions.at(-1) ?? "";
    return newest === "" ? undefined : this.#read(`${module}/@v/${newest}.info`);
  }

  async #read(path: string): Promise<Buffer | undefined> {
    const file = await this.#file(path);
    return file === undefined ? undefined : readFile(file);
  }

  /** The file that holds `path`, fetched first when it may be. */
  async #file(path: string): Promise<string | undefined> {
    const file = join(this.#options.root, path);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true) return file;
    const { live, keep = "sumdb" } = this.#options;
    if (live === undefined || this.frozen || (keep === "sumdb" && !path.startsWith("/sumdb/"))) return undefined;
    const response = await fetch(live + path, { signal: AbortSignal.timeout(120_000) });
    const bytes = Buffer.from(await response.arrayBuffer());
    // 403: a proxy that refuses a list has none for us.
    if ([403, 404, 410].includes(response.status)) return undefined;
    if (response.status !== 200) throw new Error(`${live}${path}: ${response.status}`);
    await mkdir(dirname(file), { recursive: true });
    const beside = `${file}.${process.pid}.${this.#temporary++}.part`;
    await writeFile(beside, bytes);
    await rename(beside, file);
    return file;
  }
}

function inMemory(path: string, body: Buffer): Content {
  return { size: body.length, type: typeOf(path), tag: shortHash(body), body };
}

/** A signed head's second line is its size, a lookup's first line its record's number. */
function covers(head: Buffer, lookup: Buffer): boolean {
  const [, size = "0"] = head.toString("utf8", 0, 200).split("\n");
  const [record = "0"] = lookup.toString("utf8", 0, 40).split("\n");
  return BigInt(record) < BigInt(size);
}

function shortHash(of: string | Buffer): string {
  return createHash("sha256").update(of).digest("hex").slice(0, 32);
}

function typeOf(path: string): string {
  if (path.endsWith(".zip")) return "application/zip";
  if (path.endsWith(".info") || path.endsWith("/@latest")) return "application/json";
  return path.includes("/tile/") ? "application/octet-stream" : "text/plain; charset=utf-8";
}
