// In which order upstreams are asked. Levels first: a higher one only when the lower ones have failed. Within a level
// the configured order, or, where weights are given, an order drawn by weight. The draw hangs on the module's path, so
// that all files of a module are asked of the same upstream first and snapshots stay whole. Origins without a weight come
// nearest first.

import type { Upstream } from "./chain.ts";
import type { Nearness } from "./nearness.ts";

/** A number in (0, 1), always the same for the same text: 32-bit FNV-1a, finished as MurmurHash3 does. */
export function drawOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 2 ** 32;
}

/**
 * @param weights by region; an upstream's own weight is multiplied by that of its region
 * @param nearness of origins; without it the configured order stands
 */
export function orderFor(
  upstreams: readonly Upstream[],
  module: string | undefined,
  weights: ReadonlyMap<string, number>,
  nearness?: Pick<Nearness, "rank">,
): readonly Upstream[] {
  const drawn = nearestFirst(upstreams, nearness).map((upstream, index) => ({
    upstream,
    place: placeOf(upstream, module ?? "", weights),
    index,
  }));
  drawn.sort((a, b) => a.place.level - b.place.level || a.place.rank - b.place.rank || a.index - b.index);
  return drawn.map(({ upstream }) => upstream);
}

/** The configured order, with the origins of each level in each other's places: the nearest in the first of them. */
function nearestFirst(
  upstreams: readonly Upstream[],
  nearness: Pick<Nearness, "rank"> | undefined,
): readonly Upstream[] {
  if (nearness === undefined || !upstreams.some(({ isOrigin }) => isOrigin)) return upstreams;
  const waiting = new Map<number, Upstream[]>();
  for (const origin of upstreams.filter(({ isOrigin }) => isOrigin))
    waiting.set(origin.priority, [...(waiting.get(origin.priority) ?? []), origin]);
  for (const level of waiting.values()) level.sort((a, b) => nearness.rank(a.name) - nearness.rank(b.name));
  return upstreams.map((each) => (each.isOrigin === true ? waiting.get(each.priority)?.shift() : undefined) ?? each);
}

type Place = { readonly level: number; readonly rank: number };

function placeOf(upstream: Upstream, module: string, weights: ReadonlyMap<string, number>): Place {
  const { name, priority, canary } = upstream;
  // A canary comes first for its share of modules, and last of all otherwise.
  if (canary !== undefined)
    return drawOf(`canary ${module}`) < canary ? { level: -Infinity, rank: 0 } : { level: Infinity, rank: 0 };
  const weight = weightOf(upstream, weights);
  // Exponential variates with rate `weight`: the smallest is upstream i with probability w_i / sum of w.
  return { level: priority, rank: weight === undefined ? 0 : -Math.log(drawOf(`${name} ${module}`)) / weight };
}

/** Undefined when nothing was said: then the configured order stands. */
function weightOf({ weight, region }: Upstream, weights: ReadonlyMap<string, number>): number | undefined {
  const regional = region === undefined ? undefined : weights.get(region);
  if (weight === undefined && regional === undefined) return undefined;
  return Math.max((weight ?? 1) * (regional ?? 1), Number.MIN_VALUE);
}
