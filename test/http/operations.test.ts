// Looking after a running server: its upstreams, and the fetches that failed.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { checkModuleVersion } from "#protocol/version.ts";
import { jobId } from "#services/proxy/dead-letters.ts";
import type { JobView } from "#services/proxy/retry-queue.ts";
import type { UpstreamView } from "#services/upstreams/desk.ts";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { startUpstreams, startWorld } from "../support/world.ts";
import type { WorldOptions } from "../support/world.ts";

const base = "/example.com/hello/@v/v1.0.0";

/** A world with a write token in a file, and commands that use both. */
async function operated(t: TestContext, options: WorldOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), "granary-operations-"));
  // Last first, and the folder when nobody writes into it any more.
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  atEnd(t, async () => {
    for (const end of ends.toReversed()) await end();
  });
  const store = options.store ?? join(folder, "store");
  const token = join(folder, "token");
  const made = await runGranary(["token", "add", "--scope=write", `--store=${store}`]);
  await writeFile(token, /grn_\w+?_[\w-]+/.exec(made.stdout)?.[0] ?? "");
  const world = await startWorld({ ...options, store });
  ends.push(() => world.close());
  const { url } = world.granary;
  const command = (...args: string[]) => runGranary([...args, `--server=${url}`, `--token=file:${token}`]);
  const json = async <T>(path: string) => (await (await fetch(url + path)).json()) as T;
  const upstreams = async () => (await json<{ upstreams: UpstreamView[] }>("/-/api/upstreams")).upstreams;
  const jobs = async () => (await json<{ jobs: JobView[] }>("/-/api/jobs")).jobs;
  return { ...world, store, token, command, upstreams, jobs, ends };
}

test("a disabled upstream is asked no more, through all that time kept files are answered; enabled it is asked again", async (t) => {
  const other = await startUpstreams();
  atEnd(t, () => other.stub.close());
  const { granary, stub, command, upstreams } = await operated(t, { after: other.stub.url });
  const [first, second] = (await upstreams()).map(({ name }) => name);
  assert.deepEqual([first, second], [new URL(stub.url).host, new URL(other.stub.url).host]);
  const get = async (file: string) => (await fetch(granary.url + file)).status;
  assert.equal(await get(`${base}.mod`), 200);
  const disabled = await command("upstream", "disable", first ?? "");
  assert.equal(disabled.code, 0, disabled.stderr);
  assert.deepEqual(
    (await upstreams()).map(({ condition }) => condition),
    ["disabled", "closed"],
  );
  const shown = await command("upstream", "status");
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, new RegExp(`${second ?? ""} .* active`));
  const before = stub.requests(/example\.com/);
  assert.equal(await get(`${base}.zip`), 200);
  assert.equal(await get(`${base}.mod`), 200);
  assert.equal(stub.requests(/example\.com/), before);
  assert.equal(other.stub.requests(`${base}.zip`), 1);
  assert.equal((await command("upstream", "enable", first ?? "")).code, 0);
  assert.equal(await get("/example.com/hello/@v/v1.1.0.mod"), 200);
  assert.equal(stub.requests("/example.com/hello/@v/v1.1.0.mod"), 1);
  assert.match(granary.stderr(), /upstream\.disabled/);
});

test("with every upstream disabled what is kept is answered and the rest is doubt; a restart does not change that", async (t) => {
  const { granary, stub, database, store, token, command, upstreams, ends } = await operated(t);
  const [{ name } = { name: "" }] = await upstreams();
  assert.equal((await fetch(`${granary.url}${base}.mod`)).status, 200);
  assert.equal((await command("upstream", "disable", name)).code, 0);
  const said = new RegExp(`all upstreams .* are disabled[^]*\`granary upstream enable ${name}\`\\.`);
  const before = stub.requests(/example\.com/);
  const looksDisabled = async (url: string): Promise<void> => {
    assert.equal((await fetch(`${url}${base}.mod`)).status, 200);
    for (const path of ["v1.1.0.info", "v1.1.0.mod", "v1.1.0.zip", "list", "main.info"]) {
      const answer = await fetch(`${url}/example.com/hello/@v/${path}`);
      assert.equal(answer.status, 503, path);
      assert.equal(answer.headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const text = await answer.text();
      assert.match(text, /^GRANARY_UPSTREAMS_DISABLED: /);
      assert.match(text, said);
      assert.ok(text.split("\n").length <= 9, text);
    }
    const unkept = "/example.com/hello/@v/v1.1.0.zip";
    assert.equal((await fetch(`${url}/example.com/hello/@latest`)).status, 503);
    assert.equal((await fetch(`${url}/cached-only${unkept}`)).status, 404);
    assert.equal((await fetch(`${url}${unkept}`, { headers: { "Disable-Module-Fetch": "true" } })).status, 404);
    const ready = await fetch(`${url}/-/readyz`);
    assert.equal(ready.status, 200);
    const line = `warning: All upstreams are disabled (${name}): only what is kept is served. `;
    assert.ok((await ready.text()).includes(`${line}Enable one: granary upstream enable ${name}\n`));
    const status = (await (await fetch(`${url}/-/api/status`)).json()) as { upstreams: unknown };
    assert.deepEqual(status.upstreams, [{ name, condition: "disabled" }]);
    assert.equal(stub.requests(/example\.com/), before);
  };
  await looksDisabled(granary.url);
  await granary.stop();

  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const again = await startGranary({ upstream: stub.url, sumdb, store });
  ends.push(() => again.stop());
  await looksDisabled(again.url);
  const shown = await runGranary(["upstream", "status", `--server=${again.url}`]);
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, new RegExp(`^\\S ${name} +disabled `, "m"));
  assert.match(shown.stdout, new RegExp(`granary upstream enable ${name}\n$`));
  const enabled = await runGranary(["upstream", "enable", name, `--server=${again.url}`, `--token=file:${token}`]);
  assert.equal(enabled.code, 0, enabled.stderr);
  assert.equal((await fetch(`${again.url}/example.com/hello/@v/v1.1.0.zip`)).status, 200);
  assert.doesNotMatch(await (await fetch(`${again.url}/-/readyz`)).text(), /disabled/);
});

test("a probe says who answers, and who does not ends it with 1", async (t) => {
  const other = await startUpstreams();
  const { command, upstreams, stub } = await operated(t, { after: other.stub.url });
  const all = await command("upstream", "probe", "--json");
  assert.equal(all.code, 0, all.stderr);
  await other.stub.close();
  const one = await command("upstream", "probe", "--json");
  assert.equal(one.code, 1);
  const { probes } = JSON.parse(one.stdout) as { probes: { name: string; ok: boolean; reason?: string }[] };
  assert.deepEqual(
    probes.map(({ name, ok, reason }) => [name, ok, reason]),
    [
      [new URL(stub.url).host, true, undefined],
      [new URL(other.stub.url).host, false, "refused"],
    ],
  );
  assert.deepEqual(
    (await upstreams()).map(({ lastProbe }) => lastProbe?.ok),
    [true, false],
  );
});

test("an unknown upstream or job ends with 2 and the nearest spelling; a server that is not there with 3", async (t) => {
  const { command, upstreams, token } = await operated(t);
  const [first] = await upstreams();
  const misspelt = await command("upstream", "disable", `${first?.name ?? ""}0`);
  assert.equal(misspelt.code, 2);
  assert.ok(misspelt.stderr.includes(`Did you mean ${first?.name ?? ""}?`), misspelt.stderr);
  const job = await command("jobs", "drop", "0000000000000000");
  assert.deepEqual([job.code, /GRANARY_NO_SUCH_ID/.test(job.stderr)], [2, true]);
  const nobody = await runGranary(["upstream", "status", "--server=http://127.0.0.1:9", `--token=file:${token}`]);
  assert.deepEqual([nobody.code, /GRANARY_TARGET_UNREACHABLE/.test(nobody.stderr)], [3, true]);
});

test("without a token nothing is changed, and a token is never sent in the clear or written on the command line", async (t) => {
  const { granary, upstreams, token } = await operated(t);
  const [first] = await upstreams();
  const name = first?.name ?? "";
  const bare = await runGranary(["upstream", "disable", name, `--server=${granary.url}`]);
  assert.equal(bare.code, 3);
  assert.match(bare.stderr, /GRANARY_NEEDS_WRITE_TOKEN/);
  assert.equal((await upstreams())[0]?.condition, "closed");
  const plain = await runGranary(["upstream", "status", `--server=${granary.url}`, "--token=grn_s3cret"]);
  assert.equal(plain.code, 2);
  assert.doesNotMatch(plain.stderr, /s3cret/);
  const clear = await runGranary(["upstream", "status", "--server=http://192.0.2.1:80", `--token=file:${token}`]);
  assert.deepEqual([clear.code, /GRANARY_TOKEN_NEEDS_TLS/.test(clear.stderr)], [3, true]);
  for (const server of ["ftp://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/x", "http://u:s3cret@127.0.0.1"]) {
    const bad = await runGranary(["upstream", "status", `--server=${server}`]);
    assert.equal(bad.code, 2, server);
    assert.doesNotMatch(bad.stderr, /s3cret/);
  }
});

test("what a client could not get is there when the upstream is back, and nobody had to ask again", async (t) => {
  const { granary, stub, jobs, store } = await operated(t, { env: { GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" } });
  await stub.cut();
  assert.equal((await fetch(`${granary.url}${base}.zip`)).status, 503);
  const [job] = await jobs();
  assert.deepEqual([job?.kind, job?.module, job?.state], ["zip", "example.com/hello", "waiting"]);
  await stub.restore();
  while ((await jobs()).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  const kept = await fetch(`${granary.url}/cached-only${base}.zip`);
  assert.equal(kept.status, 200);
  assert.deepEqual(Buffer.from(await kept.arrayBuffer()), Buffer.from(stub.bytes(`${base}.zip`)));
  await granary.stop();
  const events = await readFile(join(store, "state/events.jsonl"), "utf8");
  assert.match(events, /"job\.retried".*"outcome":"kept"/);
});

test("an absence is an answer: nothing waits to be tried again", async (t) => {
  const { granary, jobs } = await operated(t);
  assert.equal((await fetch(`${granary.url}/example.com/hello/@v/v9.9.9.zip`)).status, 404);
  assert.deepEqual(await jobs(), []);
});

test("a dead letter of an earlier process is listed, retried and, when the version is kept, gone from the disk", async (t) => {
  const store = await mkdtemp(join(tmpdir(), "granary-letters-"));
  atEnd(t, () => rm(store, { recursive: true, force: true }));
  const module = checkModuleVersion("example.com/hello", "v1.0.0");
  const gone = checkModuleVersion("example.com/nowhere", "v1.0.0");
  // The first start makes the store; its letters are what an earlier process would have left.
  await runGranary(["token", "list", `--store=${store}`]);
  await mkdir(join(store, "state/jobs"), { recursive: true });
  const facts = { kind: "zip", tries: 3, reason: "GRANARY_OFFLINE", sinceMs: 1, diedMs: 2 };
  for (const { path, version } of [module, gone]) {
    const id = jobId("zip", { path, version });
    await writeFile(join(store, "state/jobs", `${id}.json`), JSON.stringify({ id, path, version, ...facts }));
  }
  const { command, jobs, granary } = await operated(t, { store });
  const listed = await command("jobs");
  assert.equal(listed.code, 1, listed.stderr);
  assert.match(listed.stdout, new RegExp(`^${jobId("zip", module)} {2}dead .*example\\.com/hello@v1\\.0\\.0`, "m"));
  assert.equal((await command("jobs", "retry", jobId("zip", module))).code, 0);
  while ((await jobs()).length > 1) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await fetch(`${granary.url}/cached-only${base}.zip`)).status, 200);
  assert.equal((await command("jobs", "drop", jobId("zip", gone))).code, 0);
  assert.equal((await command("jobs")).code, 0);
  assert.deepEqual(await readdir(join(store, "state/jobs")), []);
});
