// Checking zips in worker threads: started when first needed, stopped when idle, replaced when stuck or dead. A zip
// that makes a thread run out of memory or time costs its own job and nothing else.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

import { VerifierFault } from "#services/proxy/ports.ts";
import type { VerifiedZip, Verifier, ZipLocation, ZipModule } from "#services/proxy/ports.ts";

import { ready, verifyWorkerData } from "./verify-worker.ts";
import type { VerifyAnswer, VerifyJob } from "./verify-worker.ts";

export type VerifyPoolOptions = {
  /** The module a worker thread runs: verify-worker.ts, or a bundle that holds it. */
  readonly entry: URL;
  readonly maxWorkers: number;
  /** Stop a worker that had nothing to do for so long. */
  readonly idleMs: number;
  /** Wall-clock limit of one job. The largest honest zip (500 MiB of files) takes a few seconds. */
  readonly jobLimitMs: number;
  /** Jobs that may wait for a worker; one more is refused as `busy`. */
  readonly maxQueue: number;
  /** V8 heap of one worker. Bytes of zips live outside it, the names of 100,000 entries inside. */
  readonly maxHeapMb: number;
};

/** Small, so that inflated buffers, whose bytes V8 hardly counts, are let go often: halves the memory of a long run. */
const maxYoungGenerationSizeMb = 2;

const defaults: VerifyPoolOptions = {
  entry: new URL("./verify-worker.ts", import.meta.url),
  maxWorkers: Math.min(2, availableParallelism()),
  idleMs: 30_000,
  jobLimitMs: 120_000,
  maxQueue: 1_000,
  maxHeapMb: 512,
};

type Task = {
  readonly job: VerifyJob;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
};

type Member = {
  readonly worker: Worker;
  /** Its program is loaded: what ends it from now on is what it does. */
  isReady?: boolean;
  task?: Task | undefined;
  timer?: NodeJS.Timeout | undefined;
};

export class VerifyPool implements Verifier {
  readonly #options: VerifyPoolOptions;
  readonly #members = new Set<Member>();
  readonly #queue: Task[] = [];
  #closed = false;

  constructor(options: Partial<VerifyPoolOptions> = {}) {
    this.#options = { ...defaults, ...options };
  }

  /** Threads alive now. */
  get workers(): number {
    return this.#members.size;
  }

  async check(where: ZipLocation, id: ZipModule, signal: AbortSignal): Promise<VerifiedZip> {
    return (await this.#submit({ kind: "check", where, id }, signal)) as VerifiedZip;
  }

  async directories(where: ZipLocation, id: ZipModule, signal: AbortSignal): Promise<ReadonlySet<string>> {
    return (await this.#submit({ kind: "directories", where, id }, signal)) as ReadonlySet<string>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#queue.splice(0)) task.reject(closedFault());
    await Promise.all([...this.#members].map((member) => this.#dismiss(member, closedFault())));
  }

  async #submit(job: VerifyJob, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    if (this.#closed) throw closedFault();
    if (this.#queue.length >= this.#options.maxQueue) {
      throw new VerifierFault("busy", `${this.#queue.length} zips wait to be checked`);
    }
    const { promise, resolve, reject } = Promise.withResolvers();
    const task: Task = { job, resolve, reject };
    const abort = (): void => this.#abandon(task, signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#queue.push(task);
    this.#assign();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const idle = [...this.#members].find((member) => !member.task);
      if (!idle && this.#members.size >= this.#options.maxWorkers) return;
      const task = this.#queue.shift();
      if (task) this.#start(idle ?? this.#hire(), task);
    }
  }

  #hire(): Member {
    const { entry, maxHeapMb } = this.#options;
    const worker = new Worker(entry, {
      workerData: verifyWorkerData,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb },
      name: "granary-verify",
    });
    const member: Member = { worker };
    this.#members.add(member);
    const ended = (how: string, cause?: unknown): void => {
      const fault = member.isReady === true ? "crashed" : "unable";
      const when = member.isReady === true ? "" : " before it was ready";
      void this.#dismiss(member, new VerifierFault(fault, `the verifying thread ${how}${when}`, { cause }));
    };
    worker.on("message", (answer: VerifyAnswer | typeof ready) => {
      if (answer === ready) member.isReady = true;
      else this.#finish(member, answer);
    });
    worker.on("error", (cause) => ended("crashed", cause));
    worker.on("exit", (code) => ended(`stopped with code ${code}`));
    return member;
  }

  #start(member: Member, task: Task): void {
    const { jobLimitMs } = this.#options;
    clearTimeout(member.timer);
    member.task = task;
    member.timer = setTimeout(() => {
      const { path, version } = task.job.id;
      const fault = new VerifierFault("timeout", `checking ${path}@${version} took longer than ${jobLimitMs} ms`);
      void this.#dismiss(member, fault);
    }, jobLimitMs);
    member.worker.ref();
    post(member.worker, task.job);
  }

  #finish(member: Member, answer: VerifyAnswer): void {
    const { task } = member;
    clearTimeout(member.timer);
    member.task = undefined;
    if (answer.ok) task?.resolve(answer.value);
    else if (answer.code === undefined) task?.reject(new VerifierFault("unreadable", answer.message));
    else task?.reject(new VerifierFault("unable", answer.message, { cause: { code: answer.code } }));
    // An idle thread keeps nobody from exiting.
    member.worker.unref();
    member.timer = setTimeout(() => void this.#dismiss(member), this.#options.idleMs).unref();
    this.#assign();
  }

  #abandon(task: Task, reason: unknown): void {
    const waiting = this.#queue.indexOf(task);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    task.reject(reason);
    // A thread cannot be told to stop what it does: it goes, and the next job gets a new one.
    for (const member of this.#members) if (member.task === task) void this.#dismiss(member);
  }

  /** Ends a thread; its job, if any, fails with the fault. Does nothing the second time. */
  async #dismiss(member: Member, fault?: VerifierFault): Promise<void> {
    if (!this.#members.delete(member)) return;
    clearTimeout(member.timer);
    member.task?.reject(fault);
    member.task = undefined;
    if (!this.#closed) this.#assign();
    await member.worker.terminate();
  }
}

function closedFault(): VerifierFault {
  return new VerifierFault("closed", "the verifier is closed");
}

function post(worker: Worker, job: VerifyJob): void {
  if ("path" in job.where) {
    worker.postMessage(job);
    return;
  }
  // A copy of just these bytes, then moved: cloning a view would copy its whole buffer, moving it would take it away.
  const bytes = new Uint8Array(job.where.bytes);
  worker.postMessage({ ...job, where: { bytes } }, [bytes.buffer]);
}
