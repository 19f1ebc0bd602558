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
import { AheadSession, maxNameLength } from "./ahead-session.ts";
import type { Votes } from "./ahead-session.ts";
import { Habits, stepOf } from "./habits.ts";
import { LaidBy } from "./laid-by.ts";
import { meantVersion } from "./meant.ts";
import type { Listed } from "./meant.ts";
import type { ModuleJobs } from "./module-jobs.ts";
import { isToolchain } from "./privacy.ts";
import type { Privacy } from "./privacy.ts";

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
  readonly seesAll: () => boolean;
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

/**
 * Clients whose requests are remembered; the one heard of longest ago leaves. A build of 300 modules costs some 250 KB,
 * one of 3,000 some 1.5 MB, a client that asks for as much as is remembered some 4 MB.
 */
const maxSessions = 64;
/** A client that has said nothing for so long wants nothing any more. Unpacking a large zip takes it seconds. */
const sessionMs = 60_000;
/** Versions that may wait to be fetched, in all. */
const maxQueued = 16_384;
/** A wrong guess costs some milliseconds of processor; it pays when the upstream is further away than that. */
const farMs = 40;

type Task = {
  readonly kind: "mod" | "zip";
  readonly id: ModuleVersion;
  readonly session: AheadSession;
  readonly follow: boolean;
};

export class Ahead {
  readonly #use: AheadUse;
  readonly #sessions = new LRUCache<string, AheadSession>({ max: maxSessions });
  readonly #habits = new Habits();
  /** Each in the order in which the client will probably ask. */
  readonly #waiting = { mod: new Map<string, Task>(), zip: new Map<string, Task>() };
  readonly #running = { mod: 0, zip: 0 };
  readonly #laidBy = new LaidBy();

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
    const session = this.#sessionOf(id, caller);
    if (session === undefined) return;
    if (kind === "mod") session.askedMod(id);
    else if (kind === "info") this.#wantZips(session.askedInfo(id), session);
    else this.#askedZip(id, session);
    if (kind === "info") this.#want("mod", session.restOfList(), { session, follow: false });
    this.#pump();
  }

  /** The go.mod that a client asked for is known. */
  answered(kept: KeptMod, caller: string): void {
    const session = this.#sessionOf(kept.id, caller);
    if (session === undefined) return;
    this.#hear(kept, session);
    this.#pump();
  }

  /** A client is given a list, `@latest` or what a branch means. */
  listed(listing: Listed, caller: string): void {
    const session = this.#sessionOf(listing, caller);
    if (session === undefined) return;
    const step = stepOf("listing", listing.path);
    // Only the module's own zip is ever noted after its listing. Reading a listing takes time: not unless it matters.
    const meant = this.#habits.after(step).length > 0 ? meantVersion(listing) : undefined;
    if (session.trail.listed(listing.path, session.lastMs)) this.#habits.taken(step);
    if (meant !== undefined) this.#wantZips([meant], session);
    this.#pump();
  }

  #sessionOf(
    { path, version = "" }: { readonly path: string; readonly version?: string },
    caller: string,
  ): AheadSession | undefined {
    // Private names are asked for by those who may; guesses about them are nobody's business.
    if (!this.#use.limits().isOn || this.#use.privacy.mustNotTravel(path) || isToolchain(path)) return undefined;
    if (path.length + version.length > maxNameLength) return undefined;
    const now = this.#use.clock.now();
    let session = this.#sessions.get(caller);
    if (session === undefined || session.isFull || now - session.lastMs > sessionMs) {
      this.#forgetUnclaimed();
      session = new AheadSession();
      this.#sessions.set(caller, session);
    }
    session.lastMs = now;
    return session;
  }

  #askedZip(id: ModuleVersion, session: AheadSession): void {
    if (this.#laidBy.claim(id)) this.#use.meter.ahead("zip", "used");
    this.#waiting.zip.delete(formatModuleVersion(id)); // the client's own request fetches it now
    if (session.trail.wasListed(id.path, session.lastMs)) this.#habits.followed(stepOf("listing", id.path), id);
    const rest = session.askedZip(id);
    this.#want("zip", session.wantsSpared(id), { session, follow: false });
    this.#wantZips(session.downloads ? rest : this.#following(id, session), session);
  }

  /** Learns from a zip that a client asks for, and says which zips nearly all clients asked for after it. */
  #following(id: ModuleVersion, session: AheadSession): readonly ModuleVersion[] {
    const step = stepOf("zip", id.path);
    const following = this.#habits.after(step).flatMap((last) => this.#selected(last, session));
    const before = session.trail.zip(id.path, session.lastMs);
    if (before === undefined) return [];
    for (const each of before) this.#habits.followed(stepOf("zip", each), id);
    this.#habits.taken(step);
    return following;
  }

  /** The version that this client will ask for, when its go.mod files tell: habits send no name that they do not. */
  #selected(last: ModuleVersion, session: AheadSession): readonly ModuleVersion[] {
    const selected = session.selected(last.path);
    // One older than others took may be half a graph's word: the rest may have been answered without us.
    const isOld = selected === undefined || compareVersions(selected.version, last.version) < 0;
    return isOld || session.wantsZip(selected) ? [] : [selected];
  }

  /** Those that lay here in vain again and again are left alone, until the client asks for one of them. */
  #wantZips(ids: readonly ModuleVersion[], session: AheadSession): void {
    const wanted = ids.filter((id) => {
      const isSpared = this.#laidBy.isInVain(id.path) && session.spare(id);
      if (isSpared) this.#use.meter.ahead("zip", "spared");
      return !isSpared;
    });
    this.#want("zip", wanted, { session, follow: false });
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
    const isFull = (): boolean => this.#laidBy.isFull(limits.bytes);
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
    const isExpected = (now: number): boolean => now - session.lastMs <= sessionMs;
    this.#laidBy.add({ id, bytes: manifest.zip.size, sinceMs: this.#use.clock.now(), isExpected });
  }

  #forgetUnclaimed(): void {
    this.#laidBy.forget(this.#use.clock.now(), { seesAll: this.#use.seesAll() });
  }
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
