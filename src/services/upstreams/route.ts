// Who may be asked about a module. A private name, and every ancestor of one, is shown only to upstreams that were
// given that private space; everybody may be asked about the rest.

import { isAncestorOfPattern, matchPrefixPatterns } from "#protocol/pattern.ts";
import type { Upstream } from "./chain.ts";

/** @param module undefined for requests that name no module (a tile of the checksum database) */
export function mayBeAsked(upstream: Upstream, module: string | undefined, privatePatterns: string): boolean {
  if (module === undefined) return upstream.kind !== "direct";
  if (!touches(privatePatterns, module)) return upstream.privateOnly !== true;
  return touches(upstream.privatePatterns, module);
}

/** True when the path lies in the space of the patterns, or leads to it. */
function touches(patterns: string, module: string): boolean {
  if (patterns === "") return false;
  return matchPrefixPatterns(patterns, module) || isAncestorOfPattern(patterns, module);
}
