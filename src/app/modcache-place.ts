// Whose module cache is meant, and what go is set to on this machine: go's own word, or, where there is no go, its files
// read as go reads them (protocol reference §3.1, §3.5).

import { delimiter, join, resolve } from "node:path";
import { readdir, readFile } from "node:fs/promises";
import { askGoEnv } from "#adapters/system/go-command.ts";
import type { CacheOrigin } from "#doors/cli/modcache-services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { goDefaultProxyList, sumdbName } from "#protocol/official.ts";
import { parseModuleVersion } from "#services/prewarm/wanted.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { GoSettings } from "#services/sumdb/go-decision.ts";
import { readGoEnv } from "./go-env.ts";
import type { Machine } from "./go-env.ts";

export type ModcachePlace = {
  /** GOMODCACHE, absolute. */
  readonly root: string;
  readonly origin: CacheOrigin;
  /** GOPATH's first folder: go keeps the newest tree heads there. */
  readonly gopath: string;
  readonly settings: GoSettings;
};

const names = ["GOMODCACHE", "GOPATH", "GOSUMDB", "GOPROXY", "GONOSUMDB", "GOPRIVATE", "GOFLAGS"] as const;

/** @param cache --cache: another folder than go's */
export async function findModcache(machine: Machine, cache?: string): Promise<ModcachePlace> {
  const said = await askGoEnv(names, machine.env);
  const value = async (name: (typeof names)[number]): Promise<string> =>
    said?.[name] ?? (await readGoEnv(name, machine))?.value ?? "";
  const gopath = (await value("GOPATH")).split(delimiter).find((each) => each !== "") ?? join(machine.home, "go");
  const own = await value("GOMODCACHE");
  const root = cache ?? (own === "" ? join(gopath, "pkg", "mod") : own);
  return {
    root: resolve(root),
    origin: cache === undefined ? (said === undefined ? "machine" : "go") : "flag",
    gopath: resolve(gopath),
    settings: {
      // An empty variable is one that is not set (cmd/go cfg.Getenv).
      GOSUMDB: (await value("GOSUMDB")) || sumdbName,
      GOPROXY: (await value("GOPROXY")) || goDefaultProxyList,
      GONOSUMDB: await value("GONOSUMDB"),
      GOPRIVATE: await value("GOPRIVATE"),
      GOFLAGS: await value("GOFLAGS"),
    },
  };
}

/** `GOPATH/pkg/sumdb`: a folder of heads for each database, of names with slashes too. */
export function headsFolder({ gopath }: ModcachePlace): string {
  return join(gopath, "pkg", "sumdb");
}

/** Names of databases have few elements. */
const maxDepth = 4;
/** A head is some 200 bytes. */
const maxHeadBytes = 1_000_000;

/** The heads that go keeps, unverified; none when there are none. */
export async function keptHeads(folder: string): Promise<readonly { database: string; note: Uint8Array }[]> {
  const found: { database: string; note: Uint8Array }[] = [];
  const look = async (at: string, name: string, depth: number): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      const path = join(at, entry.name);
      if (entry.isFile() && entry.name === "latest") {
        const note = await readFile(path).catch(() => Buffer.alloc(0));
        if (note.length > 0 && note.length < maxHeadBytes) found.push({ database: name, note });
      }
      if (entry.isDirectory() && depth < maxDepth)
        await look(path, name === "" ? entry.name : `${name}/${entry.name}`, depth + 1);
    }
  };
  await look(folder, "", 0);
  return found;
}

/** Throws GRANARY_BAD_FLAG. */
export function readVersion(text: string): ModuleVersion {
  try {
    return parseModuleVersion(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const accepted = "PATH@VERSION, as in golang.org/x/text@v0.21.0";
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "MODULE@VERSION", value: text, accepted }, { cause: error });
  }
}
