import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { loadConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { indexPlaceOf } from "./index-place.ts";
import { startWarnings } from "./start-texts.ts";
import { rulesOf } from "./tending.ts";

async function load(env: Record<string, string>, files: Record<string, string> = {}): Promise<Config> {
  const readFile = (path: string) => Promise.resolve(files[path]);
  return await loadConfig({ flags: { values: {} }, machine: { env, platform: "linux", home: "/home/dev", readFile } });
}

const bucket = { GRANARY_S3_BUCKET: "go-modules", GRANARY_GC_POLICY: "lru-ttl" };
const url = "postgres://granary:s3cr3t@db.corp.example/granary?sslmode=verify-full";

suite("where the index is, and what leaves by it", () => {
  test("on a shared bucket nothing leaves by one node's uses, and the start says so", async () => {
    const alone = await load(bucket);
    assert.equal(rulesOf(alone.values).gc, undefined);
    const chain = { upstreams: [], hadDirect: false, own: [] } as unknown as Parameters<typeof startWarnings>[1];
    assert.match(startWarnings(alone, chain).join("\n"), /only its own uses of the bucket go-modules/);
    const shared = await load({ ...bucket, GRANARY_POSTGRES_URL: "env:PG", PG: url });
    assert.notEqual(rulesOf(shared.values).gc, undefined);
    assert.doesNotMatch(startWarnings(shared, chain).join("\n"), /own uses|plain secret/);
    assert.notEqual(rulesOf((await load({ GRANARY_GC_POLICY: "lru-ttl" })).values).gc, undefined);
  });

  test("secrets that stand in the settings are warned of, those in files and variables are not", async () => {
    const chain = { upstreams: [], hadDirect: false, own: [] } as unknown as Parameters<typeof startWarnings>[1];
    const warned = async (env: Readonly<Record<string, string>>) =>
      startWarnings(await load({ ...bucket, ...env }), chain).join("\n");
    const redis = "redis://granary:s3cr3t@redis.corp.example:6379";
    const plain = await warned({ GRANARY_REDIS_URL: redis, GRANARY_S3_SECRET_KEY: "s3cr3t" });
    assert.match(plain, /redis\.url holds a plain secret/);
    assert.match(plain, /s3\.secretKey holds a plain secret/);
    assert.doesNotMatch(plain, /s3cr3t/);
    const kept = { GRANARY_REDIS_URL: "env:R", R: redis, GRANARY_S3_SECRET_KEY: "file:/s3" };
    assert.doesNotMatch(await warned(kept), /plain secret/);
    const minio = { MINIO_ADDRESS: "m:9000", MINIO_BUCKET: "go-modules", MINIO_SECRET_KEY: "s3cr3t" };
    assert.doesNotMatch(await warned(minio), /plain secret/);
  });

  test("its URL comes from a file or a variable; nodes over one bucket name the same store", async () => {
    assert.equal((await indexPlaceOf(await load({}))).postgres, undefined);
    const env = { ...bucket, GRANARY_POSTGRES_URL: "file:/pg", GRANARY_POSTGRES_CA: "/ca.pem" };
    const place = await indexPlaceOf(await load(env, { "/pg": `${url}\n`, "/ca.pem": "PEM" }));
    assert.deepEqual(place.postgres, { url, ca: "PEM", name: "s3  go-modules" });
    const own = await indexPlaceOf(await load({ GRANARY_POSTGRES_URL: "env:PG", PG: url, GRANARY_CLUSTER_NODE: "n1" }));
    assert.match(own.postgres?.name ?? "", /^directory n1 \//);
  });

  test("one that cannot be used is refused, without its password", async () => {
    const config = await load({ GRANARY_POSTGRES_URL: "env:PG", PG: url.replace("verify-full", "prefer") });
    await assert.rejects(indexPlaceOf(config), (error: Error) => {
      assert.equal((error as { code?: string }).code, "GRANARY_BAD_CONFIG");
      assert.doesNotMatch(JSON.stringify(error) + error.message, /s3cr3t/);
      return true;
    });
    await assert.rejects(indexPlaceOf(await load({ GRANARY_POSTGRES_URL: url, GRANARY_POSTGRES_CA: "/none" })), {
      code: "GRANARY_BAD_CONFIG",
    });
  });
});
