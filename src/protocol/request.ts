// Request targets: the text between GET and HTTP/1.1, read once and never again.
//
//   /github.com/%21azure/x/@v/v1.0.0.zip     a module's file; `!` travels as %21
//   /example.com/m/@v/feat%231.info          what is the branch feat#1?
//   /sumdb/sum.example/lookup/rsc.io/q@v1.0.0
//   /-/chunks/rsc.io/quote/@v/v1.0.0.zip      the hashes of a kept zip's pieces
//   /tlog/sum.example/checkpoint             an own log, in the form of C2SP tlog-tiles
//   /_build/<id>-1/rsc.io/quote/@v/v1.0.0.zip a file that is being fetched: whoever asks here waits for it
//   /cached-only/…                           the same, answered from what is kept
//
// Everything later (rules, store, log) uses the value made here, so all of them mean the same module.
// Source: cmd/go modfetch/proxy.go, x/mod sumdb/server.go.

import { createHash } from "node:crypto";
import { ProtocolError } from "./errors.ts";
import { splitPathVersion } from "./path.ts";
import type { ModulePath } from "./path.ts";
import type { Tile } from "./tile.ts";
import { formatTilesPath, parseTilesPath } from "./tlog-tiles.ts";
import { canonicalVersion, checkModuleVersion, checkPathMajor } from "./version.ts";
import type { ModuleVersion, Version } from "./version.ts";
import { checkEscapes, checkTarget, parseWirePath, parseWireVersion, wirePath, wireVersion } from "./wire.ts";

export type SumdbEndpoint =
  | { readonly kind: "supported" | "latest" }
  | { readonly kind: "lookup"; readonly path: ModulePath; readonly version: Version }
  /** Checked by shape only: `tile/8/0/x001/067.p/45`. */
  | { readonly kind: "tile"; readonly text: string };

type Scope = {
  /** Answer from what is kept, ask no upstream. */
  readonly cachedOnly: boolean;
};

export type ModuleTarget = Scope & { readonly path: ModulePath } & (
    | { readonly kind: "list" | "latest" }
    /** `query` is a version, branch or hash, unescaped; `version` is there when it is canonical and fits the path. */
    | { readonly kind: "info"; readonly query: string; readonly version?: Version }
    | { readonly kind: "mod" | "zip"; readonly version: Version }
  );

export type SumdbTarget = Scope & { readonly kind: "sumdb"; readonly name: string; readonly endpoint: SumdbEndpoint };

/** An own log in the form of C2SP tlog-tiles; a tile of level -1 is an entry bundle. */
export type TlogTarget = { readonly kind: "tlog"; readonly name: string; readonly tile: Tile | undefined };

/** Waiting for a file that is being fetched. `turn` counts the redirects that led here, so that they have an end. */
export type BuildTarget = { readonly kind: "build"; readonly turn: number; readonly target: ModuleTarget };

export type KnownTarget =
  | ModuleTarget
  | BuildTarget
  | SumdbTarget
  | TlogTarget
  /** The checksum lines kept for one version: `/sum/<module>/@v/<version>`. */
  | { readonly kind: "sum"; readonly path: ModulePath; readonly version: Version }
  /** The hashes of a kept zip's chunks: `/-/chunks/<module>/@v/<version>.zip`. */
  | { readonly kind: "chunks"; readonly path: ModulePath; readonly version: Version }
  /** Outside module space: a module's first element has a dot. */
  | { readonly kind: "house"; readonly path: string };

/** Well-formed, but nothing of this name can exist anywhere. */
type Impossible = { readonly kind: "impossible"; readonly reason: string };
export type Target = KnownTarget | Impossible;

const housePaths: ReadonlySet<string> = new Set([
  ...["/", "/health", "/healthz", "/readyz", "/metrics", "/integrity.txt"],
  ...["/webhook/github", "/webhook/gitlab", "/webhook/gitea"],
]);
const endpointWords: ReadonlySet<string> = new Set(["supported", "latest", "lookup", "tile"]);

/** Reads a request line's target. Throws BAD_TARGET for anything but a clean path in its one spelling. */
export function parseTarget(raw: string): Target {
  checkTarget(raw);
  try {
    return parseCleanTarget(raw);
  } catch (cause) {
    if (!(cause instanceof ProtocolError) || cause.code === "BAD_TARGET") throw cause;
    return impossible(cause.message);
  }
}

/** The target as the go command would send it. */
export function formatTarget(target: KnownTarget): string {
  switch (target.kind) {
    case "house":
      return target.path;
    case "sum":
      return `/sum${wirePath(target.path)}/@v/${wireVersion(target.version)}`;
    case "build": {
      const rest = formatTarget(target.target);
      return `/_build/${buildId(rest)}-${target.turn}${rest}`;
    }
    case "chunks":
      return `/-/chunks${wirePath(target.path)}/@v/${wireVersion(target.version)}.zip`;
    case "sumdb":
      return `${scopePrefix(target)}/sumdb/${target.name}/${formatEndpoint(target.endpoint)}`;
    case "tlog":
      return `/tlog/${target.name}/${target.tile === undefined ? "checkpoint" : formatTilesPath(target.tile)}`;
    case "latest":
      return `${scopePrefix(target)}${wirePath(target.path)}/@latest`;
    case "list":
      return `${scopePrefix(target)}${wirePath(target.path)}/@v/list`;
    case "info":
      return `${scopePrefix(target)}${wirePath(target.path)}/@v/${wireVersion(target.query)}.info`;
    case "mod":
    case "zip":
      return `${scopePrefix(target)}${wirePath(target.path)}/@v/${wireVersion(target.version)}.${target.kind}`;
  }
}

function parseCleanTarget(raw: string): Target {
  const elements = raw.slice(1).split("/");
  if (elements[0] === "-" && elements[1] === "chunks") return parseChunks(elements.slice(2));
  if (housePaths.has(raw) || elements[0] === "-") {
    checkEscapes(raw);
    return { kind: "house", path: raw };
  }
  if (elements[0] === "tlog") return parseTlog(elements.slice(1));
  if (elements[0] === "sum") return parseSum(elements.slice(1));
  if (elements[0] === "_build") return parseBuild(elements.slice(1));
  const cachedOnly = elements[0] === "cached-only";
  const rest = cachedOnly ? elements.slice(1) : elements;
  return rest[0] === "sumdb" ? parseSumdb(rest.slice(1), { cachedOnly }) : parseModule(rest, { cachedOnly });
}

function parseModule(elements: readonly string[], scope: Scope): ModuleTarget | Impossible {
  const last = elements.at(-1) ?? "";
  if (last === "@latest") return { kind: "latest", ...scope, path: parseWirePath(elements.slice(0, -1)) };
  if (elements.at(-2) !== "@v") return noEndpoint(elements);
  const path = parseWirePath(elements.slice(0, -2));
  if (last === "list") return { kind: "list", ...scope, path };

  const [, stem, kind] = /^(.+)\.(info|mod|zip)$/.exec(last) ?? [];
  if (stem === undefined) return noEndpoint([]);
  const query = parseWireVersion(stem, last);
  if (kind === "mod" || kind === "zip") return { kind, ...scope, ...checkModuleVersion(path, query) };
  // The go command asks /@latest instead; as a branch the word would answer a question nobody asked.
  if (query === "latest") return impossible("latest is not a version");
  const version = ownVersion(path, query);
  return { kind: "info", ...scope, path, query, ...(version === undefined ? {} : { version }) };
}

/**
 * The query as a version of this module. A tag that does not fit the path is a question all the same: v2.0.0 of an
 * unsuffixed path may be answered with v2.0.0+incompatible (cmd/go proxyRepo.Stat).
 */
function ownVersion(path: ModulePath, query: string): Version | undefined {
  if (query !== canonicalVersion(query)) return undefined;
  try {
    checkPathMajor(query, splitPathVersion(path)?.pathMajor ?? "");
  } catch (cause) {
    if (cause instanceof ProtocolError) return undefined;
    throw cause;
  }
  return query as Version;
}

function parseSum(elements: readonly string[]): Target {
  if (elements.at(-2) !== "@v") return noEndpoint(elements);
  const last = elements.at(-1) ?? "";
  return { kind: "sum", ...checkModuleVersion(parseWirePath(elements.slice(0, -2)), parseWireVersion(last, last)) };
}

function parseChunks(elements: readonly string[]): Target {
  const last = elements.at(-1) ?? "";
  if (elements.at(-2) !== "@v" || !last.endsWith(".zip")) return noEndpoint(elements);
  const version = parseWireVersion(last.slice(0, -".zip".length), last);
  return { kind: "chunks", ...checkModuleVersion(parseWirePath(elements.slice(0, -2)), version) };
}

/** The id is the target's own: nothing has to be remembered, and one that nobody gave out leads nowhere. */
function buildId(target: string): string {
  return createHash("sha256").update(`granary build ${target}`).digest("hex").slice(0, 32);
}

/** Beyond it a client has followed too many redirects (net/http stops at ten). */
export const maxBuildTurn = 9;

function parseBuild(elements: readonly string[]): Target {
  const [, id, turn] = /^([0-9a-f]{32})-([1-9])$/.exec(elements[0] ?? "") ?? [];
  const target = parseModule(elements.slice(1), { cachedOnly: false });
  if (target.kind === "impossible") return target;
  if (id === undefined || target.kind === "list" || target.kind === "latest" || id !== buildId(formatTarget(target)))
    throw new ProtocolError("BAD_TARGET", "no build of this name was begun");
  return { kind: "build", turn: Number(turn), target };
}

/** The name ends before the first endpoint word: modules may have such elements in their paths, databases may not. */
function parseSumdb(elements: readonly string[], scope: Scope): Target {
  const word = elements.findIndex((element) => endpointWords.has(element));
  const name = elements.slice(0, Math.max(word, 0));
  const endpoint = parseEndpoint(elements.slice(Math.max(word, 0)));
  if (name.length === 0 || endpoint === undefined) return noEndpoint(elements);
  checkEscapes(name.join("/"));
  if (!isDatabaseName(name)) return impossible("not a database name");
  return { kind: "sumdb", ...scope, name: name.join("/"), endpoint };
}

function isDatabaseName(elements: readonly string[]): boolean {
  return elements.every((element) => /^[A-Za-z0-9._~:-]+$/.test(element));
}

function parseTlog(elements: readonly string[]): Target {
  checkEscapes(elements.join("/"));
  const word = elements.findIndex((element) => element === "checkpoint" || element === "tile");
  const name = elements.slice(0, Math.max(word, 0));
  const rest = elements.slice(Math.max(word, 0)).join("/");
  if (name.length === 0 || (elements[word] === "checkpoint" && rest !== "checkpoint")) return noEndpoint(elements);
  if (!isDatabaseName(name)) return impossible("not a log's name");
  return { kind: "tlog", name: name.join("/"), tile: rest === "checkpoint" ? undefined : parseTilesPath(rest) };
}

function parseEndpoint(elements: readonly string[]): SumdbEndpoint | undefined {
  const [word, ...rest] = elements;
  if (word === "lookup") return { kind: "lookup", ...parseLookup(rest) };
  if (word === "tile") return parseTileShape(elements.join("/"));
  if (word === "supported" || word === "latest") return rest.length === 0 ? { kind: word } : undefined;
  return undefined;
}

function parseLookup(elements: readonly string[]): ModuleVersion {
  const last = elements.at(-1) ?? "";
  const at = last.indexOf("@");
  if (at < 0) throw new ProtocolError("BAD_VERSION", "invalid module@version syntax");
  const path = parseWirePath([...elements.slice(0, -1), last.slice(0, at)]);
  return checkModuleVersion(path, parseWireVersion(last.slice(at + 1), last));
}

function parseTileShape(text: string): SumdbEndpoint | undefined {
  const isTile = /^tile\/[0-9]{1,2}\/(?:[0-9]{1,2}|data)\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/[0-9]{1,3})?$/.test(text);
  return isTile ? { kind: "tile", text } : undefined;
}

function noEndpoint(elements: readonly string[]): Impossible {
  checkEscapes(elements.join("/"));
  return impossible("no such endpoint");
}

function impossible(reason: string): Impossible {
  return { kind: "impossible", reason };
}

function scopePrefix(scope: Scope): string {
  return scope.cachedOnly ? "/cached-only" : "";
}

function formatEndpoint(endpoint: SumdbEndpoint): string {
  switch (endpoint.kind) {
    case "supported":
    case "latest":
      return endpoint.kind;
    case "tile":
      return endpoint.text;
    case "lookup":
      return `lookup${wirePath(endpoint.path)}@${wireVersion(endpoint.version)}`;
  }
}
