// A configuration file as a flat list of entries, each with the line it stands on.
//
//   log:
//     level: debug        →  { key: "log.level", value: "debug", origin: "file granary.yaml:2" }

import { extname } from "node:path";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Node, YAMLMap } from "yaml";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Machine } from "./go-env.ts";

export type FileEntry = {
  readonly key: string;
  readonly path: readonly string[];
  readonly value: string | readonly string[];
  readonly origin: string;
};

/** A configuration is a page of text; a megabyte of it is something else. */
const maxFileChars = 1 << 20;
/** Settings nest four deep (upstreams, name, headers, header). */
const maxDepth = 6;

/** Reads FILE, then its profile's sibling over it: `granary.yaml` and `granary.prod.yaml`. Later entries win. */
export async function readConfigFiles(
  file: string,
  profile: string | undefined,
  machine: Machine,
): Promise<FileEntry[]> {
  const entries = await readConfigFile(file, machine);
  if (profile === undefined) return entries;
  const over = await readConfigFile(profileFile(file, profile), machine);
  const replaced = new Set(over.map((entry) => entry.key));
  return [...entries.filter((entry) => !replaced.has(entry.key)), ...over];
}

/** `/etc/granary.yaml` and `prod` → `/etc/granary.prod.yaml` */
export function profileFile(file: string, profile: string): string {
  const extension = extname(file);
  return `${file.slice(0, file.length - extension.length)}.${profile}${extension}`;
}

async function readConfigFile(file: string, machine: Machine): Promise<FileEntry[]> {
  let text: string | undefined;
  try {
    text = await machine.readFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason }, { cause: error });
  }
  if (text === undefined) throw new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason: "no such file" });
  return parseConfigFile(text, file, machine.env);
}

/** The entries of one file. Throws GranaryError when it is not YAML, or uses a variable that is not set. */
export function parseConfigFile(text: string, file: string, env: Machine["env"]): FileEntry[] {
  const unreadable = (reason: string): GranaryError => new GranaryError("GRANARY_CONFIG_UNREADABLE", { file, reason });
  if (text.length > maxFileChars) throw unreadable(`larger than ${maxFileChars} characters`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw unreadable(problem.message.split("\n")[0] ?? problem.message);
  const root = document.contents;
  // A file of comments alone says nothing, and that is allowed.
  if (root === null || (isScalar(root) && root.value === null)) return [];
  if (!isMap(root)) throw unreadable("the top level must be a mapping of settings");
  const originOf = (node: Node): string => `file ${file}:${lines.linePos(node.range?.[0] ?? 0).line}`;
  return flatten(root, [], { originOf, env, unreadable });
}

type Reading = {
  readonly originOf: (node: Node) => string;
  readonly env: Machine["env"];
  readonly unreadable: (reason: string) => GranaryError;
};

function flatten(node: unknown, path: readonly string[], reading: Reading): FileEntry[] {
  if (path.length > maxDepth) throw reading.unreadable(`nested deeper than ${maxDepth} at ${path.join(".")}`);
  if (isMap(node))
    return node.items.flatMap(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : "";
      return flatten(value ?? key, [...path, name], reading);
    });
  if (isAlias(node)) throw reading.unreadable(`an alias (*) at ${path.join(".")}; write the value out`);
  if (!isScalar(node) && !isSeq(node)) return [];
  const entry = { key: path.join("."), path, origin: reading.originOf(node) };
  if (isScalar(node)) return [{ ...entry, value: interpolate(scalarText(node), entry, reading.env) }];
  const items = node.items.map((item) => {
    if (isMap(item) && entry.key === "rewrite") return interpolate(ruleText(item, reading), entry, reading.env);
    if (!isScalar(item)) throw reading.unreadable(`a list of plain values is expected at ${entry.key}`);
    return interpolate(scalarText(item), entry, reading.env);
  });
  return [{ ...entry, value: items }];
}

/** `{match: A, to: B}` as `A => B`. */
function ruleText(item: YAMLMap, { unreadable }: Reading): string {
  const [match, to] = [item.get("match", true), item.get("to", true)];
  if (item.items.length !== 2 || !isScalar(match) || !isScalar(to))
    throw unreadable("a rule of rewrite has the keys match and to, and no others");
  return `${scalarText(match)} => ${scalarText(to)}`;
}

/** The text as written: `0755`, `1e3` and `on` mean what the setting's kind says, not what YAML guesses. */
function scalarText(node: { readonly value: unknown; readonly source?: string }): string {
  if (typeof node.value === "string") return node.value;
  return node.value === null ? "" : (node.source ?? JSON.stringify(node.value));
}

/** `${NAME}` becomes the variable's value; `$${` stands for `${`. */
function interpolate(text: string, entry: { key: string; origin: string }, env: Machine["env"]): string {
  return text.replace(/(\$?)\$\{([A-Za-z_]\w*)\}/g, (whole, escape: string, variable: string) => {
    if (escape === "$") return whole.slice(1);
    const value = env[variable];
    if (value !== undefined) return value;
    throw new GranaryError("GRANARY_CONFIG_VARIABLE", { origin: entry.origin, key: entry.key, variable });
  });
}
