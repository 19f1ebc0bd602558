// Pinned heads held against what is kept and what the routes show: a fork is a log that became another one, a rollback
// one that lost records.

import type { SumdbMirror } from "./mirror.ts";
import type { Pin } from "./trusted-file.ts";

export type PinView = {
  readonly database: string;
  /**
   * `agrees`: on our timeline. `ahead`: newer than ours, and proven by the routes. `rolled-back`: newer than ours, and
   * nobody proves it. `forked`: contradicts ours. `unproven`: older than ours, and the tiles cannot be had. `unsigned`:
   * not signed by its key. `other-key`, `unknown`: the key or the database is not the configured one.
   */
  readonly verdict: "agrees" | "ahead" | "rolled-back" | "forked" | "unproven" | "unsigned" | "other-key" | "unknown";
  /** Records under the pinned head. */
  readonly pinned?: number;
  /** Records under our newest head; undefined when there is none. */
  readonly ours?: number;
  readonly reason?: string;
};

/** A configured database: its key and who keeps it. */
export type Keeper = { readonly key: string; readonly mirror: Pick<SumdbMirror, "name" | "offer"> };

/** Judges each pin. The mirrors should write nothing: this is a question. */
export async function checkPins(pins: readonly Pin[], keepers: readonly Keeper[]): Promise<PinView[]> {
  const views: PinView[] = [];
  for (const pin of pins) views.push(await checkPin(pin, keepers));
  return views;
}

/** Verdicts that nobody has to look at. */
export function isGood({ verdict }: PinView): boolean {
  return verdict === "agrees" || verdict === "ahead";
}

async function checkPin({ database, key, note }: Pin, keepers: readonly Keeper[]): Promise<PinView> {
  const keeper = keepers.find(({ mirror }) => mirror.name === database);
  if (keeper === undefined) return { database, verdict: "unknown" };
  if (keeper.key !== key) return { database, verdict: "other-key" };
  const { verdict, treeSize, ourSize, reason } = await keeper.mirror.offer(Buffer.from(note));
  const seen = {
    database,
    ...(treeSize !== undefined && { pinned: treeSize }),
    ...(ourSize !== undefined && { ours: ourSize }),
  };
  switch (verdict) {
    case "agrees":
      return { ...seen, verdict: "agrees" };
    case "newest":
      return { ...seen, verdict: "ahead" };
    case "forked":
      return { ...seen, verdict: "forked" };
    case "refused":
    case "unproven": {
      const why = reason === undefined ? {} : { reason };
      if (treeSize === undefined) return { ...seen, verdict: "unsigned", ...why };
      return { ...seen, verdict: treeSize > (ourSize ?? 0) ? "rolled-back" : "unproven", ...why };
    }
  }
}
