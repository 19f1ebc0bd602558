// Runs checks: a few at a time, each with a limit, all within one budget, told as they finish.

import type { Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { atOnce } from "#services/store/at-once.ts";
import type { Check, Checked, CheckState, Examined, SkipReason } from "./check.ts";
import { numberOf } from "./check.ts";

/** Checks that look at once: enough to hide waiting, few enough to be no load on a slow line. */
const maxAtOnce = 4;

export type RunOptions = {
  readonly checks: readonly Check[];
  /** For all checks together. */
  readonly budgetMs: number;
  readonly isOffline: boolean;
  /** Ends the run: the user pressed a key. */
  readonly signal: AbortSignal;
  /** A steady clock in milliseconds, and a timer as an aborted signal. */
  readonly clock: { readonly now: () => number; readonly after: (ms: number) => AbortSignal };
  readonly onDone?: (checked: Checked) => void;
};

/** Resolves with one result per check, in the order of their numbers; never rejects for a check that fails. */
export async function runChecks(options: RunOptions): Promise<readonly Checked[]> {
  const { checks, budgetMs, clock } = options;
  const signal = AbortSignal.any([options.signal, clock.after(budgetMs)]);
  const done: Checked[] = [];
  const ordered = checks.toSorted((a, b) => numberOf(a.id) - numberOf(b.id));
  const look = async (check: Check): Promise<void> => {
    const checked = await runOne(check, { ...options, signal });
    done.push(checked);
    options.onDone?.(checked);
  };
  await atOnce(ordered, { jobs: maxAtOnce }, look);
  return done.sort((a, b) => numberOf(a.check.id) - numberOf(b.check.id));
}

async function runOne(check: Check, { isOffline, signal, clock }: RunOptions): Promise<Checked> {
  if (isOffline && check.isOnline) return skipped(check, "offline");
  if (signal.aborted) return skipped(check, "budget");
  const began = clock.now();
  const announced: string[] = [];
  const kept: Finding[] = [];
  const took = (): number => clock.now() - began;
  try {
    const examined = await cutOff(
      check.run({
        signal,
        announce: (what) => void announced.push(withoutCredentials(what)),
        keep: (findings) => void kept.push(...findings),
      }),
      signal,
    );
    if (examined.nothing !== undefined && examined.findings.length === 0)
      return { check, state: "skip", examined, announced, ms: took(), skipped: "nothing" };
    return { check, state: stateOf(examined), examined, announced, ms: took() };
  } catch (error) {
    const examined = { findings: kept };
    if (isOver(signal)) return { ...skipped(check, "cut"), examined, announced, ms: took() };
    const reason = withoutCredentials(error instanceof Error ? error.message : String(error));
    return { ...skipped(check, "broken"), examined, announced, ms: took(), reason };
  }
}

/** It may have become so since it was looked at last. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** A check that does not listen to its signal is left behind, so that the report comes in time. */
async function cutOff<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const end = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => undefined);
  }
}

function skipped(check: Check, reason: SkipReason): Checked {
  return { check, state: "skip", examined: { findings: [] }, announced: [], ms: 0, skipped: reason };
}

function stateOf({ findings }: Examined): CheckState {
  if (findings.some(({ severity }) => severity === "fail")) return "fail";
  return findings.some(({ severity }) => severity === "warn") ? "warn" : "ok";
}
