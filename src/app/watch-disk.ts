// The disk and the heap under watch: what is measured, when nothing new is taken, what raises an alarm.

import type { Opened } from "#adapters/storage/late.ts";
import { DiskSpace } from "#adapters/storage/space.ts";
import { heapShare } from "#adapters/system/heap.ts";
import type { Gauges } from "#adapters/telemetry/metrics.ts";
import type { Status } from "#doors/http/status-page.ts";
import { Alarms } from "#services/alarms/alarms.ts";
import type { AlarmRule } from "#services/alarms/alarms.ts";
import { Lately } from "#services/alarms/lately.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { Room } from "#services/store/room.ts";
import type { RoomView } from "#services/store/room.ts";
import { troubleOf } from "#services/store/trouble.ts";
import { WatchedStorage } from "#services/store/watched-storage.ts";
import { alarmLines, degradedLines } from "./condition-texts.ts";
import type { Values } from "./config.ts";

/** Fewer small writes than this in 30 s say nothing of the disk. */
const leastWrites = 5;
/** A peak of a moment is no alarm; one that is over stays for a while, so that a person sees it. */
const times = { holdMs: 5_000, calmMs: 10_000 };
/** What refuses a client is told at once, and is over when it is over. */
const atOnce = { holdMs: 0, calmMs: 0 };
/** Told at this many times the low-water mark, while there is still time. */
const lowSpaceFactor = 2;
/** What a probe writes: a block of most file systems. */
const probeBytes = 4096;

type DiskStatus = Pick<Status, "degraded" | "alarms" | "store">;

export type DiskWatch = {
  /** The storage to use from here on. */
  readonly storage: Storage;
  readonly room: Room;
  readonly alarms: Alarms;
  /** Mean of the small durable writes of the last 30 s, in milliseconds. */
  readonly awaitMs: () => number | undefined;
  /** Looks until it is stopped. */
  readonly run: (stop: AbortSignal) => Promise<void>;
};

export async function watchDisk(
  { storage: disk, closed }: Opened,
  use: {
    readonly root: string;
    /** What is behind the directory, when that has copies only. */
    readonly shared?: Storage | undefined;
    readonly values: () => Values;
    readonly clock: Clock;
    readonly events: EventSink;
    readonly meter: Meter;
    /** Alarms about other things, looked at with these. */
    readonly more: readonly AlarmRule[];
  },
): Promise<DiskWatch> {
  const storage = use.shared ?? disk;
  const { root, values, clock, events, meter, more } = use;
  const room = new Room({
    space: new DiskSpace(root),
    lowWater: () => values()["store.lowWater"],
    probe: async () => {
      await closed?.beginWriting();
      await tryToWrite(storage);
    },
    clock,
    onRefused: (reason) => meter.ingestRefused(reason),
    initial: troubleOf(closed?.refusal),
  });
  const writes = new Lately({ least: leastWrites });
  const watched = new WatchedStorage(storage, {
    clock,
    watcher: {
      wrote: (ms) => writes.add(ms, clock.now()),
      failed: (error) => room.failed(error),
    },
  });
  const awaitMs = (): number | undefined => writes.mean(clock.now());
  const alarms = new Alarms({ rules: [...rulesOf({ values, room, awaitMs }), ...more], clock, events });
  await room.look();
  return {
    storage: watched,
    room,
    alarms,
    awaitMs,
    run: async (stop) => {
      await Promise.all([room.run(stop), alarms.run(stop)]);
    },
  };
}

/** For status page and readyz. */
export function diskStatus({ room, alarms, awaitMs }: DiskWatch, lang: Lang): DiskStatus {
  const { view } = room;
  const { refusal, space, markBytes } = view;
  const since = refusal && new Date(refusal.sinceMs).toISOString();
  const writeMs = awaitMs();
  return {
    degraded: degradedLines(view, lang),
    alarms: alarmLines(alarms.views, lang),
    store: {
      ...(refusal && since && { closed: { reason: refusal.reason, since } }),
      ...(space && { freeBytes: space.freeBytes, totalBytes: space.totalBytes }),
      ...(space?.freeInodes !== undefined && { freeInodes: space.freeInodes }),
      lowWaterBytes: markBytes,
      ...(writeMs !== undefined && { writeMs: Math.round(writeMs * 10) / 10 }),
    },
  };
}

/** For metrics. */
export function diskGauges({ space, markBytes, refusal }: RoomView): ReturnType<Gauges["store"]> {
  return {
    free: space?.freeBytes,
    total: space?.totalBytes,
    freeInodes: space?.freeInodes,
    totalInodes: space?.totalInodes,
    mark: markBytes,
    isOpen: refusal === undefined,
  };
}

/** A small durable write that leaves nothing behind. Throws StoreUnavailable. */
async function tryToWrite(storage: Storage): Promise<void> {
  const stage = await storage.stage(probeBytes);
  try {
    await stage.write(new Uint8Array(probeBytes));
    await stage.seal();
  } finally {
    await stage.discard();
  }
}

function rulesOf(use: {
  readonly values: () => Values;
  readonly room: Room;
  readonly awaitMs: () => number | undefined;
}): AlarmRule[] {
  const { values, room, awaitMs } = use;
  return [
    { name: "heap", unit: "share", times, measure: () => ({ value: heapShare(), limit: values()["alarms.heap"] }) },
    {
      name: "disk-await",
      unit: "ms",
      times,
      measure: () => {
        const limit = values()["alarms.diskAwait"];
        const value = awaitMs();
        return limit === 0 || value === undefined ? undefined : { value, limit };
      },
    },
    {
      name: "low-space",
      unit: "bytes",
      times,
      measure: () => {
        const { space, markBytes } = room.view;
        if (space === undefined || markBytes === 0) return undefined;
        return { value: space.freeBytes, limit: markBytes * lowSpaceFactor, isFloor: true };
      },
    },
    {
      name: "store-closed",
      unit: "state",
      times: atOnce,
      measure: () => {
        const reason = room.view.refusal?.reason;
        return reason === undefined ? { value: 0, limit: 0.5 } : { value: 1, limit: 0.5, detail: reason };
      },
    },
  ];
}
