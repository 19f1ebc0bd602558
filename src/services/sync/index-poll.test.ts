import assert from "node:assert/strict";
import { test } from "node:test";
import { kept, openSyncRoom } from "../../../test/support/sync-room.ts";
import { cursorKey } from "./cursor.ts";
import { parseIndexPage } from "./index-lines.ts";
import { IndexPoll } from "./index-poll.ts";

const url = "https://index.example/index";
const line = (path: string, version: string, at: string): string =>
  JSON.stringify({ Path: path, Version: version, Timestamp: at });

type Line = { readonly path: string; readonly version: string; readonly at: string };

/** An index that answers as index.golang.org does: from `since` on, that moment included, `limit` lines. */
function open(options: { prefetch?: boolean; everyMs?: number } = {}) {
  const room = openSyncRoom();
  const { clock, storage, events, meter, modules, follower, stop } = room;
  const lines: Line[] = [];
  const asked: string[] = [];
  const play: { page?: () => Promise<string> } = {};
  const settings = { url, everyMs: options.everyMs ?? 300_000, prefetch: options.prefetch ?? false };
  const source = {
    page: (at: string, { since, limit }: { since: string; limit: number }) => {
      asked.push(`${at} ${since}`);
      if (play.page !== undefined) return play.page();
      const found = lines.filter((each) => each.at >= since).slice(0, limit);
      return Promise.resolve(found.map(({ path, version, at }) => `${line(path, version, at)}\n`).join(""));
    },
  };
  const more = { storage, clock, wall: clock, events, meter, stop: stop.signal };
  const make = () => new IndexPoll({ source, settings: () => settings, modules, follower, ...more });
  const add = (path: string, version: string, at: string): void => void lines.push({ path, version, at });
  return { ...room, make, poll: make(), indexAsked: asked, add, play, settings, lines };
}

const t = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;

test("the first poll starts from now, the next from the last timestamp, that moment included", async () => {
  const { poll, add, indexAsked, known, asked, counted } = open();
  known.add("a.example/x");
  add("a.example/x", "v1.0.0", "2019-04-10T19:08:52.997264Z");
  await poll.poll();
  assert.deepEqual(asked, []);
  add("a.example/x", "v1.1.0", t(10));
  add("a.example/other", "v1.0.0", t(10));
  await poll.poll();
  assert.deepEqual(asked, ["forget a.example/x", "list a.example/x"]);
  add("a.example/x", "v1.2.0", t(10));
  await poll.poll();
  await poll.poll();
  assert.deepEqual(asked, ["forget a.example/x", "list a.example/x", "forget a.example/x", "list a.example/x"]);
  assert.deepEqual(indexAsked, [
    `${url} 2026-01-01T00:00:00.000Z`,
    `${url} 2026-01-01T00:00:00.000Z`,
    `${url} ${t(10)}`,
    `${url} ${t(10)}`,
  ]);
  assert.deepEqual(counted, [
    "lines taken 1",
    "lines ignored 1",
    "lines repeated 2",
    "lines taken 1",
    "lines repeated 3",
  ]);
});

test("the cursor outlives the process, and belongs to one index", async () => {
  const { poll, make, add, indexAsked, settings, clock } = open();
  await poll.poll();
  add("a.example/x", "v1.0.0", t(5));
  await poll.poll();
  await clock.pass(60_000);
  await make().poll();
  assert.equal(indexAsked.at(-1), `${url} ${t(5)}`);
  settings.url = "https://other.example/index";
  await make().poll();
  assert.equal(indexAsked.at(-1), "https://other.example/index 2026-01-01T00:01:00.000Z");
});

for (const text of [
  "",
  "{",
  "null",
  '{"index":1}',
  '{"index":"https://index.example/index","since":"yesterday","seen":[]}',
])
  test(`a cursor that cannot be read is as none: ${text}`, async () => {
    const { poll, storage, indexAsked } = open();
    await storage.create(cursorKey, Buffer.from(text));
    await poll.poll();
    assert.deepEqual(indexAsked, [`${url} 2026-01-01T00:00:00.000Z`]);
  });

test("private names are passed over before anybody is asked about them", async () => {
  const { poll, add, known, asked, counted } = open({ prefetch: true });
  known.add("corp.example/secret");
  await poll.poll();
  add("corp.example/secret", "v1.0.0", t(1));
  await poll.poll();
  assert.deepEqual(asked, []);
  assert.deepEqual(counted, ["lines private 1"]);
});

test("with prefetching the new versions of known modules are brought, pseudo-versions not", async () => {
  const { poll, add, known, table, clock, states } = open({ prefetch: true });
  known.add("a.example/x");
  table.set("a.example/x@v1.0.0", [kept]);
  await poll.poll();
  add("a.example/x", "v1.0.0", t(1));
  add("a.example/x", "v0.0.0-20260101000000-0123456789ab", t(2));
  add("a.example/y", "v1.0.0", t(3));
  await poll.poll();
  await clock.pass(0);
  assert.deepEqual(states("a.example/x@v1.0.0"), ["announced", "listed after 0 ms"]);
  assert.deepEqual(states("a.example/x@v0.0.0-20260101000000-0123456789ab"), []);
  assert.deepEqual(states("a.example/y@v1.0.0"), []);
});

test("malformed historic lines are skipped and counted", async () => {
  const { poll, play, known, asked, counted } = open();
  known.add("a.example/x");
  await poll.poll();
  const odd = [
    "{",
    "[]",
    "null",
    "<html>",
    line("a.example/x", "v1.0", t(1)),
    line("../x", "v1.0.0", t(2)),
    line("a.example/x/v2", "v1.0.0", t(3)),
    line("a.example/x", "v1.0.0", "yesterday"),
    '{"Path":1,"Version":2,"Timestamp":"2026-01-01T00:00:04Z"}',
    `{"Path":"${"x".repeat(5_000)}"}`,
  ];
  play.page = () => Promise.resolve([...odd, line("a.example/x", "v1.0.0", t(5)), ""].join("\n"));
  await poll.poll();
  assert.deepEqual(counted, ["lines malformed 10", "lines taken 1"]);
  assert.deepEqual(asked, ["forget a.example/x", "list a.example/x"]);
});

test("what gives no index line at all is no index", async () => {
  const { poll, play, of } = open();
  play.page = () => Promise.resolve("<html><body>log in</body></html>\n");
  await poll.poll();
  await poll.poll();
  assert.deepEqual(of("sync.index-failed"), [
    { name: "sync.index-failed", index: url, reason: "what it gave is no index" },
  ]);
});

test("full pages are followed, up to a number, and one that does not move on ends the poll", async () => {
  const { poll, play, indexAsked, of } = open();
  let n = 0;
  play.page = () => {
    const page = Array.from({ length: 2_000 }, () =>
      line("a.example/x", `v1.0.${n++}`, new Date(1.8e12 + n).toISOString()),
    );
    return Promise.resolve(page.join("\n"));
  };
  await poll.poll();
  assert.equal(indexAsked.length, 25);
  assert.deepEqual(of("sync.index-failed"), []);
  const still = Array.from({ length: 2_000 }, (_, each) => line("a.example/x", `v2.0.${each}`, "2030-01-01T00:00:00Z"));
  play.page = () => Promise.resolve(still.join("\n"));
  await poll.poll();
  assert.equal(indexAsked.length, 27);
  assert.equal(of("sync.index-failed").length, 1);
});

test("an index that fails is asked more seldom, and as before when it is back", async () => {
  const { poll, play, clock, indexAsked, stop, of } = open();
  play.page = () => Promise.reject(new Error("refused"));
  const running = poll.run();
  const times: number[] = [];
  const start = clock.now();
  for (let minute = 0; minute < 180; minute++) {
    const before = indexAsked.length;
    await clock.pass(60_000);
    if (indexAsked.length > before) times.push(Math.round((clock.now() - start) / 60_000));
  }
  // At once, after 10, 20 and 40 minutes, then each hour.
  assert.deepEqual(times, [1, 10, 30, 70, 130]);
  assert.equal(of("sync.index-failed").length, 1);
  delete play.page;
  await clock.pass(60 * 60_000);
  const { length } = indexAsked;
  await clock.pass(20 * 60_000);
  assert.equal(indexAsked.length - length, 4);
  stop.abort();
  await running;
  assert.equal(clock.sleeping, 0);
});

test("without an index nobody is asked, and one that is configured later is", async () => {
  const { poll, settings, clock, indexAsked, stop } = open();
  settings.url = "";
  const running = poll.run();
  await clock.pass(60 * 60_000);
  assert.deepEqual(indexAsked, []);
  settings.url = url;
  await clock.pass(10_000);
  assert.equal(indexAsked.length, 1);
  stop.abort();
  await running;
});

test("a cursor that cannot be written stops nothing: the next poll sees the same again", async () => {
  const { storage, add, known, asked, poll } = open();
  known.add("a.example/x");
  await poll.poll();
  add("a.example/x", "v1.0.0", t(1));
  const replace = storage.replace.bind(storage);
  storage.replace = () => Promise.resolve("conflict");
  await poll.poll();
  storage.replace = replace;
  await poll.poll();
  assert.deepEqual(asked, ["forget a.example/x", "list a.example/x", "forget a.example/x", "list a.example/x"]);
});

test("a page is read to its end whatever its last line is", () => {
  const page = parseIndexPage(`${line("a.example/x", "v1.0.0", t(1))}\r\n\n${line("a.example/y", "v1.0.0", t(2))}`);
  assert.deepEqual(
    page.lines.map(({ id }) => id.path),
    ["a.example/x", "a.example/y"],
  );
  assert.deepEqual([page.malformed, page.size, page.last], [0, 2, t(2)]);
});
