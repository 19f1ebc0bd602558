// The `.info` answer, `{"Version":"v1.2.3","Time":"2021-01-02T03:04:05Z","Origin":{…}}`, and the `list` answer.
// Source: cmd/go modfetch.RevInfo, codehost.Origin, proxyRepo.Stat and Versions.

import { Buffer } from "node:buffer";
import { ProtocolError } from "./errors.ts";
import { isPseudoVersion } from "./pseudo.ts";
import { quote } from "./quote.ts";
import { fields } from "./space.ts";
import { isValidVersion, parseVersion, sortVersions } from "./version.ts";
import type { Version } from "./version.ts";

/** Real answers have a few hundred bytes; this leaves room for any sane Origin. */
export const maxInfoBytes = 64 * 1024;

/** The longest lists known have some ten thousand lines of at most 100 bytes. */
export const maxListBytes = 16 * 1024 * 1024;

/** Where a version came from; all fields optional, none is proven by anything. */
export type Origin = {
  readonly vcs?: string;
  readonly url?: string;
  readonly subdir?: string;
  readonly hash?: string;
  readonly tagPrefix?: string;
  readonly tagSum?: string;
  readonly ref?: string;
  readonly repoSum?: string;
};

export type Info = {
  readonly version: Version;
  /** RFC 3339, as upstream wrote it. */
  readonly time?: string;
  readonly origin?: Origin;
};

/** JSON names in the order Go writes them. */
const originFields = [
  ["vcs", "VCS"],
  ["url", "URL"],
  ["subdir", "Subdir"],
  ["hash", "Hash"],
  ["tagPrefix", "TagPrefix"],
  ["tagSum", "TagSum"],
  ["ref", "Ref"],
  ["repoSum", "RepoSum"],
] as const;

/**
 * Reads an `.info` or `@latest` answer. When `asked` is given the answer must be about that version, else it must
 * name a canonical one. Throws BAD_INFO.
 */
export function parseInfo(bytes: Uint8Array, asked?: Version): Info {
  const object = parseObject(bytes);
  const version = textField(object, "Version") ?? "";
  const time = textField(object, "Time");
  const origin = member(object, "Origin");
  if (time !== undefined) checkTime(time);
  return {
    version: checkAnswered(version, asked),
    ...(time === undefined ? {} : { time }),
    ...(origin === undefined ? {} : { origin: parseOrigin(origin) }),
  };
}

/** Compact JSON with Go's names in Go's order; Go's escaping of `<`, `>` and `&` is not repeated. */
export function formatInfo(info: Info): Uint8Array {
  const origin = info.origin;
  const json = {
    Version: info.version,
    ...(info.time === undefined ? {} : { Time: info.time }),
    ...(origin === undefined ? {} : { Origin: formatOrigin(origin) }),
  };
  return Buffer.from(JSON.stringify(json));
}

/** The versions of a `list` answer as Go takes them: unknown lines and pseudo-versions ignored. Throws BAD_LIST. */
export function parseList(bytes: Uint8Array): string[] {
  if (bytes.length > maxListBytes)
    throw new ProtocolError("BAD_LIST", `version list larger than ${maxListBytes} bytes`);
  const versions: string[] = [];
  for (const line of new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\n")) {
    const [version] = fields(line);
    if (version !== undefined && isValidVersion(version) && !isPseudoVersion(version)) versions.push(version);
  }
  return versions;
}

/** One version per line, in semver order; "" for none. */
export function formatList(versions: readonly string[]): string {
  return sortVersions(versions)
    .map((version) => `${version}\n`)
    .join("");
}

type JSONObject = ReadonlyMap<string, unknown>;

function parseObject(bytes: Uint8Array): JSONObject {
  if (bytes.length > maxInfoBytes) throw bad(`larger than ${maxInfoBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new ProtocolError("BAD_INFO", "info is not JSON", { cause });
  }
  return objectOf(value, "info");
}

/**
 * The members by folded name: Go's decoder matches names without regard to case. Two spellings of one name would let
 * two readers see two answers, so they are refused.
 */
function objectOf(value: unknown, what: string): JSONObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${what} is not a JSON object`);
  const object = new Map<string, unknown>();
  for (const [name, content] of Object.entries(value)) {
    const folded = foldName(name);
    if (object.has(folded)) throw bad(`${quote(name)} is given twice`);
    object.set(folded, content);
  }
  return object;
}

/** encoding/json folds by Unicode's simple folding, which has one foreign letter for the letters used here: ſ. */
function foldName(name: string): string {
  return name.toLowerCase().replaceAll("\u017f", "s");
}

/** Go leaves a field alone when the answer says null. */
function member(object: JSONObject, name: string): unknown {
  return object.get(foldName(name)) ?? undefined;
}

function textField(object: JSONObject, name: string): string | undefined {
  const value = member(object, name);
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !value.isWellFormed()) throw bad(`${name} is not a string`);
  return value;
}

function parseOrigin(value: unknown): Origin {
  const object = objectOf(value, "Origin");
  const origin: { -readonly [name in keyof Origin]: Origin[name] } = {};
  for (const [name, jsonName] of originFields) {
    const text = textField(object, jsonName);
    if (text !== undefined && text !== "") origin[name] = text;
  }
  return origin;
}

function formatOrigin(origin: Origin): Record<string, string> {
  const json: Record<string, string> = {};
  for (const [name, jsonName] of originFields) {
    const text = origin[name];
    if (text !== undefined && text !== "") json[jsonName] = text;
  }
  return json;
}

function checkAnswered(version: string, asked: Version | undefined): Version {
  if (asked === undefined) return canonicalOrBad(version);
  if (version === asked) return asked;
  throw bad(`proxy returned info for version ${quote(version)} instead of requested version ${asked}`);
}

function canonicalOrBad(version: string): Version {
  try {
    return parseVersion(version);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ProtocolError("BAD_INFO", cause.message, { cause });
  }
}

/** RFC 3339 §5.6 to the letter. */
function checkTime(text: string): void {
  const found = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/.exec(
    text,
  );
  const zone = found?.[2] ?? "";
  const second = new Date(`${found?.[1] ?? ""}.000Z`);
  // Date rolls 30 February over into March, so the date must come back as written.
  const isDate = !Number.isNaN(second.getTime()) && second.toISOString().startsWith(found?.[1] ?? "none");
  if (!isDate || !(zone === "Z" || /^.(?:[01][0-9]|2[0-3]):[0-5][0-9]$/.test(zone)))
    throw bad(`cannot parse time ${quote(text)}`);
}

function bad(message: string): ProtocolError {
  return new ProtocolError("BAD_INFO", message);
}
