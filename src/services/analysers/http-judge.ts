// What is wrong with a simulated download: causes first, then what they do to the list.

import { hashGoMod } from "#protocol/dirhash.ts";
import { formatProxyList } from "#protocol/proxylist.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import { bodyOf } from "./http-chain.ts";
import type { Try, Walk } from "./http-chain.ts";
import { parseList } from "#protocol/info.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding, Severity } from "#services/findings/finding.ts";
import type { Fix } from "#services/findings/fix.ts";
import { httpFindings } from "#services/findings/http.ts";
import { causesOf } from "./http-causes.ts";
import { endText, hostOf, isHtml, lastExchange, seen } from "./http-outcome.ts";
import { notAsRecorded } from "./http-simulation.ts";
import type { Facts, Step, StepName } from "./http-simulation.ts";

/** In the order in which they should be read. */
export function judgeSimulation(facts: Facts): readonly Finding[] {
  const causes = facts.steps
    .flatMap((step) => stepCauses(step, facts).map((finding) => ({ finding, step: step.name })))
    // What keeps go from the database has findings of its own, unless it says more than that.
    .filter(({ finding, step }) => isRoot.has(finding.code) || finding.severity === "info" || !atDatabase.has(step))
    .map(({ finding }) => finding);
  const all = [
    ...causes.filter(({ code }) => isRoot.has(code)),
    ...facts.steps.flatMap((step) => chainFindings(step, facts).map((finding) => borne(finding, step, facts))),
    ...databaseFindings(facts),
    ...causes.filter(({ code }) => !isRoot.has(code)),
    ...emptyList(facts),
    ...contentFindings(facts),
  ];
  return merged(all);
}

/** They explain what the list does; the others are explained by it. */
const isRoot: ReadonlySet<string> = new Set([
  "HTTP_UA_FILTER",
  "HTTP_PROXY_AUTH",
  "HTTP_PROXY_REFUSED",
  "HTTP_CAPTIVE_PORTAL",
  "HTTP_REDIRECT_BROKEN",
  "HTTP_REDIRECT_INSECURE",
  "HTTP_REDIRECT_LOOP",
  "HTTP_REDIRECT_LOST",
  "HTTP_PLAIN_CREDENTIALS",
]);

const atDatabase: ReadonlySet<StepName> = new Set(["supported", "lookup"]);

/** A pinned download does without the list; `latest` and ranges do not. */
function isNeedless(step: Step, { steps }: Facts): boolean {
  return step.name === "list" && steps.find(({ name }) => name === "info")?.walk.end === "ok";
}

function borne(finding: Finding, step: Step, facts: Facts): Finding {
  return finding.severity === "fail" && isNeedless(step, facts) ? { ...finding, severity: "warn" } : finding;
}

function stepCauses(step: Step, facts: Facts): Finding[] {
  const { name, walk } = step;
  const { extra } = facts;
  return walk.tries.flatMap((one) => {
    const last = lastExchange(one.fetch);
    const isLetIn = last !== undefined && extra.letsOthersIn.get(hostOf(last.url)) === true;
    return causesOf(one, { step: name, isFiltered: isLetIn }).map((finding) => {
      // What the list got over is no failure; nor is a list that this download did not need.
      const isBorne = isNeedless(step, facts) || (walk.end !== "stopped" && one !== walk.tries.at(-1));
      return isBorne && finding.severity === "fail" && !isRootWhereBorne.has(finding.code)
        ? { ...finding, severity: "warn" as Severity }
        : finding;
    });
  });
}

/** A page instead of a list is believed. */
const isRootWhereBorne: ReadonlySet<string> = new Set(["HTTP_CAPTIVE_PORTAL"]);

function chainFindings({ name, walk }: Step, { entries, id }: Facts): Finding[] {
  const what = formatModuleVersion(id);
  const last = walk.tries.at(-1);
  if (atDatabase.has(name)) return name === "supported" ? supportedFindings(walk) : [];
  const fields = last && { hop: last.hop, host: hostOf(last.base), said: saidOf(last), step: stepText(name) };
  switch (walk.end) {
    case "ok":
      return fallbackFindings(name, walk);
    case "stopped": {
      const rest = fields === undefined ? [] : entries.slice(fields.hop);
      const isToldElsewhere = rest.length === 0 || (name === "mod" && last?.unusable !== undefined);
      if (fields === undefined || last === undefined || isToldElsewhere) return [];
      const details = { evidence: seen(last.fetch), fixes: pipeFix(entries, fields.hop) };
      return [found(httpFindings, "CHAIN_SEEN_STOP", { ...fields, rest: namesOf(rest) }, details)];
    }
    case "absent":
      return [found(httpFindings, "CHAIN_SEEN_ABSENT", { what, step: stepText(name) }, { evidence: allSeen(walk) })];
    case "direct":
      return [found(httpFindings, "CHAIN_SEEN_DIRECT", { what, step: stepText(name) }, { evidence: allSeen(walk) })];
    case "off":
      return [found(httpFindings, "CHAIN_SEEN_OFF", { what }, { evidence: allSeen(walk) })];
  }
}

function supportedFindings({ tries, end }: Walk): Finding[] {
  const last = tries.at(-1);
  if (end !== "stopped" || last === undefined) return [];
  const fields = { hop: last.hop, host: hostOf(last.base), said: saidOf(last), step: "supported" };
  return [found(httpFindings, "HTTP_SUMDB_STOP", fields, { evidence: seen(last.fetch) })];
}

function fallbackFindings(name: StepName, { tries }: Walk): Finding[] {
  const winner = tries.at(-1);
  return tries.slice(0, -1).map((one) => {
    const fields = { hop: one.hop, host: hostOf(one.base), said: saidOf(one), step: stepText(name) };
    const severity = one.outcome === "absent" ? "info" : "warn";
    const next = hostOf(winner?.base ?? "");
    return found(httpFindings, "CHAIN_SEEN_FALLBACK", { ...fields, next }, { evidence: seen(one.fetch), severity });
  });
}

function emptyList({ steps, extra }: Facts): Finding[] {
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

function contentFindings(facts: Facts): Finding[] {
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

function databaseFindings({ database, id, steps, mod }: Facts): Finding[] {
  const what = formatModuleVersion(id);
  if (database?.kind === "unasked") return mod === undefined ? [] : [found(httpFindings, "HTTP_NOT_PROVEN", { what })];
  if (database?.kind === "refused") return [found(httpFindings, "HTTP_SUMDB_SETTING", { sentence: database.sentence })];
  if (database?.kind !== "asked" || database.proof.kind === "proven") return [];
  const { name, proof, base } = database;
  const lookup = steps.find((step) => step.name === "lookup")?.walk.tries.at(-1);
  const evidence = lookup === undefined ? [] : seen(lookup.fetch);
  const host = hostOf(base);
  if (proof.kind === "absent") return [found(httpFindings, "HTTP_NO_RECORD", { database: name, what }, { evidence, severity: "fail" })];
  if (lookup === undefined || lookup.outcome === "error") {
    const said = lookup === undefined ? proof.reason : endText(lookup.fetch.end);
    return [found(httpFindings, "HTTP_SUMDB_UNREACHABLE", { database: name, host, said }, { evidence })];
  }
  return [found(httpFindings, "HTTP_SUMDB_UNPROVEN", { database: name, host, reason: proof.reason }, { evidence })];
}

/** A list whose failing entry lets go go on; none when it would have to show credentials. */
function pipeFix(entries: readonly ProxyEntry[], hop: number): readonly Fix[] {
  const list = formatProxyList(
    entries.map((entry, at) => (entry.kind === "url" && at === hop - 1 ? { ...entry, separator: "|" } : entry)),
  );
  return list.includes("@") ? [] : [{ kind: "set", values: { GOPROXY: list } }];
}

/** The same finding of several steps once, with everything that was seen. */
function merged(findings: readonly Finding[]): readonly Finding[] {
  const byKey = new Map<string, Finding>();
  for (const finding of findings) {
    const { host = "", via = "", hop = "", known = "", file = "" } = finding.fields;
    const key = [finding.code, host, via, hop, known, file].join(" ");
    const before = byKey.get(key);
    const isWorse = before !== undefined && finding.severity === "fail" && before.severity !== "fail";
    const evidence = [...(before?.evidence ?? []), ...finding.evidence].slice(0, maxEvidence);
    byKey.set(key, { ...(before === undefined || isWorse ? finding : before), evidence });
  }
  return [...byKey.values()];
}

/** One download asks for six files; redirects add to them. */
const maxEvidence = 12;

function allSeen({ tries }: Walk) {
  return tries.flatMap(({ fetch }) => seen(fetch));
}

function saidOf({ fetch, unusable }: Try): string {
  return unusable ?? endText(fetch.end);
}

function namesOf(entries: readonly ProxyEntry[]): string {
  return entries.map((entry) => (entry.kind === "url" ? hostOf(entry.url) : entry.kind)).join(", ");
}

/** As go's URLs have it. */
export function stepText(name: StepName): string {
  return { list: "list", info: ".info", mod: ".mod", zip: ".zip", supported: "/supported", lookup: "/lookup" }[name];
}
