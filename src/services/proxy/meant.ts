// Which version the go command takes from a listing (cmd/go modload.queryProxy, "latest"): the highest release, or the
// highest pre-release where there is none. Retractions and +incompatible are weighed more finely there; this is a guess.

import { parseInfo } from "#protocol/info.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { ModulePath } from "#protocol/path.ts";
import { build, checkModuleVersion, prerelease } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { ListingKind } from "./listings.ts";

/** A listing as it is answered; a list is in semver order. */
export type Listed = { readonly kind: ListingKind; readonly path: ModulePath; readonly bytes: Uint8Array };

export function meantVersion({ kind, path, bytes }: Listed): ModuleVersion | undefined {
  try {
    const version =
      kind === "list" ? newest(Buffer.from(bytes).toString().trimEnd().split("\n")) : parseInfo(bytes).version;
    return version === undefined || version === "" ? undefined : checkModuleVersion(path, version);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function newest(versions: readonly string[]): string | undefined {
  const isRelease = (version: string): boolean => prerelease(version) === "";
  return (
    versions.findLast((version) => isRelease(version) && build(version) === "") ??
    versions.findLast(isRelease) ??
    versions.at(-1)
  );
}
