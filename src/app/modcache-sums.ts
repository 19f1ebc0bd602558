// A checksum database as the go command of this machine would ask it, for bytes in its cache: what go keeps of it comes
// first, then the ways that go would take. Everything is proven with the database's key; nothing is written.

import { MemoryStorage } from "#adapters/storage/memory.ts";
import { openSourceTree } from "#adapters/storage/source-tree.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { TracedQuestion } from "#doors/cli/modcache-services.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { sumdbFolder } from "#services/modcache/layout.ts";
import type { LookUpSums, SumsAnswer } from "#services/modcache/ports.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { folderRoute } from "#services/sumdb/folder-route.ts";
import { decide } from "#services/sumdb/go-decision.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import type { SumdbRoute } from "#services/sumdb/ports.ts";
import { newestHeadIn, readSource } from "#services/sumdb/source-head.ts";
import type { SettingFlags } from "#doors/cli/services.ts";
import type { Config } from "./config.ts";
import { headsFolder, keptHeads } from "./modcache-place.ts";
import type { ModcachePlace } from "./modcache-place.ts";
import { routesUse } from "./sumdb-heads.ts";
import { databaseRoutes } from "./sumdb-routes.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";

export type SumsUse = {
  readonly place: ModcachePlace;
  readonly load: (flags: SettingFlags) => Promise<Config>;
  readonly isOffline: boolean;
  /** Told each question when it was answered. */
  readonly onQuestion?: (question: TracedQuestion) => void;
};

export type OpenSums = { readonly lookUp: LookUpSums; readonly close: () => Promise<void> };

/** After so many questions to which nobody answered only what is kept is asked. */
const maxSilences = 3;

/** Never throws for what GOSUMDB says: `lookUp` tells it. */
export async function openSums(use: SumsUse): Promise<OpenSums> {
  const { settings } = use.place;
  const database = databaseOf(settings.GOSUMDB);
  // With settings that go stops at there is nobody to be asked, whatever the module is.
  const isUsable = decide(settings).outcome.kind === "verified";
  const opened = database && isUsable ? await openMirror(database, use) : undefined;
  let silences = 0;
  return {
    lookUp: async (id, signal): Promise<SumsAnswer> => {
      const { outcome } = decide(settings, id.path);
      if (outcome.kind === "refused") return { kind: "unasked", because: "refused" };
      if (outcome.kind === "unverified" || opened === undefined)
        return { kind: "unasked", because: outcome.kind === "unverified" ? outcome.because : "refused" };
      if (silences >= maxSilences) opened.goOffline();
      try {
        const { sums, database: name, id: number, route } = await opened.mirror.lookup(id, { signal, isHurried: true });
        return { kind: "recorded", sums, database: name, number, route };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SumdbError)) throw error;
        if (error.code === "SUMDB_UNREACHABLE") silences++;
        return answerOf(error);
      }
    },
    close: async () => {
      await opened?.close();
    },
  };
}

function answerOf({ code, message }: SumdbError): SumsAnswer {
  const reason = withoutCredentials(message);
  if (code === "SUMDB_ABSENT") return { kind: "unrecorded", reason };
  if (code === "SUMDB_INVALID" || code === "SUMDB_FORK") return { kind: "unproven", reason };
  return { kind: "unknown", reason };
}

type Database = Extract<ReturnType<typeof parseGosumdb>, { kind: "database" }>;

function databaseOf(text: string): Database | undefined {
  try {
    const parsed = parseGosumdb(text);
    return parsed.kind === "database" ? parsed : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

type OpenMirror = { readonly mirror: SumdbMirror; readonly goOffline: () => void; readonly close: () => Promise<void> };

async function openMirror(database: Database, use: SumsUse): Promise<OpenMirror> {
  const { place, load, isOffline } = use;
  const tree = await openSourceTree(place.root).catch(() => undefined);
  const folder = `${sumdbFolder}/${database.name}`;
  const read = async (path: string, maxBytes: number): Promise<Uint8Array | undefined> =>
    tree && (await readSource(tree, `${folder}/${path}`, maxBytes));
  const own = traced(folderRoute({ name: "GOMODCACHE", read }), use);
  const routes: SumdbRoute[] = [own];
  let closeClient = (): Promise<void> => Promise.resolve();
  if (!isOffline) {
    const { GOSUMDB, GOPROXY } = place.settings;
    const config = await load({ values: { upstream: GOPROXY, sumdb: [GOSUMDB] } });
    const client = makeUpstreamClient(config);
    closeClient = () => client.close();
    routes.push(...databaseRoutes(database, routesUse(config, client)).map((route) => traced(route, use)));
  }
  const mirror = new SumdbMirror({ key: database.key, routes, storage: new MemoryStorage(), clock: systemClock });
  const atHand = (await keptHeads(headsFolder(place))).find((head) => head.database === database.name)?.note;
  const head = atHand ?? (tree && (await newestHeadIn(tree, folder, { verifier: mirror.verifier, atHand: [] })));
  // Whatever becomes of it: a head that cannot be proven is as good as none, and a fork is told by every lookup.
  if (head !== undefined) await mirror.offer(head, own);
  return {
    mirror,
    goOffline: () => routes.splice(1),
    close: async () => {
      mirror.close();
      await closeClient();
    },
  };
}

function traced(route: SumdbRoute, { onQuestion }: SumsUse): SumdbRoute {
  if (onQuestion === undefined) return route;
  return {
    ...route,
    fetch: async (path, maxBytes, ask) => {
      const began = performance.now();
      const question = { route: route.name, path, proves: provenBy(path) };
      const ms = (): number => Math.round(performance.now() - began);
      try {
        const answer = await route.fetch(path, maxBytes, ask);
        onQuestion({ ...question, status: answer.status, bytes: answer.bytes.length, ms: ms() });
        return answer;
      } catch (error) {
        const reason = withoutCredentials(error instanceof Error ? error.message : String(error));
        onQuestion({ ...question, status: undefined, bytes: 0, ms: ms(), reason });
        throw error;
      }
    },
  };
}

function provenBy(path: string): TracedQuestion["proves"] {
  return path.startsWith("/lookup/") ? "record" : path.startsWith("/tile/") ? "tile" : "head";
}
