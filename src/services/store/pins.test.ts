import assert from "node:assert/strict";
import { beforeEach, suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import { StoreDamaged } from "./errors.ts";
import { pinKey } from "./layout.ts";
import { damagedPin, Pins } from "./pins.ts";
import type { PinnedVersion } from "./pins.ts";
import { StoreUnavailable, storageKey } from "./ports.ts";

const id = checkModuleVersion(parsePath("corp.example/Team/secret"), "v1.0.0-RC1");
const name = { path: id.path, version: id.version };
const [one, two, three] = ["A", "B", "C"].map((letter) => `h1:${letter.repeat(43)}=`) as [string, string, string];

let storage: FaultyStorage;
let events: GranaryEvent[];
let pins: Pins;

beforeEach(() => {
  storage = new FaultyStorage(new MemoryStorage());
  events = [];
  pins = new Pins(storage, { emit: (event) => events.push(event) });
});

suite("pins", () => {
  test("the first sight wins", async () => {
    assert.deepEqual(await pins.pin(id, { mod: one }), { mod: one });
    assert.deepEqual(await pins.pin(id, { mod: two }), { mod: one });
  });

  test("the go.mod and the zip are pinned one after the other", async () => {
    await pins.pin(id, { mod: one });
    assert.deepEqual(await pins.pin(id, { zip: two }), { mod: one, zip: two });
    assert.deepEqual(await pins.pin(id, {}), { mod: one, zip: two });
  });

  test("each pin is told once", async () => {
    await pins.pin(id, { mod: one });
    await pins.pin(id, { mod: one });
    await pins.pin(id, { mod: three, zip: two });
    const about = { name: "pin.set", module: id.path, version: id.version };
    assert.deepEqual(events, [
      { ...about, kind: "mod", hash: one },
      { ...about, kind: "zip", hash: two },
    ]);
  });

  test("of 32 first sights one wins, and all are told the same", async () => {
    const hashes = Array.from({ length: 32 }, (_, n) => `h1:${String(n).padStart(43, "A")}=`);
    const pinned = await Promise.all(hashes.map((mod) => pins.pin(id, { mod })));
    assert.equal(new Set(pinned.map(({ mod }) => mod)).size, 1);
    assert.equal(events.length, 1);
  });

  test("seeing nothing pins nothing", async () => {
    assert.deepEqual(await pins.pin(id, {}), {});
    assert.deepEqual(await all(), []);
  });

  test("all pins are listed, by the module's true name", async () => {
    await pins.pin(id, { mod: one, zip: two });
    await pins.pin(checkModuleVersion(parsePath("corp.example/b"), "v0.1.0"), { mod: three });
    assert.deepEqual(
      (await all()).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      [
        { ...name, mod: one, zip: two },
        { path: "corp.example/b", version: "v0.1.0", mod: three },
      ],
    );
  });

  test("a forgotten pin makes room for another first sight, and is told", async () => {
    await pins.pin(id, { mod: one });
    events = [];
    assert.equal(await pins.forget(id.path, id.version), true);
    assert.deepEqual(
      events.map((event) => event.name),
      ["pin.forgotten"],
    );
    assert.equal(await pins.forget(id.path, id.version), false);
    assert.deepEqual(await pins.pin(id, { mod: two }), { mod: two });
  });

  test("what is no module version cannot be forgotten", async () => {
    await assert.rejects(pins.forget("../x", "v1.0.0"), ProtocolError);
    await assert.rejects(pins.forget("corp.example/b", "main"), ProtocolError);
  });

  for (const text of [
    "",
    "{torn",
    "null",
    "7",
    JSON.stringify(name),
    JSON.stringify({ ...name, mod: "h1:short" }),
    JSON.stringify({ ...name, mod: one, zip: 7 }),
    JSON.stringify({ ...name, path: "corp.example/other", mod: one }),
    JSON.stringify({ ...name, version: "v1.0.1", mod: one }),
  ])
    test(`a pin file that holds ${JSON.stringify(text)} is damage: it opens no way, is listed, and can be forgotten`, async () => {
      await storage.create(pinKey(id), Buffer.from(text));
      await assert.rejects(pins.pin(id, { mod: one }), StoreDamaged);
      assert.deepEqual(await all(), [{ ...name, mod: damagedPin, zip: damagedPin }]);
      assert.equal(await pins.forget(id.path, id.version), true);
      assert.deepEqual(await pins.pin(id, { mod: one }), { mod: one });
    });

  test("files that are no pins are not listed", async () => {
    for (const key of [
      "x",
      "example.com/a/@v/v1.0.0.txt",
      "example.com/A/@v/v1.0.0.json",
      "example.com/a/@v/main.json",
    ])
      await storage.create(storageKey(`state/pins/${key}`), Buffer.from("{}"));
    assert.deepEqual(await all(), []);
  });

  test("doubt is no absence: a pin that cannot be read is not pinned anew", async () => {
    await pins.pin(id, { mod: one });
    storage.arm({ on: "get", does: { kind: "unavailable", when: "before" } });
    await assert.rejects(pins.pin(id, { mod: two }), StoreUnavailable);
    assert.deepEqual(await pins.pin(id, { mod: two }), { mod: one });
  });

  for (const when of ["before", "after"] as const)
    test(`a fault ${when} the write leaves the pin whole or absent`, async () => {
      storage.arm({ on: "replace", does: { kind: "full", when } });
      await assert.rejects(pins.pin(id, { mod: one }), StoreUnavailable);
      assert.deepEqual(await pins.pin(id, { mod: two }), { mod: when === "before" ? two : one });
    });
});

async function all(): Promise<PinnedVersion[]> {
  const found = [];
  for await (const pin of pins.list()) found.push(pin);
  return found;
}
