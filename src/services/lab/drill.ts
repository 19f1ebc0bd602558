// A drill: steady cold requests through a proxy while its upstreams are well, while the first of them are down, and
// after they came back. The requests keep their pace whatever becomes of the ones before: a proxy that hangs gets as
// many of them as one that does not, as it would from many clients.

import type { MadeUpFile } from "./made-up.ts";
import type { DrilledProxy, DrilledUpstream, DrillFault } from "./ports.ts";
import { ProbeFailed } from "./ports.ts";
import { reportDrill } from "./drill-report.ts";
import type { DrillPhase, DrillReport, DrillSample, DrillScenario } from "./drill-report.ts";

/** How many of the upstreams a scenario takes away, from the first on; there is one more that stays. */
export const drillDown: Readonly<Record<DrillScenario, number>> = { "primary-down": 1, "both-down": 2 };

export type DrillPlan = {
  readonly scenario: DrillScenario;
  readonly fault: DrillFault;
  /** Of the normal and of the fault phase, each. */
  readonly requests: number;
  /** From one request to the next. */
  readonly paceMs: number;
  /** The same after the upstreams came back, which may take long. */
  readonly recoveryPaceMs: number;
  /** How long the primary's first answer is waited for then. */
  readonly recoveryLimitMs: number;
  /** Unmeasured requests before all others: connections and threads are made by the first ones. */
  readonly warmUp: number;
  /** How long the first request of the fault phase is under way when the fault strikes. */
  readonly strikeAfterMs: number;
};

export type DrillProgress = { readonly phase: DrillPhase; readonly done: number; readonly total?: number };

export type DrillUse = {
  readonly proxy: DrilledProxy;
  /** In the order in which the proxy asks them: the primary first. */
  readonly upstreams: readonly DrilledUpstream[];
  readonly modules: { next(): Promise<MadeUpFile> };
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DrillProgress) => void;
};

/** Runs the whole drill. Throws the signal's reason when aborted, with the upstreams as they are then. */
export async function runDrill(plan: DrillPlan, use: DrillUse): Promise<DrillReport> {
  return await new Drill(plan, use).run();
}

class Drill {
  readonly #plan: DrillPlan;
  readonly #use: DrillUse;
  readonly #down: readonly DrilledUpstream[];
  readonly #primary: string;
  #switchMs: number | undefined;
  #avoidedMs: number | undefined;
  #recoveryMs: number | undefined;

  constructor(plan: DrillPlan, use: DrillUse) {
    this.#plan = plan;
    this.#use = use;
    this.#down = use.upstreams.slice(0, drillDown[plan.scenario]);
    this.#primary = use.upstreams[0]?.name ?? "";
  }

  async run(): Promise<DrillReport> {
    const { scenario, fault, requests, paceMs, warmUp, recoveryLimitMs } = this.#plan;
    await this.#load("normal", { paceMs, until: (sent) => sent >= warmUp });
    const normal = await this.#load("normal", { paceMs, until: (sent) => sent >= requests, total: requests });
    const samples = { normal, fault: await this.#faultPhase(), recovery: await this.#recoveryPhase() };
    return reportDrill({
      scenario,
      fault,
      primary: this.#primary,
      samples,
      switchMs: this.#switchMs,
      avoidedMs: this.#avoidedMs,
      recoveryMs: this.#recoveryMs,
      recoveryLimitMs,
    });
  }

  async #faultPhase(): Promise<DrillSample[]> {
    const { clock, signal } = this.#use;
    const { fault, requests, paceMs, strikeAfterMs } = this.#plan;
    let struckMs: number | undefined;
    // A fault does not wait until nobody is asking.
    const strike = async (): Promise<void> => {
      await clock.sleep(strikeAfterMs, signal);
      struckMs = clock.now();
      await Promise.all(this.#down.map((upstream) => upstream.break(fault)));
    };
    const onSample = async ({ failure, servedBy }: DrillSample): Promise<void> => {
      if (struckMs === undefined) return;
      const isSwitched = failure === undefined && !this.#down.some(({ name }) => name === servedBy);
      if (isSwitched) this.#switchMs ??= clock.now() - struckMs;
      if (this.#avoidedMs === undefined && (await this.#use.proxy.avoids(this.#primary)))
        this.#avoidedMs ??= clock.now() - struckMs;
    };
    const load = { paceMs, until: (sent: number) => sent >= requests, total: requests, onSample };
    const [samples] = await Promise.all([this.#load("fault", load), strike()]);
    return samples;
  }

  async #recoveryPhase(): Promise<DrillSample[]> {
    const { clock } = this.#use;
    const { recoveryPaceMs, recoveryLimitMs } = this.#plan;
    await Promise.all(this.#down.map((upstream) => upstream.mend()));
    const mendedMs = clock.now();
    const onSample = ({ failure, servedBy }: DrillSample): void => {
      if (failure === undefined && servedBy === this.#primary) this.#recoveryMs ??= clock.now() - mendedMs;
    };
    const until = (): boolean => this.#recoveryMs !== undefined || clock.now() - mendedMs >= recoveryLimitMs;
    return await this.#load("recovery", { paceMs: recoveryPaceMs, until, onSample });
  }

  /** Sends requests at a steady pace until enough were sent, and waits for all of them. */
  async #load(
    phase: DrillPhase,
    load: {
      readonly paceMs: number;
      readonly until: (sent: number) => boolean;
      readonly total?: number;
      readonly onSample?: (sample: DrillSample) => void | Promise<void>;
    },
  ): Promise<DrillSample[]> {
    const { clock, signal, modules, onProgress } = this.#use;
    const samples: DrillSample[] = [];
    const running: Promise<void>[] = [];
    const send = async (file: MadeUpFile): Promise<void> => {
      const sample = await this.#ask(file);
      samples.push(sample);
      await load.onSample?.(sample);
      onProgress?.({ phase, done: samples.length, ...(load.total !== undefined && { total: load.total }) });
    };
    const startedMs = clock.now();
    for (let sent = 0; !load.until(sent); sent++) {
      const waitMs = startedMs + sent * load.paceMs - clock.now();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      signal.throwIfAborted();
      const sending = send(await modules.next());
      sending.catch(() => undefined); // heard below, perhaps only after the ones before it
      running.push(sending);
    }
    await Promise.all(running);
    return samples;
  }

  async #ask(file: MadeUpFile): Promise<DrillSample> {
    const { proxy, upstreams, clock, signal } = this.#use;
    const startedMs = clock.now();
    try {
      const { status, body, ms } = await proxy.get(file.target, signal);
      // Of two that were asked to be quick the first one counts: it is the one that should be asked.
      const servedBy = upstreams.find((upstream) => upstream.gave(file.target))?.name;
      if (status === 200 && file.isRight(body)) return { ms, servedBy };
      return { ms, failure: status === 200 ? "wrong bytes" : failureOf(status, body) };
    } catch (error) {
      if (!(error instanceof ProbeFailed)) throw error;
      return { ms: clock.now() - startedMs, failure: error.message };
    }
  }
}

/** Longest excerpt of a failed answer. */
const maxSaid = 120;

function failureOf(status: number, body: Uint8Array): string {
  const [said = ""] = Buffer.from(body).toString("utf8").split("\n", 1);
  return said === "" ? String(status) : `${status} ${said.slice(0, maxSaid)}`;
}
