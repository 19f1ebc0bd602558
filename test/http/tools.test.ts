// The house beside a running server, and the commands beside a store: what operators use, end to end.
import assert from "node:assert/strict";
import { mkdtemp, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { startUpstreams, startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const base = "/example.com/hello/@v/v1.0.0";

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-tools-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function text(url: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** Makes a token beside the running server and returns its text. */
async function tokenFor(store: string, scope: "read" | "write"): Promise<string> {
  const { code, stdout, stderr } = await runGranary(["token", "add", `--scope=${scope}`, `--store=${store}`]);
  assert.equal(code, 0, stderr);
  const [token] = /grn_\w+?_[\w-]+/.exec(stdout) ?? [];
  assert.ok(token, stdout);
  return token;
}

test("refresh needs a write token: 403 without any, 401 with a wrong one; with a right one the list is asked anew", async (t) => {
  const store = join(await folderFor(t), "store");
  const world = await startWorld({ store });
  atEnd(t, () => world.close());
  const { granary, stub } = world;
  const list = `${granary.url}/example.com/hello/@v/list`;
  const refresh = `${granary.url}/-/api/refresh/example.com/hello`;
  const post = (token?: string) =>
    text(refresh, { method: "POST", ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }) });
  const before = (await text(list)).body;
  stub.add(makeModule({ path: "example.com/hello", version: "v1.9.0" }));
  assert.equal((await post()).status, 403);
  assert.equal((await post("grn_00000000_nonsense")).status, 403);
  const token = await tokenFor(store, "write");
  const read = await tokenFor(store, "read");
  // A running server hears of a new token after a moment.
  while ((await post()).status === 403) await new Promise((resolve) => setTimeout(resolve, 100));
  const missing = await post();
  assert.equal(missing.status, 401);
  assert.match(missing.headers.get("www-authenticate") ?? "", /^Basic /);
  assert.equal((await post("grn_00000000_nonsense")).status, 401);
  assert.equal((await post(read)).status, 401);
  assert.equal((await text(refresh, { headers: { authorization: `Bearer ${token}` } })).status, 405);
  assert.equal((await text(list)).body, before);
  assert.equal((await post(token)).status, 200);
  assert.match((await text(list)).body, /^v1\.9\.0$/m);
});

test("an escaped module path in a refresh means that module", async (t) => {
  const store = join(await folderFor(t), "store");
  const module = makeModule({ path: "example.com/Upper", version: "v1.0.0" });
  const world = await startWorld({ store, modules: [module] });
  atEnd(t, () => world.close());
  const token = await tokenFor(store, "write");
  const list = `${world.granary.url}/example.com/!upper/@v/list`;
  assert.equal((await text(list)).body, "v1.0.0\n");
  world.stub.add(makeModule({ path: "example.com/Upper", version: "v1.1.0" }));
  const refresh = `${world.granary.url}/-/api/refresh/example.com/!upper`;
  const answer = await text(refresh, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  assert.equal((await text(list)).body, "v1.0.0\nv1.1.0\n");
});

test("an error's request id is explained by the server and by the command", async (t) => {
  const world = await startWorld({ env: { GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" } });
  atEnd(t, () => world.close());
  const { granary, stub } = world;
  await stub.cut();
  const failed = await text(`${granary.url}${base}.info`);
  assert.equal(failed.status, 503);
  const id = failed.headers.get("x-request-id") ?? "";
  assert.match(failed.body, new RegExp(id));
  const explained = JSON.parse((await text(`${granary.url}/-/explain/${id}`)).body) as { code: string; target: string };
  assert.deepEqual([explained.code, explained.target], ["GRANARY_OFFLINE", `${base}.info`]);
  const listen = `--listen=${new URL(granary.url).host}`;
  const command = await runGranary(["explain", id, listen]);
  assert.equal(command.code, 0, command.stderr);
  assert.match(command.stdout, /GRANARY_OFFLINE/);
  assert.match(command.stdout, /example\.com\/hello/);
  assert.equal((await text(`${granary.url}/-/explain/00000000`)).status, 404);
  assert.notEqual((await runGranary(["explain", "00000000", listen])).code, 0);
  assert.equal((await runGranary(["explain", "GRANARY_OFFLINE"])).code, 0);
});

test("an error's request id is the trace of the events that it set off", async (t) => {
  const store = await folderFor(t);
  const world = await startWorld({ store, env: { GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" } });
  atEnd(t, () => world.close());
  await world.stub.cut();
  const failed = await text(`${world.granary.url}${base}.info`);
  await world.granary.stop();
  const lines = (await readFile(join(store, "state/events.jsonl"), "utf8")).trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as { name: string; trace?: string });
  const opened = events.filter(({ name }) => name === "upstream.opened" || name === "egress.failed");
  assert.ok(opened.length > 0, lines.join("\n"));
  assert.deepEqual([...new Set(opened.map(({ trace }) => trace))], [failed.headers.get("x-request-id")]);
});

test("metrics count what was kept from leaving, per client, and name no module", async (t) => {
  const world = await startWorld({ private: "corp.example/team" });
  atEnd(t, () => world.close());
  const leaks = async () => {
    const { body } = await text(`${world.granary.url}/-/metrics`);
    assert.doesNotMatch(body, /corp\.example|secret/);
    return Number(/^granary_private\w*\{[^}]*127\.0\.0\.1[^}]*\} (\d+)$/m.exec(body)?.[1] ?? 0);
  };
  const before = await leaks();
  await text(`${world.granary.url}/corp.example/team/secret/@v/list`);
  await text(`${world.granary.url}/corp.example/@v/list`);
  assert.equal((await leaks()) - before, 2);
  assert.equal(world.stub.requests(/corp\.example/), 0);
});

// ---- beside a store ----

const otherZip = fixtureZip(
  makeModule({ path: "example.com/hello", version: "v1.0.0", files: { "go.mod": "module example.com/hello\n" } }),
);

test("quarantine: a lie is listed, shown, and never released against the database", async (t) => {
  const store = join(await folderFor(t), "store");
  const world = await startWorld({ store });
  atEnd(t, () => world.close());
  world.stub.fault(`${base}.zip`, { kind: "bytes", body: otherZip });
  assert.equal((await text(`${world.granary.url}${base}.zip`)).status, 502);
  await world.granary.stop();
  const quarantine = (...args: string[]) => runGranary(["store", "quarantine", ...args, `--store=${store}`]);
  const listed = await quarantine("list", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const [held, ...more] = (JSON.parse(listed.stdout) as { items: { id: string; module: string }[] }).items;
  assert.deepEqual([held?.module, more.length], ["example.com/hello", 0]);
  const id = held?.id ?? "";
  const shown = await quarantine("show", id);
  assert.match(shown.stdout, /example\.com\/hello/);
  assert.notEqual((await quarantine("show", "0000000000000000")).code, 0);
  const sumdb = `--sumdb=${world.database.verifierKey} ${world.stub.url}/sumdb/${world.database.name}`;
  const upstream = `--upstream=${world.stub.url}`;
  const released = await quarantine("release", id, sumdb, upstream);
  assert.notEqual(released.code, 0);
  assert.match(released.stderr, /GRANARY_SUMDB_MISMATCH/);
  assert.match((await quarantine("list", "--json")).stdout, new RegExp(id));
});

test("store verify finds one flipped byte, names the file, ends with 1; stats counts", async (t) => {
  const store = join(await folderFor(t), "store");
  const world = await startWorld({ store });
  atEnd(t, () => world.close());
  for (const ending of [".info", ".mod", ".zip"]) await text(`${world.granary.url}${base}${ending}`);
  await world.granary.stop();
  const sound = await runGranary(["store", "verify", `--store=${store}`]);
  assert.equal(sound.code, 0, sound.stdout);
  const stats = await runGranary(["store", "stats", "--json", `--store=${store}`]);
  const { modules, versions, zips } = JSON.parse(stats.stdout) as Record<string, number>;
  assert.deepEqual([modules, versions, zips], [1, 1, 1]);
  const key = `modules${base}.zip`;
  await flipByte(join(store, key));
  const damaged = await runGranary(["store", "verify", `--store=${store}`]);
  assert.equal(damaged.code, 1, damaged.stdout);
  assert.match(damaged.stdout, new RegExp(key.replaceAll(".", "\\.")));
});

async function flipByte(file: string): Promise<void> {
  const handle = await open(file, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, 100);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, 100);
  await handle.close();
}

// ---- secrets ----

/** Planted in every place where a secret may be given. */
const planted = { userinfo: "s3cretUserinfo", header: "s3cretHeader", query: "s3cretQuery", basic: "s3cretBasic" };

async function useWithSecrets(world: World): Promise<string[]> {
  const { url } = world.granary;
  const headers = { authorization: `Basic ${Buffer.from(`ci:${planted.basic}`).toString("base64")}` };
  const seen: string[] = [];
  const note = async (path: string, init: RequestInit = {}) => {
    const answer = await text(url + path, { headers, ...init });
    seen.push(answer.body, JSON.stringify([...answer.headers]));
    return answer;
  };
  await note(`${base}.zip`);
  await note("/example.com/hello/@v/v9.9.9.info");
  await note("/-/api/refresh/example.com/hello", { method: "POST", headers });
  world.stub.fault(/multi/, { kind: "status", status: 403, body: "no" });
  await note("/example.com/multi/v2/@v/v2.1.0.info");
  await world.stub.cut();
  const failed = await note("/example.com/old/@v/list");
  await note(`/-/explain/${failed.headers.get("x-request-id")}`);
  for (const path of ["/-/", "/-/readyz", "/-/metrics", "/-/api/status", "/-/api/upstreams", "/-/api/jobs"])
    await note(path);
  return seen;
}

test("no secret is in any answer, log line, event or file; JSON log lines are JSON", async (t) => {
  const folder = await folderFor(t);
  const store = join(folder, "store");
  const config = join(folder, "granary.yaml");
  const { stub, database } = await startUpstreams();
  atEnd(t, () => stub.close());
  const withSecrets = `${stub.url.replace("//", `//ci:${planted.userinfo}@`)}?key=${planted.query}`;
  await writeFile(
    config,
    `upstreams:\n  stub:\n    url: ${stub.url}\n    headers:\n      x-api-key: ${planted.header}\n`,
  );
  const granary = await startGranary({
    upstream: withSecrets,
    sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
    store,
    flags: [`--config=${config}`, "--log-format=json", "--log-level=debug"],
  });
  atEnd(t, () => granary.stop());
  const world = { granary, stub, database, gosumdb: "", close: () => Promise.resolve() };
  const answers = await useWithSecrets(world);
  const token = await tokenFor(store, "write");
  await granary.stop();
  const printed = await runGranary(["config", "print", "--origin", `--config=${config}`, `--upstream=${withSecrets}`]);
  const lines = granary.stderr().split("\n");
  const json = lines.filter((line) => line.startsWith("{"));
  assert.ok(json.length > 3, granary.stderr());
  for (const line of json) assert.equal(typeof (JSON.parse(line) as { event: unknown }).event, "string");
  const files = (await readdir(store, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "latin1")));
  const everything = [granary.stderr(), granary.stdout(), ...answers, printed.stdout, printed.stderr, ...contents];
  for (const [name, secret] of Object.entries({ ...planted, token: token.slice("grn_00000000_".length) }))
    for (const output of everything)
      assert.ok(
        !output.includes(secret),
        `${name} in ${output.slice(Math.max(0, output.indexOf(secret) - 200)).slice(0, 400)}`,
      );
});
