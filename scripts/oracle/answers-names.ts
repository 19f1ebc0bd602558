// Paths, versions, escapes, pseudo-versions, patterns.

import { checkFilePath, escapePath, parsePath, splitPathVersion, unescapePath } from "#protocol/path.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import {
  formatPseudoVersion,
  isPseudoVersion,
  pseudoVersionBase,
  pseudoVersionRev,
  pseudoVersionTime,
} from "#protocol/pseudo.ts";
import {
  build,
  canonical,
  canonicalVersion,
  checkModuleVersion,
  checkPathMajor,
  compareVersions,
  escapeVersion,
  isValidVersion,
  major,
  majorMinor,
  prerelease,
  unescapeVersion,
} from "#protocol/version.ts";
import { accepts, orNull } from "./answers.ts";
import type { Answers } from "./answers.ts";

export const nameAnswers: Answers = {
  path: (input) => pathAnswer(input as string),
  "unescape-path": (input) => orNull(() => unescapePath(input as string)),
  version: (input) => versionAnswer(input as string),
  "unescape-version": (input) => orNull(() => unescapeVersion(input as string)),
  compare: (input) => compareVersions(...(input as [string, string])),
  check: (input) => {
    const [path, version, pathMajor] = input as [string, string, string];
    return {
      check: accepts(() => checkModuleVersion(path, version)),
      major: accepts(() => checkPathMajor(version, pathMajor)),
    };
  },
  pseudo: (input) => {
    const [generation, older, seconds, rev] = input as [string, string, number, string];
    return formatPseudoVersion(generation, older, new Date(seconds * 1000), rev);
  },
  match: (input) => matchPrefixPatterns(...(input as [string, string])),
};

function pathAnswer(path: string): unknown {
  const split = splitPathVersion(path);
  return {
    check: accepts(() => parsePath(path)),
    file: accepts(() => checkFilePath(path)),
    escape: orNull(() => escapePath(parsePath(path))),
    split: split === undefined ? null : [split.prefix, split.pathMajor],
  };
}

function versionAnswer(version: string): unknown {
  return {
    valid: isValidVersion(version),
    canonical: canonical(version),
    major: major(version),
    majorMinor: majorMinor(version),
    prerelease: prerelease(version),
    build: build(version),
    canonicalVersion: canonicalVersion(version),
    escape: orNull(() => escapeVersion(version)),
    pseudo: isPseudoVersion(version),
    time: orNull(() => pseudoVersionTime(version).getTime() / 1000),
    rev: orNull(() => pseudoVersionRev(version)),
    base: orNull(() => pseudoVersionBase(version)),
  };
}
