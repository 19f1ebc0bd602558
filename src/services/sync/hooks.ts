// A webhook as the operator configured it, and which module a repository of it holds.
//
//   repositories: git.corp.example/team, git.corp.example:3000/x=go.corp.example/x
//
// Each is a repository or a prefix of whole elements; behind `=` stands the module path in its place.

import { ProtocolError } from "#protocol/errors.ts";
import { parsePath } from "#protocol/path.ts";

export const forgeNames = ["github", "gitlab", "gitea"] as const;
export type Forge = (typeof forgeNames)[number];

export type Mapping = {
  /** `host/path`, the host in lower case, with its port when the URL has one; or a prefix of that. */
  readonly repository: string;
  /** The module path that stands in its place. */
  readonly module: string;
};

export type Hook = {
  readonly name: string;
  readonly forge: Forge;
  /** Never told, never logged. */
  readonly secret: string;
  readonly repositories: readonly Mapping[];
};

/** Shorter ones can be guessed from one signed delivery that somebody saw. */
export const minSecretChars = 16;

/** `HOST[:PORT][/PATH][=MODULE]`; undefined for anything else. */
export function parseMapping(text: string): Mapping | undefined {
  const [, host = "", port = "", path = "", module] =
    /^([\w.-]+)(:\d{1,5})?((?:\/[\w.~-]+)*)(?:=([^=\s]+))?$/.exec(text) ?? [];
  if (!host.includes(".") && module === undefined) return undefined;
  if (host === "" || (port !== "" && module === undefined)) return undefined;
  const repository = host.toLowerCase() + port + path;
  if (module === undefined) return { repository, module: repository };
  return isModulePrefix(module) ? { repository, module } : undefined;
}

/** A module path, or the host that several begin with. */
function isModulePrefix(module: string): boolean {
  try {
    parsePath(module);
    return true;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return false;
  }
}

/**
 * `https://git.corp.example/team/x.git` → `git.corp.example/team/x`; undefined for what is no URL of a repository.
 * A port stays: the mapping says what stands in its place.
 */
export function repositoryOf(url: string): string | undefined {
  if (url.length > maxUrlLength || !URL.canParse(url)) return undefined;
  const { protocol, host, pathname } = new URL(url);
  if (!/^(https?|ssh|git):$/.test(protocol) || host === "") return undefined;
  const path = pathname.replace(/\/+$/, "").replace(/\.git$/, "");
  return /^(\/[\w.~-]+)+$/.test(path) && !/\/\.{1,2}(\/|$)/.test(path) ? host.toLowerCase() + path : undefined;
}

const maxUrlLength = 1_000;

/** The module path of a repository's root, by the longest mapping; undefined when the hook is not for it. */
export function rootOf({ repositories }: Hook, repository: string): string | undefined {
  const [best] = repositories
    .filter(({ repository: prefix }) => repository === prefix || repository.startsWith(`${prefix}/`))
    .toSorted((a, b) => b.repository.length - a.repository.length);
  return best && best.module + repository.slice(best.repository.length);
}
