// What is wrong with the settings of a go command, or may be: every rule of this room, as findings. Nothing is asked of
// the network. `environment` is what the machine has, `values` what somebody wrote on the command line.

import type { Finding } from "#services/findings/finding.ts";
import { lintChain } from "./lint-chain.ts";
import { lintFile } from "./lint-file.ts";
import { lintNames } from "./lint-names.ts";
import { lintOthers } from "./lint-others.ts";
import { lintPrivacy } from "./lint-privacy.ts";
import { lintSums } from "./lint-sums.ts";
import type { Lint } from "./rule.ts";
import { settingsOf } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

export type LintOptions = {
  /** The articles' rules for GOPROXY values instead of go's own: blanks and missing schemes fail too. */
  readonly isStrict?: boolean;
  /** What the machine is for: where verification is off, prod and ci fail, dev is warned. */
  readonly kind?: "prod" | "ci" | "dev";
  /** The go command in question; without it the installed one. */
  readonly go?: string | undefined;
};

/** Findings in the order of the rules: the list, verification, privacy, the rest, names, the file. */
export function lint(from: Surroundings, options: LintOptions = {}): readonly Finding[] {
  const { isStrict = false, kind = "dev", go } = options;
  const on: Lint = { from, settings: settingsOf(from, go), isStrict, kind };
  return [lintChain, lintSums, lintPrivacy, lintOthers, lintNames, lintFile].flatMap((rule) => rule(on));
}

/** Surroundings in which nothing but these values is set: `env lint GOPROXY=…` speaks of them alone. */
export function onlyValues(values: Readonly<Record<string, string>>, from: Surroundings): Surroundings {
  return {
    platform: from.platform,
    process: values,
    isGiven: true,
    userFile: { kind: "off" },
    netrc: { kind: "off" },
    go: from.go,
  };
}
