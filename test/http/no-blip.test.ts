// What no client may see of an upstream's bad day: one fault of each kind at the only upstream there is, an upstream that
// wants to be left alone for years, a mirror that is dead. Fault numbers are those of test/http/bad-moment.test.ts.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Fault } from "../support/faults.ts";
import { fileOf, listOf, mirrorsFor, modulesFor, statusFault } from "../support/mirrors.ts";
import { databaseName } from "../support/world.ts";

const year9999 = new Date(Date.UTC(9999, 0)).toUTCString();
/** The longest pause that an upstream is granted, in seconds. */
const maxPause = 300;

const blips: readonly (readonly [name: string, fault: Fault])[] = [
  ["a 503", statusFault(503)],
  ["a 503 that wants a second", statusFault(503, { "retry-after": "1" })],
  ["a connection reset before the answer", { kind: "reset" }],
  ["a connection reset within the body", { kind: "reset", after: 20 }],
  ["a body that ends too soon", { kind: "truncate", after: 20 }],
  ["silence before the answer", { kind: "stall" }],
  ["silence in the middle of the body", { kind: "stall", after: 20 }],
];

suite("an upstream's bad day", { concurrency: 3 }, () => {
  for (const [name, fault] of blips)
    test(`${name} at a sole upstream: the client gets the right bytes`, async (t) => {
      const modules = modulesFor(4, "blip", 5_000);
      const { a, mustHave } = await mirrorsFor(t, { modules, sole: true });
      const [info, mod, zip, list] = modules.map((module, n) =>
        n === 3 ? listOf(module) : fileOf(module, ["info", "mod", "zip"][n]!),
      ) as [string, string, string, string];
      // A list is shorter than what breaks other bodies.
      const short = "after" in fault ? { ...fault, after: 2 } : fault;
      for (const path of [info, mod, zip]) a.fault(path, fault, 1);
      a.fault(list, short, 1);
      await Promise.all([info, mod, zip, list].map(mustHave));
      for (const path of [info, mod, zip, list]) assert.ok(a.requests(path) >= 2, path);
    });

  for (const [status, value] of [
    [429, year9999],
    [503, year9999],
    [429, "99999999999999999999"],
    [503, "9".repeat(400)],
  ] as const)
    test(`F-31: a sole upstream's ${status} with Retry-After ${value.slice(0, 29)} makes a 503 with a pause that ends`, async (t) => {
      const modules = modulesFor(3, "years");
      const { a, get } = await mirrorsFor(t, { modules, sole: true });
      const first = fileOf(modules[0]!, "info");
      a.fault(first, statusFault(status, { "retry-after": value }));
      // The first hears it from the upstream; the others must not disturb it.
      for (const path of [first, fileOf(modules[1]!, "zip"), listOf(modules[2]!)]) {
        const answer = await get(path);
        assert.equal(answer.status, 503, answer.body.toString());
        assert.match(answer.body.toString(), /^GRANARY_UPSTREAM_BUSY: /);
        assert.equal(answer.headers.get("content-type"), "text/plain; charset=utf-8");
        const pause = answer.headers.get("retry-after") ?? "";
        assert.match(pause, /^[1-9]\d*$/);
        assert.ok(Number(pause) <= maxPause, pause);
      }
      assert.equal(a.requests(first), 1);
      assert.equal(a.requests(/^\/example\.com\//), 1);
    });

  test("F-31: of two mirrors one wants years of peace and one is dead: a 503 with Retry-After", async (t) => {
    const modules = modulesFor(1, "peace");
    const { a, b, get } = await mirrorsFor(t, { modules });
    a.fault(fileOf(modules[0]!, "info"), statusFault(503, { "retry-after": year9999 }));
    await b.cut();
    const answer = await get(fileOf(modules[0]!, "info"));
    assert.equal(answer.status, 503, answer.body.toString());
    assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  });

  for (const [name, fault] of [
    ["refuses connections", undefined],
    ["says 500 to everything", statusFault(500)],
    ["breaks off every body", { kind: "truncate", after: 1 }],
    ["is silent", { kind: "stall" }],
  ] as const)
    test(`of two mirrors the first ${name}: the client gets the right bytes`, async (t) => {
      const modules = modulesFor(8, "dead", 5_000);
      const { a, mustHave } = await mirrorsFor(t, { modules });
      if (fault === undefined) await a.cut();
      else a.fault(/./, fault);
      await Promise.all(
        modules.flatMap((module) => [
          ...["info", "mod", "zip"].map((ending) => mustHave(fileOf(module, ending))),
          mustHave(listOf(module)),
        ]),
      );
    });

  for (const contentType of ["text/plain; charset=utf-8", "application/zip"])
    test(`F-41: a sign-in page as ${contentType} is no list of versions`, async (t) => {
      const modules = modulesFor(1, "portal");
      const { a, mustHave } = await mirrorsFor(t, { modules });
      const path = listOf(modules[0]!);
      a.fault(path, { kind: "html", contentType });
      await mustHave(path);
    });

  test("F-49: an upstream that is down is left alone by clients, and used again when it is well", async (t) => {
    const modules = modulesFor(300, "flap");
    const { a, mustHave } = await mirrorsFor(t, { modules });
    const left = [...modules];
    const askMany = async (count: number, width: number): Promise<void> => {
      const some = left.splice(0, count);
      const client = async (): Promise<void> => {
        for (let next = some.shift(); next !== undefined; next = some.shift()) await mustHave(fileOf(next, "info"));
      };
      await Promise.all(Array.from({ length: width }, client));
    };
    a.fault(/./, { kind: "stall" });
    // Enough that whatever decides about it has decided.
    await askMany(40, 8);
    a.resetCounts();
    await askMany(100, 20);
    const asked = a.requests(/\/flap\//);
    // One in 30 s tries whether it is back; a crowd of 100 is none of these.
    assert.ok(asked <= 10, `${asked} of 100 requests went to an upstream that is down`);
    a.clearFaults();
    a.resetCounts();
    while (a.requests(/\/flap\//) === 0 && left.length > 10) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await askMany(3, 1);
    }
    assert.ok(a.requests(/\/flap\//) > 0, "never asked again");
  });

  test("a checksum record arrives whatever happened once to its lookup", async (t) => {
    const modules = modulesFor(blips.length, "record");
    const { a, get } = await mirrorsFor(t, { modules, sole: true });
    for (const [n, [name, fault]] of blips.entries()) {
      const lookup = `/sumdb/${databaseName}/lookup/${modules[n]!.path}@v1.0.0`;
      a.fault(lookup, fault, 1);
      const { status, body } = await get(lookup);
      assert.equal(status, 200, `${name}: ${body.toString()}`);
    }
  });
});
