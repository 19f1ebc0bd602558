// What plan and prewarm have in common: how many requests at once, and how failures look.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import type { Failure } from "#services/prewarm/failures.ts";
import type { CommandFlag } from "./command.ts";
import type { CliIo } from "./services.ts";
import { harmless, table } from "./text.ts";

export const fetchFlags: readonly CommandFlag[] = [
  { flag: "--all", about: "flag.all-modules" },
  { flag: "--jobs N", about: "flag.jobs" },
];

/** What a shell makes of a command that Ctrl-C ended. */
export const interrupted = 130;

const defaultJobs = 16;
/** The server's own limits.connectionsPerIp is near that. */
const maxJobs = 256;

/** Throws GRANARY_BAD_FLAG. */
export function jobsOf({ jobs }: Readonly<Record<string, unknown>>): number {
  if (typeof jobs !== "string") return defaultJobs;
  const wanted = /^\d{1,3}$/.test(jobs) ? Number(jobs) : 0;
  if (wanted < 1 || wanted > maxJobs)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--jobs", value: jobs, accepted: `1 … ${maxJobs}` });
  return wanted;
}

type Troubles = {
  readonly failures: readonly Failure[];
  readonly unreadable: readonly string[];
  readonly isCutShort: boolean;
};

export function hasTroubles({ failures, unreadable, isCutShort }: Troubles): boolean {
  return failures.length > 0 || unreadable.length > 0 || isCutShort;
}

/** Lines with their ends; "" when there is nothing to say. */
export function troubles({ failures, unreadable, isCutShort }: Troubles, io: CliIo): string {
  const told = new Set(failures.map(({ what }) => what));
  const stops = unreadable.filter((what) => !told.has(what));
  const rows = failures.map(({ what, kind, code, said }) => [`  ${what}`, kind, code, said].map(harmless));
  return [
    ...(isCutShort ? [`${say(io.lang, "fetch.cut-short")}\n`] : []),
    ...stops.map((what) => `${say(io.lang, "fetch.unreadable", { what: harmless(what) })}\n`),
    ...(rows.length === 0 ? [] : [`${say(io.lang, "fetch.failures", { count: count(rows.length) })}\n`, table(rows)]),
  ].join("");
}

/** Replaces the line that was there; only a terminal can. */
export function showLine(io: CliIo, text: string): void {
  if (io.isTerminal) io.stderr(`\r${text}\u001b[K`);
}

export function clearLine(io: CliIo): void {
  showLine(io, "");
}
