// Rules for GOFLAGS, GO111MODULE, GOTOOLCHAIN, GOVCS, GOAUTH, folders, HTTP proxies, certificates, netrc.
// Source: protocol reference §2.8, §2.9, §2.12, §3.5, §7.1.

import { ProtocolError } from "#protocol/errors.ts";
import { isGoRelease, toolchainVersion } from "#protocol/gover.ts";
import { parseURL } from "#protocol/url.ts";
import { found } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { settingFindings } from "#services/findings/settings.ts";
import { chainOf } from "./chain.ts";
import { credentialsFor } from "./credentials.ts";
import { flagValue, parseGoFlags } from "./go-flags.ts";
import { knows } from "./go-versions.ts";
import { evidenceOf, fixesOf } from "./rule.ts";
import type { Lint } from "./rule.ts";
import { trustOf } from "./trust.ts";

export function lintOthers(on: Lint): readonly Finding[] {
  return [flags, modules, toolchain, vcs, auth, folders, httpProxies, certificates, netrcPorts].flatMap((rule) =>
    rule(on),
  );
}

function flags({ settings }: Lint): readonly Finding[] {
  const setting = settings.all.GOFLAGS;
  const evidence = evidenceOf(setting);
  const parsed = parseGoFlags(setting.value);
  if (parsed.fault !== undefined) {
    const word = parsed.fault.kind === "quote" ? setting.value : parsed.fault.word;
    return [found(settingFindings, "ENV_GOFLAGS_MALFORMED", { word }, { evidence })];
  }
  const findings: Finding[] = [];
  if (parsed.flags.some(({ name }) => name === "insecure") && knows(settings.version, "noInsecureFlag")) {
    const rest = parsed.flags.filter(({ name }) => name !== "insecure").map(({ text }) => text);
    const fixes = fixesOf(setting, rest.join(" "));
    findings.push(found(settingFindings, "ENV_GOFLAGS_INSECURE", {}, { evidence, fixes }));
  }
  const mod = flagValue(parsed, "mod");
  if (mod === "vendor") findings.push(found(settingFindings, "ENV_GOFLAGS_VENDOR", {}, { evidence }));
  if (mod === "mod") findings.push(found(settingFindings, "ENV_GOFLAGS_MOD_MOD", {}, { evidence }));
  return findings;
}

function modules({ settings }: Lint): readonly Finding[] {
  const setting = settings.all.GO111MODULE;
  const { value } = setting;
  const details = { evidence: evidenceOf(setting), fixes: fixesOf(setting, "") };
  if (value === "off") return [found(settingFindings, "ENV_MODULES_OFF", {}, details)];
  const isWord = value === "" || value === "on" || value === "auto";
  return isWord ? [] : [found(settingFindings, "ENV_MODULES_WORD", { value }, details)];
}

function toolchain({ from, settings }: Lint): readonly Finding[] {
  const setting = settings.all.GOTOOLCHAIN;
  const { value } = setting;
  const evidence = evidenceOf(setting);
  const loops = ["GOTOOLCHAIN_INTERNAL_SWITCH_COUNT", "GOTOOLCHAIN_INTERNAL_SWITCH_VERSION"]
    .filter((name) => (from.process[name] ?? "") !== "")
    .map((name) =>
      found(
        settingFindings,
        "ENV_TOOLCHAIN_LOOP",
        { name },
        {
          evidence: [{ kind: "place", text: `$${name}` }],
          fixes: [{ kind: "export", values: { [name]: "" } }],
        },
      ),
    );
  if (!knows(settings.version, "toolchain") || value === "") return loops;
  const [, base = "", mode] = /^([^+]*)(?:\+(.*))?$/.exec(value) ?? [];
  const isMode = base === "local" || (mode === undefined && (base === "auto" || base === "path"));
  if (!isMode && !isRelease(base)) {
    const meant = base.replace(/^go/, "");
    const shown = /^\d+\.\d+$/.test(meant) ? `${meant}.0` : /^\d+\.\d+\.\d+$/.test(meant) ? meant : "";
    const fixes =
      shown === "" ? fixesOf(setting, "auto") : fixesOf(setting, `go${shown}${mode === undefined ? "" : `+${mode}`}`);
    return [...loops, found(settingFindings, "ENV_TOOLCHAIN_WORD", { value, meant: shown }, { evidence, fixes })];
  }
  if (mode !== undefined && mode !== "auto" && mode !== "path")
    return [...loops, found(settingFindings, "ENV_TOOLCHAIN_WORD", { value, meant: "" }, { evidence })];
  if (isMode || mode !== undefined) return loops;
  return [...loops, found(settingFindings, "ENV_TOOLCHAIN_PINNED", { value }, { evidence })];
}

/** `go1.22.3`, and what packagers add; `go1.22` is a language version from 1.21 on. */
function isRelease(name: string): boolean {
  const version = toolchainVersion(name.includes("-go") ? name.slice(name.indexOf("-go") + 1) : name);
  return version !== undefined && isGoRelease(version);
}

function vcs({ settings }: Lint): readonly Finding[] {
  const setting = settings.all.GOVCS;
  if (setting.value === "") return [];
  const entry = setting.value
    .split(",")
    .map((item) => item.trim())
    .find((item) => !/^[^:\s]+:[^:|\s]+(?:\|[^:|\s]+)*$/.test(item));
  return entry === undefined
    ? []
    : [found(settingFindings, "ENV_GOVCS_MALFORMED", { entry }, { evidence: evidenceOf(setting) })];
}

function auth({ from, settings }: Lint): readonly Finding[] {
  const setting = settings.all.GOAUTH;
  if (setting.value === "" || setting.place.kind === "built-in") return [];
  const commands = setting.value.split(";").map((command) => command.trim());
  const isAbsolute = (path: string): boolean => (from.platform === "win32" ? /^[a-z]:|^\\\\/i : /^\//).test(path);
  const isBad = commands.some((command) => {
    const [word = "", ...rest] = command.split(/\s+/);
    if (word === "") return true;
    if (word === "off") return commands.length > 1;
    return word === "git" && (rest.length !== 1 || !isAbsolute(rest[0] ?? ""));
  });
  const { value } = setting;
  return isBad ? [found(settingFindings, "ENV_GOAUTH_MALFORMED", { value }, { evidence: evidenceOf(setting) })] : [];
}

function folders({ from, settings }: Lint): readonly Finding[] {
  const isWindows = from.platform === "win32";
  const isAbsolute = (path: string): boolean => (isWindows ? /^(?:[a-z]:[\\/]|\\\\)/i : /^\//).test(path);
  return (["GOPATH", "GOMODCACHE", "GOCACHE"] as const).flatMap((name) => {
    const setting = settings.all[name];
    const { value } = setting;
    const evidence = evidenceOf(setting);
    if (value === "") return [];
    if (name === "GOCACHE" && value === "off")
      return [found(settingFindings, "ENV_CACHE_OFF", {}, { evidence, fixes: fixesOf(setting, "") })];
    const paths = name === "GOPATH" ? value.split(isWindows ? ";" : ":").filter((path) => path !== "") : [value];
    return paths.every(isAbsolute) ? [] : [found(settingFindings, "ENV_PATH_RELATIVE", { name, value }, { evidence })];
  });
}

function httpProxies({ from, settings }: Lint): readonly Finding[] {
  const findings: Finding[] = [];
  const { HTTPS_PROXY, HTTP_PROXY } = settings.all;
  const all = ["ALL_PROXY", "all_proxy"].find((name) => (from.process[name] ?? "") !== "");
  if (all !== undefined && HTTPS_PROXY.value === "") {
    const value = from.process[all] ?? "";
    const evidence = [{ kind: "value", text: withoutCredentials(`${all}=${value}`) } as const];
    const isShown = withoutCredentials(value) === value;
    const fixes = isShown ? [{ kind: "export", values: { HTTPS_PROXY: value, HTTP_PROXY: value } } as const] : [];
    findings.push(found(settingFindings, "ENV_ALL_PROXY", { name: all }, { evidence, fixes }));
  }
  for (const { name, value, place } of [HTTPS_PROXY, HTTP_PROXY]) {
    if (value === "" || isProxyUrl(value)) continue;
    const shown = withoutCredentials(value);
    const evidence = evidenceOf({ name, value: shown, place, shadowed: [] });
    findings.push(found(settingFindings, "ENV_PROXY_UNREADABLE", { name, value: shown }, { evidence }));
  }
  return findings;
}

/** httpproxy.parseProxy: a URL, or `host:port`; anything else counts as no proxy. */
function isProxyUrl(value: string): boolean {
  return isGoUrl(value) || isGoUrl(`http://${value}`);
}

function isGoUrl(text: string): boolean {
  try {
    parseURL(text, "BAD_PROXY_LIST");
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function certificates({ from, settings }: Lint): readonly Finding[] {
  const trust = trustOf(settings, from.platform);
  if (trust.kind !== "unheard") return [];
  const fields = { platform: from.platform, version: settings.version };
  const setting = trust.file === "" ? settings.all.SSL_CERT_DIR : settings.all.SSL_CERT_FILE;
  return [found(settingFindings, "ENV_CERTIFICATES_UNHEARD", fields, { evidence: evidenceOf(setting) })];
}

/** A netrc entry for a proxy of the list that this go does not take. */
function netrcPorts({ from, settings }: Lint): readonly Finding[] {
  const chain = chainOf(settings.all.GOPROXY.value, "", settings.version);
  if (chain.kind === "refused" || from.netrc.kind !== "text") return [];
  const { path } = from.netrc;
  return chain.hops.flatMap((hop) => {
    if (hop.kind !== "proxy") return [];
    const credentials = credentialsFor(hop.url, settings, from.netrc);
    if (credentials.kind !== "netrc-port") return [];
    const fields = { machine: credentials.machine, wanted: credentials.wanted, version: settings.version };
    return [found(settingFindings, "ENV_NETRC_PORT", fields, { evidence: [{ kind: "place", text: path }] })];
  });
}
