import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath } from "#protocol/path.ts";
import { parseVersion } from "#protocol/version.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { SumdbMirror } from "./mirror.ts";
import type { SumdbRoute } from "./ports.ts";

const name = "sum.test";
const seed = Buffer.alloc(32, 7);
const id = { path: parsePath("a.test/m3"), version: parseVersion("v1.0.0") };
const { signal } = new AbortController();
const clock = { now: () => 0, sleep: () => Promise.resolve() };
const sum = (letter: string): string => `h1:${Buffer.alloc(32, letter).toString("base64")}`;

async function database(records: number, letter = "a"): Promise<TestDatabase> {
  const made = new TestDatabase({ name, seed });
  for (let n = 0; n < records; n++)
    await made.add(`a.test/m${n} v1.0.0 ${sum(letter)}\na.test/m${n} v1.0.0/go.mod ${sum("b")}\n`);
  return made;
}

function mirrorOf(fetch: SumdbRoute["fetch"], storage = new PlainStorage()) {
  const key = new TestDatabase({ name, seed }).verifierKey;
  return new SumdbMirror({ key, routes: [{ name: "far", knows: true, fetch }], storage, clock });
}

const verdictsOf = async (mirror: SumdbMirror, cachedOnly = false): Promise<string[]> =>
  (await mirror.examine(id, { signal, cachedOnly })).steps.map(({ name: step, verdict }) => `${step} ${verdict}`);

const sound = ["record ok", "signature ok", "inclusion ok", "consistency ok"];

/** The honest log, but for lookups. */
function changed(honest: TestDatabase, change: (text: string) => string): SumdbRoute["fetch"] {
  return async (path) => {
    const { status, bytes } = await honest.answer(path);
    if (!path.startsWith("/lookup/")) return { status, bytes };
    return { status, bytes: Buffer.from(change(Buffer.from(bytes).toString())) };
  };
}

test("a sound answer is sound in each part, from afar and from the store", async () => {
  const honest = await database(20);
  const storage = new PlainStorage();
  const seen = await mirrorOf((path) => honest.answer(path), storage).examine(id, { signal });
  assert.deepEqual(
    seen.steps.map(({ name: step, verdict }) => `${step} ${verdict}`),
    sound,
  );
  const { database: from, route, number, treeSize, newest, accepted, sums } = seen;
  assert.deepEqual(
    { from, route, number, treeSize, newest, accepted, sums },
    {
      from: name,
      route: "far",
      number: 3,
      treeSize: 20,
      newest: 20,
      accepted: 1,
      sums: { zip: sum("a"), mod: sum("b") },
    },
  );
  // To be examined is not to be kept.
  await assert.rejects(mirrorOf(() => assert.fail(), storage).examine(id, { signal, cachedOnly: true }), /not kept/);
  await mirrorOf((path) => honest.answer(path), storage).lookup(id, { signal });
  assert.deepEqual(
    await verdictsOf(
      mirrorOf(() => assert.fail(), storage),
      true,
    ),
    sound,
  );
});

for (const [what, change, verdicts] of [
  [
    "no record",
    () => "nonsense",
    ["record failed", "signature unchecked", "inclusion unchecked", "consistency unchecked"],
  ],
  [
    "a record without its go.mod",
    (text: string) => text.replace(/^.*go\.mod.*\n/m, ""),
    ["record failed", "signature unchecked", "inclusion unchecked", "consistency unchecked"],
  ],
  [
    "a wrong signature",
    (text: string) =>
      text.replace(/— (\S+) (.)/, (_, who: string, first: string) => `— ${who} ${first === "A" ? "B" : "A"}`),
    ["record ok", "signature failed", "inclusion unchecked", "consistency unchecked"],
  ],
  [
    "another hash",
    (text: string) => text.replace(sum("a"), sum("c")),
    ["record ok", "signature ok", "inclusion failed", "consistency ok"],
  ],
  [
    "another place",
    (text: string) => text.replace(/^3\n/, "4\n"),
    ["record ok", "signature ok", "inclusion failed", "consistency ok"],
  ],
] as const)
  test(`${what}: the part that fails is named`, async () => {
    const honest = await database(20);
    assert.deepEqual(await verdictsOf(mirrorOf(changed(honest, change))), verdicts);
  });

test("a head of another history fails for consistency, and is an alarm", async () => {
  const storage = new PlainStorage();
  const honest = await database(20);
  await mirrorOf((path) => honest.answer(path), storage).lookup(id, { signal });
  const other = await database(25, "c");
  const mirror = mirrorOf((path) => other.answer(path), storage);
  const { steps } = await mirror.examine(id, { signal });
  assert.deepEqual(
    steps.map(({ name: step, verdict }) => `${step} ${verdict}`),
    ["record ok", "signature ok", "inclusion ok", "consistency failed"],
  );
  assert.match(String(mirror.alarm), /^state\/sumdb\/sum\.test\/forks\//);
});

test("tiles that nobody has leave a part unknown, not wrong", async () => {
  const honest = await database(300);
  const mirror = mirrorOf((path) =>
    path.includes("/tile/8/0/000") ? Promise.resolve({ status: 404, bytes: new Uint8Array() }) : honest.answer(path),
  );
  assert.deepEqual(await verdictsOf(mirror), ["record ok", "signature ok", "inclusion unknown", "consistency ok"]);
});
