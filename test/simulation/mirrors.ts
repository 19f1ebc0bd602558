// The upstreams of the simulated world, and its checksum database: what they have and when, what is wrong with them, and
// what they answer. Nothing here knows processes.
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import type { Upstream } from "#services/upstreams/chain.ts";
import { playedUpstream } from "../support/proxy-room.ts";
import { databaseName } from "../support/world.ts";
import { catalogue } from "./catalogue.ts";
import type { Entry } from "./catalogue.ts";
import type { Chance } from "./chance.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What can be wrong with a mirror or with the database, and how often it is that. */
export const troubles = {
  ...{ refused: 3, silent: 2, slow: 2, errors: 2, busy: 1, wrong: 4, truncated: 2, page: 1, forgetful: 1 },
} as const;
export type Trouble = keyof typeof troubles;

/** A span in which something was in trouble; open-ended while it is. */
type Span = { readonly fromMs: number; toMs: number };

/** Remembers when it was in trouble: what was said then may be said for a while after. */
class Troubled {
  readonly name: string;
  #trouble: Trouble | undefined;
  readonly #spans: Span[] = [];
  readonly #time: VirtualTime;

  constructor(name: string, time: VirtualTime) {
    this.name = name;
    this.#time = time;
  }

  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  cut(trouble: Trouble): void {
    this.heal();
    this.#trouble = trouble;
    this.#spans.push({ fromMs: this.#time.nowMs, toMs: Infinity });
  }

  heal(): void {
    this.#trouble = undefined;
    const last = this.#spans.at(-1);
    if (last !== undefined) last.toMs = Math.min(last.toMs, this.#time.nowMs);
  }

  /** True when it was in trouble at some moment from `fromMs` on. */
  wasTroubledSince(fromMs: number): boolean {
    return this.#spans.some(({ toMs }) => toMs >= fromMs);
  }

  /** True when nobody could get anything from it at any moment from `fromMs` on. */
  wasDeadSince(fromMs: number): boolean {
    const last = this.#spans.at(-1);
    return this.#trouble === "refused" && last !== undefined && last.fromMs <= fromMs;
  }
}

export class Mirror extends Troubled {
  readonly upstream: Upstream;
  /** Which of the two true `.info` answers it gives. */
  readonly infoKind: 0 | 1;
  readonly hasTunnel: boolean;
  /** When it got each version, by name. */
  readonly #since = new Map<string, number>();

  constructor(upstream: Upstream, time: VirtualTime, kind: { readonly infoKind: 0 | 1; readonly hasTunnel: boolean }) {
    super(upstream.name, time);
    this.upstream = upstream;
    this.infoKind = kind.infoKind;
    this.hasTunnel = kind.hasTunnel;
  }

  gets({ name }: Entry, atMs: number): void {
    this.#since.set(name, atMs);
  }

  has({ name }: Entry, atMs: number): boolean {
    return (this.#since.get(name) ?? Infinity) <= atMs;
  }
}

export class Mirrors {
  readonly all: readonly Mirror[];
  readonly official: Mirror;
  /** The database behind its own address, and behind the tunnels. */
  readonly databaseTrouble: Troubled;
  readonly database = new TestDatabase({ name: databaseName, seed: Buffer.alloc(32, 7) });
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #published: Entry[] = [];
  readonly #coming: Entry[] = [];

  constructor(time: VirtualTime, chance: Chance) {
    this.#time = time;
    this.#chance = chance;
    this.official = new Mirror(playedUpstream("official", { authoritative: true }), time, {
      infoKind: 0,
      hasTunnel: true,
    });
    const near = new Mirror(playedUpstream("near"), time, { infoKind: 1, hasTunnel: true });
    const far = new Mirror(playedUpstream("far"), time, { infoKind: 1, hasTunnel: false });
    // A near mirror may be asked before the one that knows.
    this.all = chance.is(0.5) ? [this.official, near, far] : [near, this.official, far];
    this.databaseTrouble = new Troubled(databaseName, time);
  }

  /** In the order in which they were published. */
  get published(): readonly Entry[] {
    return this.#published;
  }

  /** About half of all versions are there from the beginning. */
  async begin(): Promise<void> {
    for (const entry of catalogue) {
      if (this.#chance.is(0.5)) await this.#publish(entry, 0);
      else this.#coming.push(entry);
    }
  }

  /** The next version appears: at the official one at once, at the others later or never. */
  async publishNext(): Promise<Entry | undefined> {
    const entry = this.#coming.shift();
    if (entry !== undefined) await this.#publish(entry, this.#chance.is(0.3) ? 0 : this.#chance.skewed(0, 1_200_000));
    return entry;
  }

  async #publish(entry: Entry, lagMs: number): Promise<void> {
    // On record before anybody can hear of it, as with the real one, which looks itself.
    await this.database.addModule(entry.id, entry.h1);
    const now = this.#time.nowMs;
    this.#published.push(entry);
    for (const mirror of this.all) {
      if (mirror === this.official) mirror.gets(entry, now);
      else if (this.#chance.is(0.9)) mirror.gets(entry, now + lagMs);
    }
  }

  isPublished(entry: Entry): boolean {
    return this.#published.includes(entry);
  }

  healAll(): void {
    for (const mirror of this.all) mirror.heal();
    this.databaseTrouble.heal();
  }
}
