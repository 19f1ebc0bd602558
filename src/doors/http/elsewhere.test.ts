import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "#protocol/request.ts";
import type { BuildTarget, ModuleTarget } from "#protocol/request.ts";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import type { Exchange } from "./answers.ts";
import { sendElsewhere, untilTurnIsOver } from "./elsewhere.ts";

const file = "/example.com/m/@v/v1.0.0.zip";

type Sent = { status?: number; location?: string };

function exchangeOf(url: string): { readonly exchange: Exchange; readonly sent: Sent } {
  const sent: Sent = {};
  const response = {
    writeHead: (status: number, head: readonly string[]) => {
      sent.status = status;
      sent.location = head[head.indexOf("Location") + 1] ?? "";
      return response;
    },
    end: () => response,
  };
  return { exchange: { url, response, request: {}, head: false } as unknown as Exchange, sent };
}

/** The redirects that a client follows, each resolved against the URL before it. */
function walk(prefix: string, sent: Sent, url: string): string {
  return new URL(sent.location ?? "", `http://granary.example${prefix}${url}`).pathname;
}

for (const prefix of ["", "/go"])
  test(`nine redirects at most, all below ${prefix === "" ? "the root" : prefix}; then it waits as long as it takes`, async () => {
    const clock = new HandClock();
    const first = exchangeOf(file);
    sendElsewhere(first.exchange, parseTarget(file) as ModuleTarget, { at: "build" });
    let at = walk(prefix, first.sent, file);
    const signal = new AbortController().signal;
    for (let redirects = 1; redirects < 9; redirects++) {
      assert.ok(at.startsWith(`${prefix}/_build/`), at);
      const url = at.slice(prefix.length);
      const { exchange, sent } = exchangeOf(url);
      const waiting = untilTurnIsOver(exchange, parseTarget(url) as BuildTarget, {
        work: new Promise(() => undefined),
        clock,
        signal,
      });
      await clock.pass(49_999);
      assert.equal(sent.status, undefined);
      await clock.pass(1);
      assert.equal(await waiting, undefined);
      assert.equal(sent.status, 302);
      at = walk(prefix, sent, url);
    }
    const url = at.slice(prefix.length);
    const { exchange, sent } = exchangeOf(url);
    const work = Promise.withResolvers<string>();
    const last = untilTurnIsOver(exchange, parseTarget(url) as BuildTarget, { work: work.promise, clock, signal });
    await clock.pass(600_000);
    assert.equal(sent.status, undefined, "the tenth would be one too many for net/http");
    work.resolve("the file");
    assert.equal(await last, "the file");
    assert.equal(clock.sleeping, 0);
  });

test("work that is done, fails, or that nobody waits for any more, ends the wait and leaves no timer", async () => {
  const clock = new HandClock();
  const build = exchangeOf(file);
  sendElsewhere(build.exchange, parseTarget(file) as ModuleTarget, { at: "build" });
  const url = walk("", build.sent, file);
  const target = parseTarget(url) as BuildTarget;
  const { exchange, sent } = exchangeOf(url);
  const gone = new AbortController();
  const use = { clock, signal: gone.signal };
  assert.equal(await untilTurnIsOver(exchange, target, { ...use, work: Promise.resolve("it") }), "it");
  await assert.rejects(untilTurnIsOver(exchange, target, { ...use, work: Promise.reject(new Error("no")) }), /no/);
  const left = untilTurnIsOver(exchange, target, { ...use, work: new Promise(() => undefined) });
  gone.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  await settle();
  assert.deepEqual([clock.sleeping, sent.status], [0, undefined]);
});
