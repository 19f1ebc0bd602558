// What is wrong with a simulated download: causes first, then what they do to the list.

import { formatProxyList } from "#protocol/proxylist.ts";
import type { ProxyEntry } from "#protocol/proxylist.ts";
import type { Try, Walk } from "./http-chain.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { Fix } from "#services/findings/fix.ts";
import { httpFindings } from "#services/findings/http.ts";
import { contentFindings, databaseFindings, emptyList } from "./http-judge-content.ts";
import { causesOf } from "./http-causes.ts";
import { endText, hostOf, lastExchange, seen } from "./http-outcome.ts";
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
        ? { ...finding, severity: "warn" }
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
      // A refusal may be meant: a pipe would have go pass by it.
      const isRefused = last.fetch.end.kind === "answer" && [401, 403, 451].includes(last.fetch.end.status);
      const details = { evidence: seen(last.fetch), fixes: isRefused ? [] : pipeFix(entries, fields.hop) };
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
