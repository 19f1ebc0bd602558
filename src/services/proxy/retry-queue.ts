// What a client could not get because of somebody's bad day is tried again behind its back: after 2, 4 and 8 s. Then
// it becomes a dead letter that a person sees, retries or drops. One job per version and stage, however many failed.
//
//   failed ─> waiting ─> running ─┬─> kept, or a final answer: forgotten
//               ^                 ├─> failed again: waiting
//               └─ retry ─ dead <─┘   failed three times

import { isGranaryError } from "#services/errors/granary-error.ts";
import type { GranaryCode, Tried } from "#services/errors/codes.ts";
import { triedEn } from "#services/errors/sentences.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import { IngestRefused } from "#services/store/room.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { DeadLetters, jobId } from "./dead-letters.ts";
import type { DeadLetter, JobKind } from "./dead-letters.ts";
import { Gate, GateFull } from "./gate.ts";
import { VerifierFault } from "./ports.ts";

/** Before the N-th try: 2^N s. */
const delaysMs: readonly number[] = [2_000, 4_000, 8_000];

/** Tries at once: what a client waits for comes first, and an upstream that recovers must not meet a crowd. */
const maxAtOnce = 2;

export type RetryQueueUse = {
  /** Fetches, verifies and keeps a stage of a version, however long that may take; the same as for a client. */
  readonly run: (kind: JobKind, module: ModuleVersion, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly events: EventSink;
  /** Jobs that wait or run; a failure beyond is not taken in. */
  readonly maxQueued: number;
  /** Aborts when the server stops for good: what waits is forgotten, dead letters stay. */
  readonly stop: AbortSignal;
};

/** One job as people see it. Times are RFC 3339. */
export type JobView = {
  readonly id: string;
  readonly kind: JobKind;
  readonly module: string;
  readonly version: string;
  readonly state: "waiting" | "running" | "dead";
  readonly tries: number;
  readonly reason: string;
  readonly since: string;
  /** When it is tried next. */
  readonly next?: string;
  readonly died?: string;
};

type Job = {
  readonly id: string;
  readonly kind: JobKind;
  readonly module: ModuleVersion;
  readonly sinceMs: number;
  readonly end: AbortController;
  tries: number;
  reason: string;
  running: boolean;
  nextMs: number;
};

export class RetryQueue {
  readonly #use: RetryQueueUse;
  readonly #letters: DeadLetters;
  readonly #turns: Gate;
  readonly #jobs = new Map<string, Job>();
  #loading: Promise<void> | undefined;
  #isLoaded = false;

  constructor(use: RetryQueueUse, letters: DeadLetters = new DeadLetters(use.storage)) {
    this.#use = use;
    this.#letters = letters;
    this.#turns = new Gate(maxAtOnce, use.maxQueued);
  }

  /** A client's fetch failed. Takes it in when another try may help. Never throws and never waits. */
  failed(kind: JobKind, module: ModuleVersion, error: unknown): void {
    // An operator's word is no bad day: until it is taken back there is nothing to try, and nobody is in a hurry.
    if (isGranaryError(error, "GRANARY_UPSTREAMS_DISABLED")) return;
    if (isTransient(error)) void this.#takeIn(kind, module, error);
  }

  /** The version came another way: nothing is left to do. Never throws and never waits. */
  arrived(kind: JobKind, module: { readonly path: string; readonly version: string }): void {
    const id = jobId(kind, module);
    if (!this.#isLoaded || this.#jobs.has(id) || this.#letters.find(id) !== undefined) void this.#leave(id, "arrived");
  }

  /** Waiting and running jobs, then dead letters, oldest first. Throws StoreUnavailable. */
  async list(): Promise<readonly JobView[]> {
    await this.#load();
    const dead = this.#letters.list().filter(({ id }) => !this.#jobs.has(id));
    return [...[...this.#jobs.values()].map(viewOfJob), ...dead.map(viewOfLetter)];
  }

  /** Tries a job now, and if that fails as after a client's failure. False when there is none. Throws StoreUnavailable. */
  async retry(id: string): Promise<boolean> {
    await this.#load();
    const job = this.#jobs.get(id);
    if (job?.running === true) return true;
    const known = job ?? this.#letters.find(id);
    if (known === undefined) return false;
    job?.end.abort(new Error("tried at once"));
    this.#start(known, [0, ...delaysMs]);
    return true;
  }

  /** Forgets a job or a dead letter. False when there is none. Throws StoreUnavailable. */
  async drop(id: string): Promise<boolean> {
    await this.#load();
    return await this.#remove(id, "operator");
  }

  async #takeIn(kind: JobKind, module: ModuleVersion, error: unknown): Promise<void> {
    // A store that cannot be listed may hold a letter of this job; it is found when it can.
    await this.#load().catch(() => undefined);
    const id = jobId(kind, module);
    const isKnown = this.#jobs.has(id) || this.#letters.find(id) !== undefined;
    if (isKnown || this.#jobs.size >= this.#use.maxQueued || this.#use.stop.aborted) return;
    this.#start({ id, kind, module, sinceMs: this.#use.clock.now(), reason: reasonOf(error) }, delaysMs);
  }

  #start(from: Pick<DeadLetter, "id" | "kind" | "module" | "sinceMs" | "reason">, delays: readonly number[]): void {
    const { id, kind, module, sinceMs, reason } = from;
    const end = new AbortController();
    const job: Job = { id, kind, module, sinceMs, reason, end, tries: 0, running: false, nextMs: 0 };
    this.#jobs.set(id, job);
    void this.#follow(job, delays);
  }

  async #follow(job: Job, delays: readonly number[]): Promise<void> {
    const signal = AbortSignal.any([this.#use.stop, job.end.signal]);
    try {
      for (const delay of delays) {
        job.nextMs = this.#use.clock.now() + delay;
        await this.#use.clock.sleep(delay, signal);
        if (await this.#turns.pass(() => this.#try(job, signal))) return;
      }
      await this.#bury(job);
    } catch (error) {
      // Ended from outside, or a disk that does not take a letter: list() knows what is left.
      if (!signal.aborted && !(error instanceof StoreUnavailable)) throw error;
    } finally {
      if (this.#jobs.get(job.id) === job) this.#jobs.delete(job.id);
    }
  }

  /** One try. True when nothing is left to do. */
  async #try(job: Job, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    job.running = true;
    job.tries++;
    try {
      await this.#use.run(job.kind, job.module, signal);
    } catch (error) {
      signal.throwIfAborted();
      job.reason = reasonOf(error);
      this.#tellTry(job, codeOf(error));
      if (isTransient(error)) return false;
      return await this.#remove(job.id, codeOf(error));
    } finally {
      job.running = false;
    }
    this.#tellTry(job, "kept");
    await this.#letters.remove(job.id);
    return true;
  }

  #tellTry({ id, kind, module, tries }: Job, outcome: string): void {
    const { path, version } = module;
    this.#use.events.emit({ name: "job.retried", id, kind, module: path, version, tries, outcome });
  }

  async #bury({ id, kind, module, tries, reason, sinceMs }: Job): Promise<void> {
    const { clock, events } = this.#use;
    events.emit({ name: "job.dead", id, kind, module: module.path, version: module.version, tries, reason });
    const left = await this.#letters.put({ id, kind, module, tries, reason, sinceMs, diedMs: clock.now() });
    for (const letter of left) this.#tellDropped(letter, "full");
  }

  /** A running job is left to its end, which is the same news. */
  async #leave(id: string, reason: string): Promise<void> {
    await this.#load().catch(() => undefined);
    if (this.#jobs.get(id)?.running === true) return;
    // A letter that cannot be removed now is found dead after the next start; the version is there all the same.
    await this.#remove(id, reason).catch(() => undefined);
  }

  async #remove(id: string, reason: string): Promise<boolean> {
    const known = this.#jobs.get(id) ?? this.#letters.find(id);
    if (known === undefined) return false;
    this.#jobs.get(id)?.end.abort(new Error(reason));
    this.#jobs.delete(id);
    this.#tellDropped(known, reason);
    await this.#letters.remove(id);
    return true;
  }

  #tellDropped({ id, kind, module }: Pick<DeadLetter, "id" | "kind" | "module">, reason: string): void {
    this.#use.events.emit({ name: "job.dropped", id, kind, module: module.path, version: module.version, reason });
  }

  /** Dead letters of earlier processes; read once, again when that failed. */
  #load(): Promise<void> {
    this.#loading ??= this.#letters.load().then(
      () => void (this.#isLoaded = true),
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }
}

/** Failures that another try may mend. Absence, refusal, wrong bytes and broken modules are answers, not bad days. */
const transient: ReadonlySet<GranaryCode> = new Set<GranaryCode>([
  "GRANARY_UPSTREAM_FAILED",
  "GRANARY_UPSTREAM_TIMEOUT",
  "GRANARY_UPSTREAM_BUSY",
  "GRANARY_OFFLINE",
  // Of a job that is known already: it must not be forgotten because of that.
  "GRANARY_UPSTREAMS_DISABLED",
  "GRANARY_SUMDB_UNREACHABLE",
  "GRANARY_STORE_UNAVAILABLE",
  "GRANARY_VALIDATION_FAILED",
  "GRANARY_OVERLOADED",
]);

function isTransient(error: unknown): boolean {
  if (isGranaryError(error)) return transient.has(error.code);
  if (error instanceof SumdbError) return error.code === "SUMDB_UNREACHABLE" || error.code === "SUMDB_BEHIND";
  if (error instanceof IngestRefused) return error.reason === "io" || error.reason === "files";
  if (error instanceof StoreUnavailable) return !(error instanceof StoreFull);
  return error instanceof GateFull || (error instanceof VerifierFault && error.reason === "busy");
}

function codeOf(error: unknown): string {
  if (isGranaryError(error) || error instanceof SumdbError) return error.code;
  return error instanceof Error ? error.name : "unknown";
}

function reasonOf(error: unknown): string {
  if (isGranaryError(error)) {
    const { tried } = error.fields as { readonly tried?: readonly Tried[] };
    return tried === undefined || tried.length === 0 ? error.code : `${error.code}: ${triedEn(tried)}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function viewOfJob({ id, kind, module, tries, reason, sinceMs, running, nextMs }: Job): JobView {
  const state = running ? "running" : "waiting";
  const view = { id, kind, module: module.path, version: module.version, state, tries, reason } as const;
  return { ...view, since: at(sinceMs), ...(!running && { next: at(nextMs) }) };
}

function viewOfLetter({ id, kind, module, tries, reason, sinceMs, diedMs }: DeadLetter): JobView {
  const view = { id, kind, module: module.path, version: module.version, state: "dead", tries, reason } as const;
  return { ...view, since: at(sinceMs), died: at(diedMs) };
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
