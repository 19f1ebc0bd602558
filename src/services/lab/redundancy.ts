// A drill of checksum databases: the official one, the company's own, and the records kept here are taken away one after
// the other, and each time versions that nobody has yet must be verified by what is left. With nothing left they must be
// refused: that is part of the drill.

import type { ModuleVersion } from "#protocol/version.ts";

/** What vouches for a version. `kept`: a record that was fetched and proven while its database was there. */
export const vouchers = ["official", "own", "kept"] as const;
export type Voucher = (typeof vouchers)[number];

export type RedundancyScene = {
  readonly down: readonly Voucher[];
  /** Who must vouch; undefined when the versions must be refused. */
  readonly by: Voucher | undefined;
};

/** In this order; each begins with everything in place. */
export const redundancyScenes: readonly RedundancyScene[] = [
  { down: [], by: "official" },
  { down: ["official"], by: "own" },
  { down: ["own"], by: "official" },
  { down: ["official", "own"], by: "kept" },
  { down: ["official", "own", "kept"], by: undefined },
];

/** What became of one version that a client asked for whole: info, go.mod, zip. */
export type Outcome =
  | { readonly kind: "verified"; readonly by: Voucher | undefined; readonly ms: number }
  | { readonly kind: "refused"; readonly code: string; readonly ms: number }
  /** Bytes that are not the version's were served, or something else that must never happen. */
  | { readonly kind: "wrong"; readonly reason: string; readonly ms: number };

/** The little world of the drill. */
export interface RedundancyWorld {
  /**
   * Makes the versions of a scene; none of them is kept, and the official database has their records. `own`: the own
   * database was asked about them while all was well, and has recorded them. `kept`: their official records were asked
   * for here.
   */
  prepare(count: number, before: { readonly own: boolean; readonly kept: boolean }): Promise<readonly ModuleVersion[]>;
  kill(voucher: Exclude<Voucher, "kept">): Promise<void>;
  revive(voucher: Exclude<Voucher, "kept">): Promise<void>;
  /** Asks for a version as a client does. Throws the signal's reason when aborted. */
  build(id: ModuleVersion, signal: AbortSignal): Promise<Outcome>;
}

export type SceneReport = RedundancyScene & {
  readonly versions: number;
  readonly verified: number;
  readonly refused: number;
  /** Versions for which something else happened than had to, and what the first of them was. */
  readonly failed: number;
  readonly first?: string;
  /** The slowest version, whole, in milliseconds. */
  readonly slowestMs: number;
};

export type RedundancyReport = { readonly scenes: readonly SceneReport[]; readonly reached: boolean };

/** Throws the signal's reason when aborted. */
export async function drillRedundancy(use: {
  readonly world: RedundancyWorld;
  /** In each scene. */
  readonly versions: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}): Promise<RedundancyReport> {
  const { world, versions, signal, onProgress } = use;
  const scenes: SceneReport[] = [];
  for (const scene of redundancyScenes) {
    signal.throwIfAborted();
    const { down } = scene;
    const ids = await world.prepare(versions, { own: scene.by === "own", kept: scene.by === "kept" });
    const killed = down.filter((voucher) => voucher !== "kept");
    for (const voucher of killed) await world.kill(voucher);
    const outcomes: Outcome[] = [];
    for (const id of ids) {
      outcomes.push(await world.build(id, signal));
      onProgress(scenes.length * versions + outcomes.length, redundancyScenes.length * versions);
    }
    for (const voucher of killed) await world.revive(voucher);
    scenes.push(reportOf(scene, outcomes));
  }
  return { scenes, reached: scenes.every(({ failed }) => failed === 0) };
}

function reportOf(scene: RedundancyScene, outcomes: readonly Outcome[]): SceneReport {
  const isRight = (outcome: Outcome): boolean =>
    scene.by === undefined ? outcome.kind === "refused" : outcome.kind === "verified" && outcome.by === scene.by;
  const wrong = outcomes.filter((outcome) => !isRight(outcome));
  const [first] = wrong;
  return {
    ...scene,
    versions: outcomes.length,
    verified: outcomes.filter(({ kind }) => kind === "verified").length,
    refused: outcomes.filter(({ kind }) => kind === "refused").length,
    failed: wrong.length,
    ...(first !== undefined && { first: inShort(first) }),
    slowestMs: Math.max(0, ...outcomes.map(({ ms }) => ms)),
  };
}

function inShort(outcome: Outcome): string {
  if (outcome.kind === "verified") return `verified by ${outcome.by ?? "nobody"}`;
  return outcome.kind === "refused" ? outcome.code : outcome.reason;
}
