// What is to be in a store: files of module versions, named by go.sum, by a list, by a folder, by toolchain lines.

import { ProtocolError } from "#protocol/errors.ts";
import { isGoRelease, toolchainVersion } from "#protocol/gover.ts";
import { parsePath, unescapePath } from "#protocol/path.ts";
import { formatTarget } from "#protocol/request.ts";
import { fields } from "#protocol/space.ts";
import { checkModuleVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";

export type FileKind = "info" | "mod" | "zip";

/** One file of one version. */
export type WantedFile = { readonly id: ModuleVersion; readonly kind: FileKind };

/** A line that names no module version, with its number from 1. */
export class BadLine extends Error {
  override readonly name = "BadLine";
  readonly line: number;
  constructor(line: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.line = line;
  }
}

/** The whole of a version: what a build asks for, go.mod first because the rest depends on it. */
export function wholeVersion(id: ModuleVersion): WantedFile[] {
  return [
    { id, kind: "mod" },
    { id, kind: "info" },
    { id, kind: "zip" },
  ];
}

/** `/github.com/!azure/x/@v/v1.0.0.zip`, percent-encoded. `keptOnly` asks for what is kept and no upstream. */
export function targetOf({ id, kind }: WantedFile, keptOnly: "kept-only" | "any" = "any"): string {
  const cachedOnly = keptOnly === "kept-only";
  if (kind === "info") return formatTarget({ kind, path: id.path, query: id.version, version: id.version, cachedOnly });
  return formatTarget({ kind, path: id.path, version: id.version, cachedOnly });
}

/** `path@version`. Throws ProtocolError. */
export function parseModuleVersion(text: string): ModuleVersion {
  const at = text.lastIndexOf("@");
  return checkModuleVersion(text.slice(0, Math.max(0, at)), text.slice(at + 1));
}

/** A text file of `path@version` lines; `#` starts a comment. Throws BadLine. */
export function wantedOfList(text: string): WantedFile[] {
  return linesOf(text).flatMap(({ line, words }) => {
    const [only = "", more] = words;
    if (more !== undefined) throw new BadLine(line, "more than one word");
    return inLine(line, () => wholeVersion(parseModuleVersion(only)));
  });
}

/** A go.sum: a version's line wants all of it, a `/go.mod` line the go.mod alone. Throws BadLine. */
export function wantedOfGoSum(text: string): WantedFile[] {
  return linesOf(text).flatMap(({ line, words }) => {
    const [path = "", version = "", hash, more] = words;
    if (hash === undefined || more !== undefined) throw new BadLine(line, "not of the form: path version h1:hash");
    return inLine(line, () => {
      const bare = version.replace(/\/go\.mod$/, "");
      const id = checkModuleVersion(path, bare);
      return bare === version ? wholeVersion(id) : [{ id, kind: "mod" as const }];
    });
  });
}

/**
 * What a file of a folder in the GOPROXY layout wants, by its name relative to the folder, with slashes; undefined for
 * names that are none (`list`, hashes, locks).
 */
export function wantedOfFile(name: string): WantedFile[] | undefined {
  const [, path, version, kind] = /^(?:(?:.*\/)?cache\/download\/)?(.+)\/@v\/([^/]+)\.(info|mod|zip)$/.exec(name) ?? [];
  if (path === undefined || version === undefined) return undefined;
  try {
    const id = checkModuleVersion(unescapePath(path), unescapeVersion(version));
    return kind === "zip" ? wholeVersion(id) : [{ id, kind: kind === "info" ? "info" : "mod" }];
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** `linux/amd64` → `linux-amd64`; undefined for what is no platform's name. */
export function parsePlatform(text: string): string | undefined {
  const [, os, arch] = /^([a-z0-9]+)\/([a-z0-9_]+)$/.exec(text) ?? [];
  return os === undefined || arch === undefined ? undefined : `${os}-${arch}`;
}

/**
 * The toolchains that `go` and `toolchain` lines make go download, as modules (cmd/go modfetch/toolchain.go). A language
 * version (`go 1.22`) names none, and versions before 1.21 were never published as modules.
 */
export function toolchainFiles(
  lines: { readonly go: string | undefined; readonly toolchain: string | undefined },
  platforms: readonly string[],
): WantedFile[] {
  const named = lines.toolchain === undefined ? undefined : toolchainVersion(lines.toolchain);
  const versions = new Set([lines.go, named].filter((version) => version !== undefined && isModule(version)));
  const path = parsePath("golang.org/toolchain");
  return [...versions].flatMap((version) =>
    platforms.flatMap((platform) => wholeVersion(checkModuleVersion(path, `v0.0.1-go${version}.${platform}`))),
  );
}

function isModule(version: string): boolean {
  return isGoRelease(version) && !/^1\.(?:\d|1\d|20)(?:\D|$)/.test(version);
}

/** Each file once, in order of first mention. */
export function withoutRepeats(files: readonly WantedFile[]): WantedFile[] {
  return [...new Map(files.map((file) => [targetOf(file), file])).values()];
}

type Line = { readonly line: number; readonly words: readonly string[] };

function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .map((raw, at) => ({ line: at + 1, words: fields(raw.replace(/(?:^|\s)#[^]*$/, "")) }))
    .filter(({ words }) => words.length > 0);
}

function inLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) throw new BadLine(line, error.message, { cause: error });
    throw error;
  }
}
