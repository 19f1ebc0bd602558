// One file along a list with answers that somebody names: `https://a,https://b|direct` with 502, 200.

import { chainOf } from "./chain.ts";
import type { Chain, Hop } from "./chain.ts";
import { costMs, reactionTo } from "./happenings.ts";
import type { Happening, Operation, Reaction } from "./happenings.ts";
import { hopsFor, walk } from "./walk.ts";

export type SimulatedStep = {
  readonly hop: Hop;
  readonly happening: Happening;
  readonly reaction: Reaction;
  /** Before go does anything else; infinite when it waits for ever. */
  readonly costMs: number;
};

export type Simulation = {
  readonly chain: Chain;
  readonly operation: Operation;
  readonly steps: readonly SimulatedStep[];
  /** Hops that are never asked, in order. */
  readonly unasked: readonly Hop[];
  readonly outcome: "found" | "not-found" | "error" | "hangs" | "refused";
  /** Whose answer is used, or whose failure is shown; counts from 0 among the hops. */
  readonly at: number | undefined;
  readonly totalMs: number;
};

export type SimulateRequest = {
  readonly chain: string;
  /** In the order of the hops; the last one stands for all that follow. */
  readonly responses: readonly Happening[];
  readonly operation: Operation;
  readonly version: string;
};

export function simulate({ chain: text, responses, operation, version }: SimulateRequest): Simulation {
  const chain = chainOf(text, "", version);
  const base = { chain, operation, at: undefined, totalMs: 0, steps: [], unasked: [] };
  if (chain.kind === "refused") return { ...base, outcome: "refused" };
  const happeningAt = (at: number): Happening => responses[at] ?? responses.at(-1) ?? 404;
  const { asked, outcome } = walk(chain.hops, hopsFor(false), (hop, at) => {
    const reaction = reactionTo(happeningAt(at), operation);
    // A repository that cannot be had is "not found", whatever the reason.
    return hop.kind === "direct" && reaction === "failed" ? "absent" : reaction;
  });
  const steps = asked.map(({ hop, at, reaction }) => {
    const happening = happeningAt(at);
    return { hop, happening, reaction, costMs: costMs(happening) };
  });
  const unasked = chain.hops.filter((hop) => hop.kind !== "off" && !asked.some((one) => one.hop === hop));
  const totalMs = steps.reduce((sum, step) => sum + step.costMs, 0);
  return { chain, operation, steps, unasked, outcome: outcome.kind, at: outcome.at, totalMs };
}
