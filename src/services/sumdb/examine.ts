// One lookup answer, taken apart: each thing that must be true of it, and whether it is. For people; what is served is
// proven by the mirror itself, with the same rules.

import type { Checkpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Verifier } from "#protocol/note.ts";
import { parseLookup, type LogRecord, type Sums } from "#protocol/record.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { SumdbError } from "./errors.ts";
import { bothSums, openLookupHead } from "./records.ts";
import { TileUnavailable } from "./tiles.ts";

/** In the order in which they are looked at. */
export const examined = ["record", "signature", "inclusion", "consistency"] as const;

export type Step = {
  readonly name: (typeof examined)[number];
  /** `unchecked`: what it needs had failed before. `unknown`: nobody gave what it would be proven by. */
  readonly verdict: "ok" | "failed" | "unknown" | "unchecked";
  readonly reason?: string;
};

export type Examination = {
  readonly database: string;
  /** Who gave the answer; "store" when it was kept. */
  readonly route: string;
  readonly number?: number;
  readonly text?: string;
  readonly sums?: Sums;
  /** Records under the answer's head. */
  readonly treeSize?: number;
  /** Heads that were accepted so far, and the records under the newest. */
  readonly accepted: number;
  readonly newest?: number;
  readonly steps: readonly Step[];
};

export type ExamineUse = {
  readonly id: ModuleVersion;
  readonly verifier: Verifier;
  /** Proves the record in the head's tree, or throws ProtocolError or TileUnavailable. */
  readonly prove: (record: LogRecord, head: Checkpoint) => Promise<void>;
  /** Proves the head on our timeline, or throws these or SUMDB_FORK. */
  readonly accept: (head: Checkpoint) => Promise<void>;
};

export type Opened = Pick<Examination, "number" | "text" | "sums" | "treeSize" | "steps">;

/** Never throws for what is wrong with the answer. */
export async function examine(bytes: Uint8Array, use: ExamineUse): Promise<Opened> {
  const steps: Step[] = [];
  const look = async <T>(name: Step["name"], check: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      const value = await check();
      steps.push({ name, verdict: "ok" });
      return value;
    } catch (error) {
      const isUnknown = error instanceof TileUnavailable;
      if (!isUnknown && !(error instanceof ProtocolError) && !(error instanceof SumdbError)) throw error;
      steps.push({ name, verdict: isUnknown ? "unknown" : "failed", reason: error.message });
      return undefined;
    }
  };
  const lookup = await look("record", () => {
    const parsed = parseLookup(bytes);
    return { ...parsed, sums: bothSums(parsed.text, use.id) };
  });
  const head =
    lookup && (await look("signature", () => openLookupHead(lookup.id, lookup.checkpointNote, use.verifier)));
  if (lookup !== undefined && head !== undefined) {
    await look("inclusion", () => use.prove({ id: lookup.id, text: lookup.text }, head));
    await look("consistency", () => use.accept(head));
  }
  const unchecked = examined.slice(steps.length).map((name): Step => ({ name, verdict: "unchecked" }));
  return {
    ...(lookup && { number: lookup.id, text: lookup.text, sums: lookup.sums }),
    ...(head && { treeSize: head.size }),
    steps: [...steps, ...unchecked],
  };
}
