// What documents claim of GOPROXY lists, tried with the real go: who is asked next, and when (src/services/myths).
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { suite, test } from "node:test";
import { makeModule } from "../support/modules.ts";
import { anotherUpstream, goVersions, hello, helloV1, mythRoom, startInternet } from "../support/myth-room.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";

const statuses = [404, 410, 400, 401, 403, 429, 451, 500, 502, 503, 504, 204, 206, 304];
const nameOf = (outcome: number | string): string => `example.com/is/${outcome}`;
const outcomes = [...statuses, "empty", "page"];

/** `.info` fails in every way, each for a module of its own. */
function breakInfo(stub: StubUpstream): void {
  const info = (outcome: number | string): string => `/${nameOf(outcome)}/@v/v1.0.0.info`;
  for (const status of statuses) stub.fault(info(status), { kind: "status", status, body: "" });
  stub.fault(info("empty"), { kind: "bytes", body: "" });
  stub.fault(info("page"), { kind: "html" });
}

suite("myths of lists", { concurrency: 4 }, () => {
  test("after a comma 404 and 410 go on, after a pipe every failure does", async (t) => {
    const modules = outcomes.map((outcome) => makeModule({ path: nameOf(outcome), version: "v1.0.0" }));
    const room = await mythRoom(t, { modules });
    if (room === undefined) return;
    breakInfo(room.stub);
    const second = await anotherUpstream(t, modules);
    const askedNext = async (separator: string): Promise<string[]> => {
      second.resetCounts();
      const ids = modules.map(({ path, version }) => `${path}@${version}`);
      await room.go.run(["mod", "download", "-json", ...ids], {
        env: {
          GOPROXY: `${room.stub.url}${separator}${second.url}`,
          GOMODCACHE: `${room.go.home}/${separator.charCodeAt(0)}`,
        },
      });
      return outcomes.filter((outcome) => second.requests(`/${nameOf(outcome)}/@v/v1.0.0.info`) > 0).map(String);
    };
    assert.deepEqual(await askedNext(","), ["404", "410"]);
    assert.deepEqual(await askedNext("|"), outcomes.map(String));
  });

  test("the pipe is a separator from go 1.15 on", async (t) => {
    for (const tool of await goVersions(t, ["1.14.15", "1.19.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      const second = await anotherUpstream(t);
      room?.stub.fault(/./, { kind: "status", status: 503 });
      const { code, output } =
        room === undefined
          ? assert.fail()
          : await room.go.run(["mod", "download", helloV1], {
              env: { GOPROXY: `${room.stub.url}|${second.url}` },
            });
      const knows = !tool.version.startsWith("1.14.");
      assert.deepEqual([code === 0, second.requests(/\.zip$/)], [knows, knows ? 1 : 0], `${tool.version} ${output}`);
    }
  });

  test("a silent proxy holds go up for more than ten seconds, and the next one is not asked", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, seen } = room;
    const second = await anotherUpstream(t);
    stub.fault(/./, { kind: "stall" });
    const patience = new AbortController();
    const running = go.run(["mod", "download", helloV1], {
      env: { GOPROXY: `${stub.url}|${second.url}` },
      signal: patience.signal,
    });
    const ended = running.then(() => "ended");
    while (seen.length === 0 && (await Promise.race([ended, sleep(50)])) === undefined);
    const outcome = await Promise.race([ended, sleep(12_000, "waits")]);
    patience.abort();
    await running;
    assert.equal(outcome, "waits");
    assert.deepEqual([seen.length, second.counts().size], [1, 0]);
  });

  test("a list without direct fails when its proxies have nothing", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const second = await anotherUpstream(t, []);
    room.stub.remove(hello, "v1.0.0");
    room.stub.remove(hello, "v1.1.0");
    const internet = await startInternet(t);
    const list = `${room.stub.url},${second.url}`;
    const without = await room.go.run(["mod", "download", helloV1], { env: { ...internet.env, GOPROXY: list } });
    assert.notEqual(without.code, 0);
    assert.match(without.output, /404 Not Found/);
    assert.deepEqual(internet.asked, []);
    await room.go.run(["mod", "download", helloV1], { env: { ...internet.env, GOPROXY: `${list},direct` } });
    assert.deepEqual(internet.asked, ["CONNECT example.com:443"]);
  });

  test("what stands after direct is never asked", async (t) => {
    const room = await mythRoom(t, { modules: [] });
    if (room === undefined) return;
    const last = await anotherUpstream(t);
    const internet = await startInternet(t);
    const env = { ...internet.env, GOPROXY: `${room.stub.url},direct,${last.url}` };
    const { code } = await room.go.run(["mod", "download", helloV1], { env });
    assert.notEqual(code, 0);
    assert.deepEqual([internet.asked, last.counts().size], [["CONNECT example.com:443"], 0]);
  });

  test("spaces and empty entries in a list mean nothing, a semicolon is part of the URL", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, seen } = room;
    await go.ok(["mod", "download", helloV1], { env: { GOPROXY: ` ,, ${stub.url} , , off ` } });
    seen.length = 0;
    const semicolon = await go.run(["mod", "download", `${hello}@v1.1.0`], { env: { GOPROXY: `${stub.url};direct` } });
    assert.notEqual(semicolon.code, 0);
    // A port with a word behind it is no URL at all; with a path the word becomes part of it.
    assert.match(semicolon.output, /invalid port|invalid proxy URL/);
    await go.run(["mod", "download", `${hello}@v1.1.0`], { env: { GOPROXY: `${stub.url}/a;direct` } });
    assert.deepEqual(
      seen.map(({ url }) => url),
      [`/a;direct/${hello}/@v/v1.1.0.info`],
    );
  });

  test("off forbids every download, and connects nowhere", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const internet = await startInternet(t);
    const refused = await room.go.run(["mod", "download", helloV1], { env: { ...internet.env, GOPROXY: "off" } });
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /module lookup disabled by GOPROXY=off/);
    assert.deepEqual([internet.asked, room.seen], [[], []]);
  });

  test("every proxy before direct hears a private name, unless GOPRIVATE or GONOPROXY says otherwise", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, seen } = room;
    const forge = await anotherUpstream(t, [makeModule({ path: "corp.example/secret", version: "v1.0.0" })]);
    const internet = await startInternet(t, { "corp.example/secret": forge.url });
    const env = { ...internet.env, GOPROXY: `${stub.url},direct`, GOINSECURE: "corp.example" };
    const secret = ["mod", "download", "corp.example/secret@v1.0.0"];
    await go.ok(secret, { env });
    assert.match(seen[0]?.url ?? "", /corp\.example\/secret/);
    for (const name of ["GOPRIVATE", "GONOPROXY"]) {
      seen.length = 0;
      await go.ok(secret, { env: { ...env, [name]: "corp.example", GOMODCACHE: `${go.home}/${name}` } });
      assert.deepEqual(seen, [], name);
    }
    // Even a list that forbids everything does not forbid what GONOPROXY matches.
    const off = { ...env, GOPROXY: "off", GONOPROXY: "corp.example", GOMODCACHE: `${go.home}/off` };
    await go.ok(secret, { env: off });
  });

  test("an unset GOPROXY is go's own list, which ends in direct in every version", async (t) => {
    for (const tool of await goVersions(t, ["1.14.15", "1.19.13", "1.21.13", "1.22.12", "1.24.9", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      const asked = await room?.go.ok(["env", "GOPROXY", "GOSUMDB"], { env: { GOPROXY: "", GOSUMDB: "" } });
      const [list = "", database] = asked?.stdout.split("\n") ?? [];
      assert.match(list, /^https:\/\/[^,]+,direct$/, tool.version);
      assert.equal(database, "sum.golang.org");
      const direct = await room?.go.ok(["env", "GOPROXY"], { env: { GOPROXY: "direct" } });
      assert.equal(direct?.stdout.trim(), "direct");
    }
  });
});
