// Rules for GOPRIVATE, GONOPROXY, GONOSUMDB, GOINSECURE. Source: protocol reference §3.3, §7.2, §11.3.

import { isGlob, matchPrefixPatterns } from "#protocol/pattern.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { settingFindings } from "#services/findings/settings.ts";
import { chainOf } from "./chain.ts";
import { coversAll, evidenceOf, fixesOf } from "./rule.ts";
import type { Lint } from "./rule.ts";
import { hostOf, isLoopback, isPublicProxy } from "./public-proxies.ts";
import type { Setting, Settings } from "./settings.ts";

const names = ["GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE"] as const;

export function lintPrivacy({ settings }: Lint): readonly Finding[] {
  const own = names
    .map((name) => settings.all[name])
    .filter(({ value, place }) => value !== "" && place.kind !== "follows");
  return [...own.flatMap(patterns), ...all(settings), ...passes(settings), ...insecure(settings)];
}

function patterns(setting: Setting): readonly Finding[] {
  const { name, value } = setting;
  const evidence = evidenceOf(setting);
  const separator = /[;，；、|]/u.exec(value)?.[0];
  if (separator !== undefined) {
    const fixes = fixesOf(setting, value.replaceAll(/\s*[;，；、|]\s*/gu, ","));
    const fields = { name, pattern: value, mark: separator };
    return [found(settingFindings, "ENV_PATTERN_SEPARATOR", fields, { evidence, fixes })];
  }
  return value
    .split(",")
    .filter((pattern) => pattern !== "")
    .flatMap((pattern) => onePattern(pattern, setting));
}

function onePattern(pattern: string, setting: Setting): readonly Finding[] {
  const { name, value } = setting;
  const evidence = evidenceOf(setting);
  const fields = { name, pattern };
  const trimmed = pattern.trim();
  if (/\s/.test(pattern.replace(/\r$/, ""))) {
    const isInner = /\s/.test(trimmed);
    const fixes = fixesOf(setting, value.trim().replaceAll(isInner ? /[\s,]+/g : /\s*,\s*/g, ","));
    return [found(settingFindings, "ENV_PATTERN_BLANK", fields, { evidence, fixes })];
  }
  if (/:\/\/|@|:\d+(?:\/|$)/.test(pattern)) {
    const bare = pattern.replace(/^[a-z+]+:\/\//i, "").replace(/^[^/@]*@/, "");
    const fixes = fixesOf(setting, value.replace(pattern, bare.replace(/:\d+(?=\/|$)/, "")));
    return [found(settingFindings, "ENV_PATTERN_URL", fields, { evidence, fixes })];
  }
  if (!isGlob(pattern)) return [found(settingFindings, "ENV_PATTERN_MALFORMED", fields, { evidence })];
  const [host = ""] = pattern.split("/");
  if (host === host.toLowerCase() || host.includes("[")) return [];
  const fixes = fixesOf(setting, value.replace(host, host.toLowerCase()));
  return [found(settingFindings, "ENV_PATTERN_CASE", fields, { evidence, fixes })];
}

function all({ all: { GONOPROXY, GOPRIVATE } }: Settings): readonly Finding[] {
  if (!coversAll(GONOPROXY.value)) return [];
  const setting = GONOPROXY.place.kind === "follows" ? GOPRIVATE : GONOPROXY;
  const fields = { name: setting.name, pattern: setting.value };
  return [found(settingFindings, "ENV_PRIVATE_ALL", fields, { evidence: evidenceOf(setting) })];
}

/** A server of one's own in the list, and patterns that send its modules past it. */
function passes(settings: Settings): readonly Finding[] {
  const { GONOPROXY, GOPRIVATE, GOPROXY } = settings.all;
  if (GONOPROXY.place.kind !== "follows" || coversAll(GOPRIVATE.value)) return [];
  const chain = chainOf(GOPROXY.value, "", settings.version);
  if (chain.kind === "refused") return [];
  const own = chain.hops.find(
    (hop) =>
      hop.kind === "proxy" &&
      !isPublicProxy(hop.url) &&
      !isLoopback(hop.url) &&
      sharesDomain(hostOf(hop.url), GOPRIVATE.value),
  );
  if (own?.kind !== "proxy") return [];
  const fields = { pattern: GOPRIVATE.value, proxy: hostOf(own.url) };
  // It follows GOPRIVATE, so it is to be set where that one is.
  const fixes = fixesOf({ name: "GONOPROXY", place: GOPRIVATE.place }, "none");
  return [
    found(settingFindings, "ENV_PRIVATE_PASSES_PROXY", fields, {
      evidence: evidenceOf(GOPRIVATE),
      fixes,
      confidence: "likely",
    }),
  ];
}

/** The proxy's own host is private, or has a neighbour that is: `granary.corp.example` and `*.corp.example`. */
function sharesDomain(host: string, globs: string): boolean {
  const domain = host.split(".").slice(1).join(".");
  if (domain === "" || !domain.includes(".")) return matchPrefixPatterns(globs, host);
  return (
    [host, domain, `any.${domain}`].some((name) => matchPrefixPatterns(globs, name)) || globs.includes(`.${domain}`)
  );
}

function insecure({ all: { GOINSECURE } }: Settings): readonly Finding[] {
  const { value } = GOINSECURE;
  return value === "" ? [] : [found(settingFindings, "ENV_INSECURE", { value }, { evidence: evidenceOf(GOINSECURE) })];
}
