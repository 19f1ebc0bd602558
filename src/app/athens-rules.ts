// What becomes of Athens' keys that something here answers to. Each rule looks at the keys of one matter and says of each
// what it means; where going on would open what Athens closed, or change what clients get, it refuses.

import { parseNetrc, maxNetrcBytes } from "#protocol/netrc.ts";
import { sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Said } from "./athens-config.ts";
import { mapLocks, mapStorage } from "./athens-storage.ts";
import type { Translation } from "./athens-translation.ts";
import { isHostPort } from "./config-kinds.ts";
import type { Machine } from "./go-env.ts";

/** Every rule, in the order of the table that is shown. */
export async function applyRules(t: Translation, machine: Machine): Promise<void> {
  mapListener(t);
  mapDoors(t);
  mapStorage(t);
  mapLocks(t);
  mapFetching(t);
  mapSumdbs(t);
  await mapCredentials(t, machine);
  mapRuns(t);
  mapLog(t);
  refusePolicies(t);
}

function mapListener(t: Translation): void {
  const socket = t.said("UnixSocket");
  if (socket !== undefined) t.refuse(socket, "unixSocket", ["listen"]);
  const named = t.said("Port");
  const common = t.said("PORT");
  // As in Athens: its own variable, then PORT, then the file.
  const said = named?.origin.startsWith("env ") === true ? named : (common ?? named);
  for (const other of [named, common]) if (other !== undefined && other !== said) t.ignore(other, "shadowedPort");
  if (said === undefined) t.mapDefault("Port", { setting: "listen", value: "0.0.0.0:3000", note: "everyAddress" });
  else t.map(said, { setting: "listen", value: addressOf(said, t) });
}

/** `3000`, `:3000` and `HOST:3000`; without a host every IPv4 address, which is there in every container. */
function addressOf(said: Said, t: Translation): string {
  const [, port, address] = /^(?::?(\d{1,5})|(\S+:\d{1,5}))$/.exec(String(said.value)) ?? [];
  const text = port === undefined ? (address ?? "") : `0.0.0.0:${port}`;
  if (!isHostPort(text)) throw t.bad(said, "port");
  return text;
}

function mapDoors(t: Translation): void {
  for (const [path, setting] of [
    ["TLSCertFile", "tls.cert"],
    ["TLSKeyFile", "tls.key"],
  ] as const) {
    const said = t.said(path);
    if (said !== undefined) t.map(said, { setting, value: said.value });
  }
  const prefix = t.said("PathPrefix");
  if (prefix !== undefined && prefix.value !== "/") t.refuse(prefix, "prefix", ["listen"]);
  else if (prefix !== undefined) t.ignore(prefix, "empty");
  const both = [t.said("BasicAuthUser"), t.said("BasicAuthPass")];
  for (const said of both) {
    if (said === undefined) continue;
    if (both.includes(undefined)) t.ignore(said, "halfAuth");
    else t.refuse(said, "basicAuth", ["privateReaders"]);
  }
  const drain = t.said("ShutdownTimeout");
  if (drain !== undefined) t.map(drain, { setting: "limits.drain", ...seconds(drain, 0, 3600) });
}

/** A number of seconds as a duration, within a setting's bounds. */
function seconds({ value }: Said, least: number, most: number): { value: string; note?: "bounded" } {
  const asked = Number(value);
  const taken = Math.min(most, Math.max(least, asked));
  return { value: taken === 0 ? "0" : `${taken}s`, ...(taken !== asked && { note: "bounded" }) };
}

// ---- whom it asks, and for what ----

/** NAME=VALUE of GoBinaryEnvVars; the last one of a name counts, as in every environment. */
function goVariables(t: Translation): ReadonlyMap<string, string> {
  const items = [t.said("GoBinaryEnvVars")?.value ?? []].flat();
  return new Map(items.map((item) => [item.slice(0, item.indexOf("=")).trim(), item.slice(item.indexOf("=") + 1)]));
}

function mapFetching(t: Translation): void {
  const variables = goVariables(t);
  const goproxy = variables.get("GOPROXY") ?? "";
  const isOff = mapModes(t, goproxy);
  const said = t.said("GoBinaryEnvVars");
  if (said !== undefined) mapGoVariables(t, said, { variables, isOff });
  mapPatterns(t, { variables, isDirect: !isOff && (goproxy === "" || /(^|[,|])direct\b/.test(goproxy)) });
}

/** What a client gets for what is not kept. True when nobody is to be asked. */
function mapModes(t: Translation, goproxy: string): boolean {
  const mode = t.said("DownloadMode");
  const network = t.said("NetworkMode");
  const url = t.said("DownloadURL");
  const off = { setting: "upstream", value: "off" } as const;
  const isOffline = network?.value === "offline";
  const isOff = isOffline || mode?.value === "none";
  if (network !== undefined) {
    if (isOffline) t.map(network, { ...off, note: "offline" });
    else if (network.value === "fallback") t.map(network, { setting: "mode", value: "resilient" });
    else if (network.value === "strict") t.ignore(network, "strict");
    else throw t.bad(network, "network");
  }
  const isRedirect = mode?.value === "redirect" || mode?.value === "async_redirect";
  if (mode !== undefined) {
    const value = String(mode.value);
    if (value === "sync") t.map(mode, { setting: "onMiss", value: "fetch" });
    else if (value === "async") t.map(mode, { setting: "onMiss", value: "fetch", note: "async" });
    else if (value === "none") t.map(mode, { ...off, note: "none" });
    else if (isRedirect) t.map(mode, { setting: "onMiss", value: "redirect", note: "redirect" });
    else if (/^(file|custom):/.test(value)) t.refuse(mode, "modeFile", ["onMiss"]);
    else throw t.bad(mode, "mode");
  }
  if (isRedirect && (url === undefined || !/^https?:\/\//.test(String(url.value))))
    throw t.bad(url ?? mode, "downloadUrl");
  if (url === undefined) return isOff;
  if (!isRedirect) t.ignore(url, "unusedUrl");
  else if (isOff) t.ignore(url, "offlineChain");
  else t.map(url, { setting: "upstream", value: [String(url.value), ...beside(goproxy)].join(",") });
  return isOff;
}

/** The rest of a chain behind the URL that clients are redirected to. */
function beside(goproxy: string): string[] {
  return goproxy === "" || goproxy === "direct" || goproxy === "off" ? [] : [goproxy];
}

const patternVariables = new Set(["GOPRIVATE", "GONOPROXY", "GONOSUMDB"]);

function mapGoVariables(
  t: Translation,
  said: Said,
  { variables, isOff }: { readonly variables: ReadonlyMap<string, string>; readonly isOff: boolean },
): void {
  for (const [part, value] of variables) {
    if (patternVariables.has(part)) continue;
    if (part === "GOPROXY" && value === "direct") t.ignore(said, "goproxyDirect", part);
    else if (part === "GOPROXY" && isOff) t.ignore(said, "offlineChain", part);
    else if (part === "GOPROXY") t.map(said, { setting: "upstream", value, part });
    else if (part === "GOSUMDB" && value === "off") t.ignore(said, "gosumdbOff", part);
    else if (part === "GOSUMDB") t.map(said, { setting: "sumdb", value: [value], part });
    else if (part === "HTTPS_PROXY" || part === "https_proxy")
      t.map(said, { setting: "egress", value, part, isSecret: true });
    else if (/^no_proxy$/i.test(part)) t.ignore(said, "noProxy", part);
    else if (part === "GOINSECURE") t.ignore(said, "insecure", part);
    else t.ignore(said, "goVariable", part);
  }
}

/**
 * GOPRIVATE and GONOPROXY name what Athens' go command builds from repositories. NoSumPatterns, and GONOSUMDB in its place,
 * name what no database may hear of: Athens answers 403 for them and tells its go command. Where that one goes to
 * repositories at all, it does so for these. A public proxy must not hear of them here.
 */
function mapPatterns(
  t: Translation,
  { variables, isDirect }: { readonly variables: ReadonlyMap<string, string>; readonly isDirect: boolean },
): void {
  const said = t.said("GoBinaryEnvVars");
  const nosum = t.said("NoSumPatterns");
  const fromGo = (part: string): Source[] => {
    const value = variables.get(part) ?? "";
    return said === undefined || value === "" || value === "none" ? [] : [{ said, part, patterns: value }];
  };
  const always = [...fromGo("GOPRIVATE"), ...fromGo("GONOPROXY")];
  const unproven = [
    ...(nosum === undefined ? [] : [{ said: nosum, patterns: [nosum.value].flat().join(",") }]),
    ...fromGo("GONOSUMDB"),
  ];
  if (said !== undefined)
    for (const part of patternVariables)
      if (variables.has(part) && fromGo(part).length === 0) t.ignore(said, "empty", part);
  const isOffline = t.text("NetworkMode") === "offline" || t.text("DownloadMode") === "none";
  const built = isOffline ? [] : isDirect ? [...always, ...unproven] : always;
  mapSources(t, "direct.modules", { sources: built, note: "builtDirectly" });
  mapSources(t, "private", {
    sources: [...always, ...unproven].filter((each) => !built.includes(each)),
    note: "nosum",
  });
}

type Source = { readonly said: Said; readonly part?: string; readonly patterns: string };

/** Several words make one list. */
function mapSources(
  t: Translation,
  setting: "private" | "direct.modules",
  { sources, note }: { readonly sources: readonly Source[]; readonly note: "builtDirectly" | "nosum" },
): void {
  const [first] = sources;
  if (first === undefined) return;
  const all = [...new Set(sources.flatMap(({ patterns }) => patterns.split(",").map((each) => each.trim())))];
  t.put(setting, all.filter((each) => each !== "").join(","), first.said.origin);
  for (const { said, part, patterns } of sources)
    t.map(said, { setting, value: patterns, note, ...(part !== undefined && { part }) });
}

/** Athens relays what it is pointed at; we prove it, and know the key of one only. */
function mapSumdbs(t: Translation): void {
  const said = t.said("SumDBs");
  if (said === undefined) return;
  const hosts = [said.value].flat().map((url) => {
    if (!URL.canParse(url) || new URL(url).protocol !== "https:") throw t.bad(said, "sumdb");
    return new URL(url).host;
  });
  const strange = hosts.filter((host) => host !== sumdbName && host !== sumdbMirrorChina);
  if (strange.length > 0) t.refuse(said, "sumdbKey", ["sumdb"]);
  else t.map(said, { setting: "sumdb", value: [hosts.includes(sumdbName) ? sumdbName : (hosts[0] ?? "")] });
}

// ---- credentials, runs, log, policies ----

async function mapCredentials(t: Translation, machine: Machine): Promise<void> {
  const netrc = t.said("NETRCPath");
  const token = t.said("GithubToken");
  if (netrc !== undefined && token !== undefined) throw t.bad(netrc, "both");
  if (token !== undefined) {
    const value = token.origin.startsWith("env ") ? `env:${token.key.env ?? ""}` : String(token.value);
    t.map(token, { setting: "repositories.github.com.password", value });
  }
  if (netrc === undefined) return;
  const file = String(netrc.value);
  const text = await machine.readFile(file).catch(() => undefined);
  if (text === undefined)
    throw new GranaryError("GRANARY_SECRET_UNREADABLE", { origin: netrc.origin, key: "NETRCPath", reference: file });
  const hosts = parseNetrc(text.slice(0, maxNetrcBytes)).map(({ machine: host }) => host);
  const places = [...new Set(hosts)].filter((host) => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host));
  for (const host of places) t.map(netrc, { setting: `repositories.${host}.netrc`, value: file });
  if (places.length === 0) t.ignore(netrc, "noNetrcHosts");
}

/** The go command's runs: how many, where, how long. */
function mapRuns(t: Translation): void {
  const workers = t.said("GoGetWorkers");
  if (workers !== undefined) {
    const taken = Math.min(64, Math.max(1, Number(workers.value)));
    const note = taken === Number(workers.value) ? {} : ({ note: "bounded" } as const);
    t.map(workers, { setting: "direct.jobs", value: String(taken), ...note });
  }
  const folder = t.said("GoGetDir");
  if (folder !== undefined) t.map(folder, { setting: "direct.folder", value: folder.value });
  const stash = t.said("StashTimeout");
  if (stash !== undefined) t.map(stash, { setting: "direct.timeout", ...seconds(stash, 1, 600) });
}

const levels: Readonly<Record<string, string>> = {
  ...{ trace: "debug", debug: "debug", info: "info", warn: "warn", warning: "warn" },
  ...{ error: "error", fatal: "error", panic: "error" },
};

function mapLog(t: Translation): void {
  const level = t.said("LogLevel");
  if (level !== undefined) {
    const value = levels[String(level.value).toLowerCase()];
    if (value === undefined) throw t.bad(level, "level");
    t.map(level, { setting: "log.level", value });
  }
  const runtime = t.said("CloudRuntime");
  const format = t.said("LogFormat");
  // A cloud's own format is JSON, whatever LogFormat says.
  const isCloud = runtime !== undefined && runtime.value !== "none";
  if (runtime !== undefined) {
    if (isCloud) t.map(runtime, { setting: "log.format", value: "json" });
    else t.ignore(runtime, "otherFormat");
  }
  if (format === undefined) return;
  if (format.value !== "plain" && format.value !== "json") throw t.bad(format, "format");
  if (isCloud) t.ignore(format, "cloudFormat");
  else t.map(format, { setting: "log.format", value: format.value === "plain" ? "text" : "json" });
}

/** What kept modules from clients in Athens keeps us from starting, until somebody says what does so here. */
function refusePolicies(t: Translation): void {
  const filter = t.said("FilterFile");
  if (filter !== undefined) t.refuse(filter, "filter", ["validate.command"]);
  const hook = t.said("ValidatorHook");
  if (hook !== undefined) t.refuse(hook, "validator", ["validate.command"]);
}
