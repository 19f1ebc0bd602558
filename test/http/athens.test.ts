// Granary in the place of Athens, started as a user does: by variables alone, by a config.toml, by both.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startCommand } from "../support/granary.ts";
import { freePort } from "../support/loopback.ts";
import { startUpstreams } from "../support/world.ts";

const fixture = join(import.meta.dirname, "../fixtures/athens/config.toml");

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-athens-test-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What reaches the test's upstream and database, whatever Athens was told. */
async function ours(t: TestContext): Promise<Record<string, string>> {
  const { stub, database } = await startUpstreams();
  atEnd(t, () => stub.close());
  return { GRANARY_SUMDB: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`, GRANARY_UPSTREAM: stub.url };
}

async function startAs(t: TestContext, env: Record<string, string>, words: readonly string[] = []) {
  const running = await startCommand(["serve", "--compat", "athens", ...words], { env });
  atEnd(t, () => running.stop());
  return running;
}

async function statusOf(url: string, target: string): Promise<number> {
  const answer = await fetch(`${url}${target}`);
  await answer.arrayBuffer();
  return answer.status;
}

const info = "/example.com/hello/@v/v1.0.0.info";

test("by variables alone: port, folder and log are Athens', and every one is told", async (t) => {
  const folder = await folderFor(t);
  const port = String(await freePort());
  const running = await startAs(t, {
    ...(await ours(t)),
    ...{ ATHENS_STORAGE_TYPE: "disk", ATHENS_DISK_STORAGE_ROOT: folder, ATHENS_PORT: port, ATHENS_LOG_FORMAT: "json" },
    ...{ ATHENS_STORAG_TYP: "x", ATHENS_TRACE_EXPORTER: "otlp" },
  });
  assert.equal(running.url, `http://0.0.0.0:${port}`);
  const url = `http://127.0.0.1:${port}`;
  assert.equal(await statusOf(url, info), 200);
  assert.equal(await statusOf(url, "/healthz"), 200);
  assert.equal(await statusOf(url, "/readyz"), 200);
  assert.ok((await stat(join(folder, "granary/modules/example.com/hello"))).isDirectory());
  const said = running.stderr();
  for (const line of ["→ listen = 0.0.0.0:", "→ store = ", "→ log.format = json", "ATHENS_TRACE_EXPORTER"])
    assert.ok(said.includes(line), said);
  assert.match(said, /ATHENS_STORAG_TYP \(env ATHENS_STORAG_TYP\) did you mean ATHENS_STORAGE_TYPE\?/);
  // Athens' readers of logs go on.
  assert.match(said, /^\{.*"event"/m);
});

test("by config.toml, as Athens' image starts it", async (t) => {
  const folder = await folderFor(t);
  const file = join(folder, "config.toml");
  const text = await readFile(fixture, "utf8");
  await writeFile(file, text.replace("/var/lib/athens", folder).replace(":3000", `:${await freePort()}`));
  const running = await startAs(t, await ours(t), [`-config_file=${file}`]);
  assert.match(running.stderr(), /SumDBs \(file .*config\.toml:13\)/);
  assert.equal(await statusOf(running.url.replace("0.0.0.0", "127.0.0.1"), info), 200);
  assert.ok((await stat(join(folder, "granary/modules"))).isDirectory());
});

test("by both: the variable comes before the file, Granary's own before both; --config takes a .toml as well", async (t) => {
  const folder = await folderFor(t);
  const env = {
    ...{ ATHENS_DISK_STORAGE_ROOT: folder, ATHENS_LOG_LEVEL: "error", ATHENS_PORT: "1" },
    ...{ GRANARY_LISTEN: "127.0.0.1:0", ...(await ours(t)) },
  };
  const running = await startAs(t, env, ["--config", fixture]);
  assert.match(running.url, /^http:\/\/127\.0\.0\.1:/);
  assert.equal(await statusOf(running.url, info), 200);
  const said = running.stderr();
  assert.match(said, /ATHENS_LOG_LEVEL \(env ATHENS_LOG_LEVEL\)\n {4}→ log\.level = error/);
  assert.match(said, /not in force: env GRANARY_LISTEN says otherwise/);
});

test("redis for metadata, disk for files, and no Redis there: it goes on", async (t) => {
  const folder = await folderFor(t);
  const running = await startAs(t, {
    ...(await ours(t)),
    ATHENS_STORAGE_TYPE: "redis",
    ATHENS_DISK_CACHE_ROOT: folder,
    ATHENS_REDIS_CONNECTION_STRING: `redis://:hush@127.0.0.1:${await freePort()}/0`,
    GRANARY_LISTEN: "127.0.0.1:0",
  });
  for (const ending of ["info", "mod", "zip"])
    assert.equal(await statusOf(running.url, `/example.com/hello/@v/v1.0.0.${ending}`), 200, ending);
  assert.ok((await stat(join(folder, "modules/example.com/hello"))).isDirectory());
  assert.match(running.stderr(), /→ redis\.url = redis:\/\/xxxxx@127\.0\.0\.1/);
  assert.doesNotMatch(running.stderr(), /hush/);
});

test("memory: a temporary store, said so, and gone at the end", async (t) => {
  const folder = await folderFor(t);
  const env = { ...(await ours(t)), ATHENS_STORAGE_TYPE: "memory", GRANARY_LISTEN: "127.0.0.1:0", TMPDIR: folder };
  const running = await startAs(t, env);
  assert.equal(await statusOf(running.url, info), 200);
  assert.match(running.stderr(), /a temporary folder that is removed at the end/);
  const store = /^ {2}store +(\S+)$/m.exec(running.stderr())?.[1] ?? "";
  assert.match(store, /granary-athens-/);
  assert.ok((await stat(store)).isDirectory());
  assert.equal(await running.stop(), 0);
  await assert.rejects(stat(store), { code: "ENOENT" });
});

test("what closed something in Athens keeps it from starting, with the whole table", async () => {
  const { code, stdout, stderr } = await runGranary(["serve", "--compat", "athens"], {
    BASIC_AUTH_USER: "u",
    BASIC_AUTH_PASS: "hush",
    ATHENS_PROXY_VALIDATOR: "http://validator.example",
  });
  assert.equal(code, 2, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, /GRANARY_COMPAT_REFUSED/);
  assert.match(stderr, /ATHENS_PROXY_VALIDATOR \(env/);
  assert.match(stderr, /2 more/);
  assert.doesNotMatch(stderr, /hush/);
});

test("compat athens explains, as JSON too, and starts nothing", async () => {
  const people = await runGranary(["compat", "athens", `-config_file=${fixture}`]);
  assert.equal(people.code, 0, people.stderr);
  assert.match(people.stdout, /→ store = \/var\/lib\/athens\/granary/);
  for (const line of people.stdout.split("\n")) assert.ok(line.length <= 100, line);
  const json = await runGranary(["compat", "athens", "--json", `--config_file=${fixture}`]);
  const report = JSON.parse(json.stdout) as { schema: string; file: string; rows: { key: string; kind: string }[] };
  assert.equal(report.schema, "granary.compat/1");
  assert.equal(report.file, fixture);
  const keys = (await readFile(fixture, "utf8")).match(/^\s*\w+(?= =)/gm) ?? [];
  for (const key of keys)
    assert.ok(
      report.rows.some((row) => row.key.split(/[. ]/).includes(key.trim())),
      key,
    );
  assert.ok(!json.stdout.includes("minio123"));
  const refused = await runGranary(["compat", "athens"], { ATHENS_STORAGE_TYPE: "mongo" });
  assert.equal(refused.code, 1);
  const unknown = await runGranary(["serve", "--compat", "nexus"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /athens/);
});

test("private names beyond loopback still want readers", async (t) => {
  const { code, stderr } = await runGranary(["serve", "--compat", "athens"], {
    ...(await ours(t)),
    ATHENS_GONOSUM_PATTERNS: "corp.example/*",
    ATHENS_PORT: String(await freePort()),
  });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /GRANARY_PRIVATE_EXPOSED/);
});
