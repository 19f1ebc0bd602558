// `granary sumdb explain`: whose settings are looked at, and what go does with them.

import { readFile } from "node:fs/promises";
import { askGoEnv } from "#adapters/system/go-command.ts";
import type { SumdbExplanation, SumdbExplainRequest } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { goDefaultProxyList, sumdbName } from "#protocol/official.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { decide } from "#services/sumdb/go-decision.ts";
import type { GoSettings } from "#services/sumdb/go-decision.ts";
import { parseGoEnv, readGoEnv } from "./go-env.ts";
import type { Machine } from "./go-env.ts";
import { readStandardInput } from "./standard-input.ts";

const names = ["GOSUMDB", "GOPROXY", "GONOSUMDB", "GOPRIVATE", "GOFLAGS"] as const;
/** Set by people who expect something of them here; they decide nothing about checksums. */
const powerless = ["GONOPROXY", "GOINSECURE", "GONOSUMCHECK", "GOSUMDB_PUBLICKEY"] as const;
/** `go env` prints some forty lines. */
const maxEnvBytes = 1 << 20;

type Found = { readonly values: Readonly<Record<string, string>>; readonly origin: SumdbExplanation["origin"] };

export async function explainSumdb(request: SumdbExplainRequest, machine: Machine): Promise<SumdbExplanation> {
  const { values, origin } = request.env.length > 0 ? await givenEnv(request.env) : await machineEnv(machine);
  const settings: GoSettings = {
    // An empty variable is one that is not set (cmd/go cfg.Getenv).
    GOSUMDB: withoutPasswords(orDefault(values["GOSUMDB"], sumdbName)),
    GOPROXY: withoutPasswords(orDefault(values["GOPROXY"], goDefaultProxyList)),
    GONOSUMDB: values["GONOSUMDB"] ?? "",
    GOPRIVATE: values["GOPRIVATE"] ?? "",
    GOFLAGS: values["GOFLAGS"] ?? "",
  };
  const module = request.module === undefined ? undefined : pathOf(request.module);
  const ignored = powerless.filter((name) => (values[name] ?? "") !== "");
  return { ...decide(settings, module), settings, origin, ignored };
}

function orDefault(value: string | undefined, initial: string): string {
  return value === undefined || value === "" ? initial : value;
}

/** What is printed here is pasted elsewhere. */
function withoutPasswords(urls: string): string {
  return urls.replaceAll(/\/\/[^/@,|\s]*@/g, "//xxxxx@");
}

async function machineEnv(machine: Machine): Promise<Found> {
  const { env } = machine;
  const own = Object.fromEntries(powerless.map((name) => [name, env[name] ?? ""]));
  const said = await askGoEnv(names, env);
  if (said !== undefined) return { values: { ...own, ...said }, origin: "go" };
  const found = names.map(async (name) => [name, (await readGoEnv(name, machine))?.value ?? ""] as const);
  return { values: { ...own, ...Object.fromEntries(await Promise.all(found)) }, origin: "machine" };
}

/** Later ones win, as in an environment. */
async function givenEnv(given: readonly string[]): Promise<Found> {
  const values: Record<string, string> = {};
  for (const text of given) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=([^]*)$/.exec(text) ?? [];
    if (name !== undefined) values[name] = value ?? "";
    else Object.assign(values, parseEnvText(await readEnvFile(text)));
  }
  return { values, origin: "given" };
}

async function readEnvFile(file: string): Promise<string> {
  try {
    const text = file === "-" ? await readStandardInput(maxEnvBytes) : await readFile(file, "utf8");
    if (text.length > maxEnvBytes) throw new Error(`longer than ${maxEnvBytes} bytes`);
    return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason }, { cause: error });
  }
}

/** A go env file, or what `go env` printed: with `-json`, or with quotes around every value. */
export function parseEnvText(text: string): Readonly<Record<string, string>> {
  if (text.trimStart().startsWith("{")) {
    try {
      const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
      return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
    } catch {
      return {};
    }
  }
  const values = Object.fromEntries(parseGoEnv(text.replace(/^set /gm, "")));
  const isQuoted = (value: string): boolean => /^(['"])[^]*\1$/.test(value);
  // Go's own files have no quotes: one value in quotes is a mistake there, and go reads it as it stands.
  if (!Object.values(values).every(isQuoted)) return values;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.slice(1, -1)]));
}

/** @param text a module path, or `path@version` */
function pathOf(text: string): string {
  const [path = "", version] = text.split("@", 2);
  try {
    return version === undefined ? parsePath(path) : checkModuleVersion(path, version).path;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const accepted = "MODULE | MODULE@VERSION";
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "M@V", value: text, accepted }, { cause: error });
  }
}
