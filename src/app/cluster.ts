// The other nodes, as this server needs them: turns, absences, rates, notices, reports. Without Redis there are none, and
// everything does what it does on one machine.

import type { Tokens } from "#services/access/tokens.ts";
import type { HeldVersions } from "#services/store/held.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import { KnownAbsences } from "#services/cluster/known-absences.ts";
import { NodeReports } from "#services/cluster/node-reports.ts";
import type { NodeView } from "#services/cluster/node-reports.ts";
import { CoordinationDown } from "#services/cluster/ports.ts";
import type { Coordination, Notice, SharedRates, Turns } from "#services/cluster/ports.ts";
import { SharedFlight } from "#services/cluster/shared-flight.ts";
import { TellingStorage } from "#services/cluster/telling-storage.ts";
import { storageKey } from "#services/store/ports.ts";
import type { Clock, Storage, StorageKey } from "#services/store/ports.ts";
import type { Config } from "./config.ts";
import { openCoordination } from "./coordination.ts";
import { nodeName } from "./node-name.ts";
import { version } from "./version.ts";

export type ClusterUse = {
  readonly events: EventSink;
  readonly meter: Pick<Meter, "turn">;
  readonly clock: Clock;
  readonly wall: Clock;
  /** Requests answered since the start. */
  readonly requests: () => Promise<number>;
  readonly stop: AbortSignal;
};

/** What a server does when another node says that something is no longer so. None of it is told on. */
export type Hearing = {
  readonly module: (path: string) => void;
  readonly object: (key: string) => void;
  readonly state: (key: string) => void;
  readonly turn: (name: string) => void;
  /** Anything may have changed. */
  readonly everything: () => void;
};

export type Cluster = {
  /** One fetch over all nodes; undefined when they do not share a store, where it would spare nothing. */
  readonly flight: SharedFlight | undefined;
  readonly turns: Turns;
  readonly absences: KnownAbsences;
  readonly rates: SharedRates;
  /** This node and the others. */
  readonly nodes: () => readonly NodeView[];
  readonly isUp: () => boolean;
  /** The storage, with removals told to the nodes that hold copies. */
  telling(storage: Storage): Storage;
  /** Tells the other nodes, as far as they can be reached. Never throws. */
  tell(notice: Notice): Promise<void>;
  hear(hearing: Hearing): void;
  /** Gives back all turns and leaves. */
  close(): Promise<void>;
};

/** Undefined when no Redis is configured. */
export async function openCluster(config: Config, use: ClusterUse): Promise<Cluster | undefined> {
  const coordination = await openCoordination(config, { events: use.events, clock: use.clock });
  return coordination && clusterOf(coordination, config, use);
}

function clusterOf(coordination: Coordination, config: Config, use: ClusterUse): Cluster {
  const { values } = config;
  const node = nodeName(config);
  const { turns, notices, absences, rates } = coordination;
  const { meter, clock, wall, requests, stop } = use;
  const flight = values["s3.bucket"] === "" ? undefined : new SharedFlight({ turns, clock, meter });
  const reports = new NodeReports({ nodes: coordination.nodes, node, version, requests, clock, wall });
  void reports.run(stop);
  const tell = async (notice: Notice): Promise<void> => {
    await notices.tell(notice).catch((error: unknown) => {
      if (!(error instanceof CoordinationDown)) throw error;
    });
  };
  let unhear = (): void => undefined;
  return {
    flight,
    turns,
    absences: new KnownAbsences({ absences, clock, ttlMs: values["freshness.negative"] }),
    rates,
    nodes: () => reports.views,
    isUp: () => coordination.isUp,
    telling: (storage) => new TellingStorage(storage, (key) => tell({ about: "object", key })),
    tell,
    hear: (hearing) => {
      unhear = notices.hear({ told: (notice) => hearNotice(notice, hearing), missed: hearing.everything });
    },
    close: async () => {
      unhear();
      await flight?.close();
      await coordination.close();
    },
  };
}

function hearNotice(notice: Notice, hearing: Hearing): void {
  switch (notice.about) {
    case "module":
      hearing.module(notice.path);
      break;
    case "object":
      hearing.object(notice.key);
      break;
    case "state":
      hearing.state(notice.key);
      break;
    case "turn":
      hearing.turn(notice.name);
      break;
  }
}

/** What this server does when it hears something; nothing of it fails, and nothing is told on. */
export function hearingOf(use: {
  readonly held: Pick<HeldVersions, "look">;
  readonly tokens: Pick<Tokens, "lookAgain">;
  /** Where this node may have copies of objects. */
  readonly copies: { forget(key: StorageKey): Promise<void> } | undefined;
  /** Forgets what was said of a module. */
  readonly forget: (path: string) => Promise<void>;
  /** Somebody elsewhere waits for what is done here in a turn. */
  readonly hurried: (name: string) => void;
  /** Forgets whatever is remembered. */
  readonly everything: () => void;
}): Hearing {
  const { held, tokens, copies, forget, hurried, everything } = use;
  const quietly = (work: () => Promise<unknown>): void => {
    // Who looks every two seconds looks again.
    void work().catch(() => undefined);
  };
  // However many tell of it, it is looked at once, and once more for those that came meanwhile.
  const looks = { isOn: false, isWanted: false };
  const lookAtHeld = async (): Promise<void> => {
    looks.isWanted = true;
    if (looks.isOn) return;
    looks.isOn = true;
    try {
      while (takeWish(looks)) for (const path of await held.look()) await forget(path);
    } finally {
      looks.isOn = false;
    }
  };
  const paths = new Set<string>();
  let isForgetting = false;
  const forgetInTurn = async (): Promise<void> => {
    if (isForgetting) return;
    isForgetting = true;
    for (const path of paths) {
      paths.delete(path);
      await forget(path).catch(() => undefined);
      // Each goes through all that is remembered: requests come in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
    isForgetting = false;
  };
  const forgetEverything = (): void => {
    paths.clear();
    tokens.lookAgain();
    everything();
    quietly(lookAtHeld);
  };
  return {
    module: (path) => {
      if (paths.size >= maxForgetting) {
        forgetEverything();
        return;
      }
      paths.add(path);
      void forgetInTurn();
    },
    object: (key) => quietly(async () => copies?.forget(storageKey(key))),
    state: () => {
      tokens.lookAgain();
      quietly(lookAtHeld);
    },
    turn: hurried,
    everything: forgetEverything,
  };
}

/** Modules that wait to be forgotten; beyond it all are at once. */
const maxForgetting = 200;

function takeWish(looks: { isWanted: boolean }): boolean {
  const { isWanted } = looks;
  looks.isWanted = false;
  return isWanted;
}
