// What all checks together mean: which finding is the cause, which ones only follow from it, and may one build?

import type { Finding } from "#services/findings/finding.ts";
import type { Checked } from "./check.ts";
import { numberOf } from "./check.ts";
import { rankOf } from "./causes.ts";

/** A finding and the check that made it. */
export type Reported = { readonly finding: Finding; readonly number: number };

export type Verdict = {
  /**
   * `broken`: builds fail or are not safe. `shaky`: something is to be looked at. `unknown`: nothing wrong was found, but time
   * was up, or a check broke, or nothing was looked at. `partly`: nothing wrong in what was asked for, and no module was fetched.
   */
  readonly state: "healthy" | "partly" | "shaky" | "broken" | "unknown";
  /** What to mend first; undefined without failures and warnings. */
  readonly cause: Reported | undefined;
  readonly failures: number;
  readonly warnings: number;
  readonly notLookedAt: number;
};

/** All findings, each once, the cause of the others first. */
export function reportedOf(checks: readonly Checked[]): readonly Reported[] {
  const seen = new Set<string>();
  return checks
    .flatMap(({ check, examined }) => examined.findings.map((finding) => ({ finding, number: numberOf(check.id) })))
    .filter(({ finding }) => {
      const key = `${finding.code} ${JSON.stringify(finding.fields)}`;
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    })
    .toSorted((a, b) => weight(a) - weight(b));
}

function weight({ finding }: Reported): number {
  const severity = { fail: 0, warn: 1, info: 2 }[finding.severity];
  return severity * 1000 + rankOf(finding.code);
}

export function verdictOf(checks: readonly Checked[]): Verdict {
  const reported = reportedOf(checks);
  const failures = reported.filter(({ finding }) => finding.severity === "fail").length;
  const warnings = reported.filter(({ finding }) => finding.severity === "warn").length;
  const notLookedAt = checks.filter(({ skipped }) => skipped !== undefined && skipped !== "nothing").length;
  const [first] = reported;
  const state = failures > 0 ? "broken" : stateWithoutFailure(checks, warnings);
  return { state, cause: first?.finding.severity === "info" ? undefined : first, failures, warnings, notLookedAt };
}

function stateWithoutFailure(checks: readonly Checked[], warnings: number): Verdict["state"] {
  const isLooked = (one: Checked): boolean => one.skipped === undefined || one.skipped === "nothing";
  const isLost = ({ skipped }: Checked): boolean => skipped === "cut" || skipped === "budget" || skipped === "broken";
  if (checks.some(isLost) || !checks.some(isLooked)) return "unknown";
  if (warnings > 0) return "shaky";
  // Only a module that came, or go's own list of them, shows that builds work.
  const isShown = checks.some(
    ({ check: { id }, state }) => (id === "requests" || id === "build-list") && state === "ok",
  );
  return isShown ? "healthy" : "partly";
}
