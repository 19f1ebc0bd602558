// One worker process as its owner holds it.

import type { Worker } from "node:cluster";
import type { FromWorker, Report, ToWorker, WorkerStart } from "./worker-messages.ts";

const noNumbers: Report = { requests: [], connections: 0, hotBytes: 0, hotEntries: 0 };

type Question = { readonly kind: "report" } | { readonly kind: "forget"; readonly path: string };

export class Member {
  readonly #process: Worker;
  readonly #waiting = new Map<number, () => void>();
  readonly startedMs = Date.now();
  #asked = 0;
  #isStarted = false;
  /** Its last numbers; a new worker has none. */
  report = noNumbers;
  isListening = false;

  constructor(process: Worker) {
    this.#process = process;
  }

  get pid(): number | undefined {
    return this.#process.process.pid;
  }

  start(start: WorkerStart): void {
    this.#isStarted = true;
    this.#send({ kind: "start", start });
  }

  /** Everything after its start is heard in order; before it there is nothing to change. */
  tell(message: Exclude<ToWorker, { readonly kind: "start" }>): void {
    if (this.#isStarted) this.#send(message);
  }

  /** Resolves when it has answered, or is no more. */
  async ask(question: Question): Promise<void> {
    if (!this.#isStarted || !this.#process.isConnected()) return;
    const ask = ++this.#asked;
    await new Promise<void>((resolve) => {
      this.#waiting.set(ask, resolve);
      this.#send({ ...question, ask });
    });
  }

  heard({ ask, report }: Extract<FromWorker, { readonly kind: "report" }>): void {
    this.report = report;
    if (ask === undefined) return;
    this.#waiting.get(ask)?.();
    this.#waiting.delete(ask);
  }

  /** It is no more: nobody waits for it. */
  buried(): void {
    for (const done of this.#waiting.values()) done();
    this.#waiting.clear();
  }

  /** Lets it finish what it is doing; one that never began is ended. Resolves when it is no more. */
  async drained(deadlineMs: number): Promise<void> {
    if (this.#process.isDead()) return;
    const ended = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    if (this.#isStarted) this.#send({ kind: "drain", deadlineMs });
    else this.kill();
    await ended;
  }

  kill(): void {
    this.#process.process.kill("SIGKILL");
  }

  #send(message: ToWorker): void {
    if (this.#process.isConnected()) this.#process.send(message, () => undefined);
  }
}
