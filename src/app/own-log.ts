// The own checksum database, when a key for one is configured.

import { readFile } from "node:fs/promises";
import { HeadFile } from "#adapters/system/head-file.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxKeyLength } from "#protocol/note-key.ts";
import { parseSignerKey, type Signer } from "#protocol/note.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import { Arrivals } from "#services/sumlog/arrivals.ts";
import { SumLogError } from "#services/sumlog/errors.ts";
import { SumLog } from "#services/sumlog/log.ts";
import { OwnDatabase } from "#services/sumlog/own-database.ts";
import type { Proofs } from "#services/sumlog/ports.ts";
import type { Witness, WitnessClient } from "#services/sumlog/ports.ts";
import { sequencer } from "#services/sumlog/sequencer.ts";
import { TiledLog } from "#services/sumlog/tiled-log.ts";
import { forgetCosigned } from "#services/sumlog/cosigned.ts";
import { Witnessing, type WitnessNews } from "#services/sumlog/witnessing.ts";
import type { OwnRecords } from "#services/proxy/publish.ts";
import { findSums } from "#protocol/record.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { Turns } from "#services/cluster/ports.ts";
import type { EventSink } from "#services/events/ports.ts";

export type OwnLog = {
  readonly log: SumLog;
  readonly signer: Signer;
  readonly tiled: TiledLog;
  /** Undefined when nobody is asked to cosign. */
  readonly witnessing: Witnessing | undefined;
  /** Begins to record; `proofs` says what. */
  readonly start: (proofs: Proofs) => { readonly database: OwnDatabase; readonly arrivals: Arrivals };
  /** Why the log does not answer; undefined when it does. */
  readonly fault: string | undefined;
};

export type OwnLogUse = {
  readonly storage: Storage;
  readonly stop: AbortSignal;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly witnesses: readonly Witness[];
  readonly quorum: number;
  readonly witnessClient: WitnessClient;
  /** Whose turn it is where several nodes append to one log; undefined while there is nobody to ask. */
  readonly turns?: (() => Turns | undefined) | undefined;
};

/** Longest pause after a commit of ours while other nodes append to the log as well. */
const giveWayMs = 150;

/**
 * Opens the log of a key; while the store is away too, and the log is read when it is back. Throws GRANARY_INPUT_UNREADABLE
 * for a key that is none; a damaged log is told, not thrown.
 */
export async function openOwnLog(keyFile: string, use: OwnLogUse): Promise<OwnLog> {
  const signer = await readSignerKey(keyFile);
  const memory = new HeadFile(keyFile);
  const { storage, clock, stop: signal, turns } = use;
  const giveWay = turns && (() => clock.sleep(Math.random() * giveWayMs, signal));
  const turn = turns && sequencer(signer.verifier.name, { turns, clock, signal });
  const log = new SumLog({ signer, storage, memory, onGrowth: () => witnessing?.grew(), turn, giveWay });
  const witnessing = makeWitnessing(log, signer, use);
  const forgotten = witnessing === undefined ? onceDone(() => forgetCosigned({ log, storage })) : undefined;
  await forgotten?.().catch(unlessAway);
  const fault = await faultOf(log);
  if (fault !== undefined) use.events.emit({ name: "sumlog.stopped", database: log.name, reason: fault });
  const onFailure = (module: { readonly path: string; readonly version: string }, error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    use.events.emit({
      name: "sumlog.failed",
      database: log.name,
      module: module.path,
      version: module.version,
      reason,
    });
  };
  return {
    log,
    signer,
    fault,
    witnessing,
    tiled: new TiledLog({ log, signer, publisher: witnessing, beforeShown: forgotten }),
    start: (proofs) => {
      void witnessing?.run();
      const database = new OwnDatabase({ log, proofs, stop: use.stop });
      return { database, arrivals: new Arrivals({ database, stop: use.stop, onFailure }) };
    },
  };
}

function makeWitnessing(log: SumLog, signer: Signer, use: OwnLogUse): Witnessing | undefined {
  if (use.witnesses.length === 0) return undefined;
  const database = log.name;
  const tell = (news: WitnessNews): void =>
    use.events.emit(
      "treeSize" in news
        ? { name: "sumlog.witnessed", database, ...news }
        : { name: "sumlog.unwitnessed", database, ...news },
    );
  return new Witnessing({ ...use, log, signer, client: use.witnessClient, random: Math.random, tell });
}

/** What publishing needs of the log. */
export function ownRecords(log: SumLog, database: OwnDatabase): OwnRecords {
  return {
    find: async (id) => {
      const record = await log.find(formatModuleVersion(id));
      return record && findSums(record.text, id.path, id.version).zip;
    },
    record: (id, signal) => database.record(id, signal),
  };
}

/** Reads a signer key as `granary sumdb keygen` writes it. Throws GRANARY_INPUT_UNREADABLE; the key is in no message. */
export async function readSignerKey(file: string): Promise<Signer> {
  try {
    const text = await readFile(file, "utf8");
    return parseSignerKey(text.slice(0, 2 * maxKeyLength).trim());
  } catch (error) {
    const reason =
      error instanceof ProtocolError ? `${error.message}; it should be PRIVATE+KEY+NAME+HASH+KEY` : String(error);
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason }, { cause: error });
  }
}

async function faultOf(log: SumLog): Promise<string | undefined> {
  try {
    await log.head();
    return undefined;
  } catch (error) {
    if (error instanceof SumLogError) return error.message;
    // The log is read as soon as the store answers: until then nobody gets an answer from it.
    unlessAway(error);
    return undefined;
  }
}

function unlessAway(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}

/** `work` until it has come to its end once. */
function onceDone(work: () => Promise<void>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    await work();
    isDone = true;
  };
}
