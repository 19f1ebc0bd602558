// A module version as people type it.

import { ProtocolError } from "#protocol/errors.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { parseModuleVersion } from "#services/prewarm/wanted.ts";

/** @param text `path@version`. Throws GRANARY_BAD_FLAG. */
export function moduleVersionArgument(text: string): ModuleVersion {
  try {
    return parseModuleVersion(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const accepted = "PATH@VERSION, as in golang.org/x/text@v0.21.0";
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "MODULE@VERSION", value: text, accepted }, { cause: error });
  }
}
