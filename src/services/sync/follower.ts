// Versions that somebody said are new, until they are in `list`: forgotten about, fetched, verified, kept, listed; tried
// again while those who should have it do not. Bounded in number, time and requests at once.
//
//   announced ─> fetched ─> verified ─> kept ─> listed
//                   └─────> failed ─> quarantine ─> integrity

import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { EventSink, GranaryEvent, Meter, SyncSource, SyncState } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { timeLimit } from "#services/store/ports.ts";
import type { Brought, Modules } from "./ports.ts";

export type Announced = {
  /** What it may be, the likeliest first; at least one. */
  readonly candidates: readonly ModuleVersion[];
  readonly source: SyncSource;
};

/** `full`: not taken in. */
export type Followed = "listed" | "failed" | "given up" | "full";

export type FollowerUse = {
  readonly modules: Modules;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly meter: Pick<Meter, "syncDelay">;
  /** Aborts when the server stops: what waits is forgotten. A tag that was missed so is found by whoever asks for it. */
  readonly stop: AbortSignal;
};

type Followee = Announced & {
  readonly sinceMs: number;
  /** The candidate that is tried now, or was last. */
  current: ModuleVersion;
  readonly done: Promise<Followed>;
};

/** An upstream that learns of a tag by itself may need a while; after the last of these it is asked each minute. */
const waitsMs: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
const lastWaitMs = 60_000;
/** Then the announcement was wrong, or its upstream is. */
export const giveUpMs = 15 * 60_000;
/** One attempt: the jobs below have a limit of their own, this one keeps a silent list from holding a place. */
const attemptMs = 5 * 60_000;
/** Announcements that wait or run: a release of a thousand modules at once. */
const maxFollowed = 1_000;
/** Attempts at once: what a client waits for comes first. */
const maxAtOnce = 4;

export class Follower {
  readonly #use: FollowerUse;
  readonly #followed = new Map<string, Followee>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(use: FollowerUse) {
    this.#use = use;
  }

  get size(): number {
    return this.#followed.size;
  }

  /** How long the one that webhooks announced longest ago is not in `list`; undefined when none is out. */
  get delayMs(): number | undefined {
    const since = [...this.#followed.values()].filter(({ source }) => source === "webhook").map((each) => each.sinceMs);
    return since.length === 0 ? undefined : this.#use.clock.now() - Math.min(...since);
  }

  /** Follows until it is listed or given up. One that is followed already is joined. Never rejects. */
  announce(announced: Announced): Promise<Followed> {
    const [first] = announced.candidates;
    if (first === undefined) return Promise.resolve("failed");
    const key = formatModuleVersion(first);
    const known = this.#followed.get(key);
    if (known !== undefined) return known.done;
    if (this.#followed.size >= maxFollowed) {
      this.#tell(first, { ...announced, state: "failed", detail: `more than ${maxFollowed} announcements wait` });
      return Promise.resolve("full");
    }
    let done: (how: Followed) => void = () => undefined;
    const followee: Followee = {
      ...announced,
      sinceMs: this.#use.clock.now(),
      current: first,
      done: new Promise<Followed>((resolve) => (done = resolve)),
    };
    this.#followed.set(key, followee);
    this.#tell(first, { ...announced, state: "announced" });
    void this.#follow(followee)
      .catch((): Followed => "given up") // the server stops
      .then((how) => {
        this.#followed.delete(key);
        done(how);
      });
    return followee.done;
  }

  /** Hears what jobs tell, and tells it of those that are followed as the states of their way. */
  heard(event: GranaryEvent): void {
    if (event.name !== "module.ingested" && event.name !== "module.denied" && event.name !== "module.quarantined")
      return;
    const { module, version } = event;
    for (const { current, source } of this.#followed.values()) {
      if (current.path !== module || current.version !== version) continue;
      const tell = (state: SyncState, detail: string): void => this.#tell(current, { source, state, detail });
      if (event.name === "module.denied") {
        tell("fetched", event.upstream);
        tell("failed", event.code);
      } else if (event.name === "module.quarantined") {
        tell("quarantine", event.id);
        void this.#integrity(current, source);
      } else if (event.stage === "zip") {
        tell("fetched", event.upstream);
        if (event.verifiedBy === "integrity") tell("integrity", "it vouches while no checksum database answers");
        // With the database off nothing vouches for it, and nobody should read that something did.
        if (event.verifiedBy !== "off") tell("verified", event.verifiedBy);
        tell("kept", `${event.bytes} bytes`);
      }
    }
  }

  async #follow(followee: Followee): Promise<Followed> {
    const { clock, stop, modules, meter } = this.#use;
    for (let attempt = 0; ; attempt++) {
      const how = await this.#inTurn(() => this.#attempt(followee));
      if (how === "final") return "failed";
      if (how === "listed") {
        const ms = clock.now() - followee.sinceMs;
        meter.syncDelay(followee.source, ms);
        this.#tell(followee.current, { source: followee.source, state: "listed", detail: `after ${ms} ms` });
        return "listed";
      }
      const wait = waitsMs[attempt] ?? lastWaitMs;
      if (clock.now() + wait - followee.sinceMs > giveUpMs) break;
      await clock.sleep(wait, stop);
      for (const { path } of followee.candidates) await modules.forget(path);
    }
    const detail = `not there after ${giveUpMs / 60_000} min`;
    this.#tell(followee.current, { source: followee.source, state: "failed", detail });
    return "given up";
  }

  async #attempt(followee: Followee): Promise<"listed" | "again" | "final"> {
    const { clock, stop, modules } = this.#use;
    const signal = AbortSignal.any([stop, timeLimit(clock, attemptMs)]);
    for (const candidate of followee.candidates) {
      followee.current = candidate;
      const brought = await this.#bring(candidate, signal);
      if (brought.outcome === "absent") continue;
      if (brought.outcome === "kept") {
        // Answers that were on their way when it was announced may have been remembered since.
        await modules.forget(candidate.path);
        return (await this.#isListed(candidate, signal)) ? "listed" : "again";
      }
      this.#tell(candidate, { source: followee.source, state: "failed", detail: brought.code });
      if (brought.isUnproven) await this.#integrity(candidate, followee.source);
      return brought.isFinal ? "final" : "again";
    }
    return "again";
  }

  async #bring(id: ModuleVersion, signal: AbortSignal): Promise<Brought> {
    try {
      return await this.#use.modules.bring(id, signal);
    } catch (error) {
      if (!signal.aborted || this.#use.stop.aborted) throw error;
      return { outcome: "failed", code: "timeout", isFinal: false, isUnproven: false };
    }
  }

  async #isListed({ path, version }: ModuleVersion, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#use.modules.list(path, signal)).includes(version);
    } catch (error) {
      if (this.#use.stop.aborted) throw error;
      return false;
    }
  }

  /** The last resort is asked what it says, and that is told. It never outweighs a database. */
  async #integrity(id: ModuleVersion, source: SyncSource): Promise<void> {
    const signal = AbortSignal.any([this.#use.stop, timeLimit(this.#use.clock, attemptMs)]);
    const said = await this.#use.modules.listed(id, signal).catch((error: unknown) => String(error));
    this.#tell(id, { source, state: "integrity", detail: said ?? "no list is configured" });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #tell(
    id: ModuleVersion,
    what: { readonly source: SyncSource; readonly state: SyncState; readonly detail?: string },
  ): void {
    const { source, state, detail } = what;
    const facts = { module: id.path, version: id.version, source, state };
    this.#use.events.emit({ name: "sync.state", ...facts, ...(detail !== undefined && { detail }) });
  }
}
