import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { readCosignatures } from "#protocol/cosignature.ts";
import { generateKey, openNote, parseSignerKey } from "#protocol/note.ts";
import { parseOriginTree } from "#protocol/tlog-tiles.ts";
import type { Storage } from "#services/store/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { TestWitness } from "../../../test/support/witness.ts";
import { cosignedKey } from "./layout.ts";
import { SumLog } from "./log.ts";
import type { WitnessClient } from "./ports.ts";
import { Witnessing, type WitnessNews } from "./witnessing.ts";

const signer = parseSignerKey(generateKey("log.example", Buffer.alloc(32, 7)).signerKey);
const key = (n: number): string => `example.com/m${n}@v1.0.0`;
const text = (n: number): string => `example.com/m${n} v1.0.0 h1:${Buffer.alloc(32, n % 251).toString("base64")}\n`;
const witnessOf = (n: number): TestWitness => new TestWitness(`witness.example/w${n}`, [signer.verifier], n);

type World = Awaited<ReturnType<typeof start>>;

/** A log with witnesses, running until the test ends. */
async function start(
  t: TestContext,
  use: { readonly witnesses: readonly TestWitness[]; readonly storage?: Storage; readonly quorum?: number },
) {
  const { witnesses, storage = new MemoryStorage(), quorum = 1 } = use;
  const clock = new HandClock();
  const stop = new AbortController();
  const news: WitnessNews[] = [];
  const client: WitnessClient = {
    addCheckpoint: async ({ cosigner }, body, signal) => {
      const witness = witnesses.find(({ name }) => name === cosigner.name);
      assert.ok(witness);
      if (witness.manner !== "hangs") return witness.answer(body);
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))));
    },
  };
  const log: SumLog = new SumLog({ signer, storage, onGrowth: () => witnessing.grew() });
  const witnessing = new Witnessing({
    log,
    signer,
    storage,
    witnesses: witnesses.map((witness) => witness.at("https://witness.example")),
    quorum,
    client,
    clock,
    stop: stop.signal,
    tell: (each) => news.push(each),
    random: () => 0.999,
    answerMs: 50,
  });
  const running = witnessing.run();
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  atEnd(t, end);
  await settle();
  return { log, witnessing, storage, clock, news, end };
}

/** What a monitor sees that trusts the log and these witnesses. */
async function seen({ witnessing }: World, witnesses: readonly TestWitness[]) {
  const note = openNote(await witnessing.checkpoint(), [signer.verifier]);
  const lines = note.unverified.map(({ name, base64 }) => `\u2014 ${name} ${base64}\n`).join("");
  const cosigners = witnesses.map((witness) => witness.at("").cosigner);
  const by = readCosignatures(lines, note.text, cosigners).map(({ name }) => name.at(-1));
  return { size: parseOriginTree(note.text).size, by: by.sort().join("") };
}

async function append(world: World, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => world.log.append(key(from + i), text(from + i))));
}

test("a checkpoint is cosigned once the log grows; many appends are one request", async (t) => {
  const witness = witnessOf(1);
  const world = await start(t, { witnesses: [witness] });
  assert.deepEqual(await seen(world, [witness]), { size: 0, by: "" });
  await append(world, 0, 3);
  await world.clock.pass(2_000);
  assert.deepEqual(await seen(world, [witness]), { size: 3, by: "1" });
  assert.deepEqual(witness.asked, [0]);
  for (let n = 3; n < 300; n++) await append(world, n, n + 1);
  await world.clock.pass(3_000);
  assert.deepEqual(await seen(world, [witness]), { size: 300, by: "1" });
  assert.ok(witness.asked.length <= 3, `${witness.asked.length} requests`);
  assert.deepEqual(world.news, [{ witness: "witness.example/w1", treeSize: 3 }]);
  const [state] = world.witnessing.state().witnesses;
  assert.equal(state?.treeSize, 300);
  assert.match(state.time ?? "", /^20\d\d-/);
});

test("a witness that has seen more or less than we remember: it says so, and gets the proof from there", async (t) => {
  const witness = witnessOf(1);
  const first = await start(t, { witnesses: [witness] });
  await append(first, 0, 5);
  await first.clock.pass(2_000);
  await first.end();
  // What was kept is lost; the witness remembers.
  await first.storage.remove(cosignedKey("log.example"));
  const second = await start(t, { witnesses: [witness], storage: first.storage });
  await append(second, 5, 400);
  await second.clock.pass(3_000);
  assert.deepEqual(await seen(second, [witness]), { size: 400, by: "1" });
  assert.deepEqual(witness.asked.slice(0, 3), [0, 0, 5]);
  assert.deepEqual(
    second.news.map((each) => "reason" in each),
    [false],
  );
});

test("a restart keeps what was cosigned, and asks once whether it is still true", async (t) => {
  const witness = witnessOf(1);
  const first = await start(t, { witnesses: [witness] });
  await append(first, 0, 5);
  await first.clock.pass(2_000);
  await first.end();
  const second = await start(t, { witnesses: [witness], storage: first.storage });
  assert.deepEqual(await seen(second, [witness]), { size: 5, by: "1" });
  await second.clock.pass(60_000);
  assert.deepEqual(witness.asked, [0, 5]);
  witness.manner = "broken";
  await append(second, 5, 6);
  await second.clock.pass(60_000);
  assert.deepEqual(await seen(second, [witness]), { size: 5, by: "1" }, "never back, never without cosignatures");
  witness.manner = "honest";
  await second.clock.pass(300_000);
  assert.deepEqual(await seen(second, [witness]), { size: 6, by: "1" });
});

for (const [manner, reason] of [
  ["wrong-signature", /is wrong \(NOTE_UNVERIFIED\)/],
  ["foreign-key", /no cosignature by its key/],
  ["timeless", /no time/],
  ["boasts", /has seen 1000000 records, and the log has 2/],
  ["wavers", /another size each time|another tree|422|400/],
  ["broken", /answered 500/],
  ["hangs", /no answer within 0.05 s/],
] as const)
  test(`a witness that is ${manner}: nothing of it is kept, and it is asked again later and later`, async (t) => {
    const [bad, good] = [witnessOf(1), witnessOf(2)];
    bad.manner = manner;
    const world = await start(t, { witnesses: [bad, good] });
    await append(world, 0, 2);
    const late = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, manner === "hangs" ? 80 : 0));
      await world.clock.pass(1_500);
    };
    await late();
    assert.deepEqual(await seen(world, [bad, good]), { size: 2, by: "2" });
    await late();
    const failures = world.news.filter((each) => "reason" in each);
    assert.equal(failures.length, 1, JSON.stringify(failures));
    assert.match(failures[0]?.reason ?? "", reason);
    if (manner === "hangs") return;
    await world.clock.pass(3_600_000);
    const tries = bad.asked.length;
    assert.ok(tries <= 25 * 3, `asked ${tries} times in an hour`);
    assert.equal(world.news.filter((each) => "reason" in each).length, 1, "each reason is told once");
    bad.manner = "honest";
    bad.tree = { size: 0, root: bad.tree.root };
    await world.clock.pass(310_000);
    assert.deepEqual(await seen(world, [bad, good]), { size: 2, by: "12" });
  });

test("a log that a witness does not know, and a key that it does not trust", async (t) => {
  const other = parseSignerKey(generateKey("log.example", Buffer.alloc(32, 8)).signerKey);
  const strangers = [
    new TestWitness("witness.example/w1", [], 1),
    new TestWitness("witness.example/w2", [other.verifier], 2),
  ];
  const world = await start(t, { witnesses: strangers });
  await append(world, 0, 1);
  await world.clock.pass(2_000);
  const reasons = world.news.map((each) => ("reason" in each ? each.reason : "")).sort();
  assert.match(reasons[0] ?? "", /does not know this log \(404\)/);
  assert.match(reasons[1] ?? "", /does not trust the log's key \(403\)/);
});

test("without a quorum nothing is shown as cosigned, and what is shown only grows", async (t) => {
  const witnesses = [witnessOf(1), witnessOf(2), witnessOf(3)];
  const [one, two, three] = witnesses as [TestWitness, TestWitness, TestWitness];
  two.manner = "broken";
  three.manner = "broken";
  const world = await start(t, { witnesses, quorum: 2 });
  const sizes: number[] = [];
  const look = async (): Promise<Awaited<ReturnType<typeof seen>>> => {
    const now = await seen(world, witnesses);
    assert.ok(now.size >= (sizes.at(-1) ?? 0), `${now.size} after ${sizes.at(-1)}`);
    sizes.push(now.size);
    return now;
  };
  for (let n = 0; n < 6; n++) {
    await append(world, n, n + 1);
    assert.ok((await look()).by.length <= 1);
    await world.clock.pass(1_500);
    await look();
  }
  assert.equal((await world.storage.get(cosignedKey("log.example"), 10_000)) === undefined, true);
  two.manner = "honest";
  for (let n = 6; n < 300; n++) {
    await append(world, n, n + 1);
    await world.clock.pass(1_500);
    const { by } = await look();
    assert.ok(by === "12" || sizes.at(-1)! <= 60, `${by} at ${sizes.at(-1)}`);
  }
  three.manner = "honest";
  one.manner = "broken";
  await append(world, 300, 301);
  await world.clock.pass(400_000);
  assert.deepEqual(await look(), { size: 301, by: "23" });
  assert.equal(world.witnessing.state().treeSize, 301);
});

test("what other witnesses signed, or what is damaged, is not shown after a restart", async (t) => {
  const [one, two] = [witnessOf(1), witnessOf(2)];
  const first = await start(t, { witnesses: [one] });
  await append(first, 0, 5);
  await first.clock.pass(2_000);
  await first.end();
  two.manner = "broken";
  const second = await start(t, { witnesses: [two], storage: first.storage });
  assert.deepEqual(await seen(second, [one, two]), { size: 5, by: "" });
  assert.equal(await first.storage.get(cosignedKey("log.example"), 10_000), undefined, "it can not come back later");
  await second.end();
  await first.storage.create(cosignedKey("log.example"), Buffer.from("nonsense"));
  const third = await start(t, { witnesses: [one], storage: first.storage });
  await third.clock.pass(2_000);
  assert.deepEqual(await seen(third, [one]), { size: 5, by: "1" });
});

test("a log that does not begin with what was cosigned is one that was set back", async (t) => {
  const witness = witnessOf(1);
  const first = await start(t, { witnesses: [witness] });
  await append(first, 0, 5);
  await first.clock.pass(2_000);
  await first.end();
  const cosigned = await first.storage.get(cosignedKey("log.example"), 10_000);
  assert.ok(cosigned);
  for (const [from, to] of [
    [0, 4],
    [10, 15],
    [10, 20],
  ] as const) {
    const storage = new MemoryStorage();
    await storage.create(cosignedKey("log.example"), cosigned.bytes);
    const again = await start(t, { witnesses: [witness], storage });
    await append(again, from, to);
    await assert.rejects(() => again.witnessing.checkpoint(), { code: "SUMLOG_RESET" });
    await again.end();
  }
  // And without what was kept, the witness knows.
  const anew = await start(t, { witnesses: [witness] });
  await append(anew, 10, 20);
  await anew.clock.pass(2_000);
  assert.deepEqual(await seen(anew, [witness]), { size: 10, by: "" });
  assert.match(JSON.stringify(anew.news), /does not accept the proof from 5 records \(422\)/);
});

test("a store and a memory that were set back together: the witness remembers, and says so at the start", async (t) => {
  const witness = witnessOf(1);
  const first = await start(t, { witnesses: [witness] });
  await append(first, 0, 5);
  await first.clock.pass(2_000);
  const backup = new MemoryStorage();
  for await (const { key: each } of first.storage.list(""))
    await backup.create(each, (await first.storage.get(each, 1_000_000))?.bytes ?? assert.fail());
  await append(first, 5, 8);
  await first.clock.pass(2_000);
  await first.end();
  const second = await start(t, { witnesses: [witness], storage: backup });
  await second.clock.pass(2_000);
  assert.match(JSON.stringify(second.news), /has seen 8 records, and the log has 5: was the log set back\?/);
  assert.deepEqual(await seen(second, [witness]), { size: 5, by: "1" });
});

test("a disk that takes nothing: told once, and shown only when it is kept", async (t) => {
  const [one, two] = [witnessOf(1), witnessOf(2)];
  const storage = new FaultyStorage(new MemoryStorage());
  storage.arm({ on: "replace", key: /cosigned$/, times: 1_000, does: { kind: "full", when: "before" } });
  const world = await start(t, { witnesses: [one, two], storage });
  await append(world, 0, 5);
  await world.clock.pass(100_000);
  assert.deepEqual(
    await seen(world, [one, two]),
    { size: 5, by: "12" },
    "not kept yet, but the tree that was shown before",
  );
  assert.equal(world.witnessing.state().treeSize, undefined);
  assert.equal(world.news.filter((each) => !("witness" in each)).length, 1, JSON.stringify(world.news));
  storage.heal();
  await world.clock.pass(100_000);
  assert.equal(world.witnessing.state().treeSize, 5);
  assert.deepEqual([one.asked.length, two.asked.length], [1, 1]);
});
