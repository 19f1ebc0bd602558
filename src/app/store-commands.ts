// The commands that look after a store, beside a server that may be running on it.

import { join } from "node:path";
import { JsonlSink } from "#adapters/sinks/jsonl.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { VerifyPool } from "#adapters/system/verify-pool.ts";
import type { CliServices, PinnedHash, QuarantinedItem, SettingFlags, TokenInfo } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { Tokens } from "#services/access/tokens.ts";
import type { TokenRecord } from "#services/access/tokens.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Pins } from "#services/store/pins.ts";
import type { PinnedVersion } from "#services/store/pins.ts";
import type { Storage } from "#services/store/ports.ts";
import { HeldVersions } from "#services/store/held.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import type { Quarantined } from "#services/store/quarantine.ts";
import { storeStats, verifyStore } from "#services/store/survey.ts";
import type { Config } from "./config.ts";
import { checkStore } from "./store-check.ts";
import { openStore } from "./open-store.ts";
import { releaseQuarantined } from "./release.ts";

export type StoreCommands = Pick<
  CliServices,
  | "storeStats"
  | "storeVerify"
  | "storeCheck"
  | "quarantineList"
  | "quarantineShow"
  | "quarantineRelease"
  | "hold"
  | "free"
  | "heldList"
  | "hashesList"
  | "hashesForget"
  | "hashesRepacked"
  | "tokenAdd"
  | "tokenList"
  | "tokenRevoke"
>;

/** @param verifyEntry the program a verification thread runs */
export function storeCommands(load: (flags: SettingFlags) => Promise<Config>, verifyEntry: URL): StoreCommands {
  const open = async (flags: SettingFlags): Promise<OpenStore> => await openForCommand(await load(flags));
  return {
    storeStats: async (flags) => {
      const { dir, storage, config } = await open(flags);
      const bucket = config.values["s3.bucket"];
      return { dir: bucket === "" ? dir : `s3://${bucket}`, ...(await storeStats(storage)) };
    },
    storeVerify: async (flags, progress) => await verifyStore((await open(flags)).storage, progress),
    storeCheck: async (flags) => await checkStore(await load(flags)),
    quarantineList: async (flags) => (await (await open(flags)).quarantine.list()).map(toItem),
    quarantineShow: async (id, flags) => toItem(await findQuarantined(id, await open(flags))),
    hold: async (what, reason, flags) => {
      const store = await open(flags);
      const id = versionIn(what, "granary store quarantine hold MODULE@VERSION");
      const isNew = await store.held.hold(id, reason);
      const { path: module, version } = id;
      if (isNew) await store.tell({ name: "version.held", module, version, reason });
      return isNew;
    },
    free: async (what, flags) => {
      const store = await open(flags);
      const id = versionIn(what, "granary store quarantine free MODULE@VERSION");
      if (!(await store.held.free(id)))
        throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "held version", id: what });
      await store.tell({ name: "version.freed", module: id.path, version: id.version, reason: "" });
    },
    heldList: async (flags) => await (await open(flags)).held.list(),
    quarantineRelease: async (id, flags) => {
      const store = await open(flags);
      const held = await findQuarantined(id, store);
      const verifier = new VerifyPool({ entry: verifyEntry });
      try {
        await releaseQuarantined(held, {
          config: store.config,
          storage: store.storage,
          events: store.events,
          verifier,
        });
        return toItem(held);
      } finally {
        await Promise.all([verifier.close(), store.events.flush()]);
      }
    },
    hashesList: async (flags) => {
      const hashes: PinnedHash[] = [];
      for await (const pin of (await open(flags)).pins.list()) hashes.push(...toHashes(pin));
      return hashes;
    },
    hashesForget: async (what, flags) => await forget(what, await open(flags)),
    hashesRepacked: async (what, flags) => {
      const id = versionIn(what, "granary store hashes repacked MODULE@VERSION");
      const store = await open(flags);
      const modules = new ModuleStore(store.storage);
      try {
        if (!(await modules.allowRepacked(id)))
          throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "evicted version", id: what });
      } finally {
        await modules.close();
      }
      await store.tell({ name: "version.repacked", module: id.path, version: id.version, reason: "" });
    },
    tokenAdd: async ({ scope, note }, flags) => {
      const store = await open(flags);
      const { text, record } = await store.tokens.add(scope, note);
      await store.tell({ name: "token.added", id: record.id, scope });
      return { text, info: toInfo(record) };
    },
    tokenList: async (flags) => (await (await open(flags)).tokens.list()).map(toInfo),
    tokenRevoke: async (id, flags) => {
      const store = await open(flags);
      const known = (await store.tokens.list()).find((token) => token.id === id);
      if (known === undefined || !(await store.tokens.revoke(id)))
        throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "token", id });
      await store.tell({ name: "token.revoked", id, scope: known.scope });
    },
  };
}

type OpenStore = {
  readonly config: Config;
  readonly events: JsonlSink;
  readonly dir: string;
  readonly storage: Storage;
  readonly tokens: Tokens;
  readonly pins: Pins;
  readonly quarantine: Quarantine;
  readonly held: HeldVersions;
  /** Writes an event, now: the process ends soon. */
  readonly tell: (event: Parameters<JsonlSink["emit"]>[0]) => Promise<void>;
};

async function openForCommand(config: Config): Promise<OpenStore> {
  const dir = config.values.store;
  const { storage } = await openStore(config, {});
  const events = new JsonlSink(join(dir, "state", "events.jsonl"), systemClock);
  return {
    config,
    events,
    dir,
    storage,
    tokens: new Tokens(storage, systemClock),
    pins: new Pins(storage, events),
    quarantine: new Quarantine(storage, systemClock),
    held: new HeldVersions(storage, systemClock),
    tell: async (event) => {
      events.emit(event);
      await events.flush();
    },
  };
}

async function findQuarantined(id: string, { quarantine }: OpenStore): Promise<Quarantined> {
  const found = await quarantine.find(id);
  if (found === undefined) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "quarantine", id });
  return found;
}

/** Throws GRANARY_BAD_USAGE. */
function versionIn(what: string, usage: string): ModuleVersion {
  const at = what.lastIndexOf("@");
  try {
    return checkModuleVersion(parsePath(what.slice(0, Math.max(0, at))), what.slice(at + 1));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_BAD_USAGE", { reason: error.message, usage });
  }
}

async function forget(what: string, store: OpenStore): Promise<readonly PinnedHash[]> {
  const at = what.lastIndexOf("@");
  const [path, version] = [what.slice(0, Math.max(0, at)), what.slice(at + 1)];
  const before: PinnedHash[] = [];
  for await (const pin of store.pins.list())
    if (pin.path === path && pin.version === version) before.push(...toHashes(pin));
  try {
    if (!(await store.pins.forget(path, version)))
      throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "hash", id: what });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: error.message,
      usage: "granary store hashes forget MODULE@VERSION",
    });
  }
  await store.events.flush();
  return before;
}

function toHashes({ path, version, mod, zip }: PinnedVersion): PinnedHash[] {
  const hashes: PinnedHash[] = [];
  if (mod !== undefined) hashes.push({ module: path, version, kind: "mod", hash: mod });
  if (zip !== undefined) hashes.push({ module: path, version, kind: "zip", hash: zip });
  return hashes;
}

function toItem({ id, path, version, upstream, kind, expected, found, size, at }: Quarantined): QuarantinedItem {
  return {
    id,
    module: path,
    version,
    upstream,
    reason: `${kind} hash`,
    at,
    bytes: size,
    recorded: expected,
    received: found,
  };
}

function toInfo({ id, scope, note, created }: TokenRecord): TokenInfo {
  return { id, scope, note, created };
}
