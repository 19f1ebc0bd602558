// The text of a record about one module version, as the public database writes them.

import { ProtocolError } from "#protocol/errors.ts";
import type { Sums } from "#protocol/record.ts";
import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";

/** The text of the version's record. Throws BAD_RECORD when no hash is known. */
export function formatSums(id: ModuleVersion, { zip, mod }: Sums): string {
  const lines = [
    ...(zip === undefined ? [] : [`${id.path} ${id.version} ${zip}\n`]),
    ...(mod === undefined ? [] : [`${id.path} ${id.version}/go.mod ${mod}\n`]),
  ];
  if (lines.length === 0) throw new ProtocolError("BAD_RECORD", `no hash of ${formatModuleVersion(id)}`);
  return lines.join("");
}

/** `path@version` of the module version that a record is about. */
export function keyOf(text: string): string {
  const [path = "", version = ""] = text.split(" ", 2);
  return `${path}@${version.replace(/\/go\.mod$/, "")}`;
}
