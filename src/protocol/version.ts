// Module versions: `v1.2.3`, `v2.0.0+incompatible`, and how they are ordered, escaped and tied to a module path.
// Source: x/mod semver, and module.CanonicalVersion, Check, CheckPathMajor, EscapeVersion, UnescapeVersion.

import { ProtocolError } from "./errors.ts";
import { escapeCase, unescapeCase } from "./escape.ts";
import { fileElementFault, parsePath, splitPathVersion } from "./path.ts";
import type { ModulePath } from "./path.ts";
import { quote } from "./quote.ts";

/** A canonical version: three numbers, no build metadata but `+incompatible`. */
export type Version = string & { readonly kind: "Version" };

/** One version of one module, the version fitting the path's major suffix. */
export type ModuleVersion = { readonly path: ModulePath; readonly version: Version };

type Semver = {
  readonly major: string;
  readonly minor: string | undefined;
  readonly patch: string | undefined;
  /** With its leading "-", or "". */
  readonly prerelease: string;
  /** With its leading "+", or "". */
  readonly build: string;
};

const semverPattern = (() => {
  const number = "(?:0|[1-9][0-9]*)";
  const name = `(?:${number}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
  const word = "[0-9A-Za-z-]+";
  const tail = `(-${name}(?:\\.${name})*)?(\\+${word}(?:\\.${word})*)?`;
  return new RegExp(`^v(${number})(?:\\.(${number})(?:\\.(${number})${tail})?)?$`);
})();

function parseSemver(text: string): Semver | undefined {
  const found = semverPattern.exec(text);
  if (found?.[1] === undefined) return undefined;
  return { major: found[1], minor: found[2], patch: found[3], prerelease: found[4] ?? "", build: found[5] ?? "" };
}

/** semver.IsValid: `v1` and `v1.2` count as well. */
export function isValidVersion(text: string): boolean {
  return parseSemver(text) !== undefined;
}

/** semver.Canonical: missing numbers filled in, build metadata removed; "" for what is no version. */
export function canonical(text: string): string {
  const v = parseSemver(text);
  return v === undefined ? "" : `v${v.major}.${v.minor ?? "0"}.${v.patch ?? "0"}${v.prerelease}`;
}

/** module.CanonicalVersion: like canonical, but `+incompatible` stays. */
export function canonicalVersion(text: string): string {
  return build(text) === "+incompatible" ? `${canonical(text)}+incompatible` : canonical(text);
}

/** `v2` of `v2.1.0`; "" for what is no version. */
export function major(text: string): string {
  const v = parseSemver(text);
  return v === undefined ? "" : `v${v.major}`;
}

/** `v2.1` of `v2.1.0`; "" for what is no version. */
export function majorMinor(text: string): string {
  const v = parseSemver(text);
  return v === undefined ? "" : `v${v.major}.${v.minor ?? "0"}`;
}

/** `-pre.1` of `v2.1.0-pre.1+meta`, else "". */
export function prerelease(text: string): string {
  return parseSemver(text)?.prerelease ?? "";
}

/** `+meta` of `v2.1.0+meta`, else "". */
export function build(text: string): string {
  return parseSemver(text)?.build ?? "";
}

/** semver.Compare: -1, 0 or 1 by precedence; build metadata does not count, what is no version comes first. */
export function compareVersions(a: string, b: string): number {
  const v = parseSemver(a);
  const w = parseSemver(b);
  if (v === undefined || w === undefined) return Number(v !== undefined) - Number(w !== undefined);
  return (
    compareNumbers(v.major, w.major) ||
    compareNumbers(v.minor ?? "0", w.minor ?? "0") ||
    compareNumbers(v.patch ?? "0", w.patch ?? "0") ||
    comparePrereleases(v.prerelease, w.prerelease)
  );
}

/** semver.Sort, on a copy: by precedence, equals by their text. */
export function sortVersions<T extends string>(versions: readonly T[]): T[] {
  return versions.toSorted((a, b) => compareVersions(a, b) || compareText(a, b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

// The numbers may have any length, so they are compared as text.
function compareNumbers(a: string, b: string): number {
  return Math.sign(a.length - b.length) || compareText(a, b);
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  const names = b.slice(1).split(".");
  for (const [i, name] of a.slice(1).split(".").entries()) {
    const other = names[i];
    if (other === undefined) return 1;
    const order = compareNames(name, other);
    if (order !== 0) return order;
  }
  return -1;
}

function compareNames(a: string, b: string): number {
  const isNumber = /^[0-9]+$/.test(a);
  if (isNumber !== /^[0-9]+$/.test(b)) return isNumber ? -1 : 1;
  return isNumber ? compareNumbers(a, b) : compareText(a, b);
}

/** Parses a canonical version. Throws BAD_VERSION for anything else, shorthands and `+meta` included. */
export function parseVersion(text: string): Version {
  const want = canonicalVersion(text);
  if (want === "") throw new ProtocolError("BAD_VERSION", `non-semver module version ${quote(text)}`);
  if (want !== text) throw new ProtocolError("BAD_VERSION", `non-canonical module version ${quote(text)}`);
  return text as Version;
}

/** module.EscapeVersion, for versions, branches and hashes alike. Throws BAD_VERSION. */
export function escapeVersion(text: string): string {
  const escaped = fileElementFault(text) === undefined ? escapeCase(text) : undefined;
  if (escaped === undefined) throw new ProtocolError("BAD_VERSION", `disallowed version string ${quote(text)}`);
  return escaped;
}

/** Undoes escapeVersion. Throws BAD_ESCAPE for impossible escapes, BAD_VERSION for escapes of impossible names. */
export function unescapeVersion(escaped: string): string {
  const text = unescapeCase(escaped);
  if (text === undefined) throw new ProtocolError("BAD_ESCAPE", `invalid escaped version ${quote(escaped)}`);
  const fault = fileElementFault(text);
  if (fault !== undefined)
    throw new ProtocolError("BAD_VERSION", `invalid escaped version ${quote(escaped)}: ${fault}`);
  return text;
}

/**
 * Checks that a version belongs under a path's major suffix (`pathMajor` of splitPathVersion). Throws BAD_VERSION
 * with Go's sentence (`should be v0 or v1, not v2`).
 */
export function checkPathMajor(version: string, pathMajor: string): void {
  const suffix = pathMajor.startsWith(".v") ? pathMajor.replace(/-unstable$/, "") : pathMajor;
  // gopkg.in paths ending in .v1 carried v0.0.0- pseudo-versions once; go.mod files still name them.
  if (version.startsWith("v0.0.0-") && suffix === ".v1") return;

  const found = major(version);
  if (suffix === "" && (found === "v0" || found === "v1" || build(version) === "+incompatible")) return;
  const wanted = suffix === "" ? "v0 or v1" : suffix.slice(1);
  if (found !== wanted)
    throw new ProtocolError("BAD_VERSION", `version ${quote(version)} invalid: should be ${wanted}, not ${found}`);
}

/** module.Check, and the version must be canonical. Throws BAD_PATH or BAD_VERSION. */
export function checkModuleVersion(path: string, version: string): ModuleVersion {
  const id = { path: parsePath(path), version: parseVersion(version) };
  checkPathMajor(version, splitPathVersion(path)?.pathMajor ?? "");
  return id;
}

/** `path@version`, the spelling of Go's messages and of zip prefixes. */
export function formatModuleVersion(id: ModuleVersion): string {
  return `${id.path}@${id.version}`;
}
