// One seed: a Granary lives, is asked, crashes and lives again, while everything around it goes wrong; then all is healed
// and it must have lost nothing. The same seed is the same story, to the last line of its trace.
import { versionKey } from "#services/store/layout.ts";
import { catalogue, modulePaths } from "./catalogue.ts";
import type { Entry } from "./catalogue.ts";
import { Chance } from "./chance.ts";
import { ask, describe } from "./clients.ts";
import type { Outcome, Wish } from "./clients.ts";
import type { Defect } from "./defects.ts";
import { Disk } from "./disk.ts";
import { startGranary } from "./granary.ts";
import type { Granary } from "./granary.ts";
import { Wall } from "./life-line.ts";
import { Mirrors, troubles } from "./mirrors.ts";
import type { Mirror } from "./mirrors.ts";
import { Model, Violation } from "./model.ts";
import { Trace } from "./trace.ts";
import { VirtualTime } from "./virtual-time.ts";

export type Options = {
  readonly defect?: Defect | undefined;
  /** Operations before all is healed. */
  readonly operations?: number;
  readonly keepsTrace?: boolean;
};

export type Report = {
  readonly seed: number;
  /** Of the whole trace: the same for the same seed. */
  readonly digest: string;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
  /** The trace's last lines, or all of them. */
  readonly lines: readonly string[];
  readonly failure?: string;
};

const defaultOperations = 50;

/** How often each operation is chosen. */
const weights = {
  ...{ get: 46, herd: 3, list: 8, latest: 3, lookup: 5, head: 1 },
  ...{ publish: 6, evict: 4, corrupt: 4, skew: 2, ail: 2 },
  ...{ cut: 7, blackout: 1, heal: 6, crash: 4, restart: 1 },
} as const;

/** No request takes longer, whatever happens: two jobs of their longest life, one after the other. */
const longestRequestMs = 2 * 17 * 60_000;
const yearMs = 365 * 24 * 3_600_000;

/** Runs one seed to its end, or to what must never be. */
export async function simulate(seed: number, options: Options = {}): Promise<Report> {
  const time = new VirtualTime();
  const trace = new Trace(() => time.nowMs, { keepsAll: options.keepsTrace === true });
  const story = new Story(new Chance(seed), { time, trace, options });
  const told: { failure?: string; isOver: boolean } = { isOver: false };
  const fail = (error: unknown): void => {
    told.failure ??= error instanceof Violation ? error.message : describeError(error);
    told.isOver = true;
  };
  const unhandled = (error: unknown): void => fail(error);
  process.on("unhandledRejection", unhandled);
  // Faults are thrown by the thousand, and nobody looks where; a replay with its trace says it.
  const { stackTraceLimit } = Error;
  if (options.keepsTrace !== true) Error.stackTraceLimit = 0;
  try {
    story.live(fail).then(() => (told.isOver = true), fail);
    await time.run(() => told.isOver);
  } catch (error) {
    fail(error);
  } finally {
    process.off("unhandledRejection", unhandled);
    Error.stackTraceLimit = stackTraceLimit;
  }
  if (told.failure !== undefined) trace.tell(`FAILURE ${told.failure}`);
  const { failure } = told;
  return {
    ...{ seed, digest: trace.digest(), virtualMs: time.nowMs, counts: story.counts, lines: trace.lines() },
    ...(failure !== undefined && { failure }),
  };
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

class Story {
  readonly counts: Record<string, number> = {};
  readonly #chance: Chance;
  readonly #time: VirtualTime;
  readonly #tell: (what: string) => void;
  readonly #options: Options;
  readonly #wall: Wall;
  readonly #disk: Disk;
  readonly #mirrors: Mirrors;
  readonly #model: Model;
  readonly #underWay = new Set<Promise<void>>();
  #granary: Granary | undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(chance: Chance, use: { readonly time: VirtualTime; readonly trace: Trace; readonly options: Options }) {
    this.#chance = chance;
    this.#time = use.time;
    this.#options = use.options;
    this.#tell = (what) => {
      use.trace.tell(what);
      if (what.startsWith('event {"name":"sumdb.fork"'))
        this.#fail(new Violation("an honest database is called forked"));
    };
    this.#wall = new Wall(use.time);
    this.#disk = new Disk(() => this.#wall.now());
    this.#mirrors = new Mirrors(use.time, chance.fork());
    this.#model = new Model({ disk: this.#disk, mirrors: this.#mirrors, nowMs: () => use.time.nowMs });
  }

  async live(fail: (error: unknown) => void): Promise<void> {
    this.#fail = fail;
    await this.#mirrors.begin();
    this.#start();
    const { operations = defaultOperations } = this.#options;
    for (let n = 0; n < operations; n++) {
      await this.#time.sleep(
        this.#chance.is(0.04) ? this.#chance.between(10_000, 150_000) : this.#chance.skewed(0.5, 4_000),
      );
      await this.#do(this.#chance.weighted(weights));
      this.#checkStages();
    }
    await this.#keepsWhatItGave();
    await this.#getsEverything();
    await this.#stop();
    this.#counted("acknowledged", this.#model.acknowledged);
  }

  async #do(operation: keyof typeof weights): Promise<void> {
    this.#counted(operation);
    switch (operation) {
      case "get":
        this.#client({
          kind: this.#chance.pick(["info", "mod", "zip", "zip"]),
          entry: this.#someEntry(),
          keptOnly: this.#chance.is(0.08),
        });
        return;
      case "herd": {
        const entry = this.#someEntry();
        for (let n = 0; n < 5; n++)
          this.#client({ kind: this.#chance.pick(["info", "mod", "zip", "zip"]), entry, keptOnly: false });
        return;
      }
      case "list":
      case "latest":
        this.#client({ kind: operation, path: this.#chance.pick(modulePaths), keptOnly: this.#chance.is(0.1) });
        return;
      case "lookup":
        this.#client({ kind: operation, entry: this.#someEntry(), keptOnly: this.#chance.is(0.1) });
        return;
      case "head":
        this.#client({ kind: operation, keptOnly: this.#chance.is(0.3) });
        return;
      case "publish":
        this.#tell(`publish ${(await this.#mirrors.publishNext())?.name ?? "nothing more"}`);
        return;
      case "evict":
        this.#evict();
        return;
      case "corrupt":
        this.#corrupt({ isSilent: false });
        return;
      case "skew":
        this.#wall.skewMs += this.#chance.is(0.5)
          ? this.#chance.between(-yearMs, yearMs)
          : this.#chance.between(-5_000, 5_000);
        this.#tell(`skew: the wall clock is ${Math.round(this.#wall.skewMs / 1000)} s off`);
        return;
      case "ail":
        this.#ail();
        return;
      case "cut":
        this.#cut(this.#chance.pick([...this.#mirrors.all, this.#mirrors.databaseTrouble]));
        return;
      case "blackout":
        this.#blackout();
        return;
      case "heal":
        this.#heal();
        return;
      case "crash":
        await this.#crashSoon();
        return;
      case "restart":
        await this.#stop();
        this.#start();
    }
  }

  #counted(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  /** Mostly what was published, and often what was asked for before. */
  #someEntry(): Entry {
    if (this.#chance.is(0.1)) return this.#chance.pick(catalogue);
    const { published } = this.#mirrors;
    return published[Math.floor(this.#chance.skewed(0, published.length))] ?? this.#chance.pick(published);
  }

  #start(): void {
    this.#tell("the server starts");
    this.#granary = startGranary({
      ...{ time: this.#time, wall: this.#wall, disk: this.#disk, mirrors: this.#mirrors, chance: this.#chance },
      ...{ tell: this.#tell, defect: this.#options.defect },
    });
  }

  get #server(): Granary {
    if (this.#granary === undefined) throw new Error("no server runs");
    return this.#granary;
  }

  /** A client asks, without anybody waiting for it here. */
  #client(wish: Wish): void {
    const client = this.#ask(wish, this.#chance.is(0.12) ? this.#chance.skewed(1, 8_000) : undefined).then(
      () => undefined,
      (error: unknown) => this.#fail(error),
    );
    this.#underWay.add(client);
    void client.then(() => this.#underWay.delete(client));
  }

  /** @param leavesMs when the client loses its patience */
  async #ask(wish: Wish, leavesMs?: number): Promise<Outcome> {
    const { life } = this.#server;
    const ended = this.#model.begins(wish);
    this.#tell(`client asks for ${describe(wish)}`);
    const leaving = new AbortController();
    const late = this.#time.after(longestRequestMs, () =>
      this.#fail(new Violation(`${describe(wish)} has had no answer for ${longestRequestMs / 60_000} minutes`)),
    );
    if (leavesMs !== undefined) life.after(leavesMs, () => leaving.abort(new Error("the client leaves")));
    const reset = life.crashed.then((): Outcome => ({ kind: "reset" }));
    const outcome = await Promise.race([ask(this.#server, wish, leaving.signal), reset]);
    late();
    this.#counted(outcome.kind);
    const what =
      outcome.kind === "failure"
        ? outcome.code
        : outcome.kind === "answer"
          ? `${outcome.bytes.length} bytes, ${outcome.here}`
          : "";
    this.#tell(`client of ${describe(wish)}: ${outcome.kind} ${what}`);
    await ended(outcome);
    return outcome;
  }

  /** Room is made for others, without anybody waiting for it here. */
  #evict(): void {
    const kept = catalogue.filter(({ id }) => this.#disk.find(versionKey(id, "mod.manifest")) !== undefined);
    if (kept.length === 0) return;
    const entry = this.#chance.pick(kept);
    const by = this.#chance.pick(["server", "command"] as const);
    const { life, evict } = this.#server;
    const ended = this.#model.evicts(entry);
    this.#tell(`evict ${entry.name}, by the ${by}`);
    const said = evict(entry.id, by).then(
      (bytes) => `${bytes} bytes`,
      (error: unknown) => String(error),
    );
    const eviction = Promise.race([said, life.crashed]).then((end) => {
      ended();
      this.#tell(`evicted ${entry.name}: ${end ?? "not to its end"}`);
    });
    this.#underWay.add(eviction);
    void eviction.then(() => this.#underWay.delete(eviction));
  }

  #corrupt({ isSilent }: { readonly isSilent: boolean }): void {
    const keys = this.#disk.keys();
    if (keys.length === 0) return;
    const key = this.#chance.pick(keys);
    if (!this.#disk.rot(key, this.#chance, { isSilent })) return;
    this.#model.harmed(key);
    this.#tell(`corrupt ${key}${isSilent ? " in silence" : ""}`);
  }

  #ail(): void {
    const kind = this.#chance.pick(["eio", "full"] as const);
    const untilMs = this.#time.nowMs + this.#chance.skewed(100, 60_000);
    this.#disk.sickness = { kind, share: this.#chance.pick([0.05, 0.3, 1]), untilMs };
    this.#model.sick(untilMs);
    this.#tell(`ail ${kind} for ${Math.round(untilMs - this.#time.nowMs)} ms`);
  }

  #cut(of: Mirror | Mirrors["databaseTrouble"]): void {
    const trouble = this.#chance.weighted(troubles);
    // One that knows and denies all tells a lie that nobody could find.
    const fits = trouble === "forgetful" && of === this.#mirrors.official ? "refused" : trouble;
    of.cut(fits);
    this.#tell(`cut ${of.name}: ${fits}`);
  }

  #blackout(): void {
    for (const each of [...this.#mirrors.all, this.#mirrors.databaseTrouble]) each.cut("refused");
    this.#tell("blackout");
  }

  #heal(): void {
    const cut = [...this.#mirrors.all, this.#mirrors.databaseTrouble].filter(({ trouble }) => trouble !== undefined);
    for (const each of this.#chance.is(0.5) ? cut : cut.slice(0, 1)) {
      each.heal();
      this.#tell(`heal ${each.name}`);
    }
  }

  /** At some moment, or in the middle of what a few clients have set off. */
  async #crashSoon(): Promise<void> {
    if (this.#chance.is(0.6)) {
      for (let n = 0; n < 3; n++) this.#client({ kind: "zip", entry: this.#someEntry(), keptOnly: false });
      await this.#after(1 + this.#chance.below(20), this.#chance.between(1_000, 6_000));
    }
    await this.#crash(this.#chance.is(0.4) ? "kill" : "power");
  }

  /** The process dies right after so many changes of the disk, or after so long at the latest. */
  async #after(changes: number, ms: number): Promise<void> {
    const { life } = this.#server;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let left = changes;
    this.#disk.changed = () => {
      left--;
      if (left > 0) return;
      life.end();
      resolve(undefined);
    };
    const callOff = this.#time.after(ms, () => resolve(undefined));
    await promise;
    callOff();
    this.#disk.changed = () => undefined;
  }

  /** A stage belongs to a job: when none runs there is none. */
  #checkStages(): void {
    const { storage, jobs } = this.#server;
    if (jobs() === 0 && storage.openStages > 0)
      throw new Violation(`${storage.openStages} stages, and nobody uses them`);
  }

  async #crash(how: "kill" | "power"): Promise<void> {
    this.#server.life.end();
    this.#granary = undefined;
    if (how === "kill") this.#disk.loseProcess();
    const lost = how === "kill" ? [] : this.#disk.losePower(this.#chance);
    this.#tell(`crash: ${how === "kill" ? "kill -9" : `the power goes, and with it ${lost.join(" ") || "nothing"}`}`);
    this.#counted("given before durable", this.#options.defect === "acknowledged-early" ? 0 : this.#model.lost(lost));
    this.#model.checkDisk();
    // Whoever waited for an answer hears that there will be none.
    await Promise.all(this.#underWay);
    await this.#time.sleep(this.#chance.skewed(1, 5_000));
    if (this.#chance.is(0.2)) this.#corrupt({ isSilent: true });
    this.#start();
  }

  /** In order, when everybody has been answered; nothing may be left open. */
  async #stop(): Promise<void> {
    await Promise.all(this.#underWay);
    const { storage, life, jobs, stop } = this.#server;
    this.#tell("the server stops");
    await stop();
    await this.#time.sleep(60_000);
    const left = { stages: storage.openStages, handles: storage.openHandles, jobs: jobs() };
    if (left.stages + left.handles + left.jobs !== 0)
      throw new Violation(`it stopped and left ${JSON.stringify(left)}`);
    life.end();
    this.#granary = undefined;
  }

  /** Nobody can be asked any more, the server has just crashed, the disk is well: all that was given out is there. */
  async #keepsWhatItGave(): Promise<void> {
    this.#disk.sickness = undefined;
    await this.#time.sleep(60_000);
    this.#blackout();
    await this.#crash("power");
    for (const entry of catalogue)
      for (const kind of ["info", "mod", "zip", "lookup"] as const)
        if (this.#model.isAcknowledged(kind, entry)) await this.#ask({ kind, entry, keptOnly: false });
    for (const path of modulePaths) await this.#ask({ kind: "list", path, keptOnly: false });
  }

  /** All is well again: all that was ever published can be had. */
  async #getsEverything(): Promise<void> {
    this.#mirrors.healAll();
    this.#tell("heal all");
    await this.#time.sleep(180_000);
    // What was harmed, and some of the others: all of them would take as long as the story itself.
    const wanted = this.#mirrors.published.filter((entry) => this.#model.wasHarmed(entry) || this.#chance.is(0.25));
    const asked = wanted.map(async (entry) => {
      for (const kind of ["mod", "info", "zip"] as const)
        if (!this.#model.isDoomed(kind, entry)) await this.#mustGet({ kind, entry, keptOnly: false });
    });
    await Promise.all(asked);
  }

  async #mustGet(wish: Wish): Promise<void> {
    for (let tries = 0; ; tries++) {
      const outcome = await this.#ask(wish);
      if (outcome.kind === "answer") return;
      if (tries === 2) throw new Violation(`all is healed, and ${describe(wish)} ends with ${JSON.stringify(outcome)}`);
      await this.#time.sleep(40_000);
    }
  }
}
