// A zip whose download breaks off: it goes on where it stopped, also at another mirror, and whatever the parts were, the
// client gets the whole and right one. F-37 of the reliability reference.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { suite, test } from "node:test";
import { rawAnswer } from "../support/faults.ts";
import type { Fault } from "../support/faults.ts";
import { fileOf, moduleOf, mirrorsFor } from "../support/mirrors.ts";

const isLong = process.env["LONG"] === "1";

const flipAt = (share: number): Fault => ({
  kind: "edit",
  edit: (body) => {
    const bytes = Buffer.from(body);
    const at = Math.floor(bytes.length * share);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  },
});

const chunk = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);

/** Every way in which a body can end too early; the last two look like a whole answer. */
const cuts: Readonly<Record<string, (after: number) => Fault>> = {
  "of a promised length": (after) => ({ kind: "truncate", after }),
  "by a reset": (after) => ({ kind: "reset", after }),
  "within chunks": (after) => ({
    kind: "raw",
    raw: ({ body }) => rawAnswer(["Transfer-Encoding: chunked"], chunk(body.subarray(0, Math.max(1, after)))),
  }),
  "after the last chunk": (after) => ({
    kind: "raw",
    raw: ({ body }) =>
      rawAnswer(
        ["Transfer-Encoding: chunked"],
        Buffer.concat([chunk(body.subarray(0, Math.max(1, after))), Buffer.from("0\r\n\r\n")]),
      ),
  }),
  "at the end of the connection": (after) => ({
    kind: "raw",
    raw: ({ body }) => rawAnswer(["Connection: close"], body.subarray(0, after)),
  }),
};

const shares = isLong ? Array.from({ length: 20 }, (_, n) => n / 19) : [0, 0.001, 0.4, 0.7, 1];

suite("a zip that breaks off", { concurrency: 3 }, () => {
  for (const [name, cut] of Object.entries(cuts))
    for (const sole of [true, false])
      test(`F-37: cut ${name}, ${sole ? "nobody else to ask" : "another mirror beside it"}: the client gets it whole`, async (t) => {
        const modules = shares.map((_, n) => moduleOf(`example.com/cut/m${n}x`, 300_000, n + 1));
        const { a, mustHave } = await mirrorsFor(t, { modules, sole });
        for (const [n, module] of modules.entries()) {
          const path = fileOf(module, "zip");
          a.fault(path, cut(Math.floor((a.bytes(path).length - 1) * shares[n]!)), 1);
          await mustHave(path);
        }
      });

  // A busy machine falls silent for a second; here no mirror is silent on purpose.
  const settings = {
    "upstreamClient.hedge": "off",
    "upstreamClient.silence": "20s",
    "upstreamClient.bodyIdleTimeout": "30s",
  };
  const size = 5 << 20;
  const big = moduleOf("example.com/big", size);
  const path = fileOf(big, "zip");

  for (const sole of [true, false])
    test(`reset at 60 % of 5 MB, ${sole ? "one mirror" : "two mirrors"}: less than 1.2 times its bytes are fetched`, async (t) => {
      const ranges: string[] = [];
      const onRequest = (asked: string, request: IncomingMessage): void => {
        if (asked === path && request.headers.range !== undefined) ranges.push(request.headers.range);
      };
      const stubs = { a: { onRequest }, b: { onRequest } };
      const { a, b, mustHave } = await mirrorsFor(t, { modules: [big], sole, stubs, settings });
      const whole = a.bytes(path).length;
      assert.ok(whole > 0.9 * size, String(whole));
      a.fault(path, { kind: "reset", after: Math.floor(whole * 0.6) }, 1);
      await mustHave(path);
      assert.equal(ranges.length, 1);
      const fetched = a.sentBytes + b.sentBytes;
      assert.ok(fetched < 1.2 * whole, `${fetched} of ${whole}`);
    });

  test("a mirror that ignores Range sends the whole, and the whole is taken", async (t) => {
    const { a, mustHave } = await mirrorsFor(t, { modules: [big], settings, stubs: { b: { ranges: false } } });
    a.fault(path, { kind: "reset", after: Math.floor(a.bytes(path).length * 0.6) }, 1);
    await mustHave(path);
  });

  test("a mirror whose zip has another length is not spliced in", async (t) => {
    const { a, b, mustHave } = await mirrorsFor(t, { modules: [big], settings });
    a.fault(path, { kind: "reset", after: Math.floor(a.bytes(path).length * 0.6) }, 1);
    b.fault(path, { kind: "edit", edit: (body) => Buffer.concat([body, Buffer.from([0])]) });
    await mustHave(path);
  });

  test("a splice of two different zips is thrown away, and one mirror asked for the whole", async (t) => {
    const { a, b, mustHave } = await mirrorsFor(t, { modules: [big], settings });
    a.fault(path, { kind: "reset", after: Math.floor(a.bytes(path).length * 0.6) }, 1);
    b.fault(path, flipAt(0.8));
    await mustHave(path);
  });

  test("wrong bytes, then a break: what is spliced to them is thrown away with them", async (t) => {
    const { a, mustHave } = await mirrorsFor(t, { modules: [big], sole: true, settings });
    const whole = a.bytes(path).length;
    a.fault(path, { kind: "raw", raw: ({ body }) => spoiltStart(body, Math.floor(whole * 0.6)) }, 1);
    await mustHave(path);
  });

  for (const ending of ["zip", "mod", "info"])
    test(`a sole mirror that sends a wrong .${ending} once is asked again, from its first byte`, async (t) => {
      const module = moduleOf("example.com/flip", 200_000);
      const { a, mustHave } = await mirrorsFor(t, { modules: [module], sole: true });
      const spoil: Fault = ending === "info" ? { kind: "bytes", body: '{"Version":"v1.0.1"}' } : flipAt(0.5);
      a.fault(fileOf(module, ending), spoil, 1);
      await mustHave(fileOf(module, ending));
      await mustHave(fileOf(module, "zip"));
    });
});

/** The promise of the whole length, `after` bytes of which the tenth is wrong, and the end. */
function spoiltStart(body: Uint8Array, after: number): Uint8Array {
  const part = Buffer.from(body.subarray(0, after));
  part[9] = (part[9] ?? 0) ^ 1;
  return rawAnswer([`Content-Length: ${body.length}`], part);
}
