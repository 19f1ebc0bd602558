// One file along the list: who is asked, who comes next after each answer, and which failure the user is shown.
// Source: cmd/go/internal/modfetch TryProxies and lookup.

import type { Hop } from "./chain.ts";
import type { Reaction } from "./happenings.ts";

export type Asked = { readonly hop: Hop; readonly at: number; readonly reaction: Reaction };

export type Walk = {
  /** Hops that a request goes to, in order; `at` counts from 0 in the list that was given. */
  readonly asked: readonly Asked[];
  readonly outcome:
    | { readonly kind: "found"; readonly at: number }
    /** `at`: whose failure is shown; undefined when it is one that no hop gave (`off`, a private name). */
    | { readonly kind: "not-found" | "error"; readonly at: number | undefined }
    | { readonly kind: "hangs"; readonly at: number };
};

type Failure = { readonly at: number | undefined; readonly kind: "not-found" | "error" };

/**
 * @param isAsked which hops a request goes to; the others count as "not found" without one
 * @param react what a hop answers
 */
export function walk(
  hops: readonly Hop[],
  isAsked: (hop: Hop) => boolean,
  react: (hop: Hop, at: number) => Reaction,
): Walk {
  const asked: Asked[] = [];
  let best: Failure & { readonly rank: number } = { at: undefined, kind: "not-found", rank: 0 };
  for (const [at, hop] of hops.entries()) {
    const goesThere = isAsked(hop);
    const reaction = goesThere ? react(hop, at) : "absent";
    if (goesThere) asked.push({ hop, at, reaction });
    if (reaction === "found") return { asked, outcome: { kind: "found", at } };
    if (reaction === "hangs") return { asked, outcome: { kind: "hangs", at } };
    if (reaction === "spoilt") return { asked, outcome: { kind: "error", at } };
    const rank = rankOf(hop, reaction, goesThere);
    // "Direct" failures are shown before those of proxies, and those before any "not found"; of equals the last.
    if (rank >= best.rank)
      best = { at: goesThere ? at : undefined, kind: reaction === "absent" ? "not-found" : "error", rank };
    if (reaction === "failed" && !(hop.kind === "proxy" && hop.separator === "|")) break;
  }
  return { asked, outcome: { kind: best.kind, at: best.at } };
}

/** A private module is asked of its repository alone; `off` asks nobody. */
export function hopsFor(isPrivate: boolean): (hop: Hop) => boolean {
  return (hop) => asksHop(hop, isPrivate);
}

function asksHop(hop: Hop, isPrivate: boolean): boolean {
  switch (hop.kind) {
    case "noproxy":
      return isPrivate;
    case "proxy":
      return !isPrivate;
    case "direct":
      return true;
    case "off":
      return false;
  }
}

function rankOf(hop: Hop, reaction: Reaction, isAsked: boolean): number {
  if (hop.kind === "direct" || (hop.kind === "noproxy" && isAsked)) return 2;
  return reaction === "absent" ? 0 : 1;
}
