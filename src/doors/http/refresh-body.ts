// The body of POST /-/api/refresh: which module, and which version or branch of it.
//
//   {"module": "git.corp.example/auth", "version": "v1.2.0"}
//   {"module": "git.corp.example/auth", "branch": "main"}

import { ProtocolError } from "#protocol/errors.ts";
import { parsePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { formatTarget, parseTarget } from "#protocol/request.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import { parseVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";

/** A path, a branch, and what JSON puts around them. */
export const maxRefreshBytes = 4_096;

const names: ReadonlySet<string> = new Set(["module", "version", "branch"]);

/** The target that would ask for it; a module alone means its list. */
export type Wanted =
  { readonly kind: "list"; readonly path: ModulePath } | Extract<ModuleTarget, { readonly kind: "info" }>;

/** Throws GRANARY_BAD_REQUEST. */
export function parseRefresh(body: string): Wanted {
  const { module, version, branch, ...more } = objectIn(body);
  const texts = [module, version, branch].filter((value) => value !== undefined);
  if (typeof module !== "string" || !texts.every((text) => typeof text === "string" && text !== ""))
    throw bad('expected {"module": PATH} with "version" or "branch"');
  const [unknown] = Object.keys(more).filter((name) => !names.has(name));
  if (unknown !== undefined) throw bad(`${JSON.stringify(unknown.slice(0, 40))} is none of module, version, branch`);
  if (version !== undefined && branch !== undefined) throw bad("either a version or a branch");
  try {
    const path = parsePath(module);
    if (typeof version === "string") parseVersion(version);
    const query = version ?? branch;
    if (typeof query !== "string") return { kind: "list", path };
    const target = parseTarget(formatTarget({ kind: "info", cachedOnly: false, path, query }));
    if (target.kind === "info") return target;
    throw bad(target.kind === "impossible" ? target.reason : "no version or branch");
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw bad(error.message, error);
  }
}

function objectIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw bad("its body is no JSON object");
}

function bad(reason: string, cause?: unknown): GranaryError {
  return new GranaryError("GRANARY_BAD_REQUEST", { target: "/-/api/refresh", reason }, { cause });
}
