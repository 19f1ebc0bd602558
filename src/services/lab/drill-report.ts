// What a drill has seen, in numbers, and whether that is good enough.

import type { DrillFault } from "./ports.ts";

export const drillScenarios = ["primary-down", "both-down"] as const;
export type DrillScenario = (typeof drillScenarios)[number];

/** Most that a request may take longer on average while the upstreams of a scenario are down, in milliseconds. */
export const drillTargets: Readonly<Record<DrillScenario, number>> = { "primary-down": 120, "both-down": 410 };

export const drillPhases = ["normal", "fault", "recovery"] as const;
export type DrillPhase = (typeof drillPhases)[number];

/** One request of the client. */
export type DrillSample = {
  /** From the request to the last byte, or to the failure. */
  readonly ms: number;
  readonly servedBy?: string | undefined;
  /** Why it was of no use: a status, wrong bytes, no answer. */
  readonly failure?: string;
};

export type PhaseReport = {
  readonly phase: DrillPhase;
  readonly requests: number;
  readonly failures: number;
  /** Share of failures, 0 to 1. */
  readonly failureRate: number;
  /** Of good answers, in milliseconds; absent when there was none. */
  readonly averageMs?: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly maxMs?: number;
  /** The average less that of the normal phase. */
  readonly addedMs?: number;
  /** Good answers by the upstream whose bytes they are. */
  readonly servedBy: Readonly<Record<string, number>>;
  readonly firstFailure?: string;
};

/** Why a drill is not passed. */
export type DrillReason =
  /** The normal phase was none, so the others say nothing. */
  | { readonly kind: "no-normal" }
  | { readonly kind: "failures"; readonly failures: number; readonly requests: number; readonly first: string }
  | { readonly kind: "slow"; readonly addedMs: number; readonly targetMs: number }
  | { readonly kind: "not-recovered"; readonly limitMs: number };

export type DrillFacts = {
  readonly scenario: DrillScenario;
  readonly fault: DrillFault;
  readonly primary: string;
  readonly samples: Readonly<Record<DrillPhase, readonly DrillSample[]>>;
  /** From the fault to the first good answer that another upstream gave. */
  readonly switchMs: number | undefined;
  /** From the fault to the moment at which the primary was left alone. */
  readonly avoidedMs: number | undefined;
  /** From the primary's return to the first answer it gave. */
  readonly recoveryMs: number | undefined;
  /** How long that was waited for. */
  readonly recoveryLimitMs: number;
};

export type DrillReport = {
  readonly scenario: DrillScenario;
  readonly fault: DrillFault;
  readonly phases: readonly PhaseReport[];
  /** Absent when it did not happen. */
  readonly switchMs?: number;
  readonly avoidedMs?: number;
  readonly recoveryMs?: number;
  readonly targetMs: number;
  /** Of the fault phase; absent when one of the two phases had no good answer. */
  readonly addedMs?: number;
  /** Good times of the normal phase differ by more than the target: on this machine, now, the figures say little. */
  readonly isUnsteady: boolean;
  readonly reached: boolean;
  readonly reasons: readonly DrillReason[];
};

export function reportDrill(facts: DrillFacts): DrillReport {
  const { scenario, fault, samples, switchMs, avoidedMs, recoveryMs } = facts;
  const normalMs = average(goodTimes(samples.normal));
  const phases = drillPhases.map((phase) => reportPhase(phase, samples[phase], normalMs));
  const addedMs = phases.find(({ phase }) => phase === "fault")?.addedMs;
  const reasons = reasonsOf(facts, phases);
  return {
    scenario,
    fault,
    phases,
    ...(switchMs !== undefined && { switchMs }),
    ...(avoidedMs !== undefined && { avoidedMs }),
    ...(recoveryMs !== undefined && { recoveryMs }),
    targetMs: drillTargets[scenario],
    ...(addedMs !== undefined && { addedMs }),
    isUnsteady: isUnsteady(phases[0], drillTargets[scenario]),
    reached: reasons.length === 0,
    reasons,
  };
}

function reportPhase(phase: DrillPhase, samples: readonly DrillSample[], normalMs: number | undefined): PhaseReport {
  const times = goodTimes(samples);
  const averageMs = average(times);
  const failed = samples.filter(({ failure }) => failure !== undefined);
  const firstFailure = failed[0]?.failure;
  const servedBy: Record<string, number> = {};
  for (const { failure, servedBy: by = "-" } of samples)
    if (failure === undefined) servedBy[by] = (servedBy[by] ?? 0) + 1;
  return {
    phase,
    requests: samples.length,
    failures: failed.length,
    failureRate: samples.length === 0 ? 0 : failed.length / samples.length,
    ...(averageMs !== undefined && {
      averageMs: tenth(averageMs),
      p50Ms: tenth(percentile(times, 0.5)),
      p95Ms: tenth(percentile(times, 0.95)),
      maxMs: tenth(times.at(-1) ?? 0),
    }),
    ...(averageMs !== undefined &&
      normalMs !== undefined &&
      phase !== "normal" && { addedMs: tenth(averageMs - normalMs) }),
    servedBy,
    ...(firstFailure !== undefined && { firstFailure }),
  };
}

/** Whether what came and went by itself is more than what is looked for. */
function isUnsteady(normal: PhaseReport | undefined, targetMs: number): boolean {
  return (normal?.p95Ms ?? 0) - (normal?.p50Ms ?? 0) > targetMs;
}

function reasonsOf(facts: DrillFacts, phases: readonly PhaseReport[]): DrillReason[] {
  const { scenario, primary, recoveryMs, recoveryLimitMs } = facts;
  const [normal, fault] = phases;
  const reasons: DrillReason[] = [];
  if (normal === undefined || normal.failures > 0 || (normal.servedBy[primary] ?? 0) * 2 <= normal.requests)
    reasons.push({ kind: "no-normal" });
  const failures = phases.reduce((sum, phase) => sum + phase.failures, 0);
  const requests = phases.reduce((sum, phase) => sum + phase.requests, 0);
  const first = phases.find(({ firstFailure }) => firstFailure !== undefined)?.firstFailure;
  if (first !== undefined) reasons.push({ kind: "failures", failures, requests, first });
  const addedMs = fault?.addedMs;
  const targetMs = drillTargets[scenario];
  if (addedMs !== undefined && addedMs > targetMs) reasons.push({ kind: "slow", addedMs, targetMs });
  if (recoveryMs === undefined) reasons.push({ kind: "not-recovered", limitMs: recoveryLimitMs });
  return reasons;
}

/** Times of good answers, shortest first. */
function goodTimes(samples: readonly DrillSample[]): number[] {
  const times = samples.filter(({ failure }) => failure === undefined).map(({ ms }) => ms);
  return times.sort((a, b) => a - b);
}

function average(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : times.reduce((sum, ms) => sum + ms, 0) / times.length;
}

/** The smallest time that is not exceeded by `share` of the sorted times (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
