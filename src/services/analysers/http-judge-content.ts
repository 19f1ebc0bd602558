// What is wrong with the files of a simulated download, and with the proof of them.

import { hashGoMod } from "#protocol/dirhash.ts";
import { parseList } from "#protocol/info.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding, Severity } from "#services/findings/finding.ts";
import { httpFindings } from "#services/findings/http.ts";
import { bodyOf } from "./http-chain.ts";
import type { Try, Walk } from "./http-chain.ts";
import { endText, hostOf, isHtml, lastExchange, seen } from "./http-outcome.ts";
import { notAsRecorded } from "./http-simulation.ts";
import type { Facts, StepName } from "./http-simulation.ts";

export function emptyList({ steps, extra }: Facts): Finding[] {
  const walk = steps.find(({ name }) => name === "list")?.walk;
  const body = walk && bodyOf(walk);
  const one = walk?.tries.at(-1);
  const last = one && lastExchange(one.fetch);
  if (body === undefined || one === undefined || last === undefined || isHtml(last)) return [];
  if (parseList(body).length > 0) return [];
  const severity = extra.knownVersion === "" ? "warn" : "fail";
  const fields = { host: hostOf(one.base), known: extra.knownVersion };
  return [found(httpFindings, "HTTP_EMPTY_LIST", fields, { evidence: seen(one.fetch), severity })];
}

export function contentFindings(facts: Facts): Finding[] {
  const { zip, zipProblem, steps } = facts;
  const of = (name: StepName): Walk | undefined => steps.find((step) => step.name === name)?.walk;
  const mods = of("mod")?.tries.filter(({ unusable }) => unusable === notAsRecorded) ?? [];
  const severity = of("mod")?.end === "ok" ? "warn" : "fail";
  const findings = mods.flatMap((one) => wrongContent(one, "mod", { facts, severity }));
  const one = of("zip")?.tries.at(-1);
  if (one === undefined) return findings;
  if (zip?.verdict === "differs") findings.push(...wrongContent(one, "zip", { facts, severity: "fail" }));
  const isPage = isHtml(lastExchange(one.fetch) ?? nothing);
  if (zipProblem !== undefined && !isPage) {
    const fields = { host: hostOf(one.base), reason: zipProblem };
    findings.push(found(httpFindings, "HTTP_BAD_ZIP", fields, { evidence: seen(one.fetch) }));
  }
  return findings;
}

function wrongContent(
  { base, fetch }: Try,
  file: "mod" | "zip",
  { facts: { database, zip }, severity }: { readonly facts: Facts; readonly severity: Severity },
): Finding[] {
  if (database?.kind !== "asked" || database.proof.kind !== "proven") return [];
  const h1 = file === "zip" ? zip?.h1 : hashGoMod(lastExchange(fetch)?.body ?? new Uint8Array());
  const evidence: Evidence[] = [
    ...seen(fetch),
    { kind: "hash", text: `received ${h1 ?? "-"}` },
    { kind: "hash", text: `recorded ${database.proof.sums[file] ?? "-"}` },
  ];
  const fields = { host: hostOf(base), file: file === "zip" ? "zip" : "go.mod", database: database.name };
  return [found(httpFindings, "HTTP_WRONG_CONTENT", fields, { evidence, severity })];
}

const nothing = { headers: {}, body: new Uint8Array() } as Parameters<typeof isHtml>[0];

export function databaseFindings({ database, id, steps, mod }: Facts): Finding[] {
  const what = formatModuleVersion(id);
  if (database?.kind === "unasked") return mod === undefined ? [] : [found(httpFindings, "HTTP_NOT_PROVEN", { what })];
  if (database?.kind === "refused") return [found(httpFindings, "HTTP_SUMDB_SETTING", { sentence: database.sentence })];
  if (database?.kind !== "asked" || database.proof.kind === "proven") return [];
  const { name, proof, base } = database;
  const lookup = steps.find((step) => step.name === "lookup")?.walk.tries.at(-1);
  const evidence = lookup === undefined ? [] : seen(lookup.fetch);
  const host = hostOf(base);
  if (proof.kind === "absent")
    return [found(httpFindings, "HTTP_NO_RECORD", { database: name, what }, { evidence, severity: "fail" })];
  if (lookup === undefined || lookup.outcome === "error") {
    const said = lookup === undefined ? proof.reason : endText(lookup.fetch.end);
    return [found(httpFindings, "HTTP_SUMDB_UNREACHABLE", { database: name, host, said }, { evidence })];
  }
  return [found(httpFindings, "HTTP_SUMDB_UNPROVEN", { database: name, host, reason: proof.reason }, { evidence })];
}
