// Holds the lines of go.sum files against proven records: `sumverify`.

import { equalHash } from "#protocol/dirhash.ts";
import { parseGoSum, type GoSumLine } from "#protocol/gosum.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { WorkQueue } from "#services/prewarm/queue.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { VerifiedRecord } from "#services/sumdb/mirror.ts";
import { askInTurn, type Asking } from "./ports.ts";

/**
 * `mismatch`: the record has another hash. `malformed`: go would stop there. `unrecorded`: the database knows no such
 * version. `unproven`: answers came, and none could be proven. `unverified`: nobody could be asked, or what is kept does
 * not have it. `private`: not asked. `foreign`: a hash of an algorithm that neither go nor the database uses.
 */
export type Verdict =
  "ok" | "mismatch" | "malformed" | "unrecorded" | "unproven" | "unverified" | "private" | "foreign";

export type CheckedLine = {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** `path version` or `path version/go.mod`; the whole of the reason for what is malformed. */
  readonly what: string;
  readonly verdict: Verdict;
  readonly hash?: string;
  /** What the database says, with its record number. */
  readonly recorded?: { readonly hash: string; readonly database: string; readonly number: number };
  readonly reason?: string;
};

export type GoSumsReport = {
  readonly files: readonly string[];
  /** In the order of the files, each from its first line. */
  readonly lines: readonly CheckedLine[];
  readonly wasInterrupted: boolean;
};

export type GoSumText = { readonly file: string; readonly text: string };

type Answer = { readonly record: VerifiedRecord } | { readonly verdict: Verdict; readonly reason: string };

/** @param onProgress told after each version */
export async function checkGoSums(
  texts: readonly GoSumText[],
  asking: Asking,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<GoSumsReport> {
  const parsed = texts.map(({ file, text }) => ({ file, ...parseGoSum(text) }));
  const ids = new Map(parsed.flatMap(({ lines }) => lines.map(({ id }) => [formatModuleVersion(id), id] as const)));
  const answers = new Map<string, Answer>();
  const asked = [...ids].filter(([, { path }]) => !asking.isPrivate(path));
  const queue = new WorkQueue<(typeof asked)[number]>(asking.jobs, asking.signal, async ([name, id]) => {
    try {
      answers.set(name, { record: await askInTurn(id, asking) });
    } catch (error) {
      if (!(error instanceof SumdbError)) throw error;
      answers.set(name, { verdict: verdictOf(error), reason: error.message });
    }
    onProgress(answers.size, asked.length);
  });
  queue.add(...asked);
  await queue.settled();
  const lines = parsed.flatMap(({ file, lines, malformed }) =>
    [
      ...malformed.map(({ line, reason }) => ({ file, line, what: reason, verdict: "malformed" as const, reason })),
      ...lines.map((line) => checkLine(file, line, { asking, answer: answers.get(formatModuleVersion(line.id)) })),
    ].toSorted((a, b) => a.line - b.line),
  );
  return { files: texts.map(({ file }) => file), lines, wasInterrupted: asking.signal.aborted };
}

function checkLine(
  file: string,
  { line, id, file: kind, hash }: GoSumLine,
  by: { readonly asking: Asking; readonly answer: Answer | undefined },
): CheckedLine {
  const what = `${id.path} ${id.version}${kind === "mod" ? "/go.mod" : ""}`;
  const checked = { file, line, what, hash };
  if (by.asking.isPrivate(id.path)) return { ...checked, verdict: "private" };
  if (!hash.startsWith("h1:")) return { ...checked, verdict: "foreign" };
  const { answer } = by;
  if (answer === undefined) return { ...checked, verdict: "unverified", reason: "not asked" };
  if (!("record" in answer)) return { ...checked, ...answer };
  const { sums, database, id: number } = answer.record;
  const recorded = { hash: sums[kind] ?? "", database, number };
  return { ...checked, verdict: equalHash(recorded.hash, hash) ? "ok" : "mismatch", recorded };
}

function verdictOf({ code }: SumdbError): Verdict {
  switch (code) {
    case "SUMDB_ABSENT":
      return "unrecorded";
    case "SUMDB_INVALID":
    case "SUMDB_FORK":
      return "unproven";
    case "SUMDB_UNREACHABLE":
    case "SUMDB_BEHIND":
    case "SUMDB_NEWER":
    case "SUMDB_NOT_KEPT":
      return "unverified";
  }
}

/** What is wrong for certain: a build with this file is not what the database recorded. */
export function isWrong({ verdict }: Pick<CheckedLine, "verdict">): boolean {
  return verdict === "mismatch" || verdict === "malformed" || verdict === "unrecorded" || verdict === "unproven";
}
