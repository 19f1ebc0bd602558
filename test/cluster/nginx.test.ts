// What `granary gen nginx` makes, in a real nginx in front of two nodes: what a client gets through it is what it would get
// from a node, byte for byte; what may be kept is kept; and one node, or both, may be gone.
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { SecureVersion } from "node:tls";
import { nginxConfig } from "#services/generate/nginx.ts";
import type { NginxOptions } from "#services/generate/nginx.ts";
import { atEnd } from "../support/at-end.ts";
import { makeCertificate } from "../support/certificate.ts";
import type { Certificate } from "../support/certificate.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import { runGranary } from "../support/granary.ts";
import { listen } from "../support/loopback.ts";
import { someBytes } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import { frontOptions, startFront, startNodes } from "../support/nodes.ts";
import { converse, parseAnswers } from "../support/raw-socket.ts";
import { missingNginx, testNginx } from "../support/servers/nginx.ts";
import { serverFolder } from "../support/servers/server.ts";

const skip = missingNginx() ?? false;
const zip = "/example.com/hello/@v/v1.0.0.zip";
const secret = makeModule({ path: "corp.example/secret", version: "v1.0.0" });
/** Nothing that happens by itself: what upstreams are asked is what the test asked for. */
const quiet = { GRANARY_PREFETCH: "off", GRANARY_LIMITS_DRAIN: "5s" };

/** fetch() adds `no-cache` to conditional requests; go does not. */
const asGo = { "Cache-Control": "max-age=600" };

suite("granary gen nginx", { skip }, () => {
  test("nginx takes every variant of it", async (t) => {
    const folder = await serverFolder(t, "variants");
    const certificate = await certificateIn(t, folder);
    if (certificate === undefined) return;
    const plain = frontOptions([{ port: 8080 }, { port: 8081 }], 18_080);
    const tls = { ...certificate, profile: "hardened", http2: "listen" } as const;
    const cache = { dir: join(folder, "cache"), size: "10g", zone: "10m" };
    const variants: Readonly<Record<string, NginxOptions>> = {
      "one node, plain": frontOptions([{ port: 8080 }], 18_080),
      "two nodes, plain": plain,
      cache: { ...plain, cache },
      hardened: { ...plain, tls },
      compat: { ...plain, tls: { ...tls, profile: "compat" }, cache },
      "without HTTP/2": { ...plain, tls: { ...tls, http2: "off" } },
      "nodes with TLS": {
        ...plain,
        tls,
        nodes: plain.nodes.map((node) => ({ ...node, isTls: true })),
        nodeTrust: { ca: certificate.cert, name: "go.example.com" },
        serverName: "*.example.com",
      },
    };
    for (const [name, options] of Object.entries(variants)) {
      const file = join(folder, "nginx.conf");
      await writeFile(file, `pid ${folder}/pid;\nevents { }\nhttp {\n${nginxConfig(options)}\n}\n`);
      const { isGood, said } = testNginx(folder, file);
      assert.ok(isGood && !said.includes("[warn]"), `${name}: ${said}`);
    }
  });

  test("the command has it checked, writes it, and does not write what nginx refuses", async (t) => {
    const folder = await serverFolder(t, "command");
    const out = join(folder, "granary.conf");
    const args = ["gen", "nginx", "--node", "127.0.0.1:8080", "--test", "--out", out];
    const good = await runGranary([...args, "--cache", join(folder, "cache")]);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stderr, /nginx 1\.\S+ takes it/);
    assert.match(await readFile(out, "utf8"), /least_conn/);
    assert.deepEqual(await readdir(folder), ["granary.conf"], "a test leaves nothing behind");

    const before = await readFile(out, "utf8");
    const bad = await runGranary([...args, "--tls-cert", join(folder, "none"), "--tls-key", join(folder, "none")]);
    assert.equal(bad.code, 1, bad.stderr);
    assert.match(bad.stderr, /refuses it[^]*cannot load certificate/);
    assert.equal(await readFile(out, "utf8"), before);

    await writeFile(out, "# mine\n");
    const taken = await runGranary(args);
    assert.equal(taken.code, 3, taken.stderr);
    assert.match(taken.stderr, /GRANARY_FILE_EXISTS/);
    assert.equal(await readFile(out, "utf8"), "# mine\n");
  });
});

suite("nodes behind nginx", { skip }, () => {
  test("targets and headers reach a node byte for byte", async (t) => {
    const seen: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        seen.push(chunk.toString("latin1"));
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      });
    });
    const front = await startFront(t, [{ port: await listen(t, server) }], { cache: undefined });
    const targets = [
      "/example.com/%21upper/%21case/@v/v1.0.0-%21r%21c1.info",
      "/example.com/!upper/!case/@v/v1.0.0-!r!c1.info",
      "/example.com/old/@v/v2.0.0+incompatible.info",
      "/example.com/old/@v/v2.0.0%2Bincompatible.info",
      "/sumdb/sum.golang.org/lookup/example.com/old@v2.0.0+incompatible",
      "/example.com//double/@v/list",
      "/example.com/%2e%2e/x/@v/list",
      "/example.com/a%2Fb/@v/list?x=1",
      "/example.com/%E4%B8%AD/@v/list",
    ];
    for (const target of targets) {
      seen.length = 0;
      const text = `GET ${target} HTTP/1.1\r\nHost: go.example.com\r\nRange: bytes=0-1\r\nIf-Range: "a"\r\nIf-None-Match: "b"\r\nDisable-Module-Fetch: true\r\nCache-Control: no-cache\r\nX-Granary-Hops: here\r\nConnection: close\r\n\r\n`;
      await converse(front.url, text);
      const [head = ""] = seen;
      assert.equal(head.split("\r\n")[0], `GET ${target} HTTP/1.1`);
      for (const line of [
        "Range: bytes=0-1",
        'If-Range: "a"',
        'If-None-Match: "b"',
        "Disable-Module-Fetch: true",
        "Cache-Control: no-cache",
        "X-Granary-Hops: here",
        "X-Forwarded-For: 127.0.0.1",
        "Host: go.example.com",
      ])
        assert.ok(head.includes(`\r\n${line}\r\n`), `${target}: no ${line} in ${head}`);
    }
  });

  test("a client gets what it would get from a node, and most of it from nginx's cache", async (t) => {
    const { nodes, stub } = await startNodes(t, { count: 2, env: quiet });
    const front = await startFront(t, nodes);
    const direct = await fetch(`${nodes[0]?.url}${zip}`);
    const bytes = Buffer.from(await direct.arrayBuffer());

    const first = await fetch(front.url + zip);
    assert.equal(first.headers.get("x-cache-status"), "MISS");
    assert.deepEqual(Buffer.from(await first.arrayBuffer()), bytes);
    for (const name of ["etag", "cache-control", "content-type", "content-length", "accept-ranges"])
      assert.equal(first.headers.get(name), direct.headers.get(name), name);
    assert.match(first.headers.get("x-go-proxy-cache") ?? "", /^(HIT|MISS)$/);
    assert.match(first.headers.get("x-go-proxy-status") ?? "", /^\S+\|\S+$/);

    const etag = first.headers.get("etag") ?? "";
    const again = await fetch(front.url + zip, { headers: { "If-None-Match": etag, ...asGo } });
    assert.equal(again.status, 304);
    assert.equal(again.headers.get("etag"), etag);
    assert.equal(again.headers.get("x-cache-status"), "HIT");
    assert.equal(again.headers.get("x-go-proxy-status"), "-|HIT");
    assert.equal(again.headers.get("x-go-proxy-cache"), "HIT");
    const part = await fetch(front.url + zip, { headers: { Range: "bytes=2-5", "If-Range": etag, ...asGo } });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(2, 6));
    const head = await fetch(front.url + zip, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), String(bytes.length));
    assert.equal(head.headers.get("x-cache-status"), "HIT");

    // The same through nginx for each way to write a name; each node asked at most once for what it keeps.
    for (const target of [
      "/example.com/%21upper/%21case/@v/v1.0.0-%21r%21c1.info",
      "/example.com/old/@v/v2.0.0+incompatible.info",
    ])
      assert.equal((await fetch(front.url + target)).status, 200, target);
    const raw = "GET /example.com/!upper/!case/@v/v1.0.0-!r!c1.mod HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert.equal(parseAnswers(await converse(front.url, raw))[0]?.status, 200);
    assert.ok(stub.requests(zip) <= 2);

    // An absence is the node's word each time, an error too; neither is nginx's to repeat.
    for (let time = 0; time < 2; time++) {
      const absent = await fetch(`${front.url}/example.com/nowhere/@v/v1.0.0.info`);
      assert.equal(absent.status, 404);
      assert.equal(absent.headers.get("x-cache-status"), "MISS");
    }
    // A client may ask past the cache; what comes is the newest there.
    const anew = await fetch(`${front.url}/example.com/hello/@v/list`, { headers: { "Cache-Control": "no-cache" } });
    assert.equal(anew.headers.get("x-cache-status"), "BYPASS");
  });

  test("the house stays inside: metrics, status and API are not to be had through nginx", async (t) => {
    const { nodes } = await startNodes(t, { count: 1, env: quiet });
    const front = await startFront(t, nodes);
    const closed = [
      "/",
      "/-/",
      "/metrics",
      "/-/metrics",
      "/-/api/status",
      "/-/explain/x",
      "/%2d/metrics",
      "/-/chunks/../metrics",
      "/-/%6detrics",
    ];
    for (const target of closed) {
      const [answer] = parseAnswers(
        await converse(front.url, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
      );
      assert.ok(answer?.status === 404 && answer.body.startsWith("Ask each node"), `${target}: ${answer?.status}`);
    }
    for (const target of ["/-/livez", "/-/readyz", "/health"])
      assert.equal((await fetch(front.url + target)).status, 200, target);
  });

  test("private modules: a token opens them through nginx, and nothing of them is ever in its folder", async (t) => {
    const marker = `only-for-us-${"x".repeat(40)}`;
    const module = makeModule({
      path: secret.path,
      version: "v1.0.0",
      files: {
        "go.mod": `module ${secret.path}\n`,
        "a.go": `package a // ${marker}\n`,
        "b.bin": Buffer.from(someBytes(3 << 20, 5)).toString("base64"),
      },
    });
    const { nodes, corp } = await startNodes(t, { count: 1, secrets: [module], env: quiet });
    const front = await startFront(t, nodes);
    const made = await runGranary(["token", "add", "--scope=read", `--store=${nodes[0]?.store}`]);
    const token = /grn_\w+?_[\w-]+/.exec(made.stdout)?.[0] ?? "";
    await passed(2_500); // the server looks for new tokens every two seconds
    const authorization = { Authorization: `Bearer ${token}` };
    const files = ["list", "v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip"].map((name) => `/${module.path}/@v/${name}`);
    for (const file of files) {
      // nginx and the node are on one machine here: without X-Forwarded-For everybody would be this machine's user.
      assert.equal((await fetch(front.url + file)).status, 401, file);
      assert.equal((await fetch(front.url + file, { headers: { Host: "localhost" } })).status, 401, file);
      const answer = await fetch(front.url + file, { headers: authorization });
      assert.equal(answer.status, 200, file);
      assert.equal(answer.headers.get("x-cache-status"), "BYPASS");
      assert.equal(answer.headers.get("cache-control"), "private, no-store");
      await answer.arrayBuffer();
      assert.equal((await fetch(front.url + file)).status, 401, `${file} after somebody had it`);
    }
    assert.ok(corp.requests(files[3] ?? "") >= 1);
    assert.deepEqual(await filesBelow(front.folder), ["nginx.conf", "nginx.pid"]);
    // Public ones are stored, but not what somebody with a token asked for.
    await (await fetch(front.url + zip, { headers: authorization })).arrayBuffer();
    assert.deepEqual(await filesBelow(front.cacheDir), []);
    await (await fetch(front.url + zip)).arrayBuffer();
    assert.equal((await filesBelow(front.cacheDir)).length, 1);
  });

  test("load goes to both; one is killed and no request fails; both are gone and what was stored is served", async (t) => {
    const modules = Array.from({ length: 30 }, (_, at) =>
      makeModule({ path: `example.com/m${at}`, version: "v1.0.0" }),
    );
    const { nodes } = await startNodes(t, { count: 2, modules, env: quiet });
    const [one, other] = nodes;
    const front = await startFront(t, nodes);
    const uncached = await startFront(t, nodes, { cache: undefined });
    const infos = modules.map(({ path }) => `/${path}/@v/v1.0.0.info`);
    const all = async (url: string): Promise<number[]> =>
      await Promise.all(infos.map(async (path) => (await drained(await fetch(url + path))).status));
    assert.ok((await all(uncached.url)).every((status) => status === 200));
    for (const node of nodes) {
      const metrics = await (await fetch(`${node.url}/-/metrics`)).text();
      const asked = Number(/granary_requests_total\{[^}]*kind="info"[^}]*\} (\d+)/.exec(metrics)?.[1] ?? 0);
      assert.ok(asked >= 8, `${node.url} had ${asked} of 30 requests`);
    }
    assert.ok((await all(front.url)).every((status) => status === 200));

    const statuses: number[] = [];
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!isOver) statuses.push(...(await all(uncached.url)));
      }),
    );
    await passed(300);
    await one?.kill();
    await passed(1_500);
    isOver = true;
    await load;
    assert.ok(statuses.length > 100, `${statuses.length} requests`);
    assert.deepEqual(
      statuses.filter((status) => status !== 200),
      [],
    );

    await other?.kill();
    const stale = await fetch(front.url + (infos[0] ?? ""));
    assert.equal(stale.status, 200, "both gone");
    // Fresh for 300 s, so this is a hit; a list is old after 60 s, `no-cache` has it looked for at once.
    const unknown = await fetch(`${front.url}/example.com/never/@v/list`);
    assert.equal(unknown.status, 502, "what nobody asked for is doubt, not absence");
    assert.equal((await fetch(uncached.url + (infos[0] ?? ""))).status, 502);

    // Both back: at once, though both count as failed.
    await Promise.all([one?.start(), other?.start()]);
    assert.ok((await all(uncached.url)).every((status) => status === 200));
  });

  test("what is stored and has grown old is served while no node answers", async (t) => {
    const { nodes } = await startNodes(t, { count: 1, env: { ...quiet, GRANARY_FRESHNESS_LIST: "1s" } });
    const front = await startFront(t, nodes);
    const list = `${front.url}/example.com/hello/@v/list`;
    const body = await (await fetch(list)).text();
    await passed(2_100);
    await nodes[0]?.kill();
    const stale = await fetch(list);
    assert.equal(stale.status, 200);
    assert.equal(stale.headers.get("x-cache-status"), "STALE");
    assert.equal(stale.headers.get("x-go-proxy-status"), "-|STALE");
    assert.equal(await stale.text(), body);
  });

  test("a module that is broken upstream takes no node out of service", async (t) => {
    const { nodes, stub } = await startNodes(t, { count: 2, env: quiet });
    stub.fault(/broken/, { kind: "status", status: 403, body: "no\n" });
    const front = await startFront(t, nodes, { cache: undefined });
    const ask = async (path: string): Promise<number> => (await drained(await fetch(front.url + path))).status;
    const before = stub.requests(/broken/);
    const broken = await Promise.all(
      Array.from({ length: 8 }, (_, at) => ask(`/example.com/broken${at}/@v/v1.0.0.info`)),
    );
    assert.ok(
      broken.every((status) => status === 502),
      broken.join(),
    );
    const asked = stub.requests(/broken/) - before;
    assert.ok(asked <= 8 * 4, `${asked} requests for 8 broken modules: each was tried at one node`);
    assert.equal(await ask("/example.com/hello/@v/v1.0.0.info"), 200);
  });

  test("TLS: 1.3 alone unless asked otherwise, HTTP/2, and go builds through it", async (t) => {
    const folder = await serverFolder(t, "tls");
    const certificate = await certificateIn(t, folder);
    if (certificate === undefined) return;
    const { nodes, gosumdb } = await startNodes(t, { count: 2, env: quiet });
    const tls = { ...certificate, profile: "hardened", http2: "listen" } as const;
    const hardened = await startFront(t, nodes, { tls });
    const compat = await startFront(t, nodes, { tls: { ...tls, profile: "compat" } });
    const noHttp2 = await startFront(t, nodes, { tls: { ...tls, http2: "off" } });
    assert.deepEqual(await handshake(hardened.port, "TLSv1.2"), { failed: true });
    assert.deepEqual(await handshake(hardened.port, "TLSv1.3"), { protocol: "TLSv1.3", alpn: "h2" });
    assert.deepEqual(await handshake(compat.port, "TLSv1.2"), { protocol: "TLSv1.2", alpn: "h2" });
    assert.deepEqual(await handshake(compat.port, "TLSv1.2", "AES256-SHA:ECDHE-RSA-AES256-SHA384"), { failed: true });
    assert.deepEqual(await handshake(noHttp2.port, "TLSv1.3"), { protocol: "TLSv1.3", alpn: "http/1.1" });
    assert.equal(await statusOverTls(hardened.port, "/-/readyz", await readFile(certificate.cert)), 200);

    const tool = await needsGo(t);
    if (tool === undefined) return;
    const client = await newGoClient(tool, {
      GOPROXY: hardened.url,
      GOSUMDB: gosumdb,
      SSL_CERT_FILE: certificate.cert,
    });
    atEnd(t, () => client.remove());
    for (const what of [
      "example.com/hello@v1.1.0",
      "example.com/Upper/Case@v1.0.0-RC1",
      "example.com/old@v2.0.0+incompatible",
    ])
      await client.ok(["mod", "download", what]);
    const work = join(client.home, "work");
    await writeFile(join(work, "go.mod"), "module example.com/build\n\ngo 1.21\n\nrequire example.com/hello v1.0.0\n");
    await client.ok(["mod", "download", "-x", "all"], { cwd: work });
    assert.match(await readFile(join(work, "go.sum"), "utf8"), /example\.com\/hello v1\.0\.0 h1:/);
  });
});

async function certificateIn(t: TestContext, folder: string): Promise<Certificate | undefined> {
  const made = await makeCertificate(folder, "go.example.com", ["localhost"]);
  if (made === undefined) t.skip("LOUD: no openssl here, the TLS cases did not run");
  return made;
}

async function drained(response: Response): Promise<Response> {
  await response.arrayBuffer();
  return response;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

type Handshake = { readonly failed: true } | { readonly protocol: string | null; readonly alpn: string | false | null };

function handshake(port: number, version: SecureVersion, ciphers?: string): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      minVersion: version,
      maxVersion: version,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
      ...(ciphers !== undefined && { ciphers }),
    });
    socket.once("secureConnect", () => {
      resolve({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol });
      socket.destroy();
    });
    socket.once("error", () => resolve({ failed: true }));
  });
}

function statusOverTls(port: number, path: string, ca: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, ca }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    })
      .once("error", reject)
      .end();
  });
}
