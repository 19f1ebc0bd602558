// Two servers on one bucket: what one has fetched the other has, each object costs the other at most one request, and
// both go on while the bucket is away.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { startCountingProxy } from "../support/counting-proxy.ts";
import type { CountingProxy } from "../support/counting-proxy.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import { startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { makeBucket } from "../support/s3-store.ts";
import { missingS3, startS3 } from "../support/servers/s3.ts";
import type { S3Server } from "../support/servers/s3.ts";
import { startUpstreams } from "../support/world.ts";
import type { Upstreams } from "../support/world.ts";

const skip = missingS3("versitygw") ?? false;
const hello = "example.com/hello";

type Cluster = Upstreams & {
  readonly s3: S3Server;
  readonly start: (options?: {
    readonly endpoint?: string;
    readonly store?: string;
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  }) => Promise<RunningGranary>;
  readonly folder: string;
};

async function startCluster(t: TestContext): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "granary-tier-server-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const s3 = await startS3(t, "versitygw");
  await makeBucket(s3, "modules");
  const versions = ["v1.0.0", "v1.1.0", "v1.2.0"].map((version) => makeModule({ path: hello, version }));
  const upstreams = await startUpstreams(versions);
  atEnd(t, () => upstreams.stub.close());
  const { stub, database } = upstreams;
  let nodes = 0;
  const start: Cluster["start"] = async ({ endpoint = s3.endpoint, store, flags = [], env } = {}) => {
    const granary = await startGranary({
      upstream: stub.url,
      sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
      store: store ?? join(folder, `node${++nodes}`),
      flags: ["--s3=modules", `--s3-endpoint=${endpoint}`, "--prefetch=off", ...flags],
      env: {
        MINIO_ACCESS_KEY: s3.accessKey,
        MINIO_SECRET_KEY: s3.secretKey,
        AWS_EC2_METADATA_DISABLED: "true",
        GRANARY_S3_TIMEOUT: "4s",
        ...env,
      },
    });
    atEnd(t, () => granary.stop());
    return granary;
  };
  return { ...upstreams, s3, start, folder };
}

async function ask(granary: RunningGranary, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${granary.url}/${path}`, { headers, redirect: "manual" });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body, text: body.toString() };
}

async function mustHave(granary: RunningGranary, path: string) {
  const answer = await ask(granary, path);
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return answer;
}

/** Waits for something that becomes true within `ms`. */
async function until(what: string, isSo: () => Promise<boolean>, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, what);
    await passed(100);
  }
}

const filesOf = (version: string): string[] => ["info", "mod", "zip"].map((file) => `${hello}/@v/${version}.${file}`);

/** Requests for objects of a version, each with how often it was asked for. */
function objectRequests({ seen }: CountingProxy, version: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of seen.map(decodeURIComponent).filter((each) => each.includes(`/@v/${version}.`))) {
    const what = line.split("?", 1)[0]?.replace(/^\w+ /, "") ?? "";
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

suite("two servers on one bucket", { skip }, () => {
  test("a node's directory that vanishes while it runs is made again, and is good for the next start", async (t) => {
    const { start, folder } = await startCluster(t);
    const store = join(folder, "lost");
    const first = await start({ store });
    await mustHave(first, `${hello}/@v/v1.0.0.zip`);
    await rm(store, { recursive: true });
    await mustHave(first, `${hello}/@v/v1.0.0.zip`);
    for (const path of filesOf("v1.1.0")) await mustHave(first, path);
    assert.equal(await first.stop(), 0);
    const again = await start({ store });
    for (const path of [...filesOf("v1.0.0"), ...filesOf("v1.1.0")])
      assert.equal((await mustHave(again, path)).headers.get("x-go-proxy-cache"), "HIT", path);
  });

  test("what one has fetched is a hit on the other, for one request an object, and none when warm", async (t) => {
    const { s3, start, stub } = await startCluster(t);
    const first = await start();
    const fetched = new Map<string, Awaited<ReturnType<typeof mustHave>>>();
    for (const path of filesOf("v1.0.0")) fetched.set(path, await mustHave(first, path));
    const asked = stub.requests(`/${hello}/@v/v1.0.0.zip`);
    const counting = await startCountingProxy(t, s3.endpoint);
    const second = await start({ endpoint: counting.url });
    counting.seen.length = 0;
    for (const [path, { body, headers }] of fetched) {
      const answer = await mustHave(second, path);
      assert.deepEqual(answer.body, body, path);
      assert.equal(answer.headers.get("etag"), headers.get("etag"), path);
      assert.equal(answer.headers.get("x-go-proxy-cache"), "HIT", path);
      const again = await ask(second, path, { "if-none-match": headers.get("etag") ?? "" });
      assert.equal(again.status, 304, path);
    }
    assert.equal(stub.requests(`/${hello}/@v/v1.0.0.zip`), asked);
    const counts = objectRequests(counting, "v1.0.0");
    // Five files, and the index asks once whether there is a tombstone.
    const files = [...counts.keys()].filter((key) => !key.endsWith(".tombstone"));
    assert.equal(files.length, 5, files.join(" "));
    assert.deepEqual([...new Set(counts.values())], [1], JSON.stringify([...counts]));
    counting.seen.length = 0;
    for (const path of filesOf("v1.0.0")) await mustHave(second, path);
    assert.deepEqual([...objectRequests(counting, "v1.0.0")], []);
  });

  test("while the bucket is away both serve what they have, and what is new arrives when it is back", async (t) => {
    const { s3, start, database, folder } = await startCluster(t);
    const [first, second] = await Promise.all([start(), start({ store: join(folder, "second") })]);
    const lookup = `sumdb/${database.name}/lookup/${hello}@v1.0.0`;
    const warm = [
      ...filesOf("v1.0.0"),
      `${hello}/@v/list`,
      `${hello}/@latest`,
      lookup,
      `sumdb/${database.name}/latest`,
    ];
    const before = new Map<string, string>();
    for (const path of warm) {
      before.set(path, (await mustHave(first, path)).text);
      await mustHave(second, path);
    }
    // What each has written is read once more, so that it was seen.
    await passed(1_500);
    await s3.kill();
    for (const granary of [first, second])
      for (const path of warm) assert.equal((await mustHave(granary, path)).text, before.get(path), path);

    // Longer than anything that is looked at now and then may rest.
    await passed(6_000);
    for (const path of filesOf("v1.1.0")) await mustHave(first, path);
    await mustHave(first, `sumdb/${database.name}/lookup/${hello}@v1.1.0`);
    assert.match((await ask(first, "-/readyz")).text, /degraded: the shared store modules is out of reach/);
    const doubtful = await ask(first, `cached-only/${hello}/@v/v1.2.0.info`);
    assert.equal(doubtful.status, 503, doubtful.text);

    await s3.start();
    await until("the queue drains", async () =>
      /^granary_upload_queue_objects 0$/m.test((await ask(first, "-/metrics")).text),
    );
    await until("the second node sees it", async () => {
      const answer = await ask(second, `cached-only/${hello}/@v/v1.1.0.zip`);
      return answer.status === 200 && answer.headers.get("x-go-proxy-cache") === "HIT";
    });
    await until("ready", async () => !(await ask(first, "-/readyz")).text.includes("degraded"));
    assert.match((await mustHave(second, `cached-only/${hello}/@v/list`)).text, /^v1\.0\.0\nv1\.1\.0\n/);
  });

  test("a silent bucket is given up after one patience, not once a request", async (t) => {
    const { s3, start } = await startCluster(t);
    const granary = await start();
    for (const path of filesOf("v1.0.0")) await mustHave(granary, path);
    s3.pause();
    try {
      const begun = Date.now();
      for (let n = 0; n < 20; n++) for (const path of filesOf("v1.0.0")) await mustHave(granary, path);
      assert.ok(Date.now() - begun < 5_000, `${Date.now() - begun} ms`);
    } finally {
      s3.resume();
    }
  });

  test("a server whose bucket is down at its start serves what is near, and uses the bucket when it is back", async (t) => {
    const { s3, start, folder } = await startCluster(t);
    const store = join(folder, "near");
    const first = await start({ store });
    for (const path of filesOf("v1.0.0")) await mustHave(first, path);
    await passed(1_500);
    await first.stop();
    await s3.kill();
    const again = await start({ store });
    for (const path of filesOf("v1.0.0")) await mustHave(again, path);
    assert.match((await ask(again, "-/readyz")).text, /degraded/);
    await s3.start();
    await until("it is ready", async () => !(await ask(again, "-/readyz")).text.includes("degraded"));
    for (const path of filesOf("v1.2.0")) await mustHave(again, path);
  });

  test("go follows to the bucket for a large public zip, and gets the same module", async (t) => {
    const { start, stub, database } = await startCluster(t);
    const granary = await start({ flags: ["--private=corp.example"], env: { GRANARY_S3_REDIRECT: "1" } });
    const zip = `${hello}/@v/v1.0.0.zip`;
    await mustHave(granary, `${hello}/@v/v1.0.0.info`);
    const sent = await ask(granary, zip);
    assert.equal(sent.status, 302, sent.text);
    assert.equal(sent.headers.get("cache-control"), "no-store");
    assert.match(sent.headers.get("x-go-proxy-cache") ?? "", /^(HIT|MISS)$/);
    const there = await fetch(sent.headers.get("location") ?? "");
    assert.deepEqual(
      Buffer.from(await there.arrayBuffer()),
      Buffer.from(await (await fetch(`${stub.url}/${zip}`)).arrayBuffer()),
    );
    const head = await fetch(`${granary.url}/${zip}`, { method: "HEAD", redirect: "manual" });
    assert.equal(head.status, 200);

    const go = await needsGo(t);
    if (go === undefined) return;
    const client = await newGoClient(go, { GOPROXY: granary.url, GOSUMDB: database.verifierKey });
    atEnd(t, () => client.remove());
    const done = await client.run(["mod", "download", "-x", "-json", `${hello}@v1.0.0`]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /"Sum": "h1:/);
  });
});
