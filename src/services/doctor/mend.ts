// What `--fix` would do, as a plan: shown first, applied when somebody says yes.

import type { Fix } from "#services/findings/fix.ts";
import type { Reported } from "./verdict.ts";

/** `byHand`: another terminal, or a command, which may do more than one wants: shown, never applied. */
export type Step = { readonly fix: Fix; readonly code: string; readonly byHand: boolean };

/**
 * The first fix of each failure and warning, each once. Of two that set one variable to different values the one of the
 * deeper cause stays: the other is worth a second look once that is mended.
 */
export function planFixes(reported: readonly Reported[]): readonly Step[] {
  const steps: Step[] = [];
  const set = new Set<string>();
  const seen = new Set<string>();
  for (const { finding } of reported) {
    const [fix] = finding.fixes;
    if (fix === undefined || finding.severity === "info") continue;
    const key = JSON.stringify(fix);
    if (seen.has(key)) continue;
    seen.add(key);
    if (fix.kind === "set") {
      const names = Object.keys(fix.values);
      if (names.some((name) => set.has(name))) continue;
      names.forEach((name) => set.add(name));
    }
    steps.push({ fix, code: finding.code, byHand: isByHand(fix) });
  }
  return steps;
}

function isByHand(fix: Fix): boolean {
  // A file that is not go's own may belong to others as well: /etc/hosts, a shell's file.
  return fix.kind !== "set";
}
