// A worker process of `granary serve --workers N`: shares the public port, answers what is kept, passes on the rest.
// It lives and ends at its owner's word.

import { readOnlyStorage } from "#adapters/storage/read-only.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { Counters } from "#doors/http/counters.ts";
import { HotCache } from "#doors/http/hot.ts";
import { listen } from "#doors/http/listener.ts";
import { refusedHandshake } from "#doors/http/operations.ts";
import type { Listener } from "#doors/http/listener.ts";
import { Relay } from "#doors/http/relay.ts";
import { makeWorkerHandler } from "#doors/http/worker-handler.ts";
import type { EventSink } from "#services/events/ports.ts";
import { HeldVersions } from "#services/store/held.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Uses } from "#services/tending/uses.ts";
import { hotLimits, httpSettings, limiterRule, limitsOf } from "./http-settings.ts";
import { behindDoorway, openOperations } from "./serving.ts";
import type { Operations } from "./serving.ts";
import type { FromWorker, Report, ToWorker, WorkerStart } from "./worker-messages.ts";

/** How often a worker tells its numbers unasked: what a killed one had counted since is lost. */
const reportMs = 1_000;

/** Versions named in one report; the rest waits for the next. Some 100 KB. */
const maxUsed = 1_000;

/** The process as a worker sees it. */
export type WorkerIo = {
  /** Resolves when the message has left, or cannot. */
  readonly send: (message: FromWorker) => Promise<void>;
  readonly onMessage: (listener: (message: ToWorker) => void) => void;
  readonly exit: (code: number) => void;
};

/** Asks the owner what to do, and does it until told to stop. */
export function runWorker(io: WorkerIo): void {
  let worker: Worker | undefined;
  io.onMessage((message) => {
    if (message.kind === "start") worker = new Worker(message.start, io);
    else void worker?.hear(message);
  });
  void io.send({ kind: "ready" });
}

class Worker {
  readonly #io: WorkerIo;
  readonly #start: WorkerStart;
  readonly #counters = new Counters();
  readonly #uses = new Uses();
  readonly #hot: HotCache;
  readonly #absent: HotCache;
  readonly #relay: Relay;
  #settings: ReturnType<typeof httpSettings>;
  #passesAll: boolean;
  #isEdge: boolean;
  readonly #operations: Operations | undefined;
  #listener: Listener | undefined;
  readonly #opened: Promise<void>;

  constructor(start: WorkerStart, io: WorkerIo) {
    this.#io = io;
    this.#start = start;
    const { hot, absent } = hotLimits(start.values);
    this.#hot = new HotCache(hot);
    this.#absent = new HotCache(absent);
    this.#settings = httpSettings(start.values);
    this.#passesAll = limiterRule(start.values) !== undefined;
    this.#isEdge = start.isEdge;
    const events: EventSink = { emit: (event) => void io.send({ kind: "event", event }) };
    this.#operations = openOperations(start.values.logdir, { events, process: process.pid });
    this.#relay = new Relay({ ...start.relay, ...this.#caches() });
    this.#opened = this.#open();
  }

  async #open(): Promise<void> {
    const { values, tls, port, connections } = this.#start;
    const storage = readOnlyStorage(values.store);
    const store = new ModuleStore(storage);
    const held = new HeldVersions(storage, systemClock);
    await held.look().catch(() => undefined); // the owner tells what cannot be read
    void held.run(new AbortController().signal, {
      changed: (module) => {
        this.#hot.forget(module);
        return Promise.resolve();
      },
      unread: () => undefined,
    });
    const settings = () => this.#settings;
    const passesAll = () => this.#passesAll;
    const isEdge = () => this.#isEdge;
    const operations = this.#operations;
    const handler = behindDoorway(
      makeWorkerHandler({ ...this.#caches(), settings, store, held, relay: this.#relay, passesAll, isEdge }),
      { tls, lang: () => values.lang, operations },
    );
    const onRefused = operations && refusedHandshake({ log: operations, clock: systemClock });
    const limits = { ...limitsOf(values), connections };
    try {
      this.#listener = await listen({ host: values.listen.host, port }, { handler, limits, tls, onRefused });
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      void this.#io.send({ kind: "failed", code, message });
      return;
    }
    void this.#io.send({ kind: "listening", port: this.#listener.port });
    setInterval(() => void this.#sendReport(), reportMs).unref();
  }

  async hear(message: Exclude<ToWorker, { readonly kind: "start" }>): Promise<void> {
    switch (message.kind) {
      case "apply":
        this.#settings = httpSettings(message.values);
        this.#passesAll = limiterRule(message.values) !== undefined;
        this.#isEdge = message.isEdge;
        this.#relay.forgotten();
        this.#hot.clear();
        this.#absent.clear();
        return;
      case "renew":
        await this.#opened;
        this.#listener?.renew(message.tls);
        return;
      case "forget":
        this.#relay.forgotten();
        this.#hot.forget(message.path);
        this.#absent.forget(message.path);
        void this.#io.send({ kind: "report", ask: message.ask, report: this.#report() });
        return;
      case "report":
        void this.#io.send({ kind: "report", ask: message.ask, report: this.#report() });
        return;
      case "drain":
        await this.#opened;
        await this.#listener?.drain(message.deadlineMs);
        await this.#operations?.flush();
        await this.#sendReport();
        this.#io.exit(0);
    }
  }

  #caches() {
    return { hot: this.#hot, absent: this.#absent, counters: this.#counters, uses: this.#uses, clock: systemClock };
  }

  async #sendReport(): Promise<void> {
    await this.#io.send({ kind: "report", report: this.#report(), used: this.#uses.take(maxUsed) });
  }

  #report(): Report {
    return {
      requests: this.#counters.list(),
      connections: this.#listener?.connections() ?? 0,
      hotBytes: this.#hot.bytes + this.#absent.bytes,
      hotEntries: this.#hot.size + this.#absent.size,
    };
  }
}

/** The real process. Signals to a whole group are the owner's to understand; without an owner there is nothing to do. */
export function workerIo(): WorkerIo {
  process.on("SIGTERM", ignore).on("SIGINT", ignore);
  process.on("disconnect", () => process.exit(1));
  return {
    send: (message) =>
      new Promise((resolve) => {
        if (process.send === undefined || !process.connected) resolve();
        else process.send(message, undefined, {}, () => resolve());
      }),
    onMessage: (listener) => void process.on("message", (message) => listener(message as ToWorker)),
    exit: (code) => process.exit(code),
  };
}

function ignore(): void {
  // on purpose
}
