// The configuration: every setting with its value and where the value came from.
// Precedence: command line, environment, file (profile over base), what this machine says, built-in default.

import type { Place } from "#adapters/upstream/direct-places.ts";
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { areOneStep } from "./config-checks.ts";
import { isInTheOpen, maskSecret } from "./config-secrets.ts";
import { joinHosts, readEgress } from "./config-egress.ts";
import { profileFile, readConfigFiles } from "./config-file.ts";
import type { FileEntry } from "./config-file.ts";
import { langHint } from "./lang-hint.ts";
import { flagOf, isSettingKey, settingKeys, settingOf, settings, variableOf } from "./config-schema.ts";
import type { SettingKey, Values } from "./config-schema.ts";
import { readRepositories } from "./config-repositories.ts";
import { readUpstreams } from "./config-upstreams.ts";
import { readWebhooks } from "./config-webhooks.ts";
import type { Hook } from "#services/sync/hooks.ts";
import type { NamedUpstream } from "./config-upstreams.ts";
import type { Machine } from "./go-env.ts";

export type { SettingKey, Values } from "./config-schema.ts";
export type { NamedUpstream } from "./config-upstreams.ts";
export type { Machine } from "./go-env.ts";

/** What the command line said, by setting; `config` and `profile` choose the files. */
export type Flags = {
  readonly values: Readonly<Partial<Record<SettingKey, string | readonly string[]>>>;
  readonly config?: string | undefined;
  readonly profile?: string | undefined;
};

export type ConfigSource = {
  readonly flags: Flags;
  readonly machine: Machine;
  /** What another program's settings say here: below everything that is said to Granary itself. */
  readonly under?: readonly FileEntry[];
};

export type Warning = { readonly kind: "plain-secret"; readonly key: string; readonly origin: string };

export type Config = {
  readonly values: Values;
  /** `flag --listen`, `env GRANARY_LISTEN`, `file granary.yaml:12`, `GOPROXY (go env file)`, `default`. */
  readonly origins: Readonly<Record<SettingKey, string>>;
  /** The presets and the `upstreams:` section. */
  readonly upstreams: readonly NamedUpstream[];
  /** The `repositories:` section; passwords resolved. Never to be shown. */
  readonly repositories: readonly Place[];
  /** The `webhooks:` section, secrets resolved. Never to be shown. */
  readonly webhooks: readonly Hook[];
  /** `egress` with its secret resolved: `direct`, `env` or a URL that may carry credentials. Never to be shown. */
  readonly egress: string;
  readonly warnings: readonly Warning[];
  /** The file that was read, and the profile laid over it. */
  readonly file: string | undefined;
  readonly profile: string | undefined;
  readonly source: ConfigSource;
};

/** Parts of a file whose keys are names that somebody chose. */
const sections: readonly string[] = ["upstreams", "repositories", "webhooks"];

/** Variables of ours that are no settings. */
const fileVariable = "GRANARY_CONFIG";
const profileVariable = "GRANARY_PROFILE";

/** Reads everything. Throws a GranaryError that names flag, variable or line, the value and the accepted form. */
export async function loadConfig(source: ConfigSource): Promise<Config> {
  const { flags, machine } = source;
  const file = flags.config ?? filled(machine.env[fileVariable]);
  const profile = flags.profile ?? filled(machine.env[profileVariable]);
  const lang = langHint(source);
  checkProfile(profile, file, lang);
  checkVariables(machine.env);
  const ours = file === undefined ? [] : await readConfigFiles(file, profile, machine);
  const ourKeys = new Set(ours.map(({ key }) => key));
  const entries = [...(source.under ?? []).filter(({ key }) => !ourKeys.has(key)), ...ours];
  const ofSection = (name: string) => entries.filter((entry) => entry.path[0] === name);
  const ofSettings = new Map(
    joinHosts(entries.filter(({ path }) => !sections.includes(path[0] ?? ""))).map((entry) => [entry.key, entry]),
  );
  checkKeys(ofSettings.values());

  const values: Partial<Record<SettingKey, unknown>> = {};
  const origins: Partial<Record<SettingKey, string>> = {};
  for (const key of settingKeys) {
    const raw = await findRaw(key, { source, entries: ofSettings });
    values[key] = readValue(key, raw, lang);
    origins[key] = raw.origin;
  }
  // What is built from repositories is private: one setting says both.
  values.private = [...new Set([values.private, values["direct.modules"]])].filter((list) => list !== "").join(",");
  const { upstreams, warnings } = await readUpstreams(ofSection("upstreams"), machine, lang);
  const { repositories, warnings: more } = await readRepositories(ofSection("repositories"), machine, lang);
  warnings.push(...more);
  const hooks = await readWebhooks(ofSection("webhooks"), machine, lang);
  warnings.push(...hooks.warnings);
  const said = { key: "egress", origin: origins.egress ?? "", value: String(values.egress) };
  const egress = await readEgress(said, machine, lang);
  if (egress.isPlain) warnings.push(said);
  for (const key of settingKeys) {
    const { secret } = settingOf(key);
    const isOpen = secret !== undefined && [values[key]].flat().some((one) => isInTheOpen(String(one), secret));
    // A variable that some other tool has for its secret is no more open than one of env:NAME.
    const isOthers = origins[key]?.endsWith("(environment)") === true;
    if (isOpen && !isOthers) warnings.push({ key, origin: origins[key] ?? "" });
  }
  const config = {
    values: values as Values,
    origins: origins as Record<SettingKey, string>,
    upstreams,
    repositories,
    webhooks: hooks.webhooks,
    egress: egress.value,
    warnings: warnings.map(({ key, origin }) => ({ kind: "plain-secret" as const, key, origin })),
    file,
    profile,
    source,
  };
  checkTogether(config, lang);
  return config;
}

export type Reload =
  | { readonly verdict: "unchanged" }
  | { readonly verdict: "applied"; readonly config: Config; readonly changed: readonly string[] }
  | { readonly verdict: "refused"; readonly reason: GranaryError };

/** The same sources read again: a whole new configuration, or the reason why nothing of it applies. */
export async function reloadConfig(previous: Config): Promise<Reload> {
  let config: Config;
  try {
    config = await loadConfig(previous.source);
  } catch (error) {
    if (!isGranaryError(error)) throw error;
    return { verdict: "refused", reason: error };
  }
  const changed = changedKeys(previous, config);
  if (changed.length === 0) return { verdict: "unchanged" };
  const fixed = changed.filter((key) =>
    isSettingKey(key)
      ? settings[key].restart === true
      : key === "repositories" || (key === "upstreams" && hasNewConnections(previous, config)),
  );
  if (fixed.length > 0)
    return { verdict: "refused", reason: new GranaryError("GRANARY_NEEDS_RESTART", { keys: fixed }) };
  return { verdict: "applied", config, changed };
}

/** Certificates and headers of upstreams belong to connections, which are made once. */
function hasNewConnections(before: Config, after: Config): boolean {
  const of = ({ upstreams }: Config): string =>
    JSON.stringify(
      upstreams.map(({ name, ca, headers, clientCert, clientKey, egress }) => [
        name,
        ca,
        headers,
        clientCert,
        clientKey,
        egress,
      ]),
    );
  return of(before) !== of(after);
}

/** The files that a running server watches: the configuration and the profile over it. */
export function configFiles({ file, profile }: Pick<Config, "file" | "profile">): readonly string[] {
  if (file === undefined) return [];
  return profile === undefined ? [file] : [file, profileFile(file, profile)];
}

function changedKeys(before: Config, after: Config): string[] {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const keys: string[] = settingKeys.filter((key) => !same(before.values[key], after.values[key]));
  const sections = ["upstreams", "repositories", "webhooks"] as const;
  return [...keys, ...sections.filter((section) => !same(before[section], after[section]))];
}

type Raw = { readonly value: string | readonly string[]; readonly origin: string };

async function findRaw(
  key: SettingKey,
  from: { source: ConfigSource; entries: ReadonlyMap<string, FileEntry> },
): Promise<Raw> {
  const { flags, machine } = from.source;
  const flag = flags.values[key];
  if (flag !== undefined) return { value: flag, origin: `flag ${flagOf(key) ?? key}` };
  const variable = variableOf(key);
  const inEnv = filled(machine.env[variable]);
  if (inEnv !== undefined) return { value: inEnv, origin: `env ${variable}` };
  const entry = from.entries.get(key);
  if (entry !== undefined) return entry;
  const { ambient, initial } = settingOf(key);
  return (await ambient?.(machine)) ?? { value: initial, origin: "default" };
}

function readValue(key: SettingKey, raw: Raw, lang: Lang): unknown {
  const { kind } = settingOf(key);
  const separator = kind.listSeparator;
  const items = separator === undefined || typeof raw.value !== "string" ? raw.value : splitList(raw.value, separator);
  const read = kind.schema.safeParse(items);
  if (read.success) return read.data;
  throw badValue(key, { value: [raw.value].flat().join(`${separator ?? ","} `), origin: raw.origin }, lang);
}

function splitList(value: string, separator: string): string[] {
  return value.split(separator).map((item) => item.trim());
}

function badValue(key: SettingKey, raw: { value: string; origin: string }, lang: Lang): GranaryError {
  const accepted = settingOf(key).kind.accepted[lang];
  const value = maskRefused(raw.value);
  const flag = raw.origin.startsWith("flag ") ? flagOf(key) : undefined;
  if (flag !== undefined) return new GranaryError("GRANARY_BAD_FLAG", { flag, value, accepted });
  return new GranaryError("GRANARY_BAD_CONFIG", { origin: raw.origin, key, value, accepted });
}

function checkKeys(entries: Iterable<FileEntry>): void {
  for (const { key, origin } of entries) {
    if (isSettingKey(key)) continue;
    const guess = nearest(key, [...settingKeys, ...sections]);
    throw new GranaryError("GRANARY_UNKNOWN_SETTING", { origin, key, ...(guess !== undefined && { nearest: guess }) });
  }
}

/** A misspelt GRANARY_ variable would silently not apply. Names of the bench and test programs are theirs. */
function checkVariables(env: Machine["env"]): void {
  const known = [...settingKeys.map(variableOf), fileVariable, profileVariable];
  for (const name of Object.keys(env)) {
    if (!name.startsWith("GRANARY_") || known.includes(name) || /^GRANARY_(BENCH|TEST|LIVE|GO)_/.test(name)) continue;
    const guess = nearest(name, known);
    throw new GranaryError("GRANARY_UNKNOWN_SETTING", {
      origin: `env ${name}`,
      key: name,
      ...(guess !== undefined && { nearest: guess }),
    });
  }
}

/** A profile names a file beside the configuration: no path of its own. */
function checkProfile(profile: string | undefined, file: string | undefined, lang: Lang): void {
  if (profile === undefined) return;
  const accepted =
    lang === "en"
      ? "a name (letters, digits, - and _), together with --config FILE"
      : "名称（字母、数字、- 和 _），并同时给出 --config FILE";
  if (!/^[\w-]{1,64}$/.test(profile) || file === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--profile", value: profile, accepted });
}

function checkTogether(config: Pick<Config, "values" | "origins">, lang: Lang): void {
  const { values, origins } = config;
  if ((values["tls.cert"] === "") !== (values["tls.key"] === "")) {
    const missing = values["tls.cert"] === "" ? "tls.cert" : "tls.key";
    throw badValue(missing, { value: "", origin: origins[missing] }, lang);
  }
  if (values["tls.clientCa"] !== "" && values["tls.cert"] === "")
    throw badValue("tls.cert", { value: "", origin: origins["tls.cert"] }, lang);
  if (values["sumlog.listen"] !== "" && values["sumlog.key"] === "")
    throw badValue("sumlog.key", { value: "", origin: origins["sumlog.key"] }, lang);
  if (values["sumlog.witnesses"].length > 0 && values["sumlog.key"] === "")
    throw badValue("sumlog.key", { value: "", origin: origins["sumlog.key"] }, lang);
  if (values["integrity.from"] !== "" && values.sumdb.includes("off"))
    throw badValue("integrity.from", { value: values["integrity.from"], origin: origins["integrity.from"] }, lang);
  checkQuorum(config, lang);
  checkRewrites(config, lang);
  if (values.egressStrict && origins.egress === "default")
    throw new GranaryError("GRANARY_EGRESS_UNSET", { origin: origins.egressStrict });
  if (values.sumdb.length > 1 && values.sumdb.includes("off"))
    throw badValue("sumdb", { value: values.sumdb.join("; "), origin: origins.sumdb }, lang);
}

/** A rule that leads to what a rule matches could lead for ever. */
function checkRewrites({ values: { rewrite }, origins }: Pick<Config, "values" | "origins">, lang: Lang): void {
  if (areOneStep(rewrite)) return;
  const accepted = lang === "en" ? "rules whose targets no rule matches again" : "目标路径不再匹配任何规则的规则";
  const value = rewrite.join(", ");
  throw new GranaryError("GRANARY_BAD_CONFIG", { origin: origins.rewrite, key: "rewrite", value, accepted });
}

/** More cosignatures than there are witnesses: nothing would ever be shown. */
function checkQuorum({ values, origins }: Pick<Config, "values" | "origins">, lang: Lang): void {
  const witnesses = values["sumlog.witnesses"].length;
  const quorum = values["sumlog.quorum"];
  if (quorum <= Math.max(1, witnesses)) return;
  const accepted =
    lang === "en"
      ? `at most as many as there are witnesses in sumlog.witnesses (${witnesses})`
      : `不超过 sumlog.witnesses 中见证者的个数（${witnesses}）`;
  const value = String(quorum);
  throw new GranaryError("GRANARY_BAD_CONFIG", {
    origin: origins["sumlog.quorum"],
    key: "sumlog.quorum",
    value,
    accepted,
  });
}

/** A value as people may see it: secrets and userinfo of URLs masked. */
export function displayValue(config: Config, key: SettingKey): string {
  const { kind, secret } = settingOf(key);
  const text = kind.format(config.values[key]);
  return secret === "value" ? maskSecret(text) : maskText(text);
}

/** `https://user:pass@host` → `https://xxxxx@host`, and query values, which often are tokens. */
export function maskText(text: string): string {
  return text.replace(/(:\/\/)[^/@\s]*@/g, "$1xxxxx@").replace(/([?&][^=&\s]+=)[^&\s,|]+/g, "$1xxxxx");
}

/** The same for a text that is no URL as it stands, for example because its password holds a `/`: all before the last `@`. */
export function maskRefused(text: string): string {
  const masked = maskText(text);
  return /(?<!xxxxx)@/.test(masked) ? masked.replace(/\/\/[^]*@/, "//xxxxx@") : masked;
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
