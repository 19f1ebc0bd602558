// The product behind an egress proxy: what the proxy saw, what the record says, and a start that is refused.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { egressProxy, listen, makeAuthority } from "../support/loopback.ts";
import { startUpstreams } from "../support/world.ts";

const list = "/example.com/hello/@v/list";

test("an upstream behind a proxy with credentials and a client certificate; every request on record", async (t) => {
  const authority = makeAuthority(t);
  if (authority === undefined) return;
  const { stub } = await startUpstreams();
  atEnd(t, () => stub.close());
  const demanding = { ...authority.issue("up", ["up.test"]), ca: authority.ca, requestCert: true };
  const port = await listen(
    t,
    createTlsServer(demanding, (request, response) => {
      void fetch(`${stub.url}${request.url}`).then(async (answer) => {
        response.writeHead(answer.status).end(await answer.bytes());
      });
    }),
  );
  const proxy = await egressProxy(t, { ports: { "up.test": port }, credentials: "granary:s3cret" });
  const folder = await mkdtemp(join(tmpdir(), "granary-egress-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const pair = authority.issue("granary", []);
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const secret = await write("secret", proxy.url.replace("http://", "http://granary:s3cret@"));
  const config = await write(
    "granary.yaml",
    `egress: file:${secret}
egressStrict: on
egressAudit: on
upstreams:
  up:
    url: https://up.test
    ca: ${await write("ca.pem", authority.ca)}
    clientCert: ${await write("cert.pem", pair.cert)}
    clientKey: ${await write("key.pem", pair.key)}
`,
  );
  const store = join(folder, "store");
  const granary = await startGranary({ upstream: "https://up.test", flags: [`--config=${config}`], store });
  atEnd(t, () => granary.stop());
  const answer = await fetch(granary.url + list);
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "v1.0.0\nv1.1.0\nv1.2.0-rc.1\n");
  assert.deepEqual(new Set(proxy.seen), new Set(["CONNECT up.test:443"]));

  const metrics = await (await fetch(`${granary.url}/-/metrics`)).text();
  assert.match(metrics, /^granary_upstream_new_connections_total [1-9]/m);
  assert.match(metrics, /^granary_upstream_idle_connections [1-9]/m);
  assert.match(metrics, /^granary_upstream_reuse_ratio /m);

  const shown = await runGranary(["config", "print", `--config=${config}`]);
  assert.equal(shown.code, 0);
  assert.doesNotMatch(shown.stdout, /s3cret/);
  await granary.stop();
  const record = await readFile(join(store, "state/events.jsonl"), "utf8");
  assert.match(
    record,
    new RegExp(`"egress.connected","upstream":"up","host":"up.test:443","via":"${new URL(proxy.url).host}"`),
  );
  assert.doesNotMatch(granary.stderr() + record, /s3cret/);
});

test("each connection and, with egressAudit, each request is a line of state/events.jsonl", async (t) => {
  const { stub } = await startUpstreams();
  atEnd(t, () => stub.close());
  const store = await mkdtemp(join(tmpdir(), "granary-egress-"));
  atEnd(t, () => rm(store, { recursive: true }));
  const env = { GRANARY_EGRESS_AUDIT: "on", GRANARY_EGRESS: "direct", HTTP_PROXY: "http://127.0.0.1:1" };
  const granary = await startGranary({ upstream: stub.url, store, env });
  atEnd(t, () => granary.stop());
  await (await fetch(granary.url + list)).text();
  await granary.stop();
  const lines = (await readFile(join(store, "state/events.jsonl"), "utf8")).trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const host = new URL(stub.url).host;
  const connected = events.find(({ name }) => name === "egress.connected");
  assert.deepEqual([connected?.["host"], connected?.["via"], connected?.["address"]], [host, "direct", "127.0.0.1"]);
  const request = events.find(({ name, path }) => name === "egress.request" && path === list);
  assert.ok(request !== undefined);
  assert.deepEqual(
    [request["method"], request["host"], request["status"], request["outcome"], request["bytes"]],
    ["GET", host, 200, "ok", 26],
  );
});

test("egressStrict without egress: no start, and the code says why", async () => {
  const { code, stderr } = await runGranary(["serve", "--listen=127.0.0.1:0"], { GRANARY_EGRESS_STRICT: "on" });
  assert.equal(code, 3);
  assert.match(stderr, /GRANARY_EGRESS_UNSET/);
});

test("a proxy variable that cannot be used: no start, and its value is not shown", async () => {
  const { code, stderr } = await runGranary(["serve", "--listen=127.0.0.1:0"], { HTTPS_PROXY: "socks5://me:s3cret@p" });
  assert.equal(code, 2);
  assert.match(stderr, /GRANARY_BAD_CONFIG/);
  assert.doesNotMatch(stderr, /s3cret/);
});
