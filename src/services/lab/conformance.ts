// The conformance suite: what a Go module proxy must and should do, as cases against a URL. Every case stands for
// itself, so that a proxy's whole state is seen in one run. `granary conformance URL` prints what comes out.
import { fileCases } from "./cases-files.ts";
import { hostileCases } from "./cases-hostile.ts";
import { httpCases } from "./cases-http.ts";
import { listCases } from "./cases-lists.ts";
import { nameCases } from "./cases-names.ts";
import { rangeCases } from "./cases-ranges.ts";
import { sumdbCases } from "./cases-sumdb.ts";
import { CaseFailed, CaseSkipped, Lab } from "./conformance-lab.ts";
import type { ConformanceCase, ConformanceFixtures, Severity } from "./conformance-lab.ts";
import type { ProxyUnderTest } from "./ports.ts";

export type { ConformanceFixtures } from "./conformance-lab.ts";

/** Every case, in the order in which they run: content first, hostile requests last. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...fileCases,
  ...listCases,
  ...nameCases,
  ...httpCases,
  ...rangeCases,
  ...sumdbCases,
  ...hostileCases,
];

export type CaseResult = {
  readonly id: string;
  readonly severity: Severity;
  readonly en: string;
  readonly zh: string;
  readonly spec: string;
  readonly outcome: "pass" | "fail" | "skip";
  /** Why it failed or was skipped; empty when it passed. */
  readonly why: string;
};

/** Runs every case, one after the other, and yields each result as it comes. Only a bug of ours throws. */
export async function* runConformance(
  target: ProxyUnderTest,
  fixtures: ConformanceFixtures,
): AsyncGenerator<CaseResult, void, undefined> {
  const lab = new Lab(target, fixtures);
  for (const one of conformanceCases) yield await runCase(one, lab);
}

async function runCase(one: ConformanceCase, lab: Lab): Promise<CaseResult> {
  const { id, severity, en, zh, spec } = one;
  const about = { id, severity, en, zh, spec };
  try {
    await one.check(lab);
    return { ...about, outcome: "pass", why: "" };
  } catch (error) {
    if (error instanceof CaseFailed) return { ...about, outcome: "fail", why: error.message };
    if (error instanceof CaseSkipped) return { ...about, outcome: "skip", why: error.message };
    throw error;
  }
}
