// The agent: what it adds, what it leaves out, whom it serves, and what it says when the company's server does not answer.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as send } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startCommand } from "../support/granary.ts";
import { listen } from "../support/loopback.ts";
import { readModuleFixtures } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";

const secret = "grn_0123abcd_S3cretS3cretS3cret";
const base = "/example.com/hello/@v/v1.0.0";

async function tokenFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-agent-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "token");
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

async function startAgent(t: TestContext, url: string, flags: readonly string[] = []) {
  const agent = await startCommand(["agent", "--listen=127.0.0.1:0", "--url", url, ...flags]);
  atEnd(t, () => agent.stop());
  return agent;
}

/** A company's server that does what it is told. */
async function startServer(t: TestContext, handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler);
  return { server, url: `http://127.0.0.1:${await listen(t, server)}` };
}

test("bytes come through as they are, with a token that go never had, and go's own is left behind", async (t) => {
  const seen: IncomingMessage["headers"][] = [];
  const stub = await startStubUpstream({
    modules: readModuleFixtures(),
    onRequest: (_, { headers }) => seen.push(headers),
  });
  atEnd(t, () => stub.close());
  const file = await tokenFile(t);
  const agent = await startAgent(t, stub.url, ["--token-file", file]);
  for (const ending of [".info", ".mod", ".zip"]) {
    const answer = await fetch(agent.url + base + ending, { headers: { authorization: "Bearer of-go" } });
    assert.equal(answer.status, 200);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(stub.bytes(base + ending)));
  }
  const whole = Buffer.from(stub.bytes(`${base}.zip`));
  const part = await fetch(`${agent.url}${base}.zip`, { headers: { range: "bytes=100-" } });
  assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer())], [206, whole.subarray(100)]);
  const head = await fetch(`${agent.url}${base}.zip`, { method: "HEAD" });
  assert.equal(Number(head.headers.get("content-length")), whole.length);
  assert.equal((await fetch(`${agent.url}/example.com/nothing/@v/list`)).status, 404);
  assert.ok(seen.every(({ authorization }) => authorization === `Bearer ${secret}`));
  await agent.stop();
  assert.ok(!`${agent.stdout()}${agent.stderr()}`.includes("S3cret"));
});

test("another token in the file is taken without a restart", async (t) => {
  const seen: (string | undefined)[] = [];
  const { url } = await startServer(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end("v1.0.0\n");
  });
  const file = await tokenFile(t);
  const agent = await startAgent(t, url, ["--token-file", file]);
  await (await fetch(`${agent.url}/example.com/hello/@v/list`)).text();
  assert.deepEqual(seen, [`Bearer ${secret}`]);
  await writeFile(file, "another\n");
  while (seen.at(-1) !== "Bearer another") {
    await (await fetch(`${agent.url}/example.com/hello/@v/list`)).text();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test("what is no module and no database is not passed on, nor are other methods or a stranger's Host", async (t) => {
  let requests = 0;
  const { url } = await startServer(t, (_, response) => {
    requests++;
    response.end();
  });
  const agent = await startAgent(t, url);
  const { port } = new URL(agent.url);
  const hosted = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = send({ port, path: `${base}.mod`, headers: { host } }, (response) => {
        resolve(response.resume().statusCode ?? 0);
      });
      asked.on("error", reject).end();
    });
  for (const path of ["/-/api/refresh/x", "/-/metrics", "/", "/nonsense"])
    assert.equal((await fetch(agent.url + path)).status, 404, path);
  assert.equal((await fetch(`${agent.url}${base}.mod`, { method: "POST", body: "x" })).status, 405);
  assert.equal(await hosted("rebound.example:3128"), 400);
  assert.equal(requests, 0);
  assert.equal(await hosted(`localhost:${port}`), 200);
  assert.equal(requests, 1);
  assert.equal(await (await fetch(`${agent.url}/-/livez`)).text(), "ok\n");
});

test("a server that is away, or breaks off: an error with a code, or a broken body, never a clean end", async (t) => {
  const { server, url } = await startServer(t, (request, response) => {
    if (request.url?.endsWith(".zip") !== true) return void response.destroy();
    response.writeHead(200, { "content-length": "1000000" });
    response.write("PK");
    setTimeout(() => response.destroy(), 50);
  });
  const agent = await startAgent(t, url);
  const broken = await fetch(`${agent.url}${base}.mod`);
  assert.equal(broken.status, 502);
  assert.match(await broken.text(), /^GRANARY_AGENT_FAILED: [^\n]*v1\.0\.0\.mod[^\n]*127\.0\.0\.1/);
  await assert.rejects(async () => await (await fetch(`${agent.url}${base}.zip`)).arrayBuffer());
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const away = await fetch(`${agent.url}${base}.mod`);
  assert.equal(away.status, 502);
  assert.match(await away.text(), /cannot be reached/);
});

test("a redirect is followed, and the token stays behind", async (t) => {
  const seen: (string | undefined)[] = [];
  const files = await startServer(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end("module example.com/hello\n");
  });
  const { url } = await startServer(t, (_, response) => {
    response.writeHead(302, { location: `${files.url}/blob` }).end();
  });
  const agent = await startAgent(t, url, ["--token-file", await tokenFile(t)]);
  assert.equal(await (await fetch(`${agent.url}${base}.mod`)).text(), "module example.com/hello\n");
  assert.deepEqual(seen, [undefined]);
});

test("a client that leaves ends the request to the server", async (t) => {
  const left = Promise.withResolvers<undefined>();
  const { url } = await startServer(t, (_, response) => {
    response.once("close", () => left.resolve(undefined));
    response.writeHead(200, { "content-length": "1000000" });
    response.write("PK");
  });
  const agent = await startAgent(t, url);
  const raw = connect(Number(new URL(agent.url).port), "127.0.0.1");
  raw.write(`GET ${base}.zip HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  raw.once("data", () => raw.destroy());
  await left.promise;
});

test("what would lend the credential to strangers, or could not work, is refused at the start", async (t) => {
  const file = await tokenFile(t);
  for (const [flags, why] of [
    [["--url", "https://proxy.example", "--listen", "0.0.0.0:0"], /GRANARY_AGENT_EXPOSED/],
    [["--url", "https://proxy.example", "--listen", ":3128"], /GRANARY_AGENT_EXPOSED/],
    [["--url", "https://proxy.example", "--listen", "[::]:0"], /GRANARY_AGENT_EXPOSED/],
    [["--url", "http://proxy.example", "--token-file", file], /GRANARY_TOKEN_NEEDS_TLS/],
    [["--url", "https://me:S3cret@proxy.example"], /--url does not take "…"/],
    [["--url", "http://127.0.0.1:3128"], /--url does not take/],
    [["--url", "ftp://proxy.example"], /--url does not take/],
    [["--url", "https://proxy.example", "--cert", file], /--key/],
    [["--url", "http://proxy.example", "--cert", file, "--key", file], /--url does not take/],
    [["--url", "https://proxy.example", "--cert", file, "--key", file], /GRANARY_TLS_UNREADABLE/],
    [["--url", "https://proxy.example", "--token-file", `${file}.none`], /GRANARY_SECRET_UNREADABLE/],
    [[], /--url is missing/],
  ] as const) {
    const { code, stderr } = await runGranary(["agent", ...flags]);
    assert.notEqual(code, 0, flags.join(" "));
    assert.match(stderr, why);
    assert.ok(!stderr.includes("S3cret"));
  }
});

test("beyond this machine only when that is said", async (t) => {
  const { url } = await startServer(t, (_, response) => response.end("v1.0.0\n"));
  const agent = await startCommand(["agent", "--listen", "0.0.0.0:0", "--expose", "--url", url]);
  atEnd(t, () => agent.stop());
  const { port } = new URL(agent.url);
  const status = await new Promise((resolve, reject) => {
    const headers = { host: `agent.corp.example:${port}` };
    send({ port, path: "/example.com/hello/@v/list", headers }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
  assert.equal(status, 200);
});
