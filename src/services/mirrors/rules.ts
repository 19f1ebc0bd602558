// The comparisons of a cross-check, one row each. Only `content` decides: the hash of what came, against the checksum
// database where it vouches, else against one another. The others are hints that guides rely on, shown with their limits.

import type { Proof } from "#services/analysers/http-ports.ts";
import type { CheckedFile, CheckedMirror, MirrorFile } from "./checked.ts";

export type RuleName = "status" | "content" | "length" | "smallest" | "modified" | "etag";

export type RuleResult = {
  readonly rule: RuleName;
  readonly file: CheckedFile;
  /** `hint`: worth a look, and proves nothing. `skip`: nothing to compare. */
  readonly verdict: "pass" | "hint" | "fail" | "skip";
  /** Mirrors by name, with what they said, where the rule does not pass. */
  readonly odd: readonly string[];
};

/** Last-Modified further apart means that one of them is behind. */
export const maxModifiedApartMs = 30 * 60_000;
/** Lengths may differ by so much from the middle one. */
export const maxLengthApart = 0.05;
/** An answer shorter than this is suspicious. An .info without Origin is shorter and right; a small go.mod always is. */
export const minLength = 100;

export function compareMirrors(mirrors: readonly CheckedMirror[], proof: Proof | undefined): readonly RuleResult[] {
  const rows = (["info", "mod", "zip"] as const).map((file) => {
    const of = mirrors.map(({ name, files }): Row => ({ name, file: files[file] }));
    const good = of.filter(({ file: { status } }) => status === 200);
    return [
      status(file, of),
      ...(file === "info" ? [] : [content(file, good, proof)]),
      length(file, good),
      ...(file === "mod" ? [] : [smallest(file, good)]),
      modified(file, good),
      etag(file, good),
    ];
  });
  return rows.flat();
}

type Row = { readonly name: string; readonly file: MirrorFile };

function result(
  rule: RuleName,
  file: CheckedFile,
  { verdict, odd = [] }: { readonly verdict: RuleResult["verdict"]; readonly odd?: readonly string[] },
): RuleResult {
  return { rule, file, verdict, odd };
}

function status(file: CheckedFile, rows: readonly Row[]): RuleResult {
  const said = rows.map(({ name, file: one }) => `${name} ${one.failure ?? one.status ?? "-"}`);
  const isSame = rows.every(({ file: one }) => one.status === 200 && one.failure === undefined);
  return result("status", file, isSame ? { verdict: "pass" } : { verdict: "fail", odd: said });
}

function content(file: "mod" | "zip", rows: readonly Row[], proof: Proof | undefined): RuleResult {
  const hashed = rows.filter(({ file: { h1 } }) => h1 !== undefined);
  const recorded = proof?.kind === "proven" ? proof.sums[file] : undefined;
  if (hashed.length === 0 || (recorded === undefined && hashed.length < 2))
    return result("content", file, { verdict: "skip" });
  const reference = recorded ?? hashed[0]?.file.h1;
  const isSame = hashed.every(({ file: { h1 } }) => h1 === reference);
  if (isSame) return result("content", file, { verdict: "pass" });
  // Without a database nobody knows who is right: all are shown.
  const odd = recorded === undefined ? hashed : hashed.filter(({ file: { h1 } }) => h1 !== recorded);
  return result("content", file, { verdict: "fail", odd: odd.map(({ name, file: { h1 } }) => `${name} ${h1 ?? ""}`) });
}

function length(file: CheckedFile, rows: readonly Row[]): RuleResult {
  if (rows.length < 2) return result("length", file, { verdict: "skip" });
  const middle = rows.map(({ file: { bytes } }) => bytes).sort((a, b) => a - b)[Math.floor((rows.length - 1) / 2)] ?? 0;
  const odd = rows.filter(({ file: { bytes } }) => Math.abs(bytes - middle) > middle * maxLengthApart);
  return result("length", file, odd.length === 0 ? { verdict: "pass" } : { verdict: "hint", odd: rows.map(sizeText) });
}

function smallest(file: CheckedFile, rows: readonly Row[]): RuleResult {
  const odd = rows.filter(({ file: { bytes } }) => bytes < minLength).map(sizeText);
  if (rows.length === 0) return result("smallest", file, { verdict: "skip" });
  return result("smallest", file, odd.length === 0 ? { verdict: "pass" } : { verdict: "hint", odd });
}

function sizeText({ name, file: { bytes } }: Row): string {
  return `${name} ${bytes} B`;
}

function modified(file: CheckedFile, rows: readonly Row[]): RuleResult {
  const dated = rows.flatMap(({ name, file: { lastModifiedMs: ms } }) => (ms === undefined ? [] : [{ name, ms }]));
  if (dated.length < 2) return result("modified", file, { verdict: "skip" });
  const times = dated.map(({ ms }) => ms);
  if (Math.max(...times) - Math.min(...times) <= maxModifiedApartMs)
    return result("modified", file, { verdict: "pass" });
  const odd = dated.map(({ name, ms }) => `${name} ${new Date(ms).toISOString().slice(0, 16)}Z`);
  return result("modified", file, { verdict: "hint", odd });
}

function etag(file: CheckedFile, rows: readonly Row[]): RuleResult {
  const tagged = rows.flatMap(({ name, file: { etag: tag } }) => (tag === undefined ? [] : [{ name, tag }]));
  if (tagged.length < 2) return result("etag", file, { verdict: "skip" });
  if (new Set(tagged.map(({ tag }) => tag.replace(/^W\//, ""))).size === 1)
    return result("etag", file, { verdict: "pass" });
  return result("etag", file, { verdict: "hint", odd: tagged.map(({ name, tag }) => `${name} ${tag.slice(0, 20)}`) });
}
