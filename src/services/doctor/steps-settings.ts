// Steps 1 to 5: what the settings say, without asking anybody.

import { compareGoVersions, toolchainVersion } from "#protocol/gover.ts";
import { officialProxyHost } from "#protocol/official.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { chainOf } from "#services/environment/chain.ts";
import { isPublicProxy } from "#services/environment/public-proxies.ts";
import type { Placed } from "#services/environment/settings.ts";
import { valueOf } from "#services/environment/settings.ts";
import { doctorFindings } from "#services/findings/doctor.ts";
import { found } from "#services/findings/finding.ts";
import type { Evidence, Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { flawsOfGo } from "./go-flaws.ts";
import { looksPrivate } from "./scene.ts";
import type { DoctorScene } from "./scene.ts";

/** Which step tells a finding of lint; the longest prefix decides. */
const stepOf: Readonly<Record<string, "goproxy" | "chain" | "private" | "module-mode">> = {
  "": "goproxy",
  CHAIN_COMMA_STOPS: "chain",
  CHAIN_PIPE_PASSES_REFUSAL: "chain",
  CHAIN_NO_DIRECT: "chain",
  CHAIN_ONLY_DIRECT: "chain",
  CHAIN_OFF: "chain",
  CHAIN_WORST_WAIT: "chain",
  CHAIN_AFTER_END: "chain",
  SUMDB_: "private",
  ENV_PATTERN_: "private",
  ENV_PRIVATE_: "private",
  ENV_INSECURE: "private",
  ENV_NETRC_: "private",
  ENV_GOAUTH_: "private",
  ENV_GOVCS_: "module-mode",
  ENV_GOFLAGS_: "module-mode",
  ENV_MODULES_: "module-mode",
  ENV_PATH_: "module-mode",
  ENV_CACHE_: "module-mode",
  ENV_TOOLCHAIN_: "module-mode",
};

/** What lint says that belongs to a step. */
function lintOf({ linted }: DoctorScene, step: "goproxy" | "chain" | "private" | "module-mode"): readonly Finding[] {
  return linted.filter(({ code }) => {
    const prefix = Object.keys(stepOf)
      .filter((each) => code.startsWith(each))
      .reduce((longest, each) => (each.length > longest.length ? each : longest), "");
    return stepOf[prefix] === step;
  });
}

/** Step 1: the value, where it comes from, and whether this go may be trusted with it. */
export function examineGoproxy(scene: DoctorScene): readonly Finding[] {
  return [...missingGo(scene), ...flawed(scene), ...lintOf(scene, "goproxy")];
}

/** `https://goproxy.cn,direct (go env -w file)` */
export function goproxySummary({ settings }: DoctorScene): string {
  const { value, place } = settings.all.GOPROXY;
  return `${withoutCredentials(value)} (${placeText(place)})`;
}

function placeText(place: Placed["place"]): string {
  switch (place.kind) {
    case "process":
      return `$${place.name}`;
    case "user-file":
    case "goroot-file":
      return place.path;
    case "follows":
      return place.name;
    case "given":
    case "built-in":
    case "unknown-yet":
      return "default";
  }
}

function missingGo({ surroundings }: DoctorScene): readonly Finding[] {
  return surroundings.go === undefined ? [found(doctorFindings, "GO_MISSING", {})] : [];
}

/** Flaws matter where somebody else than the Go project stands in between. */
function flawed({ settings, surroundings }: DoctorScene): readonly Finding[] {
  const version = surroundings.go?.version;
  const flaws = version === undefined ? undefined : flawsOfGo(version);
  const third = thirdParty(settings);
  if (version === undefined || flaws === undefined || third === undefined) return [];
  const evidence: Evidence[] = flaws.ids.map((text) => ({ kind: "seen", text }));
  return [found(doctorFindings, "GO_CVE_WINDOW", { version, release: flaws.release, proxy: third }, { evidence })];
}

/** The first proxy of the list that is not the Go project's own, without credentials. */
function thirdParty(settings: DoctorScene["settings"]): string | undefined {
  const chain = chainOf(valueOf(settings, "GOPROXY"), "", settings.version);
  if (chain.kind === "refused") return undefined;
  const urls = chain.hops.flatMap((hop) => (hop.kind === "proxy" ? [hop.url] : []));
  const other = urls.find((url) => !isOfficial(url) && !url.startsWith("file:"));
  return other === undefined ? undefined : withoutCredentials(other);
}

function isOfficial(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname === officialProxyHost;
}

/** Step 3: patterns, verification, and names that leave though they look private. */
export function examinePrivate(scene: DoctorScene): readonly Finding[] {
  return [...lintOf(scene, "private"), ...leaking(scene)];
}

function leaking({ settings, project }: DoctorScene): readonly Finding[] {
  const skipped = valueOf(settings, "GONOSUMDB");
  const database = valueOf(settings, "GOSUMDB").split(/[ +]/)[0] ?? "";
  if (database === "off" || project === undefined) return [];
  const main = project.goMod.path;
  // What is replaced is not asked for by its own name.
  const replaced = new Set(project.goMod.replace.filter(({ old }) => old.version === "").map(({ old }) => old.path));
  const open = project.goMod.require
    .map(({ path }) => path)
    .filter((path) => !matchPrefixPatterns(skipped, path) && !replaced.has(path));
  const sure = open.filter((path) => looksPrivate(path, main) === "yes");
  const names = sure.length > 0 ? sure : open.filter((path) => looksPrivate(path, main) === "perhaps");
  const [first] = names;
  if (first === undefined) return [];
  const evidence: Evidence[] = names.slice(0, 5).map((text) => ({ kind: "value", text }));
  const fields = { module: first, database };
  // A company's public modules live beside its main module as well: worth a thought, and no change by itself.
  if (sure.length === 0)
    return [found(doctorFindings, "SUMDB_NAME_LEAKS", fields, { evidence, confidence: "possible", severity: "info" })];
  const hosts = [...new Set(names.map((path) => path.split("/")[0] ?? ""))];
  const fixes = [{ kind: "set", values: privateFix(settings, hosts) }] as const;
  return [found(doctorFindings, "SUMDB_NAME_LEAKS", fields, { evidence, fixes, confidence: "likely" })];
}

/** GOPRIVATE sends modules past every proxy: where a company's own proxy is in the list, only the database is kept out. */
function privateFix(settings: DoctorScene["settings"], hosts: readonly string[]): Readonly<Record<string, string>> {
  const chain = chainOf(valueOf(settings, "GOPROXY"), "", settings.version);
  const hasOwn = chain.kind === "hops" && chain.hops.some((hop) => hop.kind === "proxy" && !isPublicProxy(hop.url));
  const { GONOSUMDB, GOPRIVATE } = settings.all;
  const name = hasOwn || (GONOSUMDB.value !== "" && GONOSUMDB.place.kind !== "follows") ? "GONOSUMDB" : "GOPRIVATE";
  const before = name === "GONOSUMDB" ? GONOSUMDB.value : GOPRIVATE.value;
  return { [name]: [...new Set([...before.split(","), ...hosts])].filter((pattern) => pattern !== "").join(",") };
}

/** Step 4: how modules are looked for at all, and by which go. */
export function examineModuleMode(scene: DoctorScene): readonly Finding[] {
  return [...unreadable(scene), ...toolchain(scene), ...lintOf(scene, "module-mode"), ...vendored(scene)];
}

function unreadable({ unreadable: it }: DoctorScene): readonly Finding[] {
  return it === undefined
    ? []
    : [found(doctorFindings, "GO_MOD_UNREADABLE", it, { evidence: [{ kind: "place", text: it.file }] })];
}

function toolchain({ surroundings, settings, project }: DoctorScene): readonly Finding[] {
  const has = surroundings.go?.version;
  const needs = project?.goMod.go;
  if (has === undefined || needs === undefined || compareGoVersions(needs, has) <= 0) return [];
  if (compareGoVersions(has, "1.21") < 0) return []; // before that the line is advice
  const setting = valueOf(settings, "GOTOOLCHAIN");
  const evidence: Evidence[] = [{ kind: "place", text: project?.file ?? "go.mod" }];
  // `auto`, `go1.99.0`, `go1.99.0+auto`, `path`: which go a setting names, and where it may look for a newer one.
  const [base = "", where = ""] = setting.split("+");
  const pinned = toolchainVersion(base);
  const isEnough = pinned !== undefined && compareGoVersions(pinned, needs) >= 0;
  if (isEnough || base === "auto" || where === "auto")
    return [found(doctorFindings, "GO_TOOLCHAIN_FETCHED", { needs, has }, { evidence })];
  const isOnPath = base === "path" || where === "path";
  const fixes = [{ kind: "set", values: { GOTOOLCHAIN: "auto" } }] as const;
  const details = { evidence, fixes, ...(isOnPath && ({ severity: "warn", confidence: "possible" } as const)) };
  return [found(doctorFindings, "GO_TOOLCHAIN_NEEDED", { needs, has, setting }, details)];
}

function vendored({ project }: DoctorScene): readonly Finding[] {
  return project?.hasVendor === true ? [found(doctorFindings, "GO_VENDORED", {})] : [];
}

/** Step 2, as far as the settings tell. */
export function examineChain(scene: DoctorScene): readonly Finding[] {
  return lintOf(scene, "chain");
}
