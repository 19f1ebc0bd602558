// Fetch, verify, keep: one job per version and stage, however many clients ask.
//
// A version arrives in two stages of one snapshot. Stage `mod` is `.info` and go.mod from one upstream, answered as
// soon as the go.mod hash is proven. Stage `zip` follows when the zip is asked for: its structure, its hash and its
// go.mod must agree with what stage `mod` kept. Nothing is kept, and nothing is answered, before it is proven.

import { createHash } from "node:crypto";
import { hashGoMod } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { legacyGoMod, maxGoModBytes, parseGoMod } from "#protocol/gomod.ts";
import { formatInfo, maxInfoBytes, parseInfo } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { formatTarget } from "#protocol/request.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import type { SharedFlight } from "#services/cluster/shared-flight.ts";
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import type { OwedProofs } from "#services/integrity/owed.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { versionKey } from "#services/store/layout.ts";
import type { KeptMod, KeptZip, ModuleStore, ProvenZip } from "#services/store/module-store.ts";
import type { Clock, Stage, Storage } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import type { Quarantine, Refused } from "#services/store/quarantine.ts";
import type { Room } from "#services/store/room.ts";
import type { Accepting } from "#services/upstreams/attempt.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import type { Upstream } from "#services/upstreams/chain.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import { Urgency } from "#services/upstreams/urgency.ts";
import { LRUCache } from "lru-cache";
import type { VerifiedBy } from "#services/store/manifest.ts";
import type { Provenance } from "./answer.ts";
import { upstreamCacheState } from "./answer.ts";
import { readBody, unusableUnless } from "./body.ts";
import { Deadline } from "./deadline.ts";
import { ZipDownload } from "./download.ts";
import type { Aging } from "./aging.ts";
import type { Gate } from "./gate.ts";
import type { Ask, Origin } from "./origin.ts";
import type { ValidationFacts, Validator, VerifiedZip, Verifier } from "./ports.ts";
import { ValidatorFault, VerifierFault } from "./ports.ts";
import { evidenceOf } from "./evidence.ts";
import { inSteps, Wait } from "./ingest.ts";
import type { Steps } from "./ingest.ts";
import { mayBeMadeUp } from "./rewritten.ts";
import { SingleFlight } from "./single-flight.ts";
import { HashMismatch, recordsOf, verifiedBy } from "./sums.ts";
import type { Expectation, Sums } from "./sums.ts";

/** Longest life of one job; a waiter gives up when its client does. Far above a 500 MiB zip at 1 MB/s. */
export const jobDeadlineMs = 15 * 60_000;

/** Versions kept without a database's proof that it has confirmed since; each costs some 200 bytes. */
const maxVouched = 10_000;

/** The word of a validation command counts for so long; then the command is asked anew. */
const refusedMs = 60_000;
const maxRefused = 10_000;

export type ModuleJobsUse = {
  readonly store: ModuleStore;
  readonly storage: Storage;
  readonly quarantine: Quarantine;
  /** Whether anything new may come in; without it everything may. */
  readonly room?: Pick<Room, "enter" | "admit" | "failed"> | undefined;
  readonly origin: Pick<Origin, "find" | "wouldAsk">;
  /** The path that a module is found under instead, by a rule: what is kept there is made ready first. */
  readonly rewrite?: ((path: string) => ModulePath | undefined) | undefined;
  readonly sums: Sums;
  /** What a list vouched for; without it none does. */
  readonly owed?: Pick<OwedProofs, "add" | "isProven" | "prove" | "refute"> | undefined;
  readonly verifier: Verifier;
  /** May refuse what is proven; a version is then validated whole before anything of it is kept. */
  readonly validator?: (() => Validator | undefined) | undefined;
  /** Told what an origin says of how long a version's files stay fresh. */
  readonly aging?: Pick<Aging, "arrived"> | undefined;
  /** One job over all nodes; without it each node has its own. */
  readonly turns?: Pick<SharedFlight, "do"> | undefined;
  /** Tells the nodes that a client waits for what one of them does in this turn. */
  readonly hurry?: ((name: string) => void) | undefined;
  readonly gate: Gate;
  /** For jobs that nobody waits for, so that they never take a client's place. */
  readonly aheadGate: Gate;
  readonly clock: Clock;
  /** For dates that are written down; `clock` without it. */
  readonly wall?: Pick<Clock, "now">;
  readonly events: EventSink;
  readonly meter: Meter;
  /** Aborts when the server stops for good. */
  readonly stop: AbortSignal;
};

/** Who asks, as far as a job needs to know: it outlives the client, and says whom it came through. */
export type Asking = {
  readonly hops: string;
  readonly signal: AbortSignal;
  /** Nobody waits for it yet: it gives way to what clients ask for. */
  readonly ahead?: boolean;
  /** The version is known to exist, so that nothing is lost by asking for all its files at once. */
  readonly exists?: boolean;
  /** A remembered absence will not do. */
  readonly anew?: boolean;
};

/** What a job hands on to its steps. */
type Job = { readonly hops: string; readonly urgency: Urgency; readonly exists: boolean; readonly anew: boolean };

/** A proven zip on its way into the store, and how it came. */
type ArrivedZip = {
  readonly stage: Stage;
  readonly verified: VerifiedZip;
  readonly expectation: Expectation;
  readonly upstream: string;
  readonly url: string;
  readonly state: Exclude<Provenance["upstream"], "-">;
  readonly startedMs: number;
};

/** What was kept, and how it came. */
export type Obtained<T> = { readonly kept: T; readonly provenance: Provenance };

export class ModuleJobs {
  readonly #use: ModuleJobsUse;
  readonly #mods = new SingleFlight<Obtained<KeptMod>>();
  readonly #zips = new SingleFlight<Obtained<KeptZip>>();
  /** What runs for nobody yet, by stage and version. */
  readonly #idle = new Map<string, Urgency>();
  /** By `path@version`. */
  readonly #refused = new LRUCache<string, { readonly error: GranaryError; readonly untilMs: number }>({
    max: maxRefused,
  });
  readonly #vouched = new LRUCache<string, true>({ max: maxVouched });

  readonly #deadline: Deadline;

  constructor(use: ModuleJobsUse) {
    this.#use = use;
    this.#deadline = new Deadline({ stop: use.stop, clock: use.clock, ms: jobDeadlineMs });
  }

  /** Jobs that run now. */
  get running(): number {
    return this.#mods.size + this.#zips.size;
  }

  /** Fetches, verifies and keeps `.info` and go.mod. Throws GranaryError. */
  fetchMod(id: ModuleVersion, asking: Asking): Promise<Obtained<KeptMod>> {
    return this.#fetchMod(id, this.#jobOf("mod", id, asking), asking.signal);
  }

  #fetchMod(id: ModuleVersion, job: Job, signal: AbortSignal): Promise<Obtained<KeptMod>> {
    return this.#mods.do(formatModuleVersion(id), signal, () =>
      this.#begun("mod", id, job, async () => {
        this.#checkRefused(id);
        await this.#targetOf("mod", id, job);
        return await this.#inTurn(`mod ${formatModuleVersion(id)}`, job.urgency, {
          look: () => this.#use.store.findMod(id),
          run: () => this.#gateOf(job).pass(() => this.#modJob(id, job)),
        });
      }),
    );
  }

  /** Fetches, verifies and keeps the zip (and stage `mod` before it). Throws GranaryError. */
  fetchZip(id: ModuleVersion, asking: Asking): Promise<Obtained<KeptZip>> {
    const job = this.#jobOf("zip", id, { ...asking, exists: true });
    return this.#zips.do(formatModuleVersion(id), asking.signal, () =>
      this.#begun("zip", id, job, async () => {
        this.#checkRefused(id);
        const mod = await this.#modOf(id, job);
        const finished = await this.finish(id);
        if (finished !== undefined) return { kept: finished, provenance: { upstream: "-", here: "HIT" } };
        await this.#targetOf("zip", id, job);
        return await this.#inTurn(`zip ${formatModuleVersion(id)}`, job.urgency, {
          look: () => this.#use.store.findZip(id),
          run: () => this.#gateOf(job).pass(() => this.#zipJob(id, mod, job)),
        });
      }),
    );
  }

  /**
   * Runs a job when no other node does, or answers with what another one kept. Before the gate, so that who waits for
   * others stands in nobody's way; after the jobs that this one needs, so that nobody who has a turn waits for another.
   */
  async #inTurn<T>(
    name: string,
    urgency: Urgency,
    job: { readonly look: () => Promise<T | undefined>; readonly run: () => Promise<Obtained<T>> },
  ): Promise<Obtained<T>> {
    if (this.#use.turns === undefined) return await job.run();
    const look = async (): Promise<Obtained<T> | undefined> => {
      const { kept } = await soundly(job.look);
      return kept && { kept, provenance: { upstream: "-", here: "HIT" } };
    };
    // A turn for nobody is waited for in peace, until a client joins.
    const hurry = (): void => this.#use.hurry?.(name);
    let unhear = (): void => undefined;
    const waits = (): void => {
      unhear();
      if (urgency.isUrgent) hurry();
      else unhear = urgency.onLift(hurry);
    };
    const done = this.#use.turns.do(name, { signal: this.#deadline.next(), look, run: job.run, waits });
    return await done.finally(() => unhear());
  }

  /** A client of another node waits for the job in this turn: from now on it is done for somebody. */
  hurried(name: string): void {
    this.#idle.get(name)?.lift();
  }

  /** Makes what a rewritten module is found as ready, before the gate: a job inside of one may find it full of its like. */
  async #targetOf(stage: "mod" | "zip", { path, version }: ModuleVersion, job: Job): Promise<void> {
    const target = this.#use.rewrite?.(path);
    if (target === undefined) return;
    const id = { path: target, version };
    const mod = await this.#modOf(id, job);
    await this.vouch(mod, this.#deadline.next());
    if (stage === "mod" && !mayBeMadeUp(mod)) return;
    const { kept } = await soundly(() => this.#use.store.findZip(id));
    const asking = { hops: job.hops, signal: this.#deadline.next(), ahead: !job.urgency.isUrgent };
    await this.vouch(kept ?? (await this.fetchZip(id, asking)).kept, asking.signal);
  }

  /** A job for whoever asks now. A client that joins one begun for nobody makes that one urgent. */
  #jobOf(stage: "mod" | "zip", id: ModuleVersion, { hops, ahead = false, exists = ahead, anew = false }: Asking): Job {
    if (!ahead) this.#idle.get(`${stage} ${formatModuleVersion(id)}`)?.lift();
    return { hops, exists, anew, urgency: new Urgency(!ahead) };
  }

  /** Runs a job; while it runs for nobody, others find it. */
  async #begun<T>(stage: "mod" | "zip", id: ModuleVersion, job: Job, run: () => Promise<T>): Promise<T> {
    const key = `${stage} ${formatModuleVersion(id)}`;
    if (!job.urgency.isUrgent) this.#idle.set(key, job.urgency);
    try {
      return await run();
    } catch (error) {
      this.#use.room?.failed(error);
      throw error;
    } finally {
      if (this.#idle.get(key) === job.urgency) this.#idle.delete(key);
    }
  }

  #gateOf({ urgency }: Job): Gate {
    return urgency.isUrgent ? this.#use.gate : this.#use.aheadGate;
  }

  /**
   * Lets kept bytes pass that a database has proven, or that need no database. Others were kept while the database was
   * off, out of reach, or the module private: they must be what it recorded. Those that came on a list's word pass on it
   * while no database says anything. Who vouches now; throws SumdbError, StoreDamaged, or the signal's reason.
   */
  async vouch(kept: KeptMod | KeptZip, signal: AbortSignal): Promise<VerifiedBy> {
    const { id, manifest } = kept;
    if (this.#use.sums.suffices(id.path, manifest.verifiedBy)) return manifest.verifiedBy;
    const what = manifest.stage;
    const isOwed = manifest.verifiedBy === "integrity";
    const found = manifest.stage === "mod" ? manifest.mod.h1 : manifest.zip.h1;
    const key = `${formatModuleVersion(id)} ${what} ${found}`;
    if (this.#vouched.get(key) === true) return "sumdb";
    if (isOwed && (await this.#use.owed?.isProven(id, what)) === true) {
      this.#vouched.set(key, true);
      return "sumdb";
    }
    try {
      const expectation = await this.#use.sums.expect(id, signal);
      // A list that was lost, or names no longer what it named, takes nothing back: only a database decides.
      const isListed = expectation.by === "integrity" && expectation.sums[what] !== undefined;
      if (expectation.by !== "integrity" || isListed || !isOwed)
        await this.#use.sums.check(id, expectation, { what, found });
      if (expectation.by === "integrity") return "integrity";
      if (isOwed) {
        await this.#use.owed?.prove(id, what);
        this.#use.events.emit({ name: "integrity.proven", module: id.path, version: id.version, stage: what });
      }
    } catch (error) {
      if (!(error instanceof HashMismatch)) throw error;
      if (isOwed && error.source.kind === "sumdb") await this.#refute(kept, error);
      throw new StoreDamaged(versionKey(id, what), { expected: error.expected, found });
    }
    this.#vouched.set(key, true);
    return "sumdb";
  }

  /** A list was wrong, or lied: what was kept on its word goes to quarantine as well, and is told once. */
  async #refute(kept: KeptMod | KeptZip, { expected, found }: HashMismatch): Promise<void> {
    const { id, manifest } = kept;
    if ((await this.#use.owed?.refute(id, manifest.stage)) !== true) return;
    const upstream = manifest.origin.upstream;
    const bytes = await evidenceOf(kept, this.#use.storage).catch(() => undefined);
    const code = "GRANARY_SUMDB_MISMATCH";
    this.#use.events.emit({ name: "module.denied", ...named(id), upstream, code, expected, found });
    if (bytes !== undefined) await this.#quarantine({ upstream, id, kind: manifest.stage, bytes, expected, found });
    if (bytes !== undefined && "discard" in bytes) await bytes.discard();
  }

  /** The denial stands whether or not the evidence can be kept. */
  async #quarantine(refused: Refused): Promise<void> {
    const { id: module, upstream, kind, found } = refused;
    const id = await this.#use.quarantine.put(refused).catch(() => undefined);
    if (id === undefined) return;
    this.#use.events.emit({ name: "module.quarantined", ...named(module), upstream, kind, id, found });
  }

  #ask(kind: "info" | "zip", id: ModuleVersion, { hops, urgency, anew }: Job): Ask {
    const target = { cachedOnly: false, path: id.path, version: id.version };
    const path = formatTarget(kind === "info" ? { kind, ...target, query: id.version } : { kind, ...target });
    const maxBytes = kind === "info" ? maxInfoBytes : maxZipBytes;
    return { kind, module: id.path, what: formatModuleVersion(id), path, maxBytes, hops, urgency, anew };
  }

  /** Completes what was published here when its process died between the two manifests. Undefined when there is nothing to complete. */
  async finish(id: ModuleVersion): Promise<KeptZip | undefined> {
    const { store, sums } = this.#use;
    const stage = await store.unfinishedZip(id);
    if (stage === undefined) return undefined;
    try {
      const mod = await store.findMod(id);
      const verified = await this.#check(stage, id, this.#deadline.next());
      if (mod === undefined || !verified.report.valid || !sameBytes(goModIn(id, verified), mod.mod)) return undefined;
      if (!(await sums.agrees(id, { by: "pin" }, { what: "zip", found: verified.h1 }))) return undefined;
      const { verifiedBy, records, origin, firstSeen } = mod.manifest;
      const facts = { verifiedBy, records, origin, firstSeen };
      return (await store.keepZip({ id, stage, zip: { ...verified, ...verified.report }, facts })).kept;
    } finally {
      await stage.discard();
    }
  }

  async #modOf(id: ModuleVersion, job: Job): Promise<KeptMod> {
    const { kept } = await soundly(() => this.#use.store.findMod(id));
    if (kept !== undefined) return kept;
    const before = this.#idle.get(`mod ${formatModuleVersion(id)}`);
    if (job.urgency.isUrgent) before?.lift();
    else if (before !== undefined) job.urgency.onLift(() => before.lift());
    return (await this.#fetchMod(id, job, this.#deadline.next())).kept;
  }

  #modJob(id: ModuleVersion, job: Job): Promise<Obtained<KeptMod>> {
    return inSteps(this.#use, async (step) => {
      const { store, clock, events, room } = this.#use;
      const { kept: already, damage } = await step("resolve", { run: () => soundly(() => store.findMod(id)) });
      if (already !== undefined) return { kept: already, provenance: { upstream: "-", here: "HIT" } };
      // What is damaged is mended in any case: that takes no more room than there was.
      if (damage === undefined) await step("admit", { run: () => room?.enter() });
      const started = clock.now();
      const goMod = formatTarget({ kind: "mod", cachedOnly: false, path: id.path, version: id.version });
      const companion = { path: goMod, maxBytes: maxGoModBytes, eager: job.exists };
      // Mirrors may tell one version's time differently: what was given out before is the one that counts.
      const lost = await store.lostInfo(id);
      const signal = this.#deadline.next();
      const early = job.exists && this.#use.origin.wouldAsk(id) ? this.#expect(id, { step, signal }) : undefined;
      const wait = new Wait(this.#use);
      const found = await this.#use.origin
        .find({ ...this.#ask("info", id, job), companion }, signal, (response, upstream, more) =>
          this.#acceptMod(id, { response, upstream, more, early, wait, lost }),
        )
        .catch(neverAbsent(damage));
      const { info, mod, expectation, headers } = found.value;
      const keep = async (): Promise<Obtained<KeptMod>> => {
        const facts = {
          verifiedBy: verifiedBy(expectation),
          records: recordsOf(expectation),
          origin: { upstream: found.upstream.name, url: found.value.url },
          firstSeen: this.#today(),
        };
        if (facts.verifiedBy === "integrity") await this.#use.owed?.add(id, "mod");
        const { kept, conflict } = await step("keep", {
          run: () =>
            store.keepMod({ id, info, mod, facts, provesMod: (found) => this.#provesMod(id, expectation, found) }),
        });
        const upstream = found.upstream.name;
        if (!conflict) this.#use.aging?.arrived(id, upstream, headers);
        await step("notify", {
          run: () => {
            if (conflict) events.emit({ name: "module.conflict", ...named(id), upstream });
            const size = { bytes: info.length + mod.length, ms: clock.now() - started };
            const { verifiedBy } = facts;
            events.emit({ name: "module.ingested", ...named(id), stage: "mod", upstream, ...size, verifiedBy });
          },
        });
        return { kept, provenance: { upstream: found.value.state, here: "MISS" } };
      };
      const validator = damage === undefined ? this.#use.validator?.() : undefined;
      if (validator === undefined) return await keep();
      return await this.#withZip(id, { goMod: mod, job, step, existed: false }, async (zip) => {
        await this.#validate(id, mod, { validator, zip, step });
        const obtained = await keep();
        await this.#keepZip(id, obtained.kept.mod, { zip, step });
        return obtained;
      });
    });
  }

  /** `.info` and go.mod of one upstream, proven. Throws Unusable when this upstream's answer is not good. */
  #acceptMod(
    id: ModuleVersion,
    from: {
      response: UpstreamResponse;
      upstream: Upstream;
      more: Accepting;
      wait: Wait;
      /** Asked for before it was known that there is such a version; what failed by now is asked again. */
      early: Promise<Expectation> | undefined;
      /** SHA-256 of the `.info` that was kept before and is nowhere any more. */
      lost: string | undefined;
    },
  ) {
    const { response, upstream, more, early, wait, lost } = from;
    wait.over();
    const state = upstreamCacheState(response.headers);
    return inSteps(this.#use, async (step) => {
      const expect = (): Promise<Expectation> => this.#expect(id, { step, signal: more.signal });
      const expecting = early?.catch(expect) ?? expect();
      expecting.catch(() => undefined); // awaited below; a failed go.mod must not leave it unhandled
      const { info, mod } = await step("fetch", {
        run: async () => {
          const bytes = await readBody(response);
          const info = unusableUnless(() => formatInfo(parseInfo(bytes, id.version)));
          if (lost !== undefined && sha256(info) !== lost)
            throw new Unusable(otherInfo, "its .info is not the one that was kept before");
          return { info, mod: await more.companion };
        },
      });
      const expectation = await expecting;
      return await step("verify", {
        run: async () => {
          if (expectation.by !== "sumdb") unusableUnless(() => checkUnrecorded(mod));
          await this.#hold(id, { upstream, expectation, what: "mod", found: hashGoMod(mod), bytes: mod });
          return { info, mod, expectation, state, url: response.url, headers: response.headers };
        },
      });
    }).finally(() => wait.again());
  }

  /** Who must agree to the hashes; never an unhandled rejection, so that it may be asked before it is needed. */
  #expect(id: ModuleVersion, how: { readonly step: Steps; readonly signal: AbortSignal }): Promise<Expectation> {
    const expecting = how.step("prove", { run: () => this.#use.sums.expect(id, how.signal) });
    expecting.catch(() => undefined);
    return expecting;
  }

  #zipJob(id: ModuleVersion, mod: KeptMod, job: Job): Promise<Obtained<KeptZip>> {
    return inSteps(this.#use, async (step) => {
      const { store, room } = this.#use;
      const { kept: already, damage } = await step("resolve", { run: () => soundly(() => store.findZip(id)) });
      if (already !== undefined) return { kept: already, provenance: { upstream: "-", here: "HIT" } };
      if (damage === undefined) await step("admit", { run: () => room?.enter() });
      const validator = damage === undefined ? this.#use.validator?.() : undefined;
      const what = { goMod: mod.mod, job, step, existed: damage === undefined };
      const keep = async (zip: ArrivedZip): Promise<Obtained<KeptZip>> => {
        if (validator !== undefined) await this.#validate(id, mod.mod, { validator, zip, step });
        return {
          kept: await this.#keepZip(id, mod.mod, { zip, step }),
          provenance: { upstream: zip.state, here: "MISS" },
        };
      };
      return await this.#withZip(id, what, keep).catch(neverAbsent(damage));
    });
  }

  /** Fetches and proves a zip that belongs to `goMod`, and hands it to `keep`; what that does not keep is let go of. */
  async #withZip<T>(
    id: ModuleVersion,
    what: { readonly goMod: Uint8Array; readonly job: Job; readonly step: Steps; readonly existed: boolean },
    keep: (zip: ArrivedZip) => Promise<T>,
  ): Promise<T> {
    const { goMod, job, step, existed } = what;
    const { clock, events, room } = this.#use;
    const startedMs = clock.now();
    const download = new ZipDownload({ storage: this.#use.storage, clock, room, what: formatModuleVersion(id) });
    try {
      const bytes = await step("resolve", {
        run: () => download.resume(),
        // What came of a large zip stays for the next try, but not on a disk that has no room for it, nor when it is
        // not wanted.
        undo: async (error) => {
          const isUnwanted = isGranaryError(error, "GRANARY_VALIDATION_REFUSED");
          if (error instanceof StoreUnavailable || isUnwanted) await download.restart({ wholeOnly: false });
        },
      });
      if (bytes > 0) events.emit({ name: "module.resumed", ...named(id), bytes });
      const wait = new Wait(this.#use);
      const found = await this.#use.origin.find(
        { ...this.#ask("zip", id, job), download, existed },
        this.#deadline.next(),
        (response, upstream, { signal }) => this.#acceptZip(id, goMod, { response, upstream, signal, download, wait }),
      );
      return await keep({ ...found.value, upstream: found.upstream.name, startedMs });
    } finally {
      await download.end();
    }
  }

  /** Whether another's go.mod, uncommitted, could have come from an upstream now. */
  async #provesMod(id: ModuleVersion, expectation: Expectation, mod: Uint8Array): Promise<boolean> {
    if (expectation.by !== "sumdb" && !isGoMod(mod)) return false;
    return await this.#use.sums.agrees(id, expectation, { what: "mod", found: hashGoMod(mod) });
  }

  /** Another's zip, uncommitted, when it could have come from an upstream now; the operator's own check has seen its like. */
  async #proveZip(
    id: ModuleVersion,
    mod: Uint8Array,
    of: { stage: Stage; zip: ArrivedZip },
  ): Promise<ProvenZip | undefined> {
    const { verified: ours, expectation } = of.zip;
    const verified = await this.#check(of.stage, id, this.#deadline.next()).catch(unusableIsNothing);
    if (verified === undefined) return undefined;
    const { h1, report } = verified;
    if (!report.valid || !sameBytes(goModIn(id, verified), mod)) return undefined;
    if (h1 !== ours.h1 && (report.files === 0 || this.#use.validator?.() !== undefined)) return undefined;
    if (!(await this.#use.sums.agrees(id, expectation, { what: "zip", found: h1 }))) return undefined;
    return { zip: { ...verified, ...report }, mod };
  }

  async #keepZip(
    id: ModuleVersion,
    mod: Uint8Array,
    { zip, step }: { readonly zip: ArrivedZip; readonly step: Steps },
  ): Promise<KeptZip> {
    const { store, clock, events } = this.#use;
    const { stage, verified, expectation, upstream, url, startedMs } = zip;
    const facts = {
      verifiedBy: verifiedBy(expectation),
      records: recordsOf(expectation),
      origin: { upstream, url },
      firstSeen: this.#today(),
    };
    const proveZip = (theirs: Stage) => this.#proveZip(id, mod, { stage: theirs, zip });
    const arrival = { id, stage, zip: { ...verified, ...verified.report }, facts, proveZip };
    if (facts.verifiedBy === "integrity") await this.#use.owed?.add(id, "zip");
    const { kept, conflict } = await step("keep", { run: () => store.keepZip(arrival) });
    if (conflict) events.emit({ name: "module.conflict", ...named(id), upstream });
    if (conflict && kept.manifest.zip.h1 === verified.h1 && (await store.findZip(id)) === undefined) {
      const { sha256: served } = kept.manifest.zip;
      const what = formatModuleVersion(id);
      throw new GranaryError("GRANARY_REPACKED", { what, upstream, served, received: verified.sha256 });
    }
    await step("notify", {
      run: () => {
        const size = { bytes: verified.size, ms: clock.now() - startedMs };
        const { verifiedBy } = facts;
        events.emit({ name: "module.ingested", ...named(id), stage: "zip", upstream, ...size, verifiedBy });
      },
    });
    return kept;
  }

  /** Asks the operator's own check. Throws GRANARY_VALIDATION_REFUSED, and GRANARY_VALIDATION_FAILED for no verdict. */
  async #validate(
    id: ModuleVersion,
    goMod: Uint8Array,
    { validator, zip, step }: { readonly validator: Validator; readonly zip: ArrivedZip; readonly step: Steps },
  ): Promise<void> {
    const { stage, verified, expectation, upstream } = zip;
    const what = formatModuleVersion(id);
    const at = stage.locate();
    const facts = {
      ...named(id),
      h1: verified.h1,
      goModH1: hashGoMod(goMod),
      size: verified.size,
      upstream,
      verifiedBy: verifiedBy(expectation),
      ...("path" in at && { zip: at.path }),
    };
    const error = await step("verify", { run: () => refusalOf(validator, facts, this.#deadline.next()) });
    if (error === undefined) return;
    const { reason } = error.fields;
    this.#refused.set(what, { error, untilMs: this.#use.clock.now() + refusedMs });
    this.#use.events.emit({ name: "module.denied", ...named(id), upstream, code: error.code, reason });
    await this.#quarantine({
      upstream,
      id,
      kind: "zip",
      bytes: stage,
      expected: "validate.command",
      found: verified.h1,
    });
    throw error;
  }

  /** Throws the refusal of a version that was refused a moment ago: its three files are asked for one after the other. */
  #checkRefused(id: ModuleVersion): void {
    const refused = this.#refused.get(formatModuleVersion(id));
    if (refused !== undefined && this.#use.clock.now() < refused.untilMs) throw refused.error;
  }

  #acceptZip(
    id: ModuleVersion,
    mod: Uint8Array,
    from: { response: UpstreamResponse; upstream: Upstream; signal: AbortSignal; download: ZipDownload; wait: Wait },
  ) {
    const { response, upstream, signal, download, wait } = from;
    wait.over();
    const state = upstreamCacheState(response.headers);
    return inSteps(this.#use, async (step) => {
      const expecting = this.#expect(id, { step, signal });
      const stage = await step("fetch", {
        run: () => download.read(response, upstream),
        undo: () => download.restart({ wholeOnly: download.isSpliced }),
      });
      const { verified, expectation } = await step("verify", {
        run: async () => {
          const verified = await this.#check(stage, id, signal);
          const expectation = await expecting;
          if (download.isSpliced) await this.#checkSplice(id, { mod, verified, expectation });
          await this.#judgeZip(id, { mod, upstream, stage, verified, expectation }).catch((error: unknown) => {
            this.#tellDenied(id, upstream, error);
            throw error;
          });
          return { verified, expectation };
        },
      });
      return { stage, verified, expectation, state, url: response.url };
    }).finally(() => wait.again());
  }

  /** Parts of several answers that do not make the recorded zip accuse nobody: it is asked for again, from one mirror. */
  async #checkSplice(
    id: ModuleVersion,
    zip: { mod: Uint8Array; verified: VerifiedZip; expectation: Expectation },
  ): Promise<void> {
    const { mod, verified, expectation } = zip;
    const isWhole = verified.report.valid && sameBytes(goModIn(id, verified), mod);
    const isExpected = await this.#use.sums.agrees(id, expectation, { what: "zip", found: verified.h1 });
    if (!isWhole || !isExpected)
      throw new Unusable("SPLICED", "zip: its parts from several answers do not fit together", { isBlameless: true });
  }

  /** A zip on which the checking thread breaks or never ends says something about its upstream: another may do better. */
  async #check(stage: Stage, id: ModuleVersion, signal: AbortSignal): Promise<VerifiedZip> {
    try {
      return await checkZip(this.#use.verifier, { stage, id, signal });
    } catch (error) {
      if (!(error instanceof VerifierFault) || (error.reason !== "timeout" && error.reason !== "crashed")) throw error;
      throw new Unusable("UNCHECKED", `zip: ${error.message}`, { cause: error });
    }
  }

  async #judgeZip(
    id: ModuleVersion,
    zip: { mod: Uint8Array; upstream: Upstream; stage: Stage; verified: VerifiedZip; expectation: Expectation },
  ): Promise<void> {
    const { mod, upstream, stage, verified, expectation } = zip;
    const { report } = verified;
    // The go command takes a zip without files; without a record that vouches for it, it is nobody's module.
    if (report.files === 0 && expectation.by !== "sumdb") throw new Unusable("BAD_MODULE", "zip: no files");
    if (!report.valid) {
      const problem = report.problems[0];
      throw new Unusable(
        "BAD_MODULE",
        `zip: ${problem === undefined ? "invalid" : `${problem.name}: ${problem.reason}`}`,
      );
    }
    const inside = goModIn(id, verified);
    const claim = { upstream, expectation, what: "zip", found: verified.h1, bytes: stage } as const;
    // A record tells more than a go.mod that differs; a pin must not remember a zip that is refused right after.
    if (expectation.by === "sumdb") await this.#hold(id, claim);
    if (!sameBytes(inside, mod))
      throw new Unusable("SNAPSHOT_MISMATCH", "the go.mod inside the zip is not the go.mod served before");
    if (expectation.by !== "sumdb") await this.#hold(id, claim);
  }

  /** A zip that breaks rules, or does not belong to its go.mod; a wrong hash is told by #hold(). */
  #tellDenied(id: ModuleVersion, { name: upstream }: Upstream, error: unknown): void {
    if (!(error instanceof Unusable) || (error.code !== "BAD_MODULE" && error.code !== "SNAPSHOT_MISMATCH")) return;
    const code = `GRANARY_${error.code}`;
    this.#use.events.emit({ name: "module.denied", ...named(id), upstream, code, reason: error.message });
  }

  /** Holds a hash against the expectation; refused bytes go to quarantine and the next upstream is tried. */
  async #hold(
    id: ModuleVersion,
    claim: {
      upstream: Upstream;
      expectation: Expectation;
      what: "mod" | "zip";
      found: string;
      bytes: Uint8Array | Stage;
    },
  ): Promise<void> {
    const { upstream, expectation, what, found, bytes } = claim;
    try {
      await this.#use.sums.check(id, expectation, { what, found });
    } catch (error) {
      if (!(error instanceof HashMismatch)) throw error;
      const code = mismatchCodes[error.source.kind];
      const { expected } = error;
      this.#use.events.emit({ name: "module.denied", ...named(id), upstream: upstream.name, code, expected, found });
      await this.#quarantine({ upstream: upstream.name, id, kind: what, bytes, expected, found });
      throw new Unusable("MISMATCH", error.message, { cause: error });
    }
  }

  #today(): string {
    const { clock, wall = clock } = this.#use;
    return new Date(wall.now()).toISOString();
  }
}

/** Why an upstream's snapshot cannot restore what was kept. */
const otherInfo = "OTHER_INFO";

const mismatchCodes = {
  sumdb: "GRANARY_SUMDB_MISMATCH",
  pin: "GRANARY_PIN_MISMATCH",
  integrity: "GRANARY_INTEGRITY_MISMATCH",
} as const;

/** A version as events name it. */
function named({ path, version }: ModuleVersion): { readonly module: string; readonly version: string } {
  return { module: path, version };
}

/** The kept thing, or the damage that it must be fetched for. */
async function soundly<T>(
  find: () => Promise<T | undefined>,
): Promise<{ readonly kept?: T; readonly damage?: StoreDamaged }> {
  try {
    const kept = await find();
    return kept === undefined ? {} : { kept };
  } catch (error) {
    if (error instanceof StoreDamaged) return { damage: error };
    throw error;
  }
}

/**
 * A version with a manifest did exist, whatever upstreams have forgotten since: its absence is our damage. So is its
 * state when nobody may be asked, or when they give another `.info` than was given out.
 */
function neverAbsent(damage: StoreDamaged | undefined): (error: unknown) => never {
  return (error) => {
    const isNews = isGranaryError(error, "GRANARY_NOT_FOUND") || isGranaryError(error, "GRANARY_UPSTREAMS_DISABLED");
    const isOther = isGranaryError(error) && error.cause instanceof Unusable && error.cause.code === otherInfo;
    throw damage !== undefined && (isNews || isOther) ? damage : error;
  };
}

/** The refusal of a proven version by the operator's own check. Throws GRANARY_VALIDATION_FAILED for no verdict. */
export async function refusalOf(
  validator: Validator,
  facts: ValidationFacts,
  signal: AbortSignal,
): Promise<GranaryError<"GRANARY_VALIDATION_REFUSED"> | undefined> {
  const what = `${facts.module}@${facts.version}`;
  try {
    const validation = await validator.validate(facts, signal);
    if (validation.verdict === "take") return undefined;
    return new GranaryError("GRANARY_VALIDATION_REFUSED", { what, reason: validation.reason });
  } catch (error) {
    if (!(error instanceof ValidatorFault)) throw error;
    throw new GranaryError("GRANARY_VALIDATION_FAILED", { what, reason: error.message }, { cause: error });
  }
}

/** Checks a staged zip. A machine that cannot check at all is StoreUnavailable: it says nothing about the zip. */
export async function checkZip(
  verifier: Verifier,
  zip: { readonly stage: Stage; readonly id: ModuleVersion; readonly signal: AbortSignal },
): Promise<VerifiedZip> {
  try {
    return await verifier.check(zip.stage.locate(), zip.id, zip.signal);
  } catch (error) {
    if (!(error instanceof VerifierFault) || error.reason !== "unable") throw error;
    throw new StoreUnavailable("tmp", error.message, { cause: error.cause });
  }
}

/** The go.mod of a zip that has none is the one that go makes up for it. */
export function goModIn({ path }: ModuleVersion, { goMod }: VerifiedZip): Uint8Array {
  return goMod ?? new TextEncoder().encode(legacyGoMod(path));
}

/** A go.mod that no record vouches for must at least be one: an error page under status 200 is not. Throws ProtocolError. */
function checkUnrecorded(mod: Uint8Array): void {
  // "missing module line" of cmd/go modload.
  if (parseGoMod(mod, { lax: true }).path === undefined) throw new ProtocolError("BAD_GOMOD", "no module line");
}

function unusableIsNothing(error: unknown): undefined {
  if (!(error instanceof Unusable)) throw error;
  return undefined;
}

function isGoMod(mod: Uint8Array): boolean {
  try {
    checkUnrecorded(mod);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
