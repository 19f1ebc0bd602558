// What a cross-check found, in words.

import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { Proof } from "#services/analysers/http-ports.ts";
import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { mirrorsFindings } from "#services/findings/mirrors.ts";
import { findMirror } from "./registry.ts";
import type { RuleResult } from "./rules.ts";

export type JudgedCrosscheck = {
  readonly id: ModuleVersion;
  readonly mirrors: readonly { readonly name: string; readonly url: string }[];
  readonly proof: Proof | undefined;
  readonly database: string;
  readonly rules: readonly RuleResult[];
};

export function judgeCrosscheck(check: JudgedCrosscheck): readonly Finding[] {
  const { rules, mirrors } = check;
  return [
    ...withoutRepeats(rules).flatMap((rule) =>
      rule.verdict === "fail" || rule.verdict === "hint" ? ruleFinding(rule, check) : [],
    ),
    ...mirrors.flatMap(({ url }) => statusFinding(url)),
  ];
}

/** Who gives none of the three files need not be told three times. */
function withoutRepeats(rules: readonly RuleResult[]): readonly RuleResult[] {
  const isSame = (a: RuleResult, b: RuleResult): boolean => a.rule === b.rule && a.odd.join() === b.odd.join();
  return rules.filter((rule, at) => rule.rule !== "status" || rules.findIndex((other) => isSame(rule, other)) === at);
}

function ruleFinding({ rule, file, odd }: RuleResult, { id, proof, database }: JudgedCrosscheck): readonly Finding[] {
  const what = `${formatModuleVersion(id)} (.${file})`;
  const evidence = odd.map((text): Evidence => ({ kind: rule === "content" ? "hash" : "value", text }));
  switch (rule) {
    case "content": {
      const recorded = proof?.kind === "proven" ? proof.sums[file === "zip" ? "zip" : "mod"] : undefined;
      if (recorded === undefined) return [found(mirrorsFindings, "MIRROR_DIFFERS", { what }, { evidence })];
      const names = odd.map((text) => text.split(" ")[0] ?? "").join(", ");
      const hashes: Evidence[] = [...evidence, { kind: "hash", text: `${database} ${recorded}` }];
      return [found(mirrorsFindings, "MIRROR_POLLUTED", { what, names, database }, { evidence: hashes })];
    }
    case "status":
      return [found(mirrorsFindings, "MIRROR_STATUS_DIFFERS", { what, said: odd.join(", ") })];
    case "modified":
      return [found(mirrorsFindings, "MIRROR_BEHIND", { what, said: odd.join(", ") })];
    case "length":
    case "smallest":
    case "etag":
      // Shown in the table: honest mirrors differ in all three.
      return [];
  }
}

/** A word about the mirror itself. */
export function statusFinding(url: string): readonly Finding[] {
  const mirror = findMirror(url);
  if (mirror === undefined) return [];
  const { name, status } = mirror;
  if (status === "discouraged") return [found(mirrorsFindings, "MIRROR_DISCOURAGED", { name })];
  if (status === "claimed") return [found(mirrorsFindings, "MIRROR_CLAIMED", { name })];
  if (status === "dead") return [found(mirrorsFindings, "MIRROR_DEAD", { name })];
  return [];
}
