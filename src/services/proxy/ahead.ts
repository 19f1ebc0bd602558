// Fetching ahead: what a client's requests say it will ask next is fetched, proven and kept before it asks. The go
// command asks with as many connections as it has processors; we fetch with many, and find the answers ready when it
// comes. Bounded in requests, versions and bytes; nothing here is needed for an answer to be right.

import { parseGoMod } from "#protocol/gomod.ts";
import type { GoMod } from "#protocol/gomod.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { compareVersions, formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Meter } from "#services/events/ports.ts";
import type { KeptMod, KeptZip, ModuleStore } from "#services/store/module-store.ts";
import type { Clock } from "#services/store/ports.ts";
import { LRUCache } from "lru-cache";
import { AheadSession } from "./ahead-session.ts";
import type { Votes } from "./ahead-session.ts";
import { Habits } from "./habits.ts";
import type { Expected } from "./habits.ts";
import type { ModuleJobs } from "./module-jobs.ts";
import { isToolchain } from "./privacy.ts";
import type { Privacy } from "./privacy.ts";
import { nameOf } from "./trail.ts";
import type { Lesson } from "./trail.ts";

export type AheadUse = {
  readonly jobs: Pick<ModuleJobs, "fetchMod" | "fetchZip">;
  readonly store: Pick<ModuleStore, "findMod" | "findZip">;
  readonly privacy: Privacy;
  readonly clock: Clock;
  readonly meter: Pick<Meter, "ahead">;
  /** Settings in force. */
  readonly limits: () => AheadLimits;
  /** Time to the first byte of the upstream that is asked first, in milliseconds; undefined when not known. */
  readonly distanceMs: () => number | undefined;
  /** False while others answer some of the clients' requests, so that not all of them are seen here. */
  readonly seesAll?: () => boolean;
  /** Aborts when the server stops for good. */
  readonly stop: AbortSignal;
};

export type AheadLimits = {
  readonly isOn: boolean;
  /** go.mod files, and zips, fetched ahead at a time. */
  readonly mods: number;
  readonly zips: number;
  /** Bytes of zips that lie fetched and were not asked for yet, in all. */
  readonly bytes: number;
};

/** Clients whose requests are remembered; the one heard of longest ago leaves. Each costs a few hundred KB at worst. */
const maxSessions = 64;
/** A client that has said nothing for so long wants nothing any more. Unpacking a large zip takes it seconds. */
const sessionMs = 60_000;
/** A zip that was fetched ahead so long ago and not asked for was a wrong guess, whoever its client is. */
const maxUnclaimedMs = 10 * 60_000;
/** Zips fetched ahead and not asked for yet, in all; each costs some 200 bytes of memory. */
const maxUnclaimed = 8_192;
/** Versions that may wait to be fetched, in all. */
const maxQueued = 16_384;
/** Lessons taken in with one request: some 10 µs each, while clients wait. */
const lessonsAtOnce = 64;
/** Lessons not taken in yet; the newest ones are lost beyond it. */
const maxLessons = 16_384;
/** A wrong guess costs some milliseconds of processor; it pays when the upstream is further away than that. */
const farMs = 40;

type Task = {
  readonly kind: "mod" | "zip";
  readonly id: ModuleVersion;
  readonly session: AheadSession;
  readonly follow: boolean;
};

type Unclaimed = { readonly bytes: number; readonly session: AheadSession; readonly sinceMs: number };

export class Ahead {
  readonly #use: AheadUse;
  readonly #sessions = new LRUCache<string, AheadSession>({
    max: maxSessions,
    dispose: (session) => this.#learn(session),
  });
  readonly #habits = new Habits();
  #lessons: Lesson[] = [];
  /** Each in the order in which the client will probably ask. */
  readonly #waiting = { mod: new Map<string, Task>(), zip: new Map<string, Task>() };
  readonly #running = { mod: 0, zip: 0 };
  /** Sizes of zips that were fetched ahead and not asked for yet, by version. */
  readonly #unclaimed = new Map<string, Unclaimed>();
  #unclaimedBytes = 0;

  constructor(use: AheadUse) {
    this.#use = use;
  }

  /** Fetches that wait or run. */
  get size(): number {
    return this.#waiting.mod.size + this.#waiting.zip.size + this.#running.mod + this.#running.zip;
  }

  /** Memory of what clients ask for after what. */
  get habitBytes(): number {
    return this.#habits.bytes;
  }

  /** A client asks for a file of a public version; call it before the answer is there. @param caller its address */
  asked(kind: "info" | "mod" | "zip", id: ModuleVersion, caller: string): void {
    const session = this.#sessionOf(id.path, caller);
    if (session === undefined) return;
    session.trail.add(kind, id, session.lastMs);
    if (kind === "mod") session.askedMod(id);
    else if (kind === "info") this.#wantZips(session.askedInfo(id), session);
    else this.#askedZip(id, session);
    if (kind === "info") this.#want("mod", session.restOfList(), { session, follow: false });
    this.#pump();
  }

  /** The go.mod that a client asked for is known. */
  answered(kept: KeptMod, caller: string): void {
    const session = this.#sessionOf(kept.id.path, caller);
    if (session === undefined) return;
    this.#hear(kept, session);
    this.#pump();
  }

  /** A client was given a list, `@latest` or what a branch means. @param meant the version it will probably take */
  listed(meant: ModuleVersion, caller: string): void {
    const session = this.#sessionOf(meant.path, caller);
    if (session === undefined) return;
    session.trail.add("listing", meant, session.lastMs);
    for (const { step } of this.#habits.after(nameOf("listing", meant.path))) {
      if (step === "info") this.#want("mod", [meant], { session, follow: false });
      else this.#wantZips([meant], session);
    }
    this.#pump();
  }

  #sessionOf(path: string, caller: string): AheadSession | undefined {
    // Private names are asked for by those who may; guesses about them are nobody's business.
    if (!this.#use.limits().isOn || this.#use.privacy.mustNotTravel(path) || isToolchain(path)) return undefined;
    const now = this.#use.clock.now();
    let session = this.#sessions.get(caller);
    if (session === undefined || session.isFull || now - session.lastMs > sessionMs) {
      this.#sessions.delete(caller);
      this.#dismiss(now);
      session = new AheadSession();
      this.#sessions.set(caller, session);
    }
    this.#study();
    session.lastMs = now;
    return session;
  }

  /** Whoever has gone has said all there is to learn from; the newcomer is the first who may profit. */
  #dismiss(now: number): void {
    for (const [caller, { lastMs }] of [...this.#sessions]) if (now - lastMs > sessionMs) this.#sessions.delete(caller);
  }

  #learn(session: AheadSession): void {
    const selected = (path: string): string | undefined => session.selected(path)?.version;
    const seesAll = this.#use.seesAll?.() ?? true;
    this.#lessons = [...this.#lessons, ...session.trail.lessons({ selected, seesAll })].slice(0, maxLessons);
  }

  #study(): void {
    for (const lesson of this.#lessons.splice(0, lessonsAtOnce)) this.#habits.learn(lesson);
  }

  #askedZip(id: ModuleVersion, session: AheadSession): void {
    const name = formatModuleVersion(id);
    const claimed = this.#unclaimed.get(name);
    if (claimed !== undefined) {
      this.#unclaimed.delete(name);
      this.#unclaimedBytes -= claimed.bytes;
      this.#use.meter.ahead("zip", "used");
    }
    this.#waiting.zip.delete(name); // the client's own request fetches it now
    const followers = this.#followers(id, session);
    const paths = new Set<string>(followers.map(({ path }) => path));
    const rest = session.askedZip(id);
    this.#wantZips([...followers, ...rest.filter(({ path }) => !paths.has(path))], session);
  }

  /** The zips that nearly all clients ask for after this one. */
  #followers({ path }: ModuleVersion, session: AheadSession): readonly ModuleVersion[] {
    return this.#habits.after(nameOf("zip", path)).flatMap((expected) => {
      const id = versionOf(expected, session);
      return id === undefined || session.wantsZip(id) ? [] : [id];
    });
  }

  /** Those that clients seldom want come last, and those they hardly ever want not at all. */
  #wantZips(ids: readonly ModuleVersion[], session: AheadSession): void {
    const byWish = Map.groupBy(ids, ({ path }) => this.#habits.wish(path));
    byWish.get("hardly")?.forEach(() => this.#use.meter.ahead("zip", "spared"));
    for (const wish of ["usual", "seldom"] as const)
      this.#want("zip", byWish.get(wish) ?? [], { session, follow: false });
  }

  #hear(kept: KeptMod, session: AheadSession): void {
    const goMod = read(kept);
    if (goMod === undefined) return;
    const { certain, likely } = session.heard(kept.id, goMod, this.#votes());
    this.#want("mod", certain, { session, follow: true });
    this.#want("mod", likely, { session, follow: false });
  }

  #votes(): Votes {
    return (this.#use.distanceMs() ?? 0) > farMs ? 1 : 2;
  }

  #want(
    kind: "mod" | "zip",
    ids: Iterable<ModuleVersion>,
    how: { readonly session: AheadSession; readonly follow: boolean },
  ): void {
    const { privacy } = this.#use;
    for (const id of ids) {
      if (this.#waiting.mod.size + this.#waiting.zip.size >= maxQueued) return;
      if (privacy.mustNotTravel(id.path) || isToolchain(id.path)) continue;
      const name = formatModuleVersion(id);
      if (!this.#waiting[kind].has(name)) this.#waiting[kind].set(name, { kind, id, ...how });
    }
  }

  #pump(): void {
    const limits = this.#use.limits();
    if (!limits.isOn) {
      for (const tasks of Object.values(this.#waiting)) tasks.clear();
      return;
    }
    const isFull = (): boolean => this.#unclaimedBytes >= limits.bytes || this.#unclaimed.size >= maxUnclaimed;
    if (isFull()) this.#forgetUnclaimed();
    while (this.#running.mod < limits.mods && this.#start("mod"));
    while (this.#running.zip < limits.zips && !isFull() && this.#start("zip"));
  }

  /** Starts the next task of a kind; false when there is none. */
  #start(kind: "mod" | "zip"): boolean {
    const [next] = this.#waiting[kind];
    if (next === undefined || this.#use.stop.aborted) return false;
    const [name, task] = next;
    this.#waiting[kind].delete(name);
    if (this.#use.clock.now() - task.session.lastMs > sessionMs) return true; // its client has gone
    this.#running[kind]++;
    void this.#run(task).finally(() => {
      this.#running[kind]--;
      this.#pump();
    });
    return true;
  }

  async #run(task: Task): Promise<void> {
    const { meter } = this.#use;
    try {
      if (task.kind === "mod") await this.#runMod(task);
      else await this.#runZip(task);
    } catch {
      // Whoever asks for it will hear why it cannot be had; nobody has.
      meter.ahead(task.kind, "failed");
    }
  }

  async #runMod({ id, session, follow }: Task): Promise<void> {
    const { jobs, store, stop, meter } = this.#use;
    const known = await store.findMod(id);
    const kept = known ?? (await jobs.fetchMod(id, { hops: "", signal: stop, ahead: true })).kept;
    if (known === undefined) meter.ahead("mod", "fetched");
    if (follow || session.wantsMod(id)) this.#hear(kept, session);
  }

  async #runZip({ id, session }: Task): Promise<void> {
    const { jobs, store, stop, meter } = this.#use;
    if (session.wantsZip(id) || (await store.findZip(id)) !== undefined) return;
    const { kept } = await jobs.fetchZip(id, { hops: "", signal: stop, ahead: true });
    meter.ahead("zip", "fetched");
    if (!session.wantsZip(id)) this.#layBy(kept, session);
  }

  #layBy({ id, manifest }: KeptZip, session: AheadSession): void {
    const bytes = manifest.zip.size;
    this.#unclaimed.set(formatModuleVersion(id), { bytes, session, sinceMs: this.#use.clock.now() });
    this.#unclaimedBytes += bytes;
  }

  /** What was fetched for clients that have gone no longer counts, nor what nobody has asked for in a long while. */
  #forgetUnclaimed(): void {
    const now = this.#use.clock.now();
    for (const [name, { bytes, session, sinceMs }] of this.#unclaimed) {
      if (now - session.lastMs <= sessionMs && now - sinceMs <= maxUnclaimedMs) continue;
      this.#unclaimed.delete(name);
      this.#unclaimedBytes -= bytes;
    }
  }
}

/** The version of a follower that this client will want: one as new as the last one seen, or the one that all took. */
function versionOf({ id, steady }: Expected, session: AheadSession): ModuleVersion | undefined {
  const selected = session.selected(id.path);
  if (selected === undefined) return steady ? id : undefined;
  // An older one may be half a graph's word: the rest may have been answered without us.
  return compareVersions(selected.version, id.version) < 0 ? undefined : selected;
}

/** A go.mod that the go command could not read either says nothing about what comes next. */
function read({ mod }: KeptMod): GoMod | undefined {
  try {
    return parseGoMod(mod, { lax: true });
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
