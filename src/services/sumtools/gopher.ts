// Keeps databases fresh in the background, so that no go process waits for a record: `sumgopher`.

import { unescapePath } from "#protocol/path.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { checkModuleVersion, unescapeVersion, type ModuleVersion } from "#protocol/version.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { lookupsPrefix } from "#services/sumdb/layout.ts";
import type { RouteView } from "#services/sumdb/mirror.ts";
import { preload, type PreloadReport } from "./preload.ts";
import type { Asking, Database } from "./ports.ts";

export interface FreshDatabase extends Database {
  /** Records under the newest accepted head. */
  readonly treeSize: number | undefined;
  /** Asks every route for its newest head and holds each against what was accepted. */
  compareRoutes(signal: AbortSignal): Promise<readonly RouteView[]>;
}

export type GopherUse = Omit<Asking, "cachedOnly" | "databases"> & {
  readonly databases: readonly FreshDatabase[];
  readonly clock: Clock;
  /** Between the end of a round and the next one; undefined for one round. */
  readonly everyMs: number | undefined;
  /** The versions to follow, read anew for each round. Throws what ends the whole. */
  readonly followed: () => Promise<readonly ModuleVersion[]>;
  /** The newest version of a module; undefined when nobody says. */
  readonly newest: (path: string) => Promise<ModuleVersion | undefined>;
};

export type Round = PreloadReport & {
  /** Modules whose newest version nobody told. */
  readonly unlisted: number;
  readonly heads: readonly {
    readonly database: string;
    readonly treeSize?: number;
    readonly troubles: readonly string[];
  }[];
  readonly ms: number;
};

/** Round after round until told to stop; `onRound` is told of each whole one. Resolves to the last. */
export async function keepFresh(use: GopherUse, onRound: (round: Round) => void): Promise<Round | undefined> {
  let last: Round | undefined;
  for (;;) {
    const round = await oneRound(use).catch((error: unknown) => {
      if (use.signal.aborted) return undefined;
      throw error;
    });
    if (round === undefined) return last;
    last = round;
    onRound(round);
    if (use.everyMs === undefined) return last;
    await use.clock.sleep(use.everyMs, use.signal).catch(() => undefined);
    if (use.signal.aborted) return last;
  }
}

async function oneRound(use: GopherUse): Promise<Round> {
  const { databases, signal, clock } = use;
  const began = clock.now();
  const heads: Round["heads"][number][] = [];
  for (const database of databases) {
    const views = await database.compareRoutes(signal);
    const troubles = views.flatMap(({ route, verdict, reason = "" }) =>
      verdict === "agrees" ? [] : [`${route}: ${verdict}: ${reason}`],
    );
    const { treeSize } = database;
    heads.push({ database: database.name, ...(treeSize !== undefined && { treeSize }), troubles });
  }
  const followed = await use.followed();
  const paths = [...new Set(followed.map(({ path }) => path))].filter((path) => !use.isPrivate(path));
  const newest: ModuleVersion[] = [];
  let unlisted = 0;
  for (let at = 0; at < paths.length; at += use.jobs) {
    const found = await Promise.all(paths.slice(at, at + use.jobs).map((path) => use.newest(path)));
    newest.push(...found.filter((id) => id !== undefined));
    unlisted += found.filter((id) => id === undefined).length;
  }
  const report = await preload([...followed, ...newest], use);
  return { ...report, unlisted, heads, ms: clock.now() - began };
}

/** The versions whose records are kept. */
export async function keptVersions(storage: Storage, database: string): Promise<ModuleVersion[]> {
  const prefix = lookupsPrefix(database);
  const found: ModuleVersion[] = [];
  for await (const { key } of storage.list(prefix)) {
    const name = key.slice(prefix.length);
    const at = name.lastIndexOf("@");
    try {
      found.push(checkModuleVersion(unescapePath(name.slice(0, at)), unescapeVersion(name.slice(at + 1))));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error; // no name of ours
    }
  }
  return found;
}
