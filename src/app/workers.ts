// `--workers N`: the owner of the store starts N processes that share the public port, keeps them alive, tells them
// what changed, and adds up their numbers. It listens on a private socket for whatever they cannot answer.

import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import type { Log } from "#adapters/telemetry/log.ts";
import { Counters } from "#doors/http/counters.ts";
import type { Listener, Tls } from "#doors/http/listener.ts";
import { openRelayDoor } from "#doors/http/relay-door.ts";
import type { RelayDoor } from "#doors/http/relay-door.ts";
import { formatHostPort } from "./config-kinds.ts";
import type { Values } from "./config.ts";
import { workerWord } from "./worker-messages.ts";
import { Member } from "./worker-member.ts";
import type { FromWorker, WorkerStart } from "./worker-messages.ts";
import type { Helpers, Server } from "./wire.ts";

/** A worker that does not answer a question within this time is left out of the answer. */
const askMs = 1_000;
/** Time after the drain's own deadline in which a worker ends before it is ended. */
const graceMs = 2_000;
/** Waits before a dead worker is started again: doubled from the first to the last while workers die young. */
const restartMs = { first: 100, last: 10_000, young: 10_000 };
/** A socket's path has some 104 bytes (sockaddr_un); `/granary-XXXXXX/owner` needs 21 of them. */
const maxTempPath = 80;

export type CrewOptions = {
  /** The program itself. */
  readonly entry: URL;
  readonly values: Values;
  /** See WorkerStart. */
  readonly isEdge: boolean;
  readonly log: Log;
};

export class Crew implements Helpers {
  readonly #options: CrewOptions;
  readonly #members = new Set<Member>();
  /** What workers that are no more had counted. */
  readonly #past = new Counters();
  #start: WorkerStart | undefined;
  #door: RelayDoor | undefined;
  #folder: string | undefined;
  #youngDeaths = 0;
  #port = 0;
  #isClosing = false;
  #onUse: Parameters<Helpers["onUse"]>[0] | undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Opens the private door, starts the workers, and resolves when all of them listen. Rejects with the first one's error. */
  async open(use: {
    readonly server: Server;
    readonly tls: Tls | undefined;
    readonly headerBytes: number;
  }): Promise<Listener> {
    const { values, isEdge } = this.#options;
    const relay = { path: await this.#privatePath(), key: randomBytes(16).toString("hex") };
    const connections = Math.ceil(values["limits.connections"] / values.workers);
    this.#start = { values, isEdge, tls: use.tls, port: values.listen.port, connections, relay };
    // In turn: whoever accepts first is often the same process for most of a client's few long connections. It costs
    // some 0.1 ms per connection, not per request. Windows hands connections over too slowly for that.
    cluster.schedulingPolicy = process.platform === "win32" ? cluster.SCHED_NONE : cluster.SCHED_RR;
    cluster.setupPrimary({
      exec: fileURLToPath(this.#options.entry),
      args: [workerWord],
      serialization: "advanced",
      windowsHide: true,
    });
    try {
      this.#door = await openRelayDoor(relay, { handler: use.server.workerHandler, headerBytes: use.headerBytes });
      await Promise.all(Array.from({ length: values.workers }, () => this.#fork()));
    } catch (error) {
      this.#stop();
      throw error;
    }
    return this.#listener();
  }

  // ---- what the server asks of its helpers ----

  onUse(listener: Parameters<Helpers["onUse"]>[0]): void {
    this.#onUse = listener;
  }

  async collect(): Promise<void> {
    await this.#allOrLate([...this.#members].map((member) => member.ask({ kind: "report" })));
  }

  async forget(path: string): Promise<void> {
    await this.#allOrLate([...this.#members].map((member) => member.ask({ kind: "forget", path })));
  }

  apply(values: Values, isEdge: boolean): void {
    if (this.#start !== undefined) this.#start = { ...this.#start, values, isEdge };
    for (const member of this.#members) member.tell({ kind: "apply", values, isEdge });
  }

  totals(): ReturnType<Helpers["totals"]> {
    const all = new Counters();
    all.add(this.#past.list());
    const sums = { connections: 0, hotBytes: 0, hotEntries: 0 };
    for (const { report } of this.#members) {
      all.add(report.requests);
      for (const key of ["connections", "hotBytes", "hotEntries"] as const) sums[key] += report[key];
    }
    return { ...sums, requests: all.list(), workers: this.#members.size, relayed: this.#door?.relayed() ?? 0 };
  }

  // ---- the workers ----

  /** Resolves when the new worker listens; rejects when it cannot, or dies before. */
  #fork(): Promise<void> {
    const worker = cluster.fork();
    const member = new Member(worker);
    this.#members.add(member);
    return new Promise((resolve, reject) => {
      worker.on("message", (message: FromWorker) => {
        if (message.kind === "listening") resolve();
        if (message.kind === "failed") reject(Object.assign(new Error(message.message), { code: message.code }));
        this.#hear(member, message);
      });
      worker.on("error", (error) => this.#options.log.warn("worker.error", { reason: error.message }));
      worker.on("exit", (code, signal) => {
        reject(new Error(`a worker ended with ${signal || code}`));
        this.#buried(member, signal || code);
      });
    });
  }

  #hear(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case "ready":
        if (this.#start !== undefined) member.start({ ...this.#start, port: this.#portFor() });
        return;
      case "listening":
        member.isListening = true;
        this.#port = message.port;
        this.#options.log.info("worker.listening", { pid: member.pid });
        return;
      case "failed":
        this.#options.log.error("worker.failed", { reason: message.message });
        member.kill();
        return;
      case "event": {
        const { name, ...fields } = message.event;
        this.#options.log.warn(name, { pid: member.pid, ...fields });
        return;
      }
      case "report":
        for (const { path, version, zips, mods } of message.used ?? []) this.#onUse?.(`${path}@${version}`, zips, mods);
        member.heard(message);
    }
  }

  /**
   * Workers share a port by what they asked for: as long as one listens, a new one asks for the same. When none does,
   * "any free port" would be another one than the clients know.
   */
  #portFor(): number {
    const asked = this.#start?.port ?? 0;
    const isShared = this.#port === 0 || [...this.#members].some(({ isListening }) => isListening);
    if (!isShared && this.#start !== undefined) this.#start = { ...this.#start, port: this.#port };
    return isShared ? asked : this.#port;
  }

  /** Keeps a dead worker's counts, and starts another after a while. */
  #buried(member: Member, how: string | number): void {
    this.#members.delete(member);
    this.#past.add(member.report.requests);
    member.buried();
    if (this.#isClosing) return;
    this.#youngDeaths = Date.now() - member.startedMs < restartMs.young ? this.#youngDeaths + 1 : 1;
    const afterMs = Math.min(restartMs.last, restartMs.first * 2 ** (this.#youngDeaths - 1));
    this.#options.log.warn("worker.ended", { pid: member.pid, how, afterMs });
    setTimeout(() => {
      if (!this.#isClosing) this.#fork().catch(() => undefined); // its end is its own log line
    }, afterMs);
  }

  /** Resolves when all are done, or `askMs` passed. */
  async #allOrLate(asked: readonly Promise<void>[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, askMs)));
    await Promise.race([Promise.all(asked), late]);
    clearTimeout(timer);
  }

  // ---- the public port, as the server sees a listener ----

  #listener(): Listener {
    const { host } = this.#options.values.listen;
    return {
      address: formatHostPort({ host, port: this.#port }),
      port: this.#port,
      renew: (tls) => {
        createSecureContext({ cert: tls.cert, key: tls.key, ca: tls.clients?.ca }); // throws here, not in each worker
        if (this.#start !== undefined) this.#start = { ...this.#start, tls };
        for (const member of this.#members) member.tell({ kind: "renew", tls });
      },
      drain: (deadlineMs) => this.#drain(deadlineMs),
      stop: () => this.#stop(),
      connections: () => this.totals().connections,
    };
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    const timer = setTimeout(() => this.#kill(), deadlineMs + graceMs);
    await Promise.all([...this.#members].map((member) => member.drained(deadlineMs)));
    clearTimeout(timer);
    this.#stop();
  }

  /** Ends everything at once. */
  #stop(): void {
    this.#isClosing = true;
    this.#kill();
    this.#door?.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #kill(): void {
    for (const member of this.#members) member.kill();
  }

  /** Where only this user's processes find the private door. */
  async #privatePath(): Promise<string> {
    if (process.platform === "win32") return `\\\\.\\pipe\\granary-${randomBytes(16).toString("hex")}`;
    const isShort = Buffer.byteLength(tmpdir()) <= maxTempPath;
    // mkdtemp makes it 0700.
    this.#folder = await mkdtemp(join(isShort ? tmpdir() : "/tmp", "granary-"));
    return join(this.#folder, "owner");
  }
}
