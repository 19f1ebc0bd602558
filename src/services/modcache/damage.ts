// A finding about the cache, and what of it must go so that go makes it anew.

import { found } from "#services/findings/finding.ts";
import type { Details, Finding } from "#services/findings/finding.ts";
import { cacheFindings } from "#services/findings/cache.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";

/** `partial`: the half of a tree with its mark. */
export const parts = ["zip", "ziphash", "info", "mod", "tree", "partial"] as const;
export type Part = (typeof parts)[number];

export type Damage = {
  readonly finding: Finding;
  /** Undefined for what belongs to no version. */
  readonly id: ModuleVersion | undefined;
  /** Of this version. */
  readonly parts: readonly Part[];
  /** Other files: temporary ones, lists. */
  readonly files: readonly string[];
};

type Codes = typeof cacheFindings;
type FieldsOf<C extends keyof Codes> = Parameters<Codes[C]["text"]["en"]["title"]>[0];

/** Damage of one version; the fix is to let `verify --fix` take the parts away. */
export function damageOf<C extends keyof Codes>(
  id: ModuleVersion,
  code: C,
  {
    fields,
    parts: gone = [],
    ...details
  }: Details & { readonly fields: FieldsOf<C>; readonly parts?: readonly Part[] },
): Damage {
  const fixes =
    gone.length === 0
      ? []
      : [{ kind: "run" as const, argv: ["granary", "modcache", "verify", formatModuleVersion(id), "--fix"] }];
  const finding = found(cacheFindings, code, fields as never, { fixes, ...details });
  return { finding, id, parts: gone, files: [] };
}

/** A finding about the cache as a whole. */
export function remark<C extends keyof Codes>(
  code: C,
  { fields, files = [], ...details }: Details & { readonly fields: FieldsOf<C>; readonly files?: readonly string[] },
): Damage {
  return { finding: found(cacheFindings, code, fields as never, details), id: undefined, parts: [], files };
}
