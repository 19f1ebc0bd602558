// What no client may see of an upstream's bad day, and still does: kept apart until the engine passes it.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fileOf, listOf, mirrorsFor, modulesFor, statusFault } from "../support/mirrors.ts";

suite("an upstream's bad day", { concurrency: 3 }, () => {
  test("F-31: a sole upstream that wants years of peace makes a 503 with Retry-After, no 404", async (t) => {
    const modules = modulesFor(2, "years");
    const { a, get } = await mirrorsFor(t, { modules, sole: true });
    const year9999 = new Date(Date.UTC(9999, 0)).toUTCString();
    a.fault(fileOf(modules[0]!, "info"), statusFault(429, { "retry-after": year9999 }));
    for (const module of modules) {
      const answer = await get(fileOf(module, "info"));
      assert.equal(answer.status, 503, answer.body.toString());
      assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
    }
    assert.equal(a.requests(fileOf(modules[1]!, "info")), 0);
  });

  for (const contentType of ["text/plain; charset=utf-8", "application/zip"])
    test(`F-41: a sign-in page as ${contentType} is no list of versions`, async (t) => {
      const modules = modulesFor(1, "portal");
      const { a, mustHave } = await mirrorsFor(t, { modules });
      const path = listOf(modules[0]!);
      a.fault(path, { kind: "html", contentType });
      await mustHave(path);
    });

  test("F-49: an upstream that is down is probed by one request at a time, and used again when it is well", async (t) => {
    const modules = modulesFor(400, "flap");
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
    assert.ok(a.mostInFlight <= 1, `${a.mostInFlight} requests at once to an upstream that is down`);
    a.clearFaults();
    for (let tries = 0; a.requests(/\/flap\//) === 0 && left.length > 10; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await askMany(5, 1);
    }
    assert.ok(a.requests(/\/flap\//) > 0, "never asked again");
  });
});
