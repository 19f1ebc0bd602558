// Witnesses over real HTTP: the own database asks them, keeps what they cosigned, and waits for none of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCosignerKey, readCosignatures } from "#protocol/cosignature.ts";
import { openNote } from "#protocol/note.ts";
import { parseOriginTree } from "#protocol/tlog-tiles.ts";
import { atEnd } from "../support/at-end.ts";
import { makeModule } from "../support/modules.ts";
import { ownName, ownWorld, type OwnWorld } from "../support/own-world.ts";
import { serveWitness, TestWitness } from "../support/witness.ts";

const modules = Array.from({ length: 12 }, (_, n) => makeModule({ path: `example.com/m${n}`, version: "v1.0.0" }));

/** What somebody sees who trusts the log's key and these witnesses' keys, and nothing else. */
async function monitor(url: string, world: OwnWorld, witnesses: readonly TestWitness[]) {
  const answer = await fetch(`${url}/tlog/${ownName}/checkpoint`);
  const note = openNote(Buffer.from(await answer.arrayBuffer()), [world.verifier]);
  const lines = note.unverified.map(({ name, base64 }) => `\u2014 ${name} ${base64}\n`).join("");
  const cosigners = witnesses.map(({ verifierKey }) => parseCosignerKey(verifierKey));
  const by = readCosignatures(lines, note.text, cosigners).map(({ name }) => name);
  return { size: parseOriginTree(note.text).size, by: by.sort() };
}

async function look(url: string, { database }: { readonly database: string }) {
  const status = (await (await fetch(`${url}/-/api/status`)).json()) as {
    databases: { name: string; witnessing?: { treeSize?: number; witnesses: { name: string; reason?: string }[] } }[];
  };
  return status.databases.find(({ name }) => name === database)?.witnessing;
}

async function until<T>(ask: () => Promise<T>, isGood: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const value = await ask();
    if (isGood(value)) return value;
    assert.ok(tries < 300, JSON.stringify(value));
    await new Promise((later) => setTimeout(later, 50));
  }
}

/** Has the log record one module; resolves to how long that took. */
async function record(url: string, n: number): Promise<number> {
  const began = performance.now();
  const answer = await fetch(`${url}/sumdb/${ownName}/lookup/example.com/m${n}@v1.0.0`);
  assert.equal(answer.status, 200, await answer.text());
  return performance.now() - began;
}

test("cosigned by one that is well; the dead and the silent hold up nothing; a restart keeps it", async (t) => {
  const world = await ownWorld(modules);
  atEnd(t, () => world.close());
  const witnesses = [1, 2, 3, 4].map((n) => new TestWitness(`witness.example/w${n}`, [world.verifier], n));
  const [good, hanging, endless, dead] = witnesses as [TestWitness, TestWitness, TestWitness, TestWitness];
  hanging.manner = "hangs";
  endless.manner = "endless";
  const flags = [
    `${good.verifierKey} ${await serveWitness(t, good)}`,
    `${hanging.verifierKey} ${await serveWitness(t, hanging)}`,
    `${endless.verifierKey} ${await serveWitness(t, endless)}/`,
    `${dead.verifierKey} http://127.0.0.1:1`,
  ];
  const env = { GRANARY_SUMLOG_WITNESSES: flags.join("; ") };
  const first = await world.start([], env);
  const times: number[] = [];
  for (let n = 0; n < 8; n++) times.push(await record(first.url, n));
  assert.ok(Math.max(...times) < 1_000, `a lookup that records took ${Math.max(...times)} ms`);
  await until(
    () => monitor(first.url, world, witnesses),
    ({ size, by }) => size > 0 && by.includes(good.name),
  );
  const { size } = await monitor(first.url, world, witnesses);
  const state = await until(
    () => look(first.url, { database: ownName }),
    (said) => said?.witnesses.filter(({ reason }) => reason !== undefined).length === 2,
  );
  const reasons = Object.fromEntries(state?.witnesses.map(({ name, reason }) => [name, reason]) ?? []);
  assert.match(reasons[endless.name] ?? "", /more than 16384 bytes/);
  assert.match(reasons[dead.name] ?? "", /ECONNREFUSED/);
  assert.match(first.stderr(), /sumlog\.witnessed database=\S+ witness=witness\.example\/w1 treeSize=\d/);
  assert.match(first.stderr(), /sumlog\.unwitnessed database=\S+ witness=witness\.example\/w4/);
  await first.stop();

  good.manner = "broken";
  const second = await world.start([], env);
  const kept = await monitor(second.url, world, witnesses);
  assert.ok(kept.size >= size && kept.by.includes(good.name));
  await record(second.url, 8);
  assert.equal((await monitor(second.url, world, witnesses)).size, kept.size);
  await second.stop();
  good.manner = "honest";
  const third = await world.start([], env);
  await until(
    () => monitor(third.url, world, witnesses),
    (seen) => seen.size === 9 && seen.by.includes(good.name),
  );
  await third.stop();

  // Without witnesses the newest checkpoint is shown; what was cosigned never comes back as an older one.
  const fourth = await world.start();
  await record(fourth.url, 9);
  assert.deepEqual(await monitor(fourth.url, world, witnesses), { size: 10, by: [] });
  await fourth.stop();
  good.manner = "broken";
  const fifth = await world.start([], env);
  assert.deepEqual(await monitor(fifth.url, world, witnesses), { size: 10, by: [] });
});

test("the log's own words to a witness on the audit record", async (t) => {
  const world = await ownWorld(modules);
  atEnd(t, () => world.close());
  const witness = new TestWitness("witness.example/w1", [world.verifier]);
  const env = {
    GRANARY_SUMLOG_WITNESSES: `${witness.verifierKey} ${await serveWitness(t, witness)}`,
    GRANARY_EGRESS_AUDIT: "on",
    GRANARY_LOG_LEVEL: "debug",
  };
  const granary = await world.start([], env);
  await record(granary.url, 0);
  await until(
    () => monitor(granary.url, world, [witness]),
    ({ by }) => by.length === 1,
  );
  const line = /egress\.request upstream=witness\.example\/w1 method=POST host=\S+ path=\/w\/add-checkpoint status=200/;
  await until(
    () => Promise.resolve(granary.stderr()),
    (said) => line.test(said),
  );
});
