// One process's way to the disk: the storage port with virtual latency, a bad while now and then, and a count of what is
// open, so that nothing is left behind unnoticed.
import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StageTooLarge, StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import type { Chance } from "./chance.ts";
import type { Defect } from "./defects.ts";
import type { Disk, Inode } from "./disk.ts";
import type { LifeLine } from "./life-line.ts";

export type SimStorageUse = {
  readonly disk: Disk;
  readonly life: LifeLine;
  readonly chance: Chance;
  readonly tell: (what: string) => void;
  readonly defect: Defect | undefined;
};

/** Calls that need room on the disk. */
type Call = "get" | "stat" | "open" | "read" | "list" | "remove" | "create" | "replace" | "stage" | "write" | "seal";
const needRoom: ReadonlySet<Call> = new Set<Call>(["create", "replace", "stage", "write", "seal"]);

export class SimStorage implements Storage {
  readonly #use: SimStorageUse;
  /** Stages that were neither taken nor discarded. */
  openStages = 0;
  openHandles = 0;
  /** Files that a defect writes after their manifest. */
  readonly #late = new Map<string, () => Promise<unknown>>();

  constructor(use: SimStorageUse) {
    this.#use = use;
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    await this.#reach("get", key);
    const inode = this.#use.disk.find(key);
    if (inode === undefined) return undefined;
    if (inode.bytes.length > maxBytes) throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
    return { ...statOf(inode), bytes: new Uint8Array(inode.bytes) };
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    await this.#reach("stat", key);
    const inode = this.#use.disk.find(key);
    return inode && statOf(inode);
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    await this.#reach("open", key);
    const inode = this.#use.disk.find(key);
    if (inode === undefined) return undefined;
    this.openHandles++;
    let isOpen = true;
    return {
      ...statOf(inode),
      read: async (offset, into) => {
        await this.#reach("read", key);
        if (!isOpen) throw new Error(`${key} was read after it was closed`);
        const part = inode.bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      close: async () => {
        await this.#hop();
        if (isOpen) this.openHandles--;
        isOpen = false;
      },
    };
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (this.#use.defect === "manifest-first" && /[.](info|mod|zip)$/.test(key)) return this.#createLate(key, body);
    const made = await this.#create(key, body);
    const late = [...this.#late].filter(([file]) => key === `${file.replace(/[.](info|mod)$/, ".mod")}.manifest`);
    for (const [file, write] of late) {
      this.#late.delete(file);
      await write();
    }
    return made;
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    const stage = body instanceof Uint8Array ? undefined : ownStage(body);
    const bytes = body instanceof Uint8Array ? body : ownStage(body).locate().bytes;
    return await this.#change("replace", key, () => {
      if (this.#use.disk.find(key)?.token !== expected) return { result: "conflict" };
      const durable = this.#put(key, bytes);
      stage?.take();
      return { result: "replaced", durable };
    });
  }

  async remove(key: StorageKey): Promise<boolean> {
    return await this.#change("remove", key, () => {
      if (this.#use.disk.find(key) === undefined) return { result: false };
      return { result: true, durable: this.#use.disk.change(key, undefined) };
    });
  }

  async *list(prefix: string): AsyncGenerator<{ key: StorageKey; size: number; modifiedMs: number }> {
    await this.#reach("list", prefix);
    for (const key of this.#use.disk.keys()) {
      const inode = key.startsWith(prefix) ? this.#use.disk.find(key) : undefined;
      if (inode !== undefined) yield { key, size: inode.bytes.length, modifiedMs: inode.modifiedMs };
    }
  }

  async stage(maxBytes: number): Promise<Stage> {
    await this.#reach("stage", "a stage");
    this.openStages++;
    const keepsStages = this.#use.defect === "stages-stay";
    return new SimStage(maxBytes, {
      reach: (call) => this.#reach(call, "a stage"),
      gone: (isTaken) => (isTaken || !keepsStages ? this.openStages-- : 0),
    });
  }

  async #create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    const stage = body instanceof Uint8Array ? undefined : ownStage(body);
    const bytes = body instanceof Uint8Array ? body : ownStage(body).locate().bytes;
    return await this.#change("create", key, () => {
      if (this.#use.disk.find(key) !== undefined) return { result: "exists" };
      const durable = this.#put(key, bytes);
      stage?.take();
      return { result: "created", durable };
    });
  }

  /** What "manifest-first" does: says "created", and creates when the manifest is there. */
  #createLate(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (this.#use.disk.find(key) !== undefined) return Promise.resolve("exists");
    const bytes = new Uint8Array(body instanceof Uint8Array ? body : ownStage(body).locate().bytes);
    this.#late.set(key, () => this.#create(key, bytes));
    return Promise.resolve("created");
  }

  #put(key: StorageKey, bytes: Uint8Array): () => void {
    const { disk } = this.#use;
    const clash = disk.clash(key);
    if (clash !== undefined) throw new StoreUnavailable(key, `${clash} is in the way`);
    return disk.change(key, disk.newInode(bytes));
  }

  /** On the way, made, on the way to the platter, durable. */
  async #change<T>(
    call: Call,
    key: StorageKey,
    make: () => { readonly result: T; readonly durable?: () => void },
  ): Promise<T> {
    const { life, tell, defect } = this.#use;
    const ill = this.#isIll(call);
    await this.#hop();
    if (ill === "before") throw this.#illness(key);
    const { result, durable } = make();
    tell(`disk ${call} ${key}: ${String(result)}`);
    if (durable === undefined) return result;
    this.#use.disk.changed();
    // Without fsync the system writes when it likes.
    const isLazy = defect === "acknowledged-early";
    const sync = life.pause(isLazy ? 5_000 : this.#slow()).then(durable);
    if (!isLazy) await sync;
    if (ill === "after") throw this.#illness(key);
    return result;
  }

  async #reach(call: Call, key: string): Promise<void> {
    const ill = this.#isIll(call);
    await this.#hop();
    if (ill !== undefined) throw this.#illness(key);
  }

  /** Whether this call fails: before it has done anything, or after all of it was done. */
  #isIll(call: Call): "before" | "after" | undefined {
    const { disk, life, chance } = this.#use;
    const { sickness } = disk;
    if (sickness === undefined || life.time.nowMs >= sickness.untilMs) return undefined;
    if (sickness.kind === "full" && !needRoom.has(call)) return undefined;
    if (!chance.is(sickness.share)) return undefined;
    return sickness.kind === "eio" && chance.is(0.3) ? "after" : "before";
  }

  #illness(key: string): StoreUnavailable {
    const isFull = this.#use.disk.sickness?.kind === "full";
    this.#use.tell(`disk ${isFull ? "is full" : "EIO"}: ${key}`);
    return isFull ? new StoreFull(key, "no space left on the device") : new StoreUnavailable(key, "EIO");
  }

  /** Most calls find what they want in memory; during the others something else may happen. */
  async #hop(): Promise<void> {
    const { life, chance } = this.#use;
    if (!life.isAlive || chance.is(0.4)) await life.pause(chance.skewed(0.02, 3));
  }

  #slow(): number {
    return this.#use.chance.skewed(0.2, 60);
  }
}

function statOf({ bytes, modifiedMs, token }: Inode): ObjectStat {
  return { size: bytes.length, modifiedMs, token };
}

function ownStage(stage: Stage): SimStage {
  if (stage instanceof SimStage) return stage;
  throw new Error("the stage belongs to another storage");
}

type StageUse = { readonly reach: (call: Call) => Promise<void>; readonly gone: (isTaken: boolean) => void };

class SimStage implements Stage {
  readonly #maxBytes: number;
  readonly #how: StageUse;
  #chunks: Uint8Array[] = [];
  #state: "open" | "sealed" | "gone" = "open";
  size = 0;

  constructor(maxBytes: number, how: StageUse) {
    this.#maxBytes = maxBytes;
    this.#how = how;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBe("open");
    if (this.size + chunk.length > this.#maxBytes) throw new StageTooLarge(this.#maxBytes);
    // Counted at once: two writers that do not wait for each other must not overlook each other.
    this.#chunks.push(new Uint8Array(chunk));
    this.size += chunk.length;
    await this.#how.reach("write");
  }

  async seal(): Promise<void> {
    if (this.#state === "sealed") return;
    this.#mustBe("open");
    await this.#how.reach("seal");
    this.#mustBe("open");
    this.#chunks = [Buffer.concat(this.#chunks)];
    this.#state = "sealed";
  }

  locate(): { readonly bytes: Uint8Array } {
    const [bytes] = this.#chunks;
    if (this.#state !== "sealed" || bytes === undefined) throw new Error("the stage is not sealed");
    return { bytes };
  }

  discard(): Promise<void> {
    this.#end(false);
    return Promise.resolve();
  }

  /** Its bytes have become an object's. */
  take(): void {
    this.#end(true);
  }

  #end(isTaken: boolean): void {
    if (this.#state !== "gone") this.#how.gone(isTaken);
    this.#state = "gone";
    this.#chunks = [];
  }

  #mustBe(state: "open"): void {
    if (this.#state !== state) throw new Error(`the stage is ${this.#state}`);
  }
}
