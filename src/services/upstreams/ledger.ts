// What each upstream said in one walk, and what that amounts to.

import type { Outcome, UpstreamHeld, UpstreamStatus } from "./attempt.ts";
import { Unusable } from "./attempt.ts";
import type { Upstream } from "./chain.ts";
import { UpstreamFault } from "./ports.ts";

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

/** True for bytes of no use that the upstream has to answer for. */
export function sentWrongBytes(error: Failure["error"] | undefined): boolean {
  return error instanceof Unusable && !error.isBlameless;
}

type Miss = Exclude<Outcome<never>, { kind: "found" }>;

/** What each upstream said last, in the order of the chain. */
export class Ledger {
  readonly #misses = new Map<string, Miss>();
  readonly #unusable = new Map<string, number>();
  readonly #waitedMs: () => number;

  constructor(waitedMs: () => number) {
    this.#waitedMs = waitedMs;
  }

  add(upstream: Upstream, miss: Miss): void {
    this.#misses.set(upstream.name, miss);
    if (miss.kind === "failed" && sentWrongBytes(miss.error))
      this.#unusable.set(upstream.name, this.unusableCount(upstream.name) + 1);
  }

  /** Why an upstream failed last; undefined when it did not. */
  failureOf(upstream: string): Failure["error"] | undefined {
    const miss = this.#misses.get(upstream);
    return miss?.kind === "failed" ? miss.error : undefined;
  }

  /** How often it sent bytes of no use. */
  unusableCount(upstream: string): number {
    return this.#unusable.get(upstream) ?? 0;
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
