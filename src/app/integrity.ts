// The integrity list: published when a key is configured, read when somebody's is. Both are off by default.

import { integrityListAt } from "#adapters/upstream/integrity.ts";
import type { EventSink } from "#services/events/ports.ts";
import { OwedProofs } from "#services/integrity/owed.ts";
import { IntegrityPublisher } from "#services/integrity/publisher.ts";
import { IntegrityReader, type ReaderView } from "#services/integrity/reader.ts";
import { recheckOwed } from "#services/integrity/recheck.ts";
import type { Owed } from "#services/integrity/owed.ts";
import type { ModuleJobs } from "#services/proxy/module-jobs.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { StoreUnavailable, type Clock, type Storage } from "#services/store/ports.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { UpstreamClient } from "#services/upstreams/ports.ts";
import type { Values } from "./config.ts";
import { parseIntegrityFrom } from "./config-checks.ts";
import { readSignerKey } from "./own-log.ts";

export type IntegrityUse = {
  readonly values: Values;
  readonly storage: Storage;
  readonly client: UpstreamClient;
  readonly privacy: Privacy;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly stop: AbortSignal;
};

export type Integrity = {
  readonly publisher: IntegrityPublisher | undefined;
  readonly reader: IntegrityReader | undefined;
  readonly owed: OwedProofs;
  /** Begins to ask the databases again for what is owed. */
  readonly start: (use: { readonly store: ModuleStore; readonly jobs: ModuleJobs }) => void;
};

/** How it stands with both, for the status. */
export type IntegrityView = {
  /** Stages of versions that rest on a list's word and wait for a database's. */
  readonly owed: number;
  readonly from?: ReaderView;
};

/** Throws GRANARY_INPUT_UNREADABLE for a key that is none. */
export async function openIntegrity(use: IntegrityUse): Promise<Integrity> {
  const { values, storage, client, privacy, clock, events, stop } = use;
  const keyFile = values["integrity.publish"];
  const from = values["integrity.from"];
  const publisher =
    keyFile === ""
      ? undefined
      : new IntegrityPublisher({
          storage,
          signer: await readSignerKey(keyFile),
          isPrivate: (path) => privacy.mustNotTravel(path),
          clock,
        });
  const owed = new OwedProofs(storage);
  return {
    publisher,
    reader: from === "" ? undefined : readerOf(from, { client, clock, events, stop }),
    owed,
    start: ({ store, jobs }) => {
      const onFailure = (error: unknown): void =>
        events.emit({ name: "integrity.failed", list: "recheck", reason: String(error) });
      void recheckOwed({ owed, prove: (each, signal) => prove(each, { store, jobs }, signal), clock, stop, onFailure });
    },
  };
}

export async function integrityView({ owed, reader }: Integrity): Promise<IntegrityView> {
  // A store that is out of reach is told elsewhere, and the page that tells it must be there.
  const count = await owed.count().catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return 0;
    throw error;
  });
  return { owed: count, ...(reader && { from: reader.view }) };
}

function readerOf(from: string, use: Pick<IntegrityUse, "client" | "clock" | "events" | "stop">): IntegrityReader {
  const { url, verifier } = parseIntegrityFrom(from);
  const source = integrityListAt(use.client, { name: verifier.name, url, redirectCidrs: [] });
  const onFailure = (reason: string): void =>
    use.events.emit({ name: "integrity.failed", list: verifier.name, reason });
  return new IntegrityReader({ source, verifier, clock: use.clock, stop: use.stop, onFailure });
}

/** False when no database said anything. What one says (an absence, a fork, another hash) is an answer. */
async function prove(
  { id, stage }: Owed,
  use: { readonly store: ModuleStore; readonly jobs: ModuleJobs },
  signal: AbortSignal,
): Promise<boolean> {
  const kept = await (stage === "mod" ? use.store.findMod(id) : use.store.findZip(id)).catch(() => undefined);
  if (kept === undefined) return true; // never kept, or damaged: whoever asks for it meets the question again
  try {
    return (await use.jobs.vouch(kept, signal)) !== "integrity";
  } catch (error) {
    if (error instanceof StoreDamaged) return true;
    if (error instanceof SumdbError) return error.code !== "SUMDB_UNREACHABLE";
    throw error;
  }
}
