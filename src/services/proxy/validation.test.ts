import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import { goModOf, makeModule } from "../../../test/support/modules.ts";
import { idOf, keysOf, openRoom, patient } from "../../../test/support/proxy-room.ts";
import type { RoomOptions } from "../../../test/support/proxy-room.ts";
import { ValidatorFault } from "./ports.ts";
import type { Validation, ValidationFacts } from "./ports.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const id = idOf(module);

async function scene(word: () => Validation | Error, options: RoomOptions = {}) {
  const asked: ValidationFacts[] = [];
  /** What was kept when the command ran. */
  const seen: string[][] = [];
  const storage = new MemoryStorage();
  const room = await openRoom({
    recorded: [module],
    storage,
    validator: {
      validate: async (facts) => {
        asked.push(facts);
        seen.push(await keysOf(storage, "modules/example.com/"));
        const said = word();
        if (said instanceof Error) throw said;
        return said;
      },
    },
    ...options,
  });
  room.client.serve("a", [module]);
  return { room, asked, seen, kept: () => keysOf(storage, "modules/example.com/") };
}

test("a version is validated once, whole, before anything of it is kept", async () => {
  const { room, asked, seen, kept } = await scene(() => ({ verdict: "take" }));
  await room.jobs.fetchMod(id, patient());
  const { kept: zip } = await room.jobs.fetchZip(id, patient());
  assert.deepEqual(seen, [[]]);
  const [facts] = asked;
  assert.deepEqual(
    [facts?.module, facts?.version, facts?.upstream, facts?.verifiedBy],
    ["example.com/m", "v1.0.0", "a", "sumdb"],
  );
  assert.deepEqual(
    [facts?.h1, facts?.size, facts?.goModH1],
    [zip.manifest.zip.h1, zip.manifest.zip.size, hashGoMod(Buffer.from(goModOf(module)))],
  );
  assert.equal(room.client.count("a", ".zip"), 1);
  assert.ok((await kept()).includes("modules/example.com/m/@v/v1.0.0.zip.manifest"));
});

test("a refusal keeps nothing but evidence, is told with its reason, and is not asked for again at once", async () => {
  let verdict: Validation = { verdict: "refuse", reason: "licence AGPL-3.0 is not allowed" };
  const { room, asked, kept } = await scene(() => verdict);
  for (const fetch of [() => room.jobs.fetchMod(id, patient()), () => room.jobs.fetchZip(id, patient())])
    await assert.rejects(fetch(), { code: "GRANARY_VALIDATION_REFUSED" });
  assert.equal(asked.length, 1);
  assert.deepEqual(await kept(), []);
  const [evidence] = await room.quarantine.list();
  assert.deepEqual([evidence?.path, evidence?.kind, evidence?.expected], ["example.com/m", "zip", "validate.command"]);
  const denied = room.emitted.filter(({ name }) => name === "module.denied");
  assert.equal(denied.length, 1);
  verdict = { verdict: "take" };
  await assert.rejects(room.jobs.fetchMod(id, patient()), { code: "GRANARY_VALIDATION_REFUSED" });
  room.clock.pass(60_000);
  await room.jobs.fetchMod(id, patient());
  assert.equal(asked.length, 2);
});

test("no verdict is doubt: nothing is kept, and the next request asks again", async () => {
  let word: Validation | Error = new ValidatorFault("no verdict within 30000 ms");
  const { room, kept } = await scene(() => word);
  await assert.rejects(room.jobs.fetchMod(id, patient()), { code: "GRANARY_VALIDATION_FAILED" });
  assert.deepEqual(await kept(), []);
  assert.deepEqual(await room.quarantine.list(), []);
  word = { verdict: "take" };
  await room.jobs.fetchMod(id, patient());
});

test("wrong bytes never get so far, and what was kept without a command has only its zip validated", async () => {
  const other = makeModule({
    path: "example.com/m",
    version: "v1.0.0",
    files: { "go.mod": goModOf(module), "b.go": "package m\n" },
  });
  const { room, asked } = await scene(() => ({ verdict: "take" }));
  room.client.serve("a", [other]);
  await assert.rejects(room.jobs.fetchMod(id, patient()), { code: "GRANARY_SUMDB_MISMATCH" });
  assert.equal(asked.length, 0);

  const storage = new MemoryStorage();
  const before = await openRoom({ recorded: [module], storage });
  before.client.serve("a", [module]);
  await before.jobs.fetchMod(id, patient());
  const after = await scene(() => ({ verdict: "refuse", reason: "no" }), { storage });
  await assert.rejects(after.room.jobs.fetchZip(id, patient()), { code: "GRANARY_VALIDATION_REFUSED" });
  assert.equal(after.asked.length, 1);
});
