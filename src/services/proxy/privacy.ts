// Which names never leave: modules that match the private patterns, and every ancestor of such a pattern, because
// `go get` probes prefixes (protocol reference §2.5) and an ancestor gives the name away as well.

import { isAncestorOfPattern, matchPrefixPatterns } from "#protocol/pattern.ts";

export type Privacy = {
  /** The module matches a private pattern: no public upstream, no public checksum database, readers are checked. */
  isPrivate(path: string): boolean;
  /** The module, or any path below it, may be private: no public upstream. */
  mustNotTravel(path: string): boolean;
  readonly patterns: string;
};

/** @param patterns a GOPRIVATE list */
export function privacyOf(patterns: string): Privacy {
  if (patterns === "") return { isPrivate: () => false, mustNotTravel: () => false, patterns };
  return {
    isPrivate: (path) => matchPrefixPatterns(patterns, path),
    mustNotTravel: (path) => matchPrefixPatterns(patterns, path) || isAncestorOfPattern(patterns, path),
    patterns,
  };
}

/** A module that is found under a private name is as private under its own. */
export function withRewrites(privacy: Privacy, rewrite: (path: string) => string | undefined): Privacy {
  const either = (path: string, is: (path: string) => boolean): boolean => {
    const found = rewrite(path);
    return is(path) || (found !== undefined && is(found));
  };
  return {
    isPrivate: (path) => either(path, (each) => privacy.isPrivate(each)),
    mustNotTravel: (path) => either(path, (each) => privacy.mustNotTravel(each)),
    patterns: privacy.patterns,
  };
}

/** Toolchains are checked against the public database whatever the patterns say (cmd/go modfetch.useSumDB). */
export function isToolchain(path: string): boolean {
  return path === "golang.org/toolchain";
}
