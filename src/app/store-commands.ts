// The commands that look after a store, beside a server that may be running on it.

import { join } from "node:path";
import { JsonlSink } from "#adapters/sinks/jsonl.ts";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type {
  CliServices,
  PinnedHash,
  QuarantinedItem,
  SettingFlags,
  StoreStats,
  TokenInfo,
} from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { Tokens } from "#services/access/tokens.ts";
import type { TokenRecord } from "#services/access/tokens.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { Pins } from "#services/store/pins.ts";
import type { PinnedVersion } from "#services/store/pins.ts";
import type { Storage } from "#services/store/ports.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import type { Quarantined } from "#services/store/quarantine.ts";

type StoreCommands = Pick<
  CliServices,
  | "storeStats"
  | "storeVerify"
  | "quarantineList"
  | "quarantineShow"
  | "quarantineRelease"
  | "hashesList"
  | "hashesForget"
  | "tokenAdd"
  | "tokenList"
  | "tokenRevoke"
>;

/** @param dirOf the store's directory, from settings */
export function storeCommands(dirOf: (flags: SettingFlags) => Promise<string>): StoreCommands {
  const open = async (flags: SettingFlags): Promise<OpenStore> => await openStore(await dirOf(flags));
  return {
    storeStats: async (flags) => await countStore(await open(flags)),
    storeVerify: notYet,
    quarantineList: async (flags) => (await (await open(flags)).quarantine.list()).map(toItem),
    quarantineShow: async (id, flags) => {
      const found = await (await open(flags)).quarantine.find(id);
      if (found === undefined) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "quarantine", id });
      return toItem(found);
    },
    quarantineRelease: notYet,
    hashesList: async (flags) => {
      const hashes: PinnedHash[] = [];
      for await (const pin of (await open(flags)).pins.list()) hashes.push(...toHashes(pin));
      return hashes;
    },
    hashesForget: async (what, flags) => await forget(what, await open(flags)),
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
  readonly dir: string;
  readonly storage: Storage;
  readonly tokens: Tokens;
  readonly pins: Pins;
  readonly quarantine: Quarantine;
  /** Writes an event, now: the process ends soon. */
  readonly tell: (event: Parameters<JsonlSink["emit"]>[0]) => Promise<void>;
  readonly flush: () => Promise<void>;
};

async function openStore(dir: string): Promise<OpenStore> {
  const storage = await openDisk(dir);
  const sink = new JsonlSink(join(dir, "state", "events.jsonl"), systemClock);
  return {
    dir,
    storage,
    tokens: new Tokens(storage, systemClock),
    pins: new Pins(storage, sink),
    quarantine: new Quarantine(storage, systemClock),
    tell: async (event) => {
      sink.emit(event);
      await sink.flush();
    },
    flush: async () => await sink.flush(),
  };
}

async function openDisk(dir: string): Promise<Storage> {
  try {
    return await openDiskStorage(dir, { beside: true });
  } catch (error) {
    if (error instanceof StoreUnwritable)
      throw new GranaryError("GRANARY_STORE_UNWRITABLE", { dir, reason: error.message }, { cause: error });
    if (!(error instanceof StoreTooNew)) throw error;
    const { found, supported } = error;
    throw new GranaryError(
      "GRANARY_STORE_TOO_NEW",
      { dir, found: String(found), supported: String(supported) },
      { cause: error },
    );
  }
}

/** Counts by names alone; nothing is read. */
async function countStore({ dir, storage }: OpenStore): Promise<StoreStats> {
  const modules = new Set<string>();
  let [versions, zips, records, bytes] = [0, 0, 0, 0];
  for await (const { key, size } of storage.list("modules/")) {
    bytes += size;
    const [path = "", file = ""] = key.split("/@v/");
    if (/^modules\/sumdb\/.*\/lookup\//.test(key)) records++;
    if (file.endsWith(".zip")) zips++;
    if (!file.endsWith(".mod")) continue;
    versions++;
    modules.add(path);
  }
  return { dir, modules: modules.size, versions, zips, bytes, records };
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
  await store.flush();
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

const notYet = (): Promise<never> =>
  Promise.reject(new GranaryError("GRANARY_INTERNAL", { reason: "this command is not built yet" }));
