// Myths by what they are about: `env matrix` prints them, and who finds something wrong shows the myth behind it.

import { verdicts } from "./myth.ts";
import type { Myth, MythCode, Topic, Unshown, Verdict } from "./myth.ts";

export type NamedMyth = {
  readonly code: MythCode;
  readonly myth: Myth;
  /** Titles of the tests in test/go that show it, or why there is none. */
  readonly proof: { readonly tests: readonly string[] } | { readonly unshown: Unshown };
};

/** What is wanted; an empty filter wants all. */
export type MythFilter = {
  /** About any of these. */
  readonly about?: readonly Topic[] | undefined;
  readonly verdict?: Verdict | undefined;
};

/** Those of `all` that fit, in their order: `selectMyths(all, { about: ["GOPROXY"], verdict: "false" })`. */
export function selectMyths(all: readonly NamedMyth[], { about, verdict }: MythFilter): readonly NamedMyth[] {
  return all.filter(
    ({ myth }) =>
      (about === undefined || myth.about.some((topic) => about.includes(topic))) &&
      (verdict === undefined || myth.verdict === verdict),
  );
}

/** How many have each verdict. */
export function countVerdicts(some: readonly NamedMyth[]): Readonly<Record<Verdict, number>> {
  const count = (verdict: Verdict): number => some.filter(({ myth }) => myth.verdict === verdict).length;
  return Object.fromEntries(verdicts.map((verdict) => [verdict, count(verdict)])) as Record<Verdict, number>;
}
