// `path@version` and `path@from:to`, as the deployment guides write them for a preload.

import { ProtocolError } from "#protocol/errors.ts";
import { parsePath, type ModulePath } from "#protocol/path.ts";
import {
  checkModuleVersion,
  compareVersions,
  prerelease,
  sortVersions,
  type ModuleVersion,
} from "#protocol/version.ts";

export type VersionRange = {
  readonly path: ModulePath;
  /** The lowest version; undefined for the first there is. */
  readonly from: string | undefined;
  /** The highest one, or "latest". */
  readonly to: string;
};

/** `m@v1.2.3`, `m@latest`, `m@v1.8.0:latest`, `m@v1.8.0:v1.9.0`, `m@:v1.9.0`. Throws ProtocolError. */
export function parseRange(text: string): VersionRange {
  const [, path = "", from = "", colon = "", to = ""] = /^([^@]*)@([^:]*)(:?)(.*)$/.exec(text) ?? [];
  const module = parsePath(path);
  const one = (version: string): string => checkModuleVersion(path, version).version;
  if (colon === "")
    return from === "latest" ? { path: module, from, to: from } : { path: module, from: one(from), to: one(from) };
  const low = from === "" ? undefined : one(from);
  const high = to === "latest" ? to : one(to);
  if (low !== undefined && high !== "latest" && compareVersions(low, high) > 0)
    throw new ProtocolError("BAD_VERSION", `${low} is not before ${high}`);
  return { path: module, from: low, to: high };
}

/** Whether the list of versions has to be read to know what the range names. */
export function needsList({ from, to }: VersionRange): boolean {
  return from !== to || to === "latest";
}

/**
 * The versions of a range, lowest first. The ends are named by the range itself: a version that is not in the list, a
 * pseudo-version for one, may be asked for as well. `latest` is what go takes for it: the highest release, without any the
 * highest pre-release; a list that has nothing leaves nothing.
 */
export function versionsIn(range: VersionRange, listed: readonly string[]): ModuleVersion[] {
  const { path, from, to } = range;
  const ordered = sortVersions([...new Set(listed)]);
  const latest = ordered.findLast((version) => prerelease(version) === "") ?? ordered.at(-1);
  const high = to === "latest" ? latest : to;
  if (high === undefined) return [];
  if (from === "latest") return [checkModuleVersion(path, high)];
  const isInside = (version: string): boolean =>
    compareVersions(version, high) <= 0 && (from === undefined || compareVersions(version, from) >= 0);
  const ends = [from, high].filter((version) => version !== undefined).filter(isInside);
  return sortVersions([...new Set([...ends, ...ordered.filter(isInside)])]).map((version) =>
    checkModuleVersion(path, version),
  );
}
