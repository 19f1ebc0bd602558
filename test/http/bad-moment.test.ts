// An upstream's bad moment, which no client may see: every fault once (or for ever, with a second mirror beside it), and
// the client's answer is 200 with the right bytes. Fault numbers are those of the reliability reference, §5.3.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { rawAnswer } from "../support/faults.ts";
import type { StubAnswer } from "../support/faults.ts";
import { fileOf, listOf, mirrorsFor, modulesFor, statusFault } from "../support/mirrors.ts";
import type { ModuleFixture } from "../support/modules.ts";
import { databaseName } from "../support/world.ts";

suite("an upstream's bad moment", { concurrency: 3 }, () => {
  // One server for each: half of all answers are failures here, which would open a breaker before long.
  for (const status of [500, 502, 503, 504])
    test(`F-30: a ${status} is asked again, whatever the file`, async (t) => {
      const modules = modulesFor(4, "status");
      const { a, mustHave } = await mirrorsFor(t, { modules, sole: true });
      const files = ["info", "mod", "zip"].map((ending, n) => fileOf(modules[n]!, ending));
      for (const path of [...files, listOf(modules[3]!)]) {
        a.fault(path, statusFault(status), 1);
        await mustHave(path);
      }
    });

  test("F-31: a sole upstream's Retry-After is waited for, and nonsense in it is none", async (t) => {
    const headers = [
      "1",
      new Date(Date.now() + 3_000).toUTCString(),
      new Date(0).toUTCString(),
      "in a while",
      "-5",
      "1.5",
      "",
    ];
    const modules = modulesFor(headers.length, "later");
    const { a, mustHave } = await mirrorsFor(t, { modules, sole: true });
    for (const [n, value] of headers.entries()) {
      const path = fileOf(modules[n]!, "info");
      a.fault(path, statusFault(n % 2 === 0 ? 429 : 503, { "retry-after": value }), 1);
      await mustHave(path);
      assert.equal(a.requests(path), 2, value);
    }
  });

  test("F-31: with a second mirror nobody waits, and who wanted peace has it", async (t) => {
    const headers = ["3600", new Date(Date.UTC(9999, 0)).toUTCString()];
    for (const value of headers) {
      const modules = modulesFor(4, "peace");
      const { a, mustHave } = await mirrorsFor(t, { modules });
      a.fault(fileOf(modules[0]!, "info"), statusFault(429, { "retry-after": value }));
      for (const module of modules) await mustHave(fileOf(module, "zip"));
      for (const module of modules.slice(1)) assert.equal(a.requests(fileOf(module, "info")), 0);
    }
  });

  test("F-35: a sole upstream that hangs once, before or within its answer, is asked again", async (t) => {
    const modules = modulesFor(4, "hang", 5_000);
    const { a, mustHave } = await mirrorsFor(t, { modules, sole: true });
    const [first, second, third, fourth] = modules as [ModuleFixture, ModuleFixture, ModuleFixture, ModuleFixture];
    a.fault(fileOf(first, "info"), { kind: "stall" }, 1);
    a.fault(fileOf(second, "info"), { kind: "stall", after: 5 }, 1);
    a.fault(fileOf(third, "zip"), { kind: "stall" }, 1);
    a.fault(fileOf(fourth, "zip"), { kind: "stall", after: 1_000 }, 1);
    await Promise.all(modules.map((module) => mustHave(fileOf(module, "zip"))));
  });

  test("F-35: with a second mirror one that hangs for ever holds up nobody", async (t) => {
    const modules = modulesFor(3, "hung", 5_000);
    const { a, mustHave } = await mirrorsFor(t, { modules });
    a.fault(fileOf(modules[0]!, "info"), { kind: "stall" });
    a.fault(fileOf(modules[1]!, "zip"), { kind: "stall", after: 1_000 });
    a.fault(listOf(modules[2]!), { kind: "stall", after: 1 });
    await Promise.all([
      mustHave(fileOf(modules[0]!, "zip")),
      mustHave(fileOf(modules[1]!, "zip")),
      mustHave(listOf(modules[2]!)),
    ]);
  });

  test("F-36: a body of one byte a second counts as silence", async (t) => {
    const modules = modulesFor(3, "drip", 200_000);
    const { a, mustHave } = await mirrorsFor(t, { modules });
    a.fault(fileOf(modules[0]!, "zip"), { kind: "drip", after: 100_000 });
    a.fault(fileOf(modules[1]!, "info"), { kind: "drip", after: 0 });
    a.fault(fileOf(modules[2]!, "mod"), { kind: "drip", after: 0 });
    await Promise.all(modules.map((module) => mustHave(fileOf(module, "zip"))));
  });

  test("F-38: lengths that contradict the body or one another are a fault, not a file", async (t) => {
    const cases = Object.keys(lies);
    const modules = modulesFor(cases.length * 3, "length", 3_000);
    const { a, mustHave } = await mirrorsFor(t, { modules, sole: true });
    let n = 0;
    for (const name of cases)
      for (const ending of ["info", "mod", "zip"]) {
        const path = fileOf(modules[n++]!, ending);
        a.fault(path, { kind: "raw", raw: lies[name]! }, 1);
        await mustHave(path);
      }
  });

  for (const contentType of ["text/html; charset=utf-8", "text/plain; charset=utf-8", "application/zip"])
    test(`F-41: a sign-in page as ${contentType} is no file of a module, and nothing of it is kept`, async (t) => {
      const modules = modulesFor(5, "portal");
      const { a, mustHave } = await mirrorsFor(t, { modules });
      const paths = [
        fileOf(modules[0]!, "info"),
        fileOf(modules[1]!, "mod"),
        fileOf(modules[2]!, "zip"),
        // A page that says it is text is a list without versions: test/http/no-blip.test.ts.
        ...(contentType.startsWith("text/html") ? [listOf(modules[3]!)] : []),
        `/${modules[4]!.path}/@latest`,
      ];
      for (const path of paths) a.fault(path, { kind: "html", contentType });
      for (const path of paths) await mustHave(path);
      a.clearFaults();
      for (const path of paths) await mustHave(path);
    });

  for (const contentType of ["text/html; charset=utf-8", "text/plain; charset=utf-8", "application/octet-stream"])
    test(`F-41: a sign-in page as ${contentType} is no checksum record`, async (t) => {
      const modules = modulesFor(1, "record");
      const { a, b, mustHave, get } = await mirrorsFor(t, { modules });
      a.fault(/^\/sumdb\//, { kind: "html", contentType });
      const lookup = `/sumdb/${databaseName}/lookup/${modules[0]!.path}@v1.0.0`;
      const { status, body } = await get(lookup);
      assert.equal(status, 200, body.toString());
      const record = await (await fetch(b.url + lookup)).text();
      assert.equal(body.toString().split("\n\n")[0], record.split("\n\n")[0]);
      await mustHave(fileOf(modules[0]!, "zip"));
    });

  for (const how of ["reset", "truncate"] as const)
    test(`F-46: a kept connection that ends as we send (${how}) is made again at once`, async (t) => {
      const modules = modulesFor(20, "reuse");
      const { a, mustHave } = await mirrorsFor(t, { modules, sole: true });
      for (const module of modules) {
        const path = fileOf(module, "zip");
        await mustHave(fileOf(module, "info"));
        a.fault(path, { kind: how }, 1);
        await mustHave(path);
        assert.equal(a.requests(path), 2);
      }
    });
});

/** Answers whose framing lies, F-38. */
const lies: Readonly<Record<string, (answer: StubAnswer) => Uint8Array>> = {
  "a length that is too short": ({ body }) => rawAnswer([`Content-Length: ${body.length - 10}`], body),
  "a length that is too long": ({ body }) => rawAnswer([`Content-Length: ${body.length + 10}`], body),
  "two lengths": ({ body }) =>
    rawAnswer([`Content-Length: ${body.length}`, `Content-Length: ${body.length - 10}`], body),
  "a length and chunks": ({ body }) => rawAnswer([`Content-Length: 10`, "Transfer-Encoding: chunked"], body),
  "a length that is no number": ({ body }) => rawAnswer(["Content-Length: many"], body),
};
