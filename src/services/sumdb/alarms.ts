// Forks that were seen, and what a person decided about them. While one is undecided nothing new is taken from the
// database; what was proven before stays good. A decision is about one foreign head: it is refused from then on, and
// the timeline that we have goes on.

import { createHash } from "node:crypto";
import { encodeBase64 } from "#protocol/base64.ts";
import type { Tree } from "#protocol/tlog.ts";
import { StoreAway, storageKey, type Clock, type Storage, type StorageKey } from "#services/store/ports.ts";
import { decisionKey, evidenceKey, forksPrefix } from "./layout.ts";

/** One alarm as people see it. */
export type Alarm = {
  /** Names the foreign head; the evidence file is called by it. */
  readonly id: string;
  readonly evidence: StorageKey;
  /** What was decided; undefined while nothing is taken from the database because of it. */
  readonly decision: Decision | undefined;
};

export type Decision = { readonly atMs: number; readonly reason: string };

/** A time and a sentence. */
const maxDecisionBytes = 16 * 1024;

/** The alarm that `head` is: the same one however much our own log has grown meanwhile. */
export function alarmId({ size, root }: Tree): string {
  return createHash("sha256")
    .update(`${size} ${encodeBase64(root)}`)
    .digest("hex");
}

/** All alarms of a database, decided ones too, by id. */
export async function listAlarms(storage: Storage, database: string): Promise<Alarm[]> {
  const prefix = forksPrefix(database);
  const alarms: Alarm[] = [];
  for await (const { key } of storage.list(prefix)) {
    const [, id] = /^([0-9a-f]{64})\.json$/.exec(key.slice(prefix.length)) ?? [];
    if (id !== undefined)
      alarms.push({ id, evidence: storageKey(key), decision: await findDecision(storage, database, id) });
  }
  return alarms.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Refuses a foreign head for good; "unknown" when there is no such alarm. An earlier decision stays. */
export async function decide(
  storage: Storage,
  of: { readonly database: string; readonly id: string; readonly decision: Decision },
): Promise<"decided" | "already" | "unknown"> {
  const { database, id, decision } = of;
  if ((await storage.stat(evidenceKey(database, id))) === undefined) return "unknown";
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, ...decision }, undefined, 2)}\n`);
  return (await storage.create(decisionKey(database, id), bytes)) === "created" ? "decided" : "already";
}

export async function isDecided(storage: Storage, database: string, id: string): Promise<boolean> {
  return (await storage.stat(decisionKey(database, id))) !== undefined;
}

/** A damaged decision is still one: its file was written on purpose. */
async function findDecision(storage: Storage, database: string, id: string): Promise<Decision | undefined> {
  const kept = await storage.get(decisionKey(database, id), maxDecisionBytes);
  if (kept === undefined) return undefined;
  try {
    const { atMs, reason } = JSON.parse(Buffer.from(kept.bytes).toString()) as Partial<Decision>;
    return { atMs: Number.isSafeInteger(atMs) ? (atMs ?? 0) : 0, reason: typeof reason === "string" ? reason : "" };
  } catch {
    return { atMs: 0, reason: "" };
  }
}

/** How long a process may not know of a fork that another one over the same store has found. */
export const haltLookMs = 5_000;
/** How long a lookup waits for such a look. A store that is silent for longer is looked at without anybody waiting. */
const haltWaitMs = 1_000;

type HaltClock = Pick<Clock, "now" | "sleep">;

/** Whether a database is stopped: told by its own process as it finds forks, and read from the store now and then. */
export class Halt {
  readonly #storage: Storage;
  readonly #database: string;
  readonly #clock: HaltClock;
  readonly #open = new Map<string, StorageKey>();
  #lookedAtMs = -Infinity;

  constructor(use: { readonly storage: Storage; readonly database: string; readonly clock: HaltClock }) {
    this.#clock = use.clock;
    this.#storage = use.storage;
    this.#database = use.database;
  }

  /** While a shared store is out of reach what is known stays, and the next question looks again. */
  async load(): Promise<void> {
    this.#lookedAtMs = this.#clock.now();
    try {
      for (const { id, evidence, decision } of await listAlarms(this.#storage, this.#database))
        if (decision === undefined) this.#open.set(id, evidence);
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
      this.#lookedAtMs = -Infinity;
    }
  }

  add(id: string): void {
    this.#open.set(id, evidenceKey(this.#database, id));
  }

  /** The evidence of an undecided fork; undefined when all is well. Looks for decisions made meanwhile. */
  async reason(): Promise<StorageKey | undefined> {
    if (this.#clock.now() - this.#lookedAtMs >= haltLookMs) await this.#lookAgain();
    for (const [id, evidence] of this.#open) {
      if (!(await this.#isDecided(id))) return evidence;
      this.#open.delete(id);
    }
    return undefined;
  }

  /** Nobody can know of a decision while a shared store is out of reach. */
  async #isDecided(id: string): Promise<boolean> {
    try {
      return await isDecided(this.#storage, this.#database, id);
    } catch (error) {
      if (error instanceof StoreAway) return false;
      throw error;
    }
  }

  /** A store that is silent holds nobody up: what is known stays until it has answered. */
  async #lookAgain(): Promise<void> {
    const over = new AbortController();
    try {
      await Promise.race([this.load(), this.#clock.sleep(haltWaitMs, over.signal).catch(() => undefined)]);
    } finally {
      over.abort();
    }
  }

  /** As reason(), by what is known now. */
  get known(): StorageKey | undefined {
    const [first] = this.#open.values();
    return first;
  }
}
