// A client that asks past what is remembered (`Cache-Control: no-cache`) gets it, past the ready-made answers too; a flood of
// them does not reach upstreams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { startWorld } from "../support/world.ts";

for (const [title, flags] of [
  ["one process", []],
  ["through workers", ["--workers=2"]],
] as const)
  test(`no-cache asks again, and a flood does not: ${title}`, { timeout: 180_000 }, async (t) => {
    const world = await startWorld({ flags });
    atEnd(t, () => world.close());
    const url = `${world.granary.url}/example.com/hello/@v/list`;
    const asked = (): number => world.stub.requests("/example.com/hello/@v/list");
    const ask = async (headers: Record<string, string> = {}): Promise<string> => {
      const response = await fetch(url, { headers });
      await response.text();
      return `${response.status} ${response.headers.get("x-go-proxy-status") ?? ""}`;
    };
    await ask();
    assert.equal(await ask(), "200 -|HIT");
    const began = performance.now();
    for (let n = 0; n < 10; n++)
      await Promise.all(Array.from({ length: 30 }, () => ask({ "cache-control": "no-cache" })));
    const most = 2 + Math.floor((performance.now() - began) / 5_000);
    assert.ok(asked() <= most, `${asked()} questions, at most ${most} in that time`);
    const before = asked();
    let told = "";
    while (told !== "200 BYPASS|MISS") {
      told = await ask({ "cache-control": "max-age=0, no-cache" });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(asked(), before + 1);
    assert.equal(await ask(), "200 -|HIT");
  });
