// A check as data: what it is called, what it needs, and the function that looks. The twelve steps of the documents keep
// their numbers and their order; a check never changes anything.

import type { Lang } from "#services/errors/sentences.ts";
import type { Finding } from "#services/findings/finding.ts";

/** In the order of the report. The last two belong to `--quick`, which asks six of them and the build list. */
export const checkIds = [
  "goproxy",
  "chain",
  "private",
  "module-mode",
  "scopes",
  "requests",
  "tls",
  "http2",
  "dns-cache",
  "dns-views",
  "cache-headers",
  "mirrors",
  "modcache",
  "build-list",
] as const;
export type CheckId = (typeof checkIds)[number];

/** What a person may name instead of single checks. */
export const groups = ["settings", "network", "cache"] as const;
export type Group = (typeof groups)[number];

/** What a check came to. `summary` is the short text beside its title: language-neutral facts, or undefined. */
export type Examined = {
  readonly findings: readonly Finding[];
  readonly summary?: string;
  /** Nothing to look at here, in this many words: the check counts as skipped. */
  readonly nothing?: Readonly<Record<Lang, string>>;
};

export type CheckUse = {
  /** Ends when the check's own time or the whole budget is used up, or the user stops. */
  readonly signal: AbortSignal;
  /** Names a request before it is made: `GET https://…`, `DNS A example.com @8.8.8.8`. */
  readonly announce: (what: string) => void;
  /** What was found so far: it counts even when time is up before the check is done. */
  readonly keep: (findings: readonly Finding[]) => void;
};

export type Check = {
  readonly id: CheckId;
  readonly group: Group;
  readonly title: Readonly<Record<Lang, string>>;
  /** Asks hosts; left out with `--offline`. */
  readonly isOnline: boolean;
  /** Part of `--quick`. */
  readonly isQuick: boolean;
  /** Part of the full report. */
  readonly isFull: boolean;
  readonly run: (use: CheckUse) => Promise<Examined>;
};

/** The number people know a check by: its place in the list, from 1. */
export function numberOf(id: CheckId): number {
  return checkIds.indexOf(id) + 1;
}

/** Why a check was not run. `budget`: time was up before it began. `cut`: time was up while it looked. */
export type SkipReason = "offline" | "budget" | "cut" | "nothing" | "broken";

export type CheckState = "ok" | "warn" | "fail" | "skip";

export type Checked = {
  readonly check: Check;
  readonly state: CheckState;
  readonly examined: Examined;
  readonly announced: readonly string[];
  readonly ms: number;
  readonly skipped?: SkipReason;
  /** What a broken check died of: a defect of ours, told and not hidden. */
  readonly reason?: string;
};
