import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath } from "#protocol/path.ts";
import { parseTarget } from "#protocol/request.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom, patient } from "../../../test/support/proxy-room.ts";
import { Refresh } from "./refresh.ts";

const v1 = makeModule({ path: "example.com/m", version: "v1.0.0" });
const v2 = makeModule({ path: "example.com/m", version: "v1.1.0" });
const path = parsePath("example.com/m");

async function open(options: Parameters<typeof openRoom>[0] = {}) {
  const room = await openRoom({ recorded: [v1, v2], ...options });
  room.client.serve("a", [v1]);
  const announced: string[] = [];
  const { proxy, listings, store, origin } = room;
  const refresh = new Refresh({
    ...{ proxy, listings, store, origin },
    events: { emit: (event) => void room.emitted.push(event) },
    forget: (of) => {
      proxy.refresh(of);
      return Promise.resolve();
    },
    announce: ({ version }) => void announced.push(version),
  });
  const info = async (version: string): Promise<string> => {
    const target = parseTarget(`/example.com/m/@v/${version}.info`);
    assert.ok(target.kind === "info");
    return Buffer.from((await refresh.info(target, patient())).bytes).toString();
  };
  const compared = () => room.emitted.filter(({ name }) => name === "upstream.compared");
  return { ...room, refresh, info, announced, compared };
}

test("a version that was absent a moment ago is asked for, and what comes is kept", async () => {
  const { client, info, announced, jobs, store } = await open();
  await assert.rejects(jobs.fetchMod(idOf(v2), patient()), { code: "GRANARY_NOT_FOUND" });
  client.serve("a", [v1, v2]);
  await assert.rejects(jobs.fetchMod(idOf(v2), patient()), { code: "GRANARY_NOT_FOUND" });
  assert.match(await info("v1.1.0"), /"Version":"v1.1.0"/);
  assert.notEqual(await store.findMod(idOf(v2)), undefined);
  assert.deepEqual(announced, ["v1.1.0"]);
});

test("a kept version is asked about each time, and its bytes stay", async () => {
  const { client, info, compared } = await open();
  const first = await info("v1.0.0");
  assert.equal(client.count("a", "v1.0.0.mod"), 1);
  assert.equal(await info("v1.0.0"), first);
  assert.equal(client.count("a", "v1.0.0.mod"), 2);
  client.play("a", "/example.com/m/@v/v1.0.0.mod", { status: 200, body: "module example.com/m\n" });
  assert.equal(await info("v1.0.0"), first);
  assert.deepEqual(
    compared().map((event) => "same" in event && event.same),
    [true, false],
  );
});

test("when those who are asked fail, or have a kept version no more, that is the answer, and it stays kept", async () => {
  const { client, info, store } = await open();
  await info("v1.0.0");
  const goMod = "/example.com/m/@v/v1.0.0.mod";
  for (const upstream of ["a", "b"]) client.play(upstream, goMod, "refused");
  await assert.rejects(info("v1.0.0"), { code: "GRANARY_OFFLINE" });
  for (const upstream of ["a", "b"]) client.play(upstream, goMod, { status: 404 });
  await assert.rejects(info("v1.0.0"), { code: "GRANARY_NOT_FOUND" });
  assert.notEqual(await store.findMod(idOf(v1)), undefined);
});

test("with nobody to ask, what is kept is the answer", async () => {
  const { info, storage } = await open();
  const first = await info("v1.0.0");
  const alone = await open({ storage, upstreams: [], hadOff: true });
  assert.equal(await alone.info("v1.0.0"), first);
});

test("a list and a branch are asked for although they are remembered", async () => {
  const { client, refresh, info } = await open();
  client.play("a", "/example.com/m/@v/list", { status: 200, body: "v1.0.0\n" });
  client.play("a", "/example.com/m/@v/main.info", {
    status: 200,
    body: '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}',
  });
  assert.deepEqual(await refresh.list(path, patient()), ["v1.0.0"]);
  assert.deepEqual(await refresh.list(path, patient()), ["v1.0.0"]);
  assert.equal(client.count("a", "list"), 2);
  await info("main");
  await info("main");
  assert.equal(client.count("a", "main.info"), 2);
});
