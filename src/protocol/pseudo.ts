// Pseudo-versions, the versions of untagged commits: `v1.2.4-0.20191109021931-daa7c04131f5` is the commit
// daa7c04131f5 of that UTC time, after the tag v1.2.3. Source: x/mod module/pseudo.go.

import { ProtocolError } from "./errors.ts";
import { quote } from "./quote.ts";
import { build, canonical, isValidVersion, prerelease } from "./version.ts";

type Parts = { readonly base: string; readonly timestamp: string; readonly rev: string; readonly build: string };

const pseudoPattern =
  /^v[0-9]+\.(?:0\.0-|[0-9]+\.[0-9]+-(?:[^+]*\.)?0\.)[0-9]{14}-[A-Za-z0-9]+(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** module.IsPseudoVersion: by shape only, the time need not exist. */
export function isPseudoVersion(text: string): boolean {
  return isValidVersion(text) && pseudoPattern.test(text);
}

/** The commit's time. Throws BAD_VERSION when `text` is no pseudo-version or its time is none. */
export function pseudoVersionTime(text: string): Date {
  const { timestamp } = parseParts(text);
  const iso = timestamp.replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6.000Z");
  const time = new Date(iso);
  // Date rolls 30 February over into March; a time that does not come back as written never existed.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso)
    throw badPseudo(text, `malformed time ${quote(timestamp)}`);
  return time;
}

/** The revision, for git the first twelve hex digits. Throws BAD_VERSION when `text` is no pseudo-version. */
export function pseudoVersionRev(text: string): string {
  return parseParts(text).rev;
}

/** The tag the commit follows, or "" when there is none. Throws BAD_VERSION. */
export function pseudoVersionBase(text: string): string {
  const parts = parseParts(text);
  const pre = prerelease(parts.base);
  if (pre === "") {
    if (parts.build === "") return "";
    throw badPseudo(text, `lacks base version, but has build metadata ${quote(parts.build)}`);
  }
  if (pre !== "-0") return parts.base.replace(/\.0$/, "") + parts.build;

  const next = parts.base.slice(0, -pre.length);
  const dot = next.lastIndexOf(".") + 1;
  const patch = next.slice(dot);
  if (/^0+$/.test(patch)) throw badPseudo(text, `version before ${next} would have negative patch number`);
  return next.slice(0, dot) + String(BigInt(patch) - 1n) + parts.build;
}

/**
 * Writes the pseudo-version of a commit after `older` (a tag, or "" without one).
 * @param major `v0`, `v1`, …; "" means `v0`; used only without `older`
 */
export function formatPseudoVersion(major: string, older: string, time: Date, rev: string): string {
  const segment = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, "")}-${rev}`;
  const base = canonical(older);
  if (base === "") return `${major === "" ? "v0" : major}.0.0-${segment}`;
  if (prerelease(base) !== "") return `${base}.0.${segment}${build(older)}`;
  const dot = base.lastIndexOf(".") + 1;
  return `${base.slice(0, dot)}${BigInt(base.slice(dot)) + 1n}-0.${segment}${build(older)}`;
}

function parseParts(text: string): Parts {
  if (!isPseudoVersion(text)) throw badPseudo(text, "syntax error");
  const suffix = build(text);
  const bare = text.slice(0, text.length - suffix.length);
  const lastDash = bare.lastIndexOf("-");
  const front = bare.slice(0, lastDash);
  const cut = Math.max(front.lastIndexOf("-"), front.lastIndexOf("."));
  return {
    base: front.slice(0, cut),
    timestamp: front.slice(cut + 1),
    rev: bare.slice(lastDash + 1),
    build: suffix,
  };
}

function badPseudo(text: string, reason: string): ProtocolError {
  return new ProtocolError("BAD_VERSION", `invalid pseudo-version ${quote(text)}: ${reason}`);
}
