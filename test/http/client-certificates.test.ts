// Client certificates: who gets in, who is told why not, and what the operation log says of each.
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { connect as connectHttp2, constants } from "node:http2";
import { Agent, get } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { atEnd } from "../support/at-end.ts";
import { makeCorp, operationsIn } from "../support/corp.ts";
import type { Corp, Pair } from "../support/corp.ts";
import { runGranary, startCommand } from "../support/granary.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

type Guarded = { readonly corp: Corp; readonly world: World; readonly port: number; readonly logs: string };

async function startGuarded(t: TestContext, flags: readonly string[] = []): Promise<Guarded | undefined> {
  const corp = await makeCorp(t);
  if (corp === undefined) return undefined;
  const logs = join(corp.folder, "logs");
  const world = await startWorld({ flags: [...corp.flags, `--logdir=${logs}`, ...flags] });
  atEnd(t, () => world.close());
  return { corp, world, logs, port: Number(new URL(world.granary.url).port) };
}

type Answer = { readonly status: number; readonly body: string };

function ask(port: number, path: string, options: { readonly corp: Corp; readonly pair?: Pair }): Promise<Answer> {
  const { corp, pair } = options;
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
    const tls = { ca: corp.ca, ...(pair && { cert: pair.cert, key: pair.key }), agent };
    get({ host: "localhost", port, path, ...tls }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    }).on("error", reject);
  });
}

const mod = "/example.com/hello/@v/v1.0.0.mod";

test("answer: 403 with a code for nobody's and strangers' requests, whatever they ask; colleagues get in", async (t) => {
  const guarded = await startGuarded(t);
  if (guarded === undefined) return;
  const { corp, port, logs } = guarded;
  assert.equal((await ask(port, mod, { corp, pair: corp.alice })).status, 200);
  // Ready-made by now: the gate comes before the cache.
  for (const path of [mod, "/-/metrics", "/-/livez", "/nonsense", "/sumdb/sum.example.test/latest"]) {
    const nobody = await ask(port, path, { corp });
    assert.equal(nobody.status, 403, path);
    assert.match(nobody.body, /^GRANARY_CLIENT_CERTIFICATE: .*none was shown/);
    const stranger = await ask(port, path, { corp, pair: corp.eve });
    assert.equal(stranger.status, 403, path);
    assert.match(stranger.body, /^GRANARY_CLIENT_CERTIFICATE: .*not accepted here \([A-Z_]+\)/);
  }
  const operations = await operationsIn(logs, 11);
  assert.deepEqual(
    operations.slice(0, 2).map(({ subject, method, path, status }) => ({ subject, method, path, status })),
    [
      { subject: "CN=alice", method: "GET", path: mod, status: 200 },
      { subject: undefined, method: "GET", path: mod, status: 403 },
    ],
  );
  const first = operations[0];
  assert.equal(first?.["bytes"], Buffer.byteLength((await ask(port, mod, { corp, pair: corp.alice })).body));
  assert.match(String(first["client"]), /^(::ffff:)?127\.0\.0\.1$|^::1$/);
  assert.ok(Date.parse(String(first["time"])) > 0 && Number(first["ms"]) >= 0);
});

test("HTTP/2: each connection's own certificate, one stream after the other", async (t) => {
  const guarded = await startGuarded(t);
  if (guarded === undefined) return;
  const { corp, port, logs } = guarded;
  const statusOf = (pair: Pair | undefined): Promise<number[]> => {
    const tls = { ca: corp.ca, ...(pair && { cert: pair.cert, key: pair.key }) };
    const session = connectHttp2(`https://localhost:${port}`, tls);
    atEnd(t, () => session.destroy());
    const one = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ [constants.HTTP2_HEADER_PATH]: mod });
        stream.on("response", (head) => resolve(Number(head[":status"])));
        stream.on("error", reject).resume().end();
      });
    return Promise.all([one(), one(), one()]);
  };
  assert.deepEqual(await statusOf(corp.alice), [200, 200, 200]);
  assert.deepEqual(await statusOf(undefined), [403, 403, 403]);
  assert.deepEqual(await statusOf(corp.eve), [403, 403, 403]);
  const { body } = await ask(port, mod, { corp, pair: corp.alice });
  const operations = (await operationsIn(logs, 10)).filter(({ status }) => status === 200);
  assert.deepEqual(
    operations.map(({ subject, bytes, cut }) => ({ subject, bytes, cut })),
    Array.from({ length: 4 }, () => ({ subject: "CN=alice", bytes: Buffer.byteLength(body), cut: undefined })),
  );
});

/** One HTTP/1.1 exchange over a TLS connection of the given kind; sessions that the server offers are collected. */
function exchange(port: number, options: ConnectionOptions, sessions: Buffer[] = []): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "localhost", port, ALPNProtocols: ["http/1.1"], ...options }, () => {
      socket.write(`GET ${mod} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    });
    let said = "";
    socket.once("secureConnect", () => assert.equal(socket.isSessionReused(), false, "sessions are not resumed"));
    socket.on("session", (session) => sessions.push(session));
    socket.setEncoding("utf8").on("data", (text: string) => (said += text));
    socket.on("error", () => resolve(said.split("\r\n", 1)[0] ?? ""));
    socket.on("close", () => resolve(said.split("\r\n", 1)[0] ?? ""));
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(`${version}: a resumed session without a certificate is nobody's`, async (t) => {
    const guarded = await startGuarded(t);
    if (guarded === undefined) return;
    const { corp, port } = guarded;
    const sessions: Buffer[] = [];
    // What any TLS client may try; Node 20 and older would then call it authorized.
    const options = { ca: corp.ca, minVersion: version, maxVersion: version };
    assert.equal(await exchange(port, options, sessions), "HTTP/1.1 403 Forbidden");
    for (const session of [...sessions])
      assert.equal(await exchange(port, { ...options, session }), "HTTP/1.1 403 Forbidden");
    const { cert, key } = corp.alice;
    assert.equal(await exchange(port, { ...options, cert, key }), "HTTP/1.1 200 OK");
  });

test("strict: no handshake, and a line in the operation log", async (t) => {
  const guarded = await startGuarded(t, ["--client-auth=strict"]);
  if (guarded === undefined) return;
  const { corp, port, logs } = guarded;
  assert.equal((await ask(port, mod, { corp, pair: corp.alice })).status, 200);
  await assert.rejects(ask(port, mod, { corp }));
  await assert.rejects(ask(port, mod, { corp, pair: corp.eve }));
  const refused = (await operationsIn(logs, 3)).filter((operation) => operation["refused"] !== undefined);
  assert.equal(refused.length, 2);
  assert.ok(refused.every(({ status, path }) => status === 0 && path === ""));
});

test("workers ask for certificates too, and each writes what it answered", async (t) => {
  const guarded = await startGuarded(t, ["--workers=2"]);
  if (guarded === undefined) return;
  const { corp, port, logs } = guarded;
  for (let round = 0; round < 4; round++) {
    assert.equal((await ask(port, mod, { corp, pair: corp.alice })).status, 200);
    assert.equal((await ask(port, mod, { corp })).status, 403);
    assert.equal((await ask(port, mod, { corp, pair: corp.eve })).status, 403);
  }
  const operations = await operationsIn(logs, 12);
  assert.equal(operations.length, 12);
  assert.equal(operations.filter(({ subject, status }) => subject === "CN=alice" && status === 200).length, 4);
});

test("another authority is taken without a restart", async (t) => {
  const guarded = await startGuarded(t);
  const other = guarded && (await makeCorp(t));
  if (guarded === undefined || other === undefined) return;
  const { corp, port } = guarded;
  assert.equal((await ask(port, mod, { corp, pair: other.alice })).status, 403);
  await copyFile(other.caFile, corp.caFile);
  while ((await ask(port, mod, { corp, pair: other.alice })).status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await ask(port, mod, { corp, pair: corp.alice })).status, 403);
});

test("settings that would let anybody in, or nobody, are refused at the start", async (t) => {
  const corp = await makeCorp(t);
  if (corp === undefined) return;
  const empty = join(corp.folder, "empty.pem");
  await writeFile(empty, "no certificate\n");
  const broken = join(corp.folder, "broken.pem");
  await writeFile(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const { certFile, keyFile } = corp.server;
  const store = ["--store", join(corp.folder, "store"), "--listen", "127.0.0.1:0", "--upstream", "off"];
  const pair = ["--tls-cert", certFile, "--tls-key", keyFile];
  for (const [flags, why] of [
    [["--client-ca", corp.caFile], /tls\.cert|--tls-cert/],
    [[...pair, "--client-ca", empty], /no PEM certificate is in it[^]*GRANARY_TLS_UNREADABLE/],
    [[...pair, "--client-ca", broken], /GRANARY_TLS_UNREADABLE/],
    [[...pair, "--client-ca", join(corp.folder, "none.pem")], /GRANARY_TLS_UNREADABLE/],
    [["--sumlog-listen", "127.0.0.1:0"], /sumlog\.key/],
  ] as const) {
    const { code, stderr } = await runGranary(["serve", ...store, ...flags]);
    assert.notEqual(code, 0);
    assert.match(stderr, why);
  }
});

test("sumweb: the root, the tunnel and its pages; a module is somebody else's business", async (t) => {
  const corp = await makeCorp(t);
  if (corp === undefined) return;
  const world = await startWorld({});
  atEnd(t, () => world.close());
  const { database, stub } = world;
  const sumdb = `--sumdb=${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const dir = join(corp.folder, "mirror");
  const sumweb = await startCommand([
    "sumweb",
    "--addr=127.0.0.1:0",
    `--db=${dir}`,
    sumdb,
    `--logdir=${corp.folder}/l`,
  ]);
  atEnd(t, () => sumweb.stop());
  const text = async (path: string): Promise<string> => {
    const answer = await fetch(sumweb.url + path);
    return `${answer.status} ${await answer.text()}`;
  };
  const lookup = "/lookup/example.com/hello@v1.0.0";
  const tunnel = `/sumdb/${database.name}`;
  assert.match(await text(lookup), /^200 \d+\nexample\.com\/hello v1\.0\.0 h1:/);
  for (const path of [lookup, "/latest", "/supported"]) assert.equal(await text(path), await text(tunnel + path));
  const width = (await readFile(join(dir, "latest"), "utf8")).split("\n")[1];
  assert.match(await text(`/tile/8/0/000.p/${width}`), /^200 /);
  assert.match(await text("/-/livez"), /^200 ok/);
  assert.match(await text("/-/readyz"), /^200 ready/);
  assert.ok((await text("/")).includes(database.verifierKey));
  assert.match(await text(mod), /^404 GRANARY_SUMDB_ONLY/);
  assert.match(await text("/sumdb/other.example/latest"), /^404 GRANARY_SUMDB_UNKNOWN/);
  assert.match(await text("/-/metrics"), /^404 GRANARY_SUMDB_ONLY/);
  assert.match(await text("/lookup/nonsense"), /^404 GRANARY_IMPOSSIBLE/);
  assert.equal((await fetch(`${sumweb.url}/latest`, { method: "POST", body: "x" })).status, 405);
  // What it kept is a folder for another one, without any network.
  await sumweb.stop();
  const offline = await startCommand(["sumweb", "-db", dir, "-addr", "127.0.0.1:0"]);
  atEnd(t, () => offline.stop());
  assert.match(await (await fetch(offline.url + lookup)).text(), /example\.com\/hello v1\.0\.0 h1:/);
  const wrong = await runGranary(["sumweb", "-db", dir, "-sumdb", "sum.golang.org", "-addr", "127.0.0.1:0"]);
  assert.match(wrong.stderr, /GRANARY_NOT_A_DATABASE/);
  const none = await runGranary(["sumweb", "-db", join(corp.folder, "nowhere"), "-addr", "127.0.0.1:0"]);
  assert.match(none.stderr, /GRANARY_NOT_A_DATABASE/);
});
