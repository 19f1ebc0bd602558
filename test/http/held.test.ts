// A version that an operator holds back: refused within seconds beside a running server, ready-made answers and workers
// included, and free again as it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { runGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";

const held = "/example.com/held/@v/v1.0.0";
const modules = ["v1.0.0", "v1.1.0"].map((version) => makeModule({ path: "example.com/held", version }));

for (const [name, options] of [
  ["workers", { flags: ["--workers=2"] }],
  ["clients are sent to upstreams", { env: { GRANARY_ON_MISS: "redirect" } }],
] as const)
  test(`a held version is 403 with its reason, and free again: ${name}`, async (t) => {
    const world = await startWorld({ modules, ...options });
    atEnd(t, () => world.close());
    const { url, store } = world.granary;
    const ask = async (target: string): Promise<{ status: number; text: string }> => {
      // Each on a connection of its own, so that the workers take turns.
      const answer = await fetch(url + target, { headers: { connection: "close" } });
      return { status: answer.status, text: await answer.text() };
    };
    const command = async (...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runGranary(["store", "quarantine", ...words, `--store=${store}`]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const all = ["info", "mod", "zip"].map((ending) => `${held}.${ending}`);
    // Twice, so that the answers lie ready.
    for (const target of [...all, ...all, ...all]) assert.equal((await ask(target)).status, 200);
    assert.match(await command("hold", "example.com/held@v1.0.0", "--reason=stolen signing key"), /is held back/);
    const until = async (status: number): Promise<void> => {
      let right = 0;
      // All processes have looked once six answers in a row are the same.
      for (let n = 0; n < 100 && right < 6; n++) {
        right = (await ask(`${held}.zip`)).status === status ? right + 1 : 0;
        if (right === 0) await sleep(200);
      }
      assert.equal(right, 6, `it is not ${status}`);
    };
    await until(403);
    for (const target of [...all, ...all]) {
      const { status, text } = await ask(target);
      assert.equal(status, 403, target);
      assert.match(text, /^GRANARY_HELD: example.com\/held@v1.0.0 is held back .*\nreason: stolen signing key\n/);
    }
    assert.equal((await ask(`/cached-only${held}.zip`)).status, 403);
    assert.equal((await ask("/example.com/held/@v/v1.1.0.zip")).status, 200);
    assert.match(await command("held"), /example.com\/held@v1.0.0 .*stolen signing key/);
    await command("free", "example.com/held@v1.0.0");
    await until(200);
    assert.match(await command("held"), /No version/);
  });
