import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "#protocol/request.ts";
import type { ModuleTarget } from "#protocol/request.ts";
import { settle } from "../../../test/support/hand-clock.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { openRoom, patient, playedUpstream } from "../../../test/support/proxy-room.ts";
import type { RoomOptions } from "../../../test/support/proxy-room.ts";
import { Misses } from "./misses.ts";
import type { OnMiss } from "./misses.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const stem = "/example.com/m/@v/v1.0.0";

async function scene(onMiss: OnMiss, options: RoomOptions = {}) {
  const room = await openRoom({ recorded: [module], upstreams: [playedUpstream("a")], ...options });
  room.client.serve("a", [module]);
  const told: string[] = [];
  const misses = new Misses({
    ...room,
    onMiss: () => onMiss,
    chain: () => ({ upstreams: options.upstreams ?? [playedUpstream("a")], hadDirect: false, hadOff: false, own: [] }),
    order: () => undefined,
    isRewritten: (path) => path.startsWith("old.example/"),
    isForEverybody: (name) => name !== "guarded",
    failed: (stage, id) => void told.push(`${stage} ${id.version}`),
    stop: new AbortController().signal,
  });
  const ask = (url: string, keptOnly: false | "cached-only" = false) =>
    misses.elsewhere(parseTarget(url) as ModuleTarget, { keptOnly, hops: "" });
  return { room, told, ask };
}

test("redirect: to the upstream's own URL, one fetch however many ask, and none once it is kept", async () => {
  const { room, ask } = await scene("redirect");
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  const all = await Promise.all(Array.from({ length: 20 }, () => ask(`${stem}.zip`)));
  for (const elsewhere of all)
    assert.deepEqual(elsewhere, { at: "upstream", url: `https://a.example${stem}.zip`, upstream: "a" });
  resolve(undefined);
  await room.jobs.fetchZip({ path: module.path, version: module.version } as never, patient());
  assert.equal(await ask(`${stem}.zip`), undefined);
  assert.equal(await ask(`${stem}.mod`), undefined);
  assert.deepEqual(
    ["info", "mod", "zip"].map((ending) => room.client.count("a", `.${ending}`)),
    [1, 1, 1],
  );
});

test("never for private names or their ancestors, lists, branches, or what is asked of the store alone", async () => {
  for (const onMiss of ["redirect", "build-redirect"] as const) {
    const corp = playedUpstream("corp", { privatePatterns: "corp.example/team/*", public: false });
    const upstreams = [playedUpstream("a"), corp];
    const { room, ask } = await scene(onMiss, { private: "corp.example/team/*", upstreams });
    for (const url of [
      "/corp.example/team/x/@v/v1.0.0.zip",
      "/corp.example/team/@v/v1.0.0.zip",
      "/old.example/m/@v/v1.0.0.zip",
      "/example.com/m/@v/list",
      "/example.com/m/@latest",
      "/example.com/m/@v/main.info",
    ])
      assert.equal(await ask(url), undefined, url);
    assert.equal(await ask(`${stem}.zip`, "cached-only"), undefined);
    assert.deepEqual(room.client.asked, []);
  }
});

test("redirect never shows what only we may show: credentials in URLs, headers, private upstreams, files", async () => {
  const upstreams = [
    playedUpstream("user", { url: "https://user:secret@user.example" }),
    playedUpstream("query", { url: "https://query.example/?token=secret" }),
    playedUpstream("guarded"),
    playedUpstream("corp", { privatePatterns: "corp.example/*", public: false }),
    playedUpstream("disk", { kind: "file", url: "file:///var/secret" }),
  ];
  const { ask } = await scene("redirect", { upstreams });
  assert.equal(await ask(`${stem}.zip`), undefined);
  const more = await scene("redirect", { upstreams: [...upstreams, playedUpstream("a")] });
  assert.deepEqual(await more.ask(`${stem}.zip`), {
    at: "upstream",
    url: `https://a.example${stem}.zip`,
    upstream: "a",
  });
});

test("an upstream that is down is no place to send anybody", async () => {
  const { room, ask } = await scene("redirect");
  for (let n = 0; n < 10; n++) room.health.permit("a").failed("refused");
  assert.equal(room.health.condition("a"), "open");
  assert.equal(await ask(`${stem}.zip`), undefined);
});

test("what failed takes the ordinary way for a while, and is told to the queue of retries", async () => {
  const { room, told, ask } = await scene("redirect", {
    recorded: [makeModule({ ...module, files: { "go.mod": "module example.com/m\n" } })],
  });
  assert.ok(await ask(`${stem}.zip`));
  for (let n = 0; n < 50 && told.length === 0; n++) await settle();
  assert.deepEqual(told, ["zip v1.0.0"]);
  assert.equal(await ask(`${stem}.zip`), undefined, "the refusal is heard");
  assert.equal(await ask(`${stem}.mod`), undefined);
  await assert.rejects(
    room.proxy.answer(parseTarget(`${stem}.zip`) as ModuleTarget, { keptOnly: false, ...patient() }),
    {
      code: "GRANARY_SUMDB_MISMATCH",
    },
  );
  room.clock.pass(61_000);
  assert.ok(await ask(`${stem}.mod`));
});

test("a remembered absence is answered, not sent on", async () => {
  const { room, ask } = await scene("build-redirect");
  const url = "/example.com/none/@v/v1.0.0.mod";
  assert.deepEqual(await ask(url), { at: "build" });
  for (let n = 0; n < 50 && room.negative.size === 0; n++) await settle();
  room.clock.pass(59_000);
  assert.equal(await ask(url), undefined);
});

test("build-redirect sends nobody away once it is kept; fetch never does", async () => {
  const { room, ask } = await scene("build-redirect");
  assert.deepEqual(await ask(`${stem}.mod`), { at: "build" });
  await room.proxy.answer(parseTarget(`${stem}.mod`) as ModuleTarget, { keptOnly: false, ...patient() });
  assert.equal(await ask(`${stem}.mod`), undefined);
  const plain = await scene("fetch");
  assert.equal(await plain.ask(`${stem}.mod`), undefined);
  assert.deepEqual(plain.room.client.asked, []);
});
