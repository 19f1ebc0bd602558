// All alarms of a process: what each looks at, which of them are raised, and the events that tell of a change.

import type { AlarmName, EventSink } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { Alarm } from "./alarm.ts";
import type { AlarmTimes } from "./alarm.ts";

/** How something stands now. `value` and `limit` have the same unit, which `AlarmRule.unit` names; a state is 0 or 1. */
export type Measured = {
  readonly value: number;
  readonly limit: number;
  /** True when it is the small values that are bad. */
  readonly isFloor?: boolean;
  /** What else a person should know. */
  readonly detail?: string;
};

export type AlarmRule = {
  readonly name: AlarmName;
  readonly unit: "share" | "ms" | "bytes" | "state";
  readonly times: AlarmTimes;
  /** Undefined when there is nothing to say: switched off, or not measured. */
  readonly measure: () => Measured | undefined;
};

/** One alarm for people and metrics. */
export type AlarmView = {
  readonly name: AlarmName;
  readonly unit: AlarmRule["unit"];
  readonly measured: Measured | undefined;
  readonly raisedMs: number | undefined;
};

export type AlarmsUse = { readonly rules: readonly AlarmRule[]; readonly clock: Clock; readonly events: EventSink };

const everyMs = 1_000;

export class Alarms {
  readonly #use: AlarmsUse;
  readonly #all: readonly { readonly rule: AlarmRule; readonly alarm: Alarm; measured: Measured | undefined }[];

  constructor(use: AlarmsUse) {
    this.#use = use;
    this.#all = use.rules.map((rule) => ({ rule, alarm: new Alarm(rule.times), measured: undefined }));
  }

  /** Looks once. */
  look(): void {
    const { clock, events } = this.#use;
    for (const one of this.#all) {
      const { rule, alarm } = one;
      const measured = rule.measure();
      one.measured = measured;
      const change = alarm.look(measured && levelOf(measured), clock.now());
      if (change === undefined || measured === undefined) continue;
      const { value, limit, detail } = measured;
      const numbers = rule.unit !== "state" && { value: rounded(value), limit: rounded(limit) };
      const facts = { alarm: rule.name, unit: rule.unit, ...numbers };
      events.emit({ name: `alarm.${change}`, ...facts, ...(detail !== undefined && { detail }) });
    }
  }

  /** Looks until it is stopped. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.look();
      await this.#use.clock.sleep(everyMs, stop).catch(() => undefined); // stopped
    }
  }

  /** All of them, as they stood at the last look. */
  get views(): AlarmView[] {
    return this.#all.map(({ rule, alarm, measured }) => {
      const { name, unit } = rule;
      return { name, unit, measured, raisedMs: alarm.raisedMs };
    });
  }
}

function levelOf({ value, limit, isFloor = false }: Measured): number {
  return isFloor ? limit / value : value / limit;
}

/** Three digits behind the point tell people enough. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
