// GOSUMDB values: `off`, a known name, or a verifier key, then perhaps the URL where the database is found.
// Source: cmd/go modfetch.dbDial.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { decodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";
import { parseVerifierKey } from "./note.ts";
import { sumdbKey, sumdbMirrorChina, sumdbName } from "./official.ts";
import { quote } from "./quote.ts";
import { fields } from "./space.ts";
import { parseURL } from "./url.ts";

export type Gosumdb =
  | { readonly kind: "off" }
  | {
      readonly kind: "database";
      /** `host[:port][/path]`, also the database's path below a proxy's `/sumdb/`. */
      readonly name: string;
      /** The full verifier key. */
      readonly key: string;
      /** Used as it stands, past all proxies; without it proxies are tried, then `https://` and the name. */
      readonly url?: string;
    };

/** Parses a GOSUMDB value. Throws BAD_GOSUMDB with Go's sentence. */
export function parseGosumdb(text: string): Gosumdb {
  if (text === "off") return { kind: "off" };
  // Only the bare host is an alias: with a URL behind it Go takes it for a malformed key.
  if (text === sumdbMirrorChina)
    return { kind: "database", name: sumdbName, key: sumdbKey, url: `https://${sumdbMirrorChina}` };

  const [first, url, ...more] = fields(text);
  if (first === undefined) throw bad("missing GOSUMDB");
  if (more.length > 0) throw bad("invalid GOSUMDB: too many fields");
  const key = first === sumdbName ? sumdbKey : first;
  const name = nameOf(key);
  checkName(name);
  if (url === undefined) return { kind: "database", name, key };
  checkURL(url);
  return { kind: "database", name, key, url };
}

function nameOf(key: string): string {
  try {
    return parseVerifierKey(key).name;
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw bad(`invalid GOSUMDB: ${keyFault(key)}`, cause);
  }
}

/** Go's words for a key it refuses (x/mod note.NewVerifier), whose order of checks decides between them. */
function keyFault(text: string): string {
  const [, name = "", hash, base64 = ""] = /^([^+]+)\+([0-9a-fA-F]{8})\+([^]*)$/.exec(text) ?? [];
  const key = decodeBase64(base64);
  if (hash === undefined || key === undefined || key.length === 0) return "malformed verifier id";
  const digest = createHash("sha256").update(`${name}\n`).update(key).digest();
  if (Buffer.from(digest.subarray(0, 4)).toString("hex") !== hash.toLowerCase()) return "invalid verifier hash";
  return key[0] === 1 ? "malformed verifier id" : "unknown verifier algorithm";
}

/** The name becomes a host and a path; anything a URL could read otherwise is refused. */
function checkName(name: string): void {
  const sentence = `invalid sumdb name (must be host[/path]): ${quote(name)}`;
  // Percent signs would give the path a second spelling.
  if (name.endsWith("/") || name.includes("%")) throw bad(sentence);
  const url = parseURL(`https://${name}`, "BAD_GOSUMDB");
  if (url.host === "" || url.user !== undefined || url.query + url.fragment !== "") throw bad(sentence);
  if (/[?#\\]/.test(name)) throw bad(sentence);
}

function checkURL(text: string): void {
  try {
    parseURL(text, "BAD_GOSUMDB");
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw bad(`invalid GOSUMDB URL: ${cause.message}`, cause);
  }
}

function bad(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError("BAD_GOSUMDB", message, { cause });
}
