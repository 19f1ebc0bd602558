// Servers that are started while the bucket is away: what needs it says so, and works when the bucket is there.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { makeBucket } from "../support/s3-store.ts";
import { missingS3, startS3 } from "../support/servers/s3.ts";
import type { S3Server } from "../support/servers/s3.ts";
import { startUpstreams } from "../support/world.ts";

const skip = missingS3("versitygw") ?? false;
const lookup = "/sumdb/sum.late.example/lookup/example.com/hello@v1.0.0";

type Place = {
  readonly s3: S3Server;
  readonly folder: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

async function startPlace(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "granary-late-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const s3 = await startS3(t, "versitygw");
  await makeBucket(s3, "modules");
  return {
    s3,
    folder,
    flags: ["--s3=modules", `--s3-endpoint=${s3.endpoint}`],
    env: {
      GRANARY_S3_ACCESS_KEY: s3.accessKey,
      GRANARY_S3_SECRET_KEY: s3.secretKey,
      AWS_EC2_METADATA_DISABLED: "true",
      GRANARY_S3_TIMEOUT: "2s",
    },
  };
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

suite("a server that starts while the bucket is away", { skip }, () => {
  test("with an own log: 503 for the log until the bucket is there, then all of it without a restart", async (t) => {
    const { s3, folder, flags, env } = await startPlace(t);
    const key = join(folder, "sumlog.key");
    const made = await runGranary(["sumdb", "keygen", "--name=sum.late.example", `--out=${key}`]);
    assert.equal(made.code, 0, made.stderr);
    const { stub, database } = await startUpstreams([makeModule({ path: "example.com/hello", version: "v1.0.0" })]);
    atEnd(t, () => stub.close());
    const start = () =>
      startGranary({
        upstream: stub.url,
        sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
        store: join(folder, "node"),
        flags: [...flags, `--sumlog-key=${key}`, "--prefetch=off"],
        env,
      });
    const before = await start();
    assert.equal(await statusOf(before.url + lookup), 200);
    assert.equal(await before.stop(), 0);

    await s3.kill();
    const late = await start();
    atEnd(t, () => late.stop());
    for (const path of [lookup, "/sumdb/sum.late.example/latest", "/tlog/sum.late.example/checkpoint"])
      assert.equal(await statusOf(late.url + path), 503, path);
    assert.doesNotMatch(late.stderr(), /sumlog\.stopped/, "nothing is known against the log");
    await s3.start();
    const end = Date.now() + 40_000;
    while ((await statusOf(late.url + lookup)) !== 200) {
      assert.ok(Date.now() < end, "the log did not come back");
      await passed(200);
    }
    const latest = await (await fetch(`${late.url}/sumdb/sum.late.example/latest`)).text();
    assert.match(latest, /^go\.sum database tree\n1\n/, "the log of before, not a new one");
  });

  test("private modules beyond loopback stay closed, and it says why", async (t) => {
    const { s3, folder, flags, env } = await startPlace(t);
    const store = `--store=${join(folder, "node")}`;
    const added = await runGranary(["token", "add", "--scope=read", store, ...flags], env);
    assert.equal(added.code, 0, added.stderr);
    await s3.kill();
    const open = ["serve", "--upstream=off", "--sumdb=off", "--listen=0.0.0.0:0", "--private=corp.example"];
    const { code, stderr } = await runGranary([...open, store, ...flags], env);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /GRANARY_READERS_UNKNOWN/);
  });
});
