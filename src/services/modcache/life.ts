// What a module cache knows of the life of a version: where it came from, since when it is here, and whether its author
// took it back. Retractions and deprecations stand in the go.mod of the module's newest version; here that is the newest
// one in this cache, which may be an old one (protocol reference §8.3).

import { maxGoModBytes, parseGoMod } from "#protocol/gomod.ts";
import type { GoMod } from "#protocol/gomod.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Origin } from "#protocol/info.ts";
import { checkModuleVersion, compareVersions, isValidVersion, sortVersions } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { readId, unitPath, versionsFolder } from "./layout.ts";
import { escapePath } from "#protocol/path.ts";
import type { InfoReading } from "./files.ts";
import { CacheUnreadable } from "./ports.ts";
import type { CacheTree } from "./ports.ts";
import type { Unit } from "./survey.ts";
import { usedMs } from "./use.ts";

export type Life = {
  /** RFC 3339: of the commit. */
  readonly time: string | undefined;
  /** What the first proxy, or the repository, said of where it came from; nothing proves it. */
  readonly origin: Origin | undefined;
  readonly cachedMs: number | undefined;
  readonly usedMs: number | undefined;
  /** Of this cache. */
  readonly newest: string | undefined;
  readonly retracted: { readonly by: string; readonly rationale: string } | undefined;
  readonly deprecated: { readonly by: string; readonly message: string } | undefined;
};

export async function lifeOf(cache: CacheTree, unit: Unit, info: InfoReading | undefined): Promise<Life> {
  const { id, files, tree } = unit;
  const written = [files.zip, files.mod, files.info, tree].flatMap((facts) => (facts === undefined ? [] : [facts]));
  const newest = await newestIn(cache, id);
  const goMod = newest && (await goModOf(cache, newest));
  const by = newest?.version ?? "";
  const retraction = goMod?.retract.find(
    ({ low, high }) =>
      isValidVersion(low) &&
      isValidVersion(high) &&
      compareVersions(low, id.version) <= 0 &&
      compareVersions(id.version, high) <= 0,
  );
  const deprecated = goMod?.deprecated ?? "";
  return {
    time: info?.kind === "info" ? info.info.time : undefined,
    origin: info?.kind === "info" ? info.info.origin : undefined,
    cachedMs: written.length === 0 ? undefined : Math.min(...written.map(({ modifiedMs }) => modifiedMs)),
    usedMs: written.length === 0 ? undefined : usedMs(unit),
    newest: newest?.version,
    retracted: retraction && { by, rationale: retraction.rationale },
    deprecated: deprecated === "" ? undefined : { by, message: deprecated },
  };
}

/** The highest version whose go.mod is here, releases first. */
async function newestIn(cache: CacheTree, { path }: ModuleVersion): Promise<ModuleVersion | undefined> {
  const versions = (await cache.names(versionsFolder(path))).flatMap(({ name }) => {
    if (!name.endsWith(".mod")) return [];
    const id = readId(escapePath(path), name.slice(0, -".mod".length));
    return id === undefined ? [] : [id.version];
  });
  const sorted = sortVersions(versions);
  const newest = sorted.findLast((version) => !version.includes("-")) ?? sorted.at(-1);
  return newest && checkModuleVersion(path, newest);
}

async function goModOf(cache: CacheTree, id: ModuleVersion): Promise<GoMod | undefined> {
  try {
    const bytes = await cache.read(unitPath(id, "mod"), maxGoModBytes);
    return bytes && parseGoMod(bytes, { lax: true });
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof CacheUnreadable) return undefined;
    throw error;
  }
}
