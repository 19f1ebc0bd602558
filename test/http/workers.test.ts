// `--workers N`: several processes on one port, one store, one owner. What clients see must not tell them apart.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { atEnd } from "../support/at-end.ts";
import { makeModule } from "../support/modules.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { startUpstreams, startWorld } from "../support/world.ts";

const workers = "--workers=2";
const stem = "/example.com/hello/@v/v1.0.0";
const files = ["info", "mod", "zip"].map((ext) => `${stem}.${ext}`);

type Got = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** One request; without an agent on a connection of its own, so that the workers take turns. */
function ask(url: string, options: { agent?: Agent; method?: string; headers?: object } = {}): Promise<Got> {
  const { agent = false, method = "GET", headers = {} } = options;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, method, headers: { ...headers } }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (piece: string) => (body += piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject);
  });
}

/** The sum of all samples of one metric. */
async function metric(granary: RunningGranary, name: string): Promise<number> {
  const { body } = await ask(`${granary.url}/-/metrics`);
  const samples = body.split("\n").filter((line) => new RegExp(`^${name}[ {]`).test(line));
  return samples.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

function workerPids(granary: RunningGranary): number[] {
  return [...granary.stderr().matchAll(/worker\.listening pid=(\d+)/g)].map(([, pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A wait that never ends is a failure with a name. */
const limit = { timeout: 120_000 };

/** Waits for something that must come; the test's own time limit says that it did not. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("two hundred clients, one cold version: each file is fetched once across all processes", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  for (const file of files) world.stub.fault(file, { kind: "delay", ms: 300 });
  const agent = new Agent({ maxSockets: 200 });
  atEnd(t, () => agent.destroy());
  const asked = Array.from({ length: 200 }, (_, n) => ask(world.granary.url + (files[n % 3] ?? ""), { agent }));
  const answers = await Promise.all(asked);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(new Set(answers.map(({ headers }) => headers.etag)).size, 3);
  for (const file of files) assert.equal(world.stub.requests(file), 1, file);
});

test("workers answer hits themselves, and the metrics count every request once", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  const { granary } = world;
  assert.equal(await metric(granary, "granary_workers"), 2);
  for (const file of files) await ask(granary.url + file);
  const relayed = await metric(granary, "granary_relayed_requests_total");
  const bodies = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const { headers, body } = await ask(granary.url + (files[round % 3] ?? ""));
    assert.equal(headers["x-go-proxy-cache"], "HIT");
    assert.equal(Object.keys(headers).filter((name) => /reuse|relay/.test(name)).length, 0);
    bodies.add(body);
  }
  assert.equal(bodies.size, 3);
  // Only the scrape itself was passed on.
  assert.equal((await metric(granary, "granary_relayed_requests_total")) - relayed, 1);
  assert.equal(await metric(granary, "granary_requests_total"), 23);
});

test("what only the owner knows is kept ready in the workers too, and a refresh reaches them", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  const { granary, stub } = world;
  const list = `${granary.url}/example.com/dep/@v/list`;
  await until(() => isReadyEverywhere(granary, list));
  assert.equal((await ask(list)).headers["x-go-proxy-cache"], "HIT");
  assert.equal(stub.requests("/example.com/dep/@v/list"), 1);

  stub.add(makeModule({ path: "example.com/dep", version: "v1.9.0" }));
  const token = await addToken(granary, "write");
  const refresh = `${granary.url}/-/api/refresh/example.com/dep`;
  assert.equal((await ask(refresh, { method: "POST" })).status, 401);
  const done = await ask(refresh, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  assert.equal(done.status, 200);
  for (let round = 0; round < 8; round++) assert.match((await ask(list)).body, /^v1\.9\.0$/m);
});

/** Eight connections in a row are answered without the owner: both workers have the answer. */
async function isReadyEverywhere(granary: RunningGranary, url: string): Promise<boolean> {
  const before = await metric(granary, "granary_relayed_requests_total");
  for (let round = 0; round < 8; round++) await ask(url);
  // The scrape itself is passed on.
  return (await metric(granary, "granary_relayed_requests_total")) - before === 1;
}

async function addToken(granary: RunningGranary, scope: string): Promise<string> {
  const { stdout } = await runGranary(["token", "add", `--store=${granary.store}`, `--scope=${scope}`, "--json"]);
  return (JSON.parse(stdout) as { token: string }).token;
}

test("absences are kept ready in the workers, with the id that the owner explains", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  const url = `${world.granary.url}/example.com/nowhere/@v/list`;
  await until(() => isReadyEverywhere(world.granary, url));
  const { status, headers } = await ask(url);
  assert.equal(status, 404);
  const explained = await ask(`${world.granary.url}/-/explain/${String(headers["x-request-id"])}`);
  assert.equal((JSON.parse(explained.body) as { code: string }).code, "GRANARY_NOT_FOUND");
});

test(
  "a killed worker takes nothing with it and is replaced; so are all of them, on the same port",
  limit,
  async (t) => {
    const world = await startWorld({ flags: [workers] });
    atEnd(t, () => world.close());
    const { granary } = world;
    for (const file of files) await ask(granary.url + file);
    await until(async () => (await metric(granary, "granary_requests_total")) === 3);
    const first = workerPids(granary);
    assert.equal(first.length, 2);
    process.kill(first[0] ?? -1, "SIGKILL");
    await until(() => workerPids(granary).length === 3);
    for (const file of files) assert.equal((await ask(granary.url + file)).status, 200);
    assert.equal(await metric(granary, "granary_requests_total"), 6);

    for (const pid of workerPids(granary).slice(1)) process.kill(pid, "SIGKILL");
    await until(() => workerPids(granary).length === 5);
    assert.equal((await ask(granary.url + files[0]!)).status, 200);
    assert.equal(granary.stdout().split("\n").length, 2, granary.stdout());
  },
);

test("SIGTERM lets running answers end and leaves no process behind", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  world.stub.fault(files[2]!, { kind: "delay", ms: 500 });
  const running = ask(world.granary.url + files[2]!);
  await until(() => world.stub.requests(files[2]!) === 1);
  const pids = workerPids(world.granary);
  world.granary.signal("SIGTERM");
  assert.equal((await running).status, 200);
  assert.equal(await world.granary.ended, 0);
  assert.deepEqual(pids.filter(isAlive), []);
});

test("a second SIGTERM stops at once, workers included", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  world.stub.fault(files[2]!, { kind: "stall" });
  const running = ask(world.granary.url + files[2]!).then(
    () => "answered",
    () => "broken",
  );
  await until(() => world.stub.requests(files[2]!) === 1);
  const pids = workerPids(world.granary);
  world.granary.signal("SIGTERM");
  await until(() => world.granary.stderr().includes("drain.started"));
  world.granary.signal("SIGTERM");
  assert.equal(await world.granary.ended, 130);
  assert.equal(await running, "broken");
  await until(() => !pids.some(isAlive));
});

test("workers do not outlive an owner that is killed", limit, async (t) => {
  const world = await startWorld({ flags: [workers] });
  atEnd(t, () => world.close());
  const pids = workerPids(world.granary);
  world.granary.signal("SIGKILL");
  await world.granary.ended;
  await until(() => !pids.some(isAlive));
});

test(
  "a private module is answered to a loopback client through a worker, and never kept ready there",
  limit,
  async (t) => {
    const { stub } = await startUpstreams();
    atEnd(t, () => stub.close());
    const folder = await mkdtemp(join(tmpdir(), "granary-workers-"));
    atEnd(t, () => rm(folder, { recursive: true }));
    const config = join(folder, "granary.yaml");
    await writeFile(config, `upstreams:\n  corp:\n    url: ${stub.url}\n    private: corp.example/*\n`);
    const flags = [workers, `--config=${config}`];
    const granary = await startGranary({ upstream: stub.url, private: "corp.example/*", flags });
    atEnd(t, () => granary.stop());
    for (let round = 0; round < 4; round++) {
      const { status, headers } = await ask(`${granary.url}/corp.example/private/@v/v1.0.0.mod`);
      assert.equal(status, 200);
      assert.match(headers["cache-control"] ?? "", /private, no-store/);
    }
    assert.equal(await metric(granary, "granary_relayed_requests_total"), 5);
    const kept = await ask(`${granary.url}/-/metrics`);
    assert.match(kept.body, /granary_private_names_kept_total\{client="(::ffff:)?127\.0\.0\.1"\} 4/);
  },
);

test("a changed configuration file is in force in the workers", limit, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-workers-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const config = join(folder, "granary.yaml");
  await writeFile(config, "freshness:\n  info: 100s\n");
  const world = await startWorld({ flags: [workers, `--config=${config}`] });
  atEnd(t, () => world.close());
  const url = world.granary.url + files[1]!;
  const lifetimes = async (): Promise<string> => {
    const seen = new Set<string>();
    for (let round = 0; round < 6; round++)
      seen.add(/max-age=\d+/.exec((await ask(url)).headers["cache-control"] ?? "")?.[0] ?? "");
    return [...seen].join();
  };
  assert.equal(await lifetimes(), "max-age=100");
  await writeFile(config, "freshness:\n  info: 200s\n");
  await until(() => world.granary.stderr().includes("config.applied"));
  await until(async () => (await lifetimes()) === "max-age=200");
});

test("a port that is taken is said as without workers", limit, async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => other.close());
  const { port } = other.address() as AddressInfo;
  const store = await mkdtemp(join(tmpdir(), "granary-workers-"));
  atEnd(t, () => rm(store, { recursive: true }));
  const args = ["serve", workers, `--listen=127.0.0.1:${port}`, `--store=${store}`, "--upstream=off", "--sumdb=off"];
  const { code, stderr } = await runGranary(args);
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.match(stderr, /--listen/);
});

test("TLS ends in the workers, and a new certificate reaches them", limit, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-workers-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  if (!makeCertificate(folder, "first")) {
    t.skip("openssl is not there");
    return;
  }
  makeCertificate(folder, "second");
  const [cert, key] = [join(folder, "first.crt"), join(folder, "first.key")];
  const world = await startWorld({ flags: [workers, `--tls-cert=${cert}`, `--tls-key=${key}`] });
  atEnd(t, () => world.close());
  assert.match(world.granary.url, /^https:/);
  const port = Number(new URL(world.granary.url).port);
  assert.equal(await subjectAt(port), "first");
  await rename(join(folder, "second.key"), key);
  await writeFile(`${cert}.new`, await readFile(join(folder, "second.crt")));
  await rename(`${cert}.new`, cert);
  await until(async () => (await subjectAt(port)) === "second" && (await subjectAt(port)) === "second");
});

function makeCertificate(folder: string, name: string): boolean {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  try {
    execFileSync("openssl", ["req", ...kind, "-subj", `/CN=${name}`, "-keyout", key, "-out", cert], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}

/** The common name of the certificate shown on a new connection. */
function subjectAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      resolve(typeof CN === "string" ? CN : "");
    });
    socket.on("error", reject);
  });
}
