// What documents claim of the requests of go and of the answers to them, tried with the real go (src/services/myths).
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { rawAnswer } from "../support/faults.ts";
import { makeModule } from "../support/modules.ts";
import { anotherUpstream, goVersions, hello, helloV1, mythRoom, startInternet } from "../support/myth-room.ts";
import type { SeenRequest } from "../support/myth-room.ts";

const endpoints =
  /^\/[^?]+\/(?:@v\/(?:list|[^/]+\.(?:info|mod|zip))|@latest)$|^\/sumdb\/[^/]+\/(?:supported|lookup\/.+|tile\/8\/.+)$/;

/** What no request of go has, whatever the answer before it said. */
function isPlain({ method, url, headers }: SeenRequest): boolean {
  const allowed = ["accept-encoding", "host", "user-agent"];
  return method === "GET" && endpoints.test(url) && headers.every((name) => allowed.includes(name));
}

const files = (seen: readonly SeenRequest[]): string[] => seen.map(({ url }) => url.split("/").at(-1) ?? "");

suite("myths of requests", { concurrency: 4 }, () => {
  test("go sends GETs of the protocol's paths with no header of note, whatever answers carry", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, seen, database } = room;
    const loud = ['etag: "1"', "last-modified: Mon, 01 Jan 2024 00:00:00 GMT", "cache-control: max-age=60", "vary: *"];
    const house = ["x-go-proxy-cache: HIT", "x-go-proxy-status: stale", "x-geo-region: CN", "retry-after: 60"];
    const raw = ({ body }: { body: Uint8Array }): Uint8Array =>
      rawAnswer([...loud, ...house, `content-length: ${body.length}`, "connection: close"], body);
    stub.fault(/\/@v\/|@latest/, { kind: "raw", raw });
    const cwd = join(go.home, "main");
    await mkdir(cwd);
    await writeFile(join(cwd, "go.mod"), "module main.test/m\n\ngo 1.19\n");
    const env = { GOSUMDB: database.verifierKey };
    await go.ok(["get", `${hello}@latest`], { cwd, env });
    await go.ok(["list", "-m", "-versions", hello], { cwd, env });
    await go.ok(["list", "-m", "-u", "all"], { cwd, env });
    await go.ok(["mod", "download", helloV1], { env });
    assert.ok(seen.length >= 10, String(seen.length));
    assert.deepEqual(
      seen.filter((request) => !isPlain(request)),
      [],
    );
    const lists = seen.filter(({ url }) => url === `/${hello}/@v/list`);
    assert.ok(lists.length >= 3, "every command asks for the list again, without a condition");
  });

  test("Retry-After of a failure is not heeded: one request, and the error", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const headers = { "retry-after": "1", "x-go-proxy-status": "busy" };
    for (const status of [429, 503]) {
      room.seen.length = 0;
      room.stub.fault(/./, { kind: "status", status, headers });
      const { code, output } = await room.go.run(["mod", "download", helloV1]);
      assert.deepEqual([code === 0, files(room.seen)], [false, ["v1.0.0.info"]]);
      assert.match(output, new RegExp(String(status)));
    }
  });

  test("go mod download asks for .info, .mod and .zip, in this order, and for nothing else", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { stdout } = await room.go.ok(["mod", "download", "-json", helloV1]);
    assert.deepEqual(files(room.seen), ["v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip"]);
    assert.match((JSON.parse(stdout) as { Sum: string }).Sum, /^h1:/);
  });

  test("go follows redirects, but not ten of them, and needs none", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, seen } = room;
    const target = `/${hello}/@v/v1.0.0.info`;
    const step = (left: number): string => (left === 0 ? target : `/step/${left}/${hello}/@v/v1.0.0.info`);
    for (let left = 1; left <= 10; left++)
      stub.fault(step(left), { kind: "redirect", location: stub.url + step(left - 1) });
    const through = (count: number): Promise<{ code: number; output: string }> =>
      go.run(["mod", "download", helloV1], {
        env: { GOPROXY: `${stub.url}/step/${count}`, GOMODCACHE: join(go.home, String(count)) },
      });
    await through(9);
    assert.ok(
      seen.some(({ url }) => url === target),
      "nine are followed to their end",
    );
    seen.length = 0;
    assert.match((await through(10)).output, /stopped after 10 redirects/);
    assert.ok(!seen.some(({ url }) => url === target));
  });

  test("a list may be in any order, and an empty one is a module without tags", async (t) => {
    const pseudo = "v0.0.0-20240102030405-aaaaaaaaaaaa";
    const room = await mythRoom(t, {
      modules: [
        ...["v1.10.0", "v1.2.0", "v1.9.0"].map((version) => makeModule({ path: hello, version })),
        makeModule({ path: "example.com/tagless", version: pseudo }),
      ],
    });
    if (room === undefined) return;
    const { go, stub, seen } = room;
    stub.fault(`/${hello}/@v/list`, { kind: "bytes", body: "v1.10.0\nv1.2.0\nnot a version\nv1.9.0\n" });
    const sorted = await go.ok(["list", "-m", "-versions", hello]);
    assert.equal(sorted.stdout.trim(), `${hello} v1.2.0 v1.9.0 v1.10.0`);
    seen.length = 0;
    const tagless = await go.ok(["list", "-m", "example.com/tagless@latest"]);
    assert.equal(tagless.stdout.trim(), `example.com/tagless ${pseudo}`);
    assert.deepEqual(files(seen).slice(0, 2), ["list", "@latest"]);
  });

  test(".info needs Version and nothing else", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    room.stub.fault(/\.info$/, { kind: "bytes", body: '{"Version":"v1.0.0"}' });
    await room.go.ok(["mod", "download", helloV1]);
  });

  test("what lies in the module cache is not asked for again, with GO111MODULE=on or without", async (t) => {
    for (const tool of await goVersions(t, ["1.19.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      await room?.go.ok(["mod", "download", helloV1]);
      assert.equal(room?.seen.length, 3);
      for (const GO111MODULE of ["on", "", "auto"])
        await room.go.ok(["mod", "download", helloV1], { env: { GO111MODULE } });
      assert.equal(room.seen.length, 3, tool.version);
    }
  });

  test("more than six requests to one host are under way at once", async (t) => {
    const modules = Array.from({ length: 12 }, (_, n) => makeModule({ path: `example.com/m${n}`, version: "v1.0.0" }));
    const room = await mythRoom(t, { modules });
    if (room === undefined) return;
    room.stub.fault(/\.zip$/, { kind: "delay", ms: 2_000 });
    const ids = modules.map(({ path, version }) => `${path}@${version}`);
    await room.go.ok(["mod", "download", ...ids], { env: { GOMAXPROCS: "12" } });
    assert.ok(room.stub.mostInFlight > 6, String(room.stub.mostInFlight));
  });

  test("zips of other bytes and other headers are the same module when the content is", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, gosumdb } = room;
    const other = await anotherUpstream(t);
    // A comment at the end of the archive: other bytes, another ETag, the same files.
    const commented = (body: Uint8Array): Uint8Array => {
      const bytes = Buffer.concat([body, Buffer.from("other")]);
      bytes.writeUInt16LE(5, body.length - 2);
      return bytes;
    };
    other.fault(/\.zip$/, { kind: "edit", edit: commented });
    const sums = await Promise.all(
      [stub, other].map(async ({ url }, n) => {
        const env = { GOPROXY: url, GOSUMDB: gosumdb, GOMODCACHE: join(go.home, String(n)) };
        const { stdout } = await go.ok(["mod", "download", "-json", helloV1], { env });
        return JSON.parse(stdout) as { Sum: string; Zip: string };
      }),
    );
    assert.equal(sums[0]?.Sum, sums[1]?.Sum);
    const [one, two] = await Promise.all(sums.map(({ Zip }) => readFile(Zip)));
    assert.notDeepEqual(one, two);
  });

  test("go finds its way by http_proxy as well as by HTTP_PROXY", async (t) => {
    const room = await mythRoom(t, { modules: [] });
    if (room === undefined) return;
    for (const spell of [(name: string) => name, (name: string) => name.toLowerCase()]) {
      const internet = await startInternet(t);
      const env = Object.fromEntries(Object.entries(internet.env).map(([name, value]) => [spell(name), value]));
      await room.go.run(["mod", "download", helloV1], {
        env: { NO_PROXY: "", ...env, GOPROXY: "http://proxy.example" },
      });
      assert.deepEqual(internet.asked, [`GET http://proxy.example/${hello}/@v/v1.0.0.info`]);
    }
  });
});
