// Rules for GOSUMDB and GONOSUMDB. Source: protocol reference §3.4, §5.7, §7.2; requirements S1-12, S3-12, K8.

import { ProtocolError } from "#protocol/errors.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import { fields } from "#protocol/space.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { sumdbFindings } from "#services/findings/sumdb-settings.ts";
import { decideSums } from "./explain.ts";
import { knows } from "./go-versions.ts";
import { coversAll, evidenceOf, fixesOf } from "./rule.ts";
import type { Lint } from "./rule.ts";
import { valueOf } from "./settings.ts";
import type { Settings } from "./settings.ts";

export function lintSums(on: Lint): readonly Finding[] {
  const { settings, kind } = on;
  if (!knows(settings.version, "lists")) return [];
  const { GOSUMDB, GONOSUMDB } = settings.all;
  const evidence = evidenceOf({ ...GOSUMDB, value: withoutCredentials(GOSUMDB.value) });
  // Where others depend on what is built, an unverified module is no matter of taste.
  const severity = kind === "dev" ? "warn" : "fail";
  if (GOSUMDB.value === "off") return [off(on, evidence, severity), ...toolchains(on, evidence)];
  const skipped = coversAll(GONOSUMDB.value);
  const findings = skipped
    ? [
        found(
          sumdbFindings,
          "SUMDB_SKIPS_ALL",
          { name: namedBy(settings), value: GONOSUMDB.value },
          { evidence: evidenceOf(GONOSUMDB), severity },
        ),
      ]
    : [];
  return [...findings, ...form(on, evidence)];
}

function off({ settings }: Lint, evidence: ReturnType<typeof evidenceOf>, severity: "warn" | "fail"): Finding {
  return found(sumdbFindings, "SUMDB_OFF", {}, { evidence, severity, fixes: fixesOf(settings.all.GOSUMDB, sumdbName) });
}

function toolchains({ settings }: Lint, evidence: ReturnType<typeof evidenceOf>): readonly Finding[] {
  const isAsked = /^(?:auto|.*\+auto)$/.test(valueOf(settings, "GOTOOLCHAIN"));
  return isAsked ? [found(sumdbFindings, "SUMDB_TOOLCHAIN", {}, { evidence })] : [];
}

function form({ settings }: Lint, evidence: ReturnType<typeof evidenceOf>): readonly Finding[] {
  const { GOSUMDB } = settings.all;
  const value = withoutCredentials(GOSUMDB.value);
  try {
    const database = parseGosumdb(GOSUMDB.value);
    if (database.kind === "off" || database.url === undefined) return [];
    return [found(sumdbFindings, "SUMDB_PAST_PROXIES", { value, url: withoutCredentials(database.url) }, { evidence })];
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // sum.golang.google.cn with something behind it, and everything around the official name, mean the official one.
    const meant = fields(GOSUMDB.value)[0] === sumdbMirrorChina ? sumdbMirrorChina : sumdbName;
    const fixes = fixesOf(GOSUMDB, meant);
    return [found(sumdbFindings, "SUMDB_REFUSED", { value, sentence: error.message }, { evidence, fixes })];
  }
}

function namedBy({ all }: Settings): string {
  return all.GONOSUMDB.place.kind === "follows" ? "GOPRIVATE" : "GONOSUMDB";
}

/** A module that its owner calls private, and that the database would be asked about all the same. */
export function privateAsked(settings: Settings, module: string): readonly Finding[] {
  if (!knows(settings.version, "lists")) return [];
  const { outcome } = decideSums(settings, module);
  if (outcome.kind !== "verified") return [];
  const { GONOSUMDB } = settings.all;
  const before = GONOSUMDB.place.kind === "follows" ? "" : GONOSUMDB.value;
  const fixes =
    GONOSUMDB.value === "" || GONOSUMDB.place.kind === "follows"
      ? fixesOf(settings.all.GOPRIVATE, joined(settings.all.GOPRIVATE.value, module))
      : fixesOf(GONOSUMDB, joined(before, module));
  return [
    found(
      sumdbFindings,
      "SUMDB_PRIVATE_ASKED",
      { module, database: outcome.database },
      { evidence: evidenceOf(GONOSUMDB), fixes },
    ),
  ];
}

function joined(patterns: string, more: string): string {
  return patterns === "" || patterns === "none" ? more : `${patterns},${more}`;
}
