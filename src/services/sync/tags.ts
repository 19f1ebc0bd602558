// Which version of which module a tag is.
//
//   git.corp.example/x   v1.2.3       →  git.corp.example/x@v1.2.3
//                        v2.0.0       →  git.corp.example/x/v2@v2.0.0, or …/x@v2.0.0+incompatible without a go.mod
//                        sub/v1.2.3   →  git.corp.example/x/sub@v1.2.3
//
// Source: go.dev/ref/mod#vcs-version, cmd/go modfetch/coderepo.go.

import { ProtocolError } from "#protocol/errors.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { build, canonicalVersion, checkModuleVersion, major } from "#protocol/version.ts";

/** git takes longer names; no version needs them. */
export const maxTagLength = 255;

/** The versions that a tag may be, the likeliest first; none for a tag that is no version. */
export function versionsOf(root: string, tag: string): readonly ModuleVersion[] {
  if (tag.length > maxTagLength) return [];
  const cut = tag.lastIndexOf("/") + 1;
  const folder = tag.slice(0, cut).replace(/\/$/, "");
  const version = tag.slice(cut);
  // Tags with build metadata are no versions to Go, and short ones (v1.2) are resolved, not listed.
  if (version !== canonicalVersion(version) || build(version) !== "") return [];
  const path = folder === "" ? root : `${root}/${folder}`;
  if (["v0", "v1"].includes(major(version))) return checked([[path, version]]);
  const pairs: [path: string, version: string][] = [[`${path}/${major(version)}`, version]];
  // Only a repository without a go.mod at its root has +incompatible versions.
  if (folder === "") pairs.push([path, `${version}+incompatible`]);
  return checked(pairs);
}

function checked(pairs: readonly (readonly [string, string])[]): ModuleVersion[] {
  return pairs.flatMap(([path, version]) => {
    try {
      return [checkModuleVersion(path, version)];
    } catch (error) {
      if (error instanceof ProtocolError) return [];
      throw error;
    }
  });
}
