// Module paths and the file names inside module zips: `github.com/Azure/go-autorest/v14`, `gopkg.in/yaml.v3`.
// Source: x/mod module.CheckPath, CheckFilePath, EscapePath, UnescapePath, SplitPathVersion.

import { ProtocolError } from "./errors.ts";
import { escapeCase, unescapeCase } from "./escape.ts";
import { quote, quoteChar } from "./quote.ts";

/** A module path that x/mod's CheckPath accepts, unescaped. */
export type ModulePath = string & { readonly kind: "ModulePath" };

/** Longest module path a request may name. x/mod has no bound; file systems and logs do. */
export const maxPathBytes = 1024;

/** Longest element of a path a request may name: NAME_MAX of every common file system. */
export const maxElementBytes = 255;

type Kind = "module" | "file";

/** Parses a module path. Throws BAD_PATH with the reason Go gives. */
export function parsePath(text: string): ModulePath {
  const fault = pathFault(text, "module") ?? moduleFault(text);
  if (fault !== undefined) throw new ProtocolError("BAD_PATH", `malformed module path ${quote(text)}: ${fault}`);
  return text as ModulePath;
}

/** Checks a slash-separated file name as it may stand in a module zip. Throws BAD_PATH. */
export function checkFilePath(text: string): void {
  const fault = pathFault(text, "file");
  if (fault !== undefined) throw new ProtocolError("BAD_PATH", `malformed file path ${quote(text)}: ${fault}`);
}

/** Says what is wrong with one element of a file name, or undefined when nothing is. */
export function fileElementFault(element: string): string | undefined {
  return elementFault(element, "file");
}

/** The path as it stands in URLs (before percent-encoding) and file names. */
export function escapePath(path: ModulePath): string {
  const escaped = escapeCase(path);
  if (escaped === undefined) throw new Error(`not a module path: ${path}`);
  return escaped;
}

/** Undoes escapePath. Throws BAD_ESCAPE for impossible escapes, BAD_PATH for escapes of impossible paths. */
export function unescapePath(escaped: string): ModulePath {
  const path = unescapeCase(escaped);
  if (path === undefined) throw new ProtocolError("BAD_ESCAPE", `invalid escaped module path ${quote(escaped)}`);
  return parsePath(path);
}

/** Whether `path` is `root` or has it as its leading elements. */
export function isAtOrBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

export type PathVersion = { readonly prefix: string; readonly pathMajor: string };

/**
 * Splits off the major version: `/v2` and up, `.v1` and the like for gopkg.in, else "".
 * Undefined when the path ends in something that looks like one and is not (`/v1`, `/v02`, `/v2.1`).
 */
export function splitPathVersion(path: string): PathVersion | undefined {
  if (path.startsWith("gopkg.in/")) return splitGopkgIn(path);

  const tail = /\/v([0-9.]+)$/.exec(path);
  if (tail === null) return { prefix: path, pathMajor: "" };
  if (!/^\/v[1-9][0-9]*$/.test(tail[0]) || tail[0] === "/v1") return undefined;
  return { prefix: path.slice(0, tail.index), pathMajor: tail[0] };
}

function splitGopkgIn(path: string): PathVersion | undefined {
  const tail = /\.v(?:0|[1-9][0-9]*|(?=-))(?:-unstable)?$/.exec(path);
  // Two oddities of x/mod: `.v0` has no unstable twin, and `.v-unstable` passes without a number.
  if (tail === null || tail[0] === ".v0-unstable") return undefined;
  return { prefix: path.slice(0, tail.index), pathMajor: tail[0] };
}

function moduleFault(path: string): string | undefined {
  const first = path.split("/", 1)[0] ?? "";
  if (!first.includes(".")) return "missing dot in first path element";
  const odd = /[^-a-z0-9.]/u.exec(first);
  if (odd !== null) return `invalid char ${quoteChar(odd[0])} in first path element`;
  if (splitPathVersion(path) === undefined) return "invalid version";
  return undefined;
}

function pathFault(path: string, kind: Kind): string | undefined {
  if (!path.isWellFormed()) return "invalid UTF-8";
  if (path === "") return "empty string";
  if (path.startsWith("-") && kind === "module") return "leading dash";
  if (path.includes("//")) return "double slash";
  if (path.endsWith("/")) return "trailing slash";
  for (const element of path.split("/")) {
    const fault = elementFault(element, kind);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const foreignTo: Record<Kind, RegExp> = {
  module: /[^-._~A-Za-z0-9]/u,
  // The shells' and Windows' special characters " ' * < > ? ` | / \ : are left out.
  file: /[^\p{L}0-9 !#$%&()+,\-.=@[\]^_{}~]/u,
};

function elementFault(element: string, kind: Kind): string | undefined {
  if (element === "") return "empty path element";
  if (/^\.+$/.test(element)) return `invalid path element ${quote(element)}`;
  if (element.startsWith(".") && kind === "module") return "leading dot in path element";
  if (element.endsWith(".")) return "trailing dot in path element";
  const odd = foreignTo[kind].exec(element);
  if (odd !== null) return `invalid char ${quoteChar(odd[0])}`;
  return windowsFault(element.split(".", 1)[0] ?? "", kind);
}

/** What Windows would make of the part before the first dot. */
function windowsFault(stem: string, kind: Kind): string | undefined {
  if (/^(?:CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9])$/i.test(stem))
    return `${quote(stem)} disallowed as path element component on Windows`;
  if (kind === "module" && /~[0-9]+$/.test(stem)) return "trailing tilde and digits in path element";
  return undefined;
}
