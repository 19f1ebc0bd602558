// Walks a chain of upstreams for one file and says what is known afterwards. Mode `go` decides as cmd/go does
// (modfetch.TryProxies); mode `resilient` hides an upstream's bad day and calls absent only what somebody who can
// know called absent.

import type { Chain, Upstream } from "./chain.ts";
import type { WalkOp, WalkUse } from "./attempt.ts";
import { attempt, Unusable, UpstreamHeld, UpstreamStatus } from "./attempt.ts";
import type { Outcome } from "./attempt.ts";
import { UpstreamFault } from "./ports.ts";
import { mayBeAsked } from "./route.ts";

export { Unusable, UpstreamHeld, UpstreamStatus };
export type { WalkOp, WalkUse };

/** What an upstream said when it refused, fit to be shown. */
export type Quote = { readonly upstream: string; readonly status: number; readonly text: string };

export type Failure = {
  readonly upstream: string;
  readonly error: UpstreamFault | UpstreamStatus | UpstreamHeld | Unusable;
};

export type WalkResult<T> =
  | { readonly kind: "found"; readonly value: T; readonly upstream: Upstream }
  /** `text` is what the deciding upstream said, or "". */
  | { readonly kind: "absent"; readonly by: readonly string[]; readonly text: string }
  | { readonly kind: "refused"; readonly quotes: readonly Quote[]; readonly reasons: readonly Failure[] }
  | {
      readonly kind: "failed";
      readonly reasons: readonly Failure[];
      /** Every failure was somebody's silence. */
      readonly timeout: boolean;
      readonly waitedMs: number;
    }
  /** There is no upstream that may be asked. */
  | { readonly kind: "nobody" };

/** Asks the chain. Throws UpstreamFault "aborted" when `op.signal` was aborted, and whatever `op.accept` throws but Unusable. */
export async function walk<T>(chain: Chain, use: WalkUse, op: WalkOp<T>): Promise<WalkResult<T>> {
  const upstreams = chain.upstreams.filter((upstream) => mayBeAsked(upstream, op.module, use.privatePatterns));
  if (upstreams.length === 0) return { kind: "nobody" };
  const startedMs = use.clock.now();
  const asked = { upstreams, use, op, ledger: new Ledger(() => use.clock.now() - startedMs) };
  return use.mode === "go" ? await walkAsGo(asked) : await walkResilient(asked);
}

type Walk<T> = {
  readonly upstreams: readonly Upstream[];
  readonly use: WalkUse;
  readonly op: WalkOp<T>;
  readonly ledger: Ledger;
};

/** cmd/go knows only these, whatever the operator configured. */
const goAbsentStatuses: readonly number[] = [404, 410];

async function walkAsGo<T>({ upstreams, use, op, ledger }: Walk<T>): Promise<WalkResult<T>> {
  for (const upstream of upstreams) {
    const outcome = await attempt(upstream, { use, op, absentStatuses: goAbsentStatuses });
    if (outcome.kind === "found") return { ...outcome, upstream };
    ledger.add(upstream, outcome);
    if (outcome.kind !== "absent" && upstream.separator !== "|") break;
  }
  // TryProxies reports the last error that is not "not found"; only if there is none, the last "not found".
  const last = ledger.last;
  if (last === "refused") return ledger.refused();
  return last === "failed" ? ledger.failed() : ledger.absent();
}

async function walkResilient<T>(walk: Walk<T>): Promise<WalkResult<T>> {
  const { use, ledger } = walk;
  const insist = allOpen(walk);
  for (const upstream of walk.upstreams) {
    const condition = use.health.condition(upstream.name);
    if (condition === "held") ledger.add(upstream, { kind: "failed", error: new UpstreamHeld() });
    if (condition === "held" || (condition === "open" && !insist)) continue;
    const settled = await ask(walk, upstream);
    if (settled !== undefined) return settled;
  }
  return (await settleAbsence(walk)) ?? conclude(walk);
}

/** With every breaker open, asking is better than a certain failure. Those who asked us to wait are left alone. */
function allOpen<T>({ upstreams, use }: Walk<T>): boolean {
  const conditions = upstreams.map((upstream) => use.health.condition(upstream.name));
  return conditions.every((condition) => condition === "open" || condition === "held");
}

/** Asks one upstream; a result when its answer ends the walk. */
async function ask<T>({ use, op, ledger }: Walk<T>, upstream: Upstream): Promise<WalkResult<T> | undefined> {
  const outcome = await attempt(upstream, { use, op, absentStatuses: upstream.absentStatuses });
  if (outcome.kind === "found") return { ...outcome, upstream };
  ledger.add(upstream, outcome);
  if (!upstream.authoritative) return undefined;
  if (outcome.kind === "absent") return { kind: "absent", by: [upstream.name], text: outcome.text };
  return outcome.kind === "refused" ? ledger.refused(upstream.name) : undefined;
}

/**
 * When only upstreams that cannot even be connected stand between us and "absent", they are asked again at once,
 * until their breakers open and they no longer count. Otherwise one dead mirror would turn every probe of `go get`
 * for a path prefix into an error until three requests have come by.
 */
async function settleAbsence<T>(walk: Walk<T>): Promise<WalkResult<T> | undefined> {
  const { use, ledger } = walk;
  if (!ledger.has("absent") || ledger.has("refused")) return undefined;
  for (const upstream of walk.upstreams) {
    for (let again = 1; again < use.health.failuresToOpen; again++) {
      if (!doubts(walk).every((doubt) => isUnconnected(doubt.error))) return undefined;
      if (!doubts(walk).some((doubt) => doubt.upstream === upstream.name)) break;
      const settled = await ask(walk, upstream);
      if (settled !== undefined) return settled;
    }
  }
  return undefined;
}

/** Failures of upstreams that still count: the breaker is not open. */
function doubts<T>({ use, ledger }: Walk<T>): readonly Failure[] {
  return ledger.failures.filter(
    ({ upstream, error }) => !(error instanceof UpstreamFault && use.health.condition(upstream) === "open"),
  );
}

function isUnconnected(error: unknown): boolean {
  return error instanceof UpstreamFault && ["refused", "unresolved", "unreachable"].includes(error.reason);
}

function conclude<T>(walk: Walk<T>): WalkResult<T> {
  const { ledger } = walk;
  if (ledger.has("refused")) return ledger.refused();
  return ledger.has("absent") && doubts(walk).length === 0 ? ledger.absent() : ledger.failed();
}

type Miss = Exclude<Outcome<never>, { kind: "found" }>;

/** What each upstream said last, in the order of the chain. */
class Ledger {
  readonly #misses = new Map<string, Miss>();
  readonly #waitedMs: () => number;

  constructor(waitedMs: () => number) {
    this.#waitedMs = waitedMs;
  }

  add(upstream: Upstream, miss: Miss): void {
    this.#misses.set(upstream.name, miss);
  }

  has(kind: Miss["kind"]): boolean {
    return [...this.#misses.values()].some((miss) => miss.kind === kind);
  }

  /** The kind of the last miss that is not absence. */
  get last(): Miss["kind"] {
    return [...this.#misses.values()].findLast((miss) => miss.kind !== "absent")?.kind ?? "absent";
  }

  get failures(): readonly Failure[] {
    const failures: Failure[] = [];
    for (const [upstream, miss] of this.#misses)
      if (miss.kind === "failed") failures.push({ upstream, error: miss.error });
    return failures;
  }

  absent(): { readonly kind: "absent"; readonly by: readonly string[]; readonly text: string } {
    const quotes = this.#quotes("absent");
    return {
      kind: "absent",
      by: quotes.map(({ upstream }) => upstream),
      text: quotes.findLast(({ text }) => text !== "")?.text ?? "",
    };
  }

  /** @param first whose quote decides and comes first */
  refused(first?: string): {
    readonly kind: "refused";
    readonly quotes: readonly Quote[];
    readonly reasons: readonly Failure[];
  } {
    const quotes = this.#quotes("refused");
    const ordered = [...quotes.filter((q) => q.upstream === first), ...quotes.filter((q) => q.upstream !== first)];
    return { kind: "refused", quotes: ordered, reasons: this.failures };
  }

  failed(): Extract<WalkResult<never>, { kind: "failed" }> {
    const reasons = this.failures;
    const timeout =
      reasons.length > 0 && reasons.every(({ error }) => error instanceof UpstreamFault && error.reason === "timeout");
    return { kind: "failed", reasons, timeout, waitedMs: this.#waitedMs() };
  }

  #quotes(kind: "absent" | "refused"): readonly Quote[] {
    const quotes: Quote[] = [];
    for (const [upstream, miss] of this.#misses)
      if (miss.kind === kind) quotes.push({ upstream, status: miss.status, text: miss.text });
    return quotes;
  }
}
