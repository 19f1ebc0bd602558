import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { StandingClock } from "../../../test/support/proxy-room.ts";
import { StoreFull, StoreUnavailable } from "./ports.ts";
import type { Space } from "./ports.ts";
import { IngestRefused, Room } from "./room.ts";
import type { LowWater, RefusalReason } from "./room.ts";
import type { Trouble } from "./trouble.ts";

const mib = 1 << 20;

function failure(code: string): StoreUnavailable {
  const cause = Object.assign(new Error(code), { code });
  return code === "ENOSPC" || code === "EDQUOT"
    ? new StoreFull("k", "no space left", { cause })
    : new StoreUnavailable("k", code, { cause });
}

/** A room on a disk that is played. */
function played(options: { readonly lowWater?: LowWater; readonly initial?: Trouble } = {}) {
  const disk: { space: Space; probe: string | undefined; probes: number; isSilent: boolean } = {
    space: { freeBytes: 100 * mib, totalBytes: 200 * mib, freeInodes: 5_000, totalInodes: 10_000 },
    probe: undefined,
    probes: 0,
    isSilent: false,
  };
  const clock = new StandingClock();
  const refused: RefusalReason[] = [];
  const room = new Room({
    space: {
      space: () => (disk.isSilent ? Promise.reject(failure("EIO")) : Promise.resolve(disk.space)),
    },
    lowWater: () => options.lowWater ?? { bytes: 50 * mib, share: 0.05 },
    probe: () => {
      disk.probes++;
      return disk.probe === undefined ? Promise.resolve() : Promise.reject(failure(disk.probe));
    },
    clock,
    onRefused: (reason) => refused.push(reason),
    initial: options.initial,
  });
  const reasonNow = (): RefusalReason | undefined => {
    try {
      room.admit();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof IngestRefused && error instanceof StoreUnavailable);
      return error.reason;
    }
  };
  return { room, disk, clock, refused, reasonNow };
}

test("the mark is the smaller of size and share", async () => {
  const { room, disk } = played();
  await room.look();
  assert.equal(room.view.markBytes, 10 * mib);
  disk.space = { ...disk.space, totalBytes: 10_000 * mib };
  await room.look();
  assert.equal(room.view.markBytes, 50 * mib);
});

test("below the mark everything new is refused, with the numbers; a tenth above it is taken again", async () => {
  const { room, disk, clock, refused, reasonNow } = played();
  await room.look();
  assert.equal(reasonNow(), undefined);
  disk.space = { ...disk.space, freeBytes: 10 * mib - 1 };
  await room.look();
  const since = clock.now();
  clock.pass(60_000);
  await room.look();
  assert.equal(reasonNow(), "low-space");
  assert.deepEqual(room.view.refusal, { reason: "low-space", sinceMs: since });
  disk.space = { ...disk.space, freeBytes: 11 * mib - 1 };
  await room.look();
  assert.equal(reasonNow(), "low-space");
  disk.space = { ...disk.space, freeBytes: 11 * mib };
  await room.look();
  assert.equal(reasonNow(), undefined);
  // On the way down the mark alone counts.
  disk.space = { ...disk.space, freeBytes: 10 * mib };
  await room.look();
  assert.equal(reasonNow(), undefined);
  assert.deepEqual(refused, ["low-space", "low-space"]);
});

test("few inodes count as little room; a file system that counts none has enough", async () => {
  const { room, disk, reasonNow } = played();
  disk.space = { ...disk.space, freeInodes: 499 };
  await room.look();
  assert.equal(reasonNow(), "low-inodes");
  disk.space = { ...disk.space, freeInodes: 1_100, totalInodes: 1_000_000_000 };
  await room.look();
  assert.equal(reasonNow(), undefined);
  disk.space = { ...disk.space, freeInodes: 999 };
  await room.look();
  assert.equal(reasonNow(), "low-inodes");
  disk.space = { ...disk.space, freeInodes: undefined, totalInodes: undefined };
  await room.look();
  assert.equal(reasonNow(), undefined);
});

test("a mark of 0 refuses nothing, however little is left", async () => {
  const { room, disk, reasonNow } = played({ lowWater: { bytes: 0, share: 1 } });
  disk.space = { freeBytes: 0, totalBytes: 1, freeInodes: 0, totalInodes: 100 };
  await room.look();
  assert.equal(reasonNow(), undefined);
});

test("a disk that says nothing of its space is taken to be as it was", async () => {
  const { room, disk, reasonNow } = played();
  disk.space = { ...disk.space, freeBytes: 1 };
  await room.look();
  disk.isSilent = true;
  await room.look();
  assert.equal(reasonNow(), "low-space");
});

const troubles = [
  ["ENOSPC", "full"],
  ["EDQUOT", "quota"],
  ["EROFS", "read-only"],
  ["EIO", "io"],
  ["EMFILE", "files"],
  ["ENFILE", "files"],
] as const;

for (const [code, reason] of troubles)
  test(`${code} closes the door as ${reason} until a small write goes well`, async () => {
    const { room, disk, clock, reasonNow } = played();
    await room.look();
    room.failed(failure(code));
    const since = clock.now();
    assert.equal(reasonNow(), reason);
    disk.probe = code;
    for (let second = 0; second < 10; second++) {
      clock.pass(1_000);
      await room.look();
    }
    assert.equal(reasonNow(), reason);
    assert.deepEqual(room.view.refusal, { reason, sinceMs: since });
    assert.equal(disk.probes, 5, "a failing disk is not asked all the time");
    disk.probe = undefined;
    clock.pass(2_000);
    await room.look();
    assert.equal(reasonNow(), undefined);
    assert.equal(room.view.refusal, undefined);
  });

test("trouble of another kind is named anew and began when the first did", async () => {
  const { room, disk, clock } = played();
  room.failed(failure("EIO"));
  const since = clock.now();
  disk.probe = "EROFS";
  clock.pass(2_000);
  await room.look();
  assert.deepEqual(room.view.refusal, { reason: "read-only", sinceMs: since });
});

test("a failure during a probe that goes well is not forgotten", async () => {
  const { room, clock, reasonNow, disk } = played();
  room.failed(failure("EIO"));
  clock.pass(2_000);
  const looking = room.look();
  room.failed(failure("ENOSPC"));
  await looking;
  assert.equal(disk.probes, 1);
  assert.equal(reasonNow(), "full");
});

test("what concerns one key, or a limit of our own, is no trouble of the disk", async () => {
  const { room, reasonNow } = played();
  await room.look();
  for (const error of [
    failure("EACCES"),
    new StoreUnavailable("k", "it comes and goes"),
    new StoreFull("tmp", "temporary files would exceed 1 bytes"),
    Object.assign(new Error("of something else"), { code: "ENOSPC" }),
    undefined,
  ])
    room.failed(error);
  assert.equal(reasonNow(), undefined);
});

test("trouble that was there at the start ends like any other", async () => {
  const { room, clock, reasonNow } = played({ initial: "read-only" });
  assert.equal(reasonNow(), "read-only");
  clock.pass(2_000);
  await room.look();
  assert.equal(reasonNow(), undefined);
});

test("run() looks every second until it is stopped", async () => {
  const clock = new HandClock();
  let asked = 0;
  const space = (): Promise<Space> => {
    asked++;
    return Promise.resolve({ freeBytes: 1, totalBytes: 100, freeInodes: undefined, totalInodes: undefined });
  };
  const lowWater = (): LowWater => ({ bytes: 2, share: 1 });
  const room = new Room({ space: { space }, lowWater, probe: () => Promise.resolve(), clock });
  const stop = new AbortController();
  const running = room.run(stop.signal);
  await clock.pass(3_000);
  stop.abort();
  await running;
  assert.deepEqual([asked, clock.sleeping, room.view.refusal?.reason], [4, 0, "low-space"]);
});

test("an ingest that comes while there is trouble has the disk asked, once for all who come, and not without end", async () => {
  const { room, disk, clock } = played();
  await room.look();
  room.failed(failure("EIO"));
  disk.probe = "EIO";
  const all = await Promise.allSettled([room.enter(), room.enter(), room.enter()]);
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set(["rejected"]));
  assert.equal(disk.probes, 1);
  disk.probe = undefined;
  await assert.rejects(room.enter(), IngestRefused);
  assert.equal(disk.probes, 1, "it was asked a moment ago");
  clock.pass(50);
  await room.enter();
  assert.equal(room.view.refusal, undefined);
});
