// Go's rules as the cases ask for them: yes or no, never a ProtocolError.
import { ProtocolError } from "#protocol/errors.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { checkModuleVersion, sortVersions } from "#protocol/version.ts";
import { CaseFailed } from "./conformance-lab.ts";

/** Whether `version` is canonical and belongs under `path` (x/mod module.Check). */
export function isCanonicalFor(path: string, version: string): boolean {
  try {
    return checkModuleVersion(path, version).version === version;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

export function isPseudo(version: string): boolean {
  return isPseudoVersion(version);
}

/** The highest of some valid versions. */
export function highestOf(versions: readonly string[]): string | undefined {
  return sortVersions(versions).at(-1);
}

/** The JSON object in `.info` and `@latest`; fails the case for anything else. */
export function parseInfoText(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below: what go would say of it as well.
  }
  throw new CaseFailed(`not a JSON object: ${JSON.stringify(text.slice(0, 80))}`);
}

/** Runs a protocol check; what it throws becomes the reason of a failed case. */
export async function holds<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolError) throw new CaseFailed(`${what}: ${error.message}`);
    throw error;
  }
}
