// Walks a chain of upstreams for one file and says what is known afterwards. Mode `go` decides as cmd/go does
// (modfetch.TryProxies); mode `resilient` hides an upstream's bad day and calls absent only what somebody who can
// know called absent.

import type { Outcome, WalkOp, WalkUse } from "./attempt.ts";
import { ask, notAskedAgain, Unusable, UpstreamHeld, UpstreamStatus } from "./attempt.ts";
import type { Failure, WalkResult } from "./ledger.ts";
import { Ledger, sentWrongBytes } from "./ledger.ts";
import { backoffMs } from "./backoff.ts";
import type { Chain, Upstream } from "./chain.ts";
import type { FaultReason } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";
import { race } from "./race.ts";
import type { Patience } from "./race.ts";
import { mayBeAsked } from "./route.ts";
import { Turns } from "./turns.ts";

export { Unusable, UpstreamHeld, UpstreamStatus };
export type { WalkResult } from "./ledger.ts";
export type { WalkOp, WalkUse };

/** What a walk needs beside what one request does; each may be left out. */
export type ChainUse = WalkUse & {
  /** In which order to ask, for this module; the configured one without it. */
  readonly order?: (upstreams: readonly Upstream[], module: string | undefined) => readonly Upstream[];
  /** How long a silent upstream holds up the next one; for ever without it. */
  readonly patience?: Patience;
  /** Time in which one request may be tried again, in milliseconds. */
  readonly retryMs?: number;
  /** Whether one more retry fits into what all requests together may retry. */
  readonly retries?: { mayRetry(): boolean };
  /** In [0, 1), for the jitter of waits; none without it. */
  readonly random?: () => number;
};

/** Asks the chain. Throws UpstreamFault "aborted" when `op.signal` was aborted, and whatever `op.accept` throws but Unusable. */
export async function walk<T>(chain: Chain, use: ChainUse, op: WalkOp<T>): Promise<WalkResult<T>> {
  const allowed = chain.upstreams.filter((upstream) => mayBeAsked(upstream, op.module, use.privatePatterns));
  if (allowed.length === 0) return { kind: "nobody" };
  const upstreams = use.mode === "resilient" ? (use.order?.(allowed, op.module) ?? allowed) : allowed;
  const startedMs = use.clock.now();
  const asked = { upstreams, use, op, startedMs, ledger: new Ledger(() => use.clock.now() - startedMs) };
  return use.mode === "go" ? await walkAsGo(asked) : await walkResilient(asked);
}

type Walk<T> = {
  readonly upstreams: readonly Upstream[];
  readonly use: ChainUse;
  readonly op: WalkOp<T>;
  readonly ledger: Ledger;
  readonly startedMs: number;
};

/** cmd/go knows only these, whatever the operator configured. */
const goAbsentStatuses: readonly number[] = [404, 410];

async function walkAsGo<T>(walk: Walk<T>): Promise<WalkResult<T>> {
  const { upstreams, ledger } = walk;
  for (const upstream of upstreams) {
    const outcome = await askAsGo(walk, upstream);
    if (outcome.kind === "found") return { ...outcome, upstream };
    ledger.add(upstream, outcome);
    if (outcome.kind !== "absent" && upstream.separator !== "|") break;
  }
  // TryProxies reports the last error that is not "not found"; only if there is none, the last "not found".
  const last = ledger.last;
  if (last === "refused") return ledger.refused();
  return last === "failed" ? ledger.failed() : ledger.absent();
}

/**
 * How often mode `go` sends a request again: one that could not be connected, with back-off, and one whose connection
 * died under way, once, as net/http does with kept connections. Silence is not among them: a silent upstream has had
 * its time. An answer, whatever it says, is final.
 */
const goRetries: Readonly<Partial<Record<FaultReason, number>>> = {
  refused: 3,
  unreachable: 3,
  unresolved: 3,
  reset: 1,
  truncated: 1,
};

/** A connection that fails says nothing in mode `go` either: the same upstream is asked again. */
async function askAsGo<T>(walk: Walk<T>, upstream: Upstream): Promise<Outcome<T>> {
  const { use, op } = walk;
  for (let tries = 0; ; tries++) {
    const outcome = await ask(upstream, { use, op, absentStatuses: goAbsentStatuses }).outcome;
    if (outcome.kind !== "failed" || !(outcome.error instanceof UpstreamFault)) return outcome;
    if (tries >= (goRetries[outcome.error.reason] ?? 0)) return outcome;
    const wait = waitBefore(walk, tries, 0);
    if (wait === undefined || !mayRetry(use)) return outcome;
    await use.clock.sleep(wait, op.signal);
  }
}

async function walkResilient<T>(walk: Walk<T>): Promise<WalkResult<T>> {
  const { use, op } = walk;
  let candidates = firstCandidates(walk);
  let haveWaited = false;
  for (let round = 0; ; round++) {
    const turn = op.exclusive === true ? new Turns().take : undefined;
    const won = await race(candidates, { ...walk, haveWaited, turn });
    if (won !== undefined) return won;
    const hopeful = nextCandidates(walk, round);
    const trials = hopeful.length > 0 ? [] : awaitedTrials(walk);
    if (hopeful.length > 0 ? !mayRetry(use) : trials.length === 0 && !mayOutlast(walk)) return conclude(walk);
    const heldMs = hopeful.length > 0 ? Math.min(...hopeful.map(({ name }) => use.health.heldMs(name))) : 0;
    const wait = waitBefore(walk, round, heldMs);
    if (wait === undefined) return conclude(walk);
    op.retrying?.();
    await use.clock.sleep(wait, op.signal);
    haveWaited = heldMs > 0;
    if (trials.length > 0) candidates = trials.filter(({ name }) => use.health.condition(name) !== "open");
    else candidates = hopeful.length > 0 ? hopeful : backAgain(walk);
  }
}

/** Whether to wait because all that could have it are down, and have been for no longer than retries may take. */
function mayOutlast<T>({ upstreams, use, op, ledger }: Walk<T>): boolean {
  if (op.waitsOut !== true || op.urgency?.isUrgent === false) return false;
  if (ledger.has("absent") || ledger.has("refused")) return false;
  return upstreams.some(({ name }) => {
    const error = ledger.failureOf(name);
    const isDown = use.health.condition(name) === "open" || use.health.condition(name) === "trial";
    return isDown && use.health.outageMs(name) < retryMsOf(use) && error !== undefined && mayBeOver(error);
  });
}

/**
 * Upstreams that are being tried again after an outage, while others say "absent": their word is worth a moment's wait.
 * Without it a herd that comes just after an outage hears 404 for what only the one on trial has.
 */
function awaitedTrials<T>({ upstreams, use, ledger, startedMs }: Walk<T>): readonly Upstream[] {
  if (!ledger.has("absent") || use.clock.now() - startedMs >= trialMs) return [];
  return upstreams.filter(({ name }) => ledger.failureOf(name) !== undefined && use.health.isOnTrial(name));
}

/** So long a request waits for a trial: answers take a tenth of it, and who is still silent then is still down. */
const trialMs = 3_000;

/** Those that others have found well again, and those whose turn it is to be tried. May be nobody yet. */
function backAgain<T>({ upstreams, use }: Walk<T>): readonly Upstream[] {
  return upstreams.filter(({ name }) => {
    if (use.health.condition(name) !== "open") return true;
    return use.health.mayInsist(name) && mayRetry(use);
  });
}

/**
 * Those worth asking. With every breaker open, asking is better than a certain failure. One that told us to wait comes
 * in when its time is over, as long as somebody else is being asked.
 */
function firstCandidates<T>({ upstreams, use, ledger }: Walk<T>): readonly Upstream[] {
  const conditions = new Map(upstreams.map(({ name }) => [name, use.health.condition(name)]));
  const insist = [...conditions.values()].every((condition) => condition === "open" || condition === "held");
  const candidates = upstreams.filter((upstream) => {
    const condition = conditions.get(upstream.name);
    if (condition === "held") ledger.add(upstream, { kind: "failed", error: new UpstreamHeld() });
    if (condition !== "open") return true;
    if (insist && use.health.mayInsist(upstream.name)) return true;
    ledger.add(upstream, { kind: "failed", error: notAskedAgain(upstream.name) });
    return false;
  });
  // One that is silent to everybody comes last; now and then it comes where it belongs, so that its return is noticed.
  const isLast = ({ name }: Upstream): boolean => use.health.isMute(name) && !use.health.mayInsist(name);
  return [...candidates.filter((each) => !isLast(each)), ...candidates.filter(isLast)];
}

/**
 * Those that failed in a way that may be over in a moment. Whose breaker is open has had its chances; who sent wrong
 * bytes is asked again only when nobody else is left to ask.
 */
function nextCandidates<T>({ upstreams, use, ledger }: Walk<T>, round: number): readonly Upstream[] {
  if (round + 1 >= maxRounds) return [];
  const hopeful = upstreams.filter(({ name }) => {
    const condition = use.health.condition(name);
    const error = ledger.failureOf(name);
    return (condition === "closed" || condition === "held") && error !== undefined && mayBeOver(error);
  });
  const honest = hopeful.filter(({ name }) => !sentWrongBytes(ledger.failureOf(name)));
  if (honest.length > 0) return honest;
  return hopeful.filter(({ name }) => ledger.unusableCount(name) < maxUnusable);
}

/** Rounds of one walk: with a fifth of all answers broken, 14 in a row are broken once in some six billion times. */
const maxRounds = 14;
/** How often one upstream may send bytes of no use before they count as what it has. */
const maxUnusable = 4;

/** True for a failure that the same request may not meet again a moment later. */
function mayBeOver(error: Failure["error"]): boolean {
  if (error instanceof UpstreamFault) return passingFaults.has(error.reason);
  if (error instanceof UpstreamStatus) return passingStatuses.has(error.status);
  return true; // asked to wait, or bytes of no use
}

const passingFaults: ReadonlySet<FaultReason> = new Set([
  "refused",
  "unresolved",
  "unreachable",
  "reset",
  "tls",
  "timeout",
  "truncated",
  "malformed",
]);
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** How long to wait before round `round + 1`; undefined when it would begin too late. */
function waitBefore<T>({ use, op, startedMs }: Walk<T>, round: number, heldMs: number): number | undefined {
  const since = Math.max(startedMs, op.progressedMs?.() ?? 0);
  const leftMs = since + retryMsOf(use) - use.clock.now();
  const wait = backoffMs(round, use.random ?? noJitter) + heldMs;
  return wait < leftMs ? wait : undefined;
}

const noJitter = (): number => 0.5;

/** Time for retries of one request: below what common clients of a CI wait without a byte. */
const defaultRetryMs = 25_000;

function retryMsOf(use: ChainUse): number {
  return use.retryMs ?? defaultRetryMs;
}

function mayRetry(use: ChainUse): boolean {
  return use.retries?.mayRetry() ?? true;
}

/** Failures of upstreams that still count: the breaker is not open. */
function doubts<T>({ use, ledger }: Walk<T>): readonly Failure[] {
  return ledger.failures.filter(({ upstream, error }) => {
    return !(error instanceof UpstreamFault && use.health.condition(upstream) === "open");
  });
}

function conclude<T>(walk: Walk<T>): WalkResult<T> {
  const { ledger } = walk;
  if (ledger.has("refused")) return ledger.refused();
  return ledger.has("absent") && doubts(walk).length === 0 ? ledger.absent() : ledger.failed();
}
