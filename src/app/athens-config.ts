// What was said to Athens: its config.toml and its variables, each with the place it stands in. The variable wins.
//
//   Port = ":3000"                →  { path: "Port", value: ":3000", origin: "file config.toml:1" }
//   ATHENS_STORAGE_TYPE=disk      →  { path: "StorageType", value: "disk", origin: "env ATHENS_STORAGE_TYPE" }

import { parse, TomlError } from "smol-toml";
import { GranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { athensKeys, isVariableOnly } from "./athens-keys.ts";
import type { AthensForm, AthensKey } from "./athens-keys.ts";
import { accepted } from "./athens-texts.ts";
import type { AcceptedName } from "./athens-texts.ts";
import type { Machine } from "./go-env.ts";

export type Said = { readonly key: AthensKey; readonly value: string | readonly string[]; readonly origin: string };

/** A name of nobody's, perhaps a misspelling. */
export type UnknownName = { readonly name: string; readonly origin: string; readonly nearest?: string };

export type AthensWords = {
  /** By path. */
  readonly said: ReadonlyMap<string, Said>;
  readonly unknown: readonly UnknownName[];
  /** Variables that Kubernetes sets for a Service that is called athens. */
  readonly foreign: readonly UnknownName[];
  readonly file: string | undefined;
};

/** Where Athens' image, and the guides, put the file; looked at when nobody names one. */
const usualFiles = ["athens.toml", "/etc/athens/config.toml", "/config/config.toml"] as const;
/** Athens' own example has some 25,000 characters. */
const maxFileChars = 1 << 20;
/** `Index.MySQL.Params` and a value below it. */
const maxDepth = 6;

/** Throws GRANARY_CONFIG_UNREADABLE, and GRANARY_BAD_CONFIG for a value of the wrong form, with file and line. */
export async function readAthens(
  file: string | undefined,
  { machine, lang }: { readonly machine: Machine; readonly lang: Lang },
): Promise<AthensWords> {
  const found = await findFile(file, machine);
  const inFile = found === undefined ? { said: [], unknown: [] } : parseAthensToml(found.text, found.file);
  const variables = fromEnvironment(machine.env);
  const said = new Map([...inFile.said, ...variables.said].map((each) => [each.key.path, each]));
  for (const each of said.values()) checkForm(each, lang);
  return { said, unknown: [...inFile.unknown, ...variables.unknown], foreign: variables.foreign, file: found?.file };
}

async function findFile(
  file: string | undefined,
  machine: Machine,
): Promise<{ readonly file: string; readonly text: string } | undefined> {
  for (const each of file === undefined ? usualFiles : [file]) {
    const text = await readText(each, machine);
    if (text !== undefined) return { file: each, text };
  }
  if (file === undefined) return undefined;
  throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason: "no such file" });
}

async function readText(file: string, machine: Machine): Promise<string | undefined> {
  try {
    return await machine.readFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason }, { cause: error });
  }
}

type FromFile = { readonly said: readonly Said[]; readonly unknown: readonly UnknownName[] };

/** The keys of a config.toml. As Athens' reader has it, their case does not matter and strange ones are no error. */
export function parseAthensToml(text: string, file: string): FromFile {
  if (text.length > maxFileChars)
    throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason: `larger than ${maxFileChars} characters` });
  const lines = linesOf(text);
  const said: Said[] = [];
  const unknown: UnknownName[] = [];
  const known = new Map(
    athensKeys.filter((key) => !isVariableOnly(key)).map((key) => [key.path.toLowerCase(), key] as const),
  );
  const walk = (value: unknown, path: readonly string[]): void => {
    const name = path.join(".");
    const line = lines.get(name.toLowerCase());
    const origin = line === undefined ? `file ${file}` : `file ${file}:${line}`;
    const key = known.get(name.toLowerCase());
    if (key !== undefined) said.push({ key, value: textOf(value), origin });
    else if (isTable(value) && path.length < maxDepth)
      for (const [part, inner] of Object.entries(value)) walk(inner, [...path, part]);
    else unknown.push(unknownName(name, origin, [...known.values()].map(pathOf)));
  };
  walk(parseToml(text, file), []);
  return { said, unknown };
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text, { integersAsBigInt: "asNeeded", unsafeKeyBehaviour: "throw", maxDepth: maxDepth * 2 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n")[0] ?? "not TOML";
    throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file: `${file}:${error.line}`, reason }, { cause: error });
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function textOf(value: unknown): string | readonly string[] {
  if (Array.isArray(value)) return value.map((item) => String(textOf(item)));
  if (isTable(value)) return Object.entries(value).map(([name, inner]) => `${name}=${String(textOf(inner))}`);
  return typeof value === "string" ? value : String(value);
}

/** The line on which each key stands, by its path in small letters. A parser that keeps places would be larger. */
function linesOf(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = "";
  for (const [at, line] of text.split("\n").entries()) {
    const [, header] = /^\s*\[\s*([\w\s."'-]+?)\s*\]/.exec(line) ?? [];
    if (header !== undefined) table = `${plain(header)}.`;
    const [, key] = header === undefined ? (/^\s*([\w."'-]+)\s*=/.exec(line) ?? []) : [undefined, header];
    const path = header === undefined ? `${table}${plain(key ?? "")}` : plain(header);
    if (key !== undefined && !lines.has(path)) lines.set(path, at + 1);
  }
  return lines;
}

function plain(name: string): string {
  return name.replace(/[\s"']/g, "").toLowerCase();
}

type FromEnvironment = FromFile & { readonly foreign: readonly UnknownName[] };

function fromEnvironment(env: Machine["env"]): FromEnvironment {
  const said: Said[] = [];
  for (const key of athensKeys) {
    const value = key.env === undefined ? undefined : env[key.env];
    // An empty text overrides the file, as in Athens; an empty number says nothing.
    if (value === undefined || key.env === undefined || (value === "" && !isText(key.form))) continue;
    // Services of Kubernetes leave ATHENS_PORT=tcp://10.0.0.1:80 behind, which is no port.
    if (isForeign(key.env, value)) continue;
    said.push({ key, value: split(value, key.form), origin: `env ${key.env}` });
  }
  const names = athensKeys.flatMap(({ env: name }) => (name === undefined ? [] : [name]));
  const strange = Object.keys(env).filter((name) => name.startsWith("ATHENS_"));
  const foreign = strange.filter((name) => isForeign(name, env[name] ?? ""));
  const unknown = strange.filter((name) => !names.includes(name) && !foreign.includes(name));
  return {
    said,
    unknown: unknown.map((name) => unknownName(name, `env ${name}`, names)),
    foreign: foreign.map((name) => ({ name, origin: `env ${name}` })),
  };
}

function isForeign(name: string, value: string): boolean {
  return (
    /^ATHENS_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)$/.test(name) ||
    (name.endsWith("PORT") && /^(tcp|udp):\/\//.test(value))
  );
}

function isText(form: AthensForm): boolean {
  return form === "text" || form === "list" || form === "variables";
}

function split(value: string, form: AthensForm): string | readonly string[] {
  const separator = { list: ",", pairs: ",", variables: ";" } as const;
  if (form !== "list" && form !== "pairs" && form !== "variables") return value;
  const items = value.split(separator[form]).map((item) => item.trim());
  return items.filter((item) => item !== "");
}

function pathOf({ path }: AthensKey): string {
  return path;
}

function unknownName(name: string, origin: string, names: readonly string[]): UnknownName {
  const guess = nearest(name, names);
  return { name, origin, ...(guess !== undefined && { nearest: guess }) };
}

/** Forms that not every text is of. */
const strictForms: Readonly<Partial<Record<AthensForm, AcceptedName>>> = {
  whole: "whole",
  yes: "yes",
  fraction: "fraction",
  variables: "variables",
};

function checkForm(said: Said, lang: Lang): void {
  const name = strictForms[said.key.form];
  if (name === undefined || [said.value].flat().every((value) => isOfForm(value, said.key.form))) return;
  throw badAthens(said, name, lang);
}

const yeses = ["1", "t", "T", "TRUE", "true", "True"];
const noes = ["0", "f", "F", "FALSE", "false", "False"];

function isOfForm(value: string, form: AthensForm): boolean {
  switch (form) {
    case "whole":
      return /^\d{1,9}$/.test(value);
    case "yes":
      return yeses.includes(value) || noes.includes(value);
    case "fraction":
      return value !== "" && Number(value) >= 0 && Number(value) <= 1;
    case "variables":
      return /^[A-Za-z_]\w*=/.test(value);
    case "text":
    case "list":
    case "pairs":
      return true;
  }
}

/** How Go reads a boolean. */
export function isYes(value: string | readonly string[]): boolean {
  return yeses.includes(String(value));
}

export function badAthens(said: Said, name: AcceptedName, lang: Lang): GranaryError {
  const value = said.key.isSecret === true ? "…" : [said.value].flat().join("; ");
  return new GranaryError("GRANARY_BAD_CONFIG", {
    origin: said.origin,
    key: said.key.path,
    value,
    accepted: accepted[name][lang],
  });
}
