// The servers that the other tests here start do start, and come back where they were.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { freePort } from "../support/loopback.ts";
import { missingNginx, startNginx, testNginx } from "../support/servers/nginx.ts";
import { missingPostgres, startPostgres } from "../support/servers/postgres.ts";
import { missingRedis, startRedis, startRedisCluster } from "../support/servers/redis.ts";
import { missingS3, s3Kinds, startS3 } from "../support/servers/s3.ts";
import { serverFolder } from "../support/servers/server.ts";

suite("real servers", () => {
  for (const kind of s3Kinds)
    test(
      `${kind} starts, shows nothing to who has no key, and comes back`,
      { skip: missingS3(kind) ?? false },
      async (t) => {
        const server = await startS3(t, kind);
        const status = async () => (await fetch(`${server.endpoint}/bucket/key`)).status;
        assert.match(String(await status()), /^40[34]$/);
        await server.kill();
        await assert.rejects(status());
        await server.start();
        assert.match(String(await status()), /^40[34]$/);
      },
    );

  test("redis starts, alone and as a cluster", { skip: missingRedis() ?? false }, async (t) => {
    assert.match((await startRedis(t)).url, /^redis:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await startRedisCluster(t))?.length ?? 3, 3);
  });

  test("postgresql starts", { skip: missingPostgres() ?? false }, async (t) => {
    assert.match((await startPostgres(t)).url, /^postgres:\/\/admin@127\.0\.0\.1:\d+\/postgres$/);
  });

  test("nginx starts, and says of a configuration whether it is one", { skip: missingNginx() ?? false }, async (t) => {
    const folder = await serverFolder(t, "nginx");
    const port = await freePort();
    const http = `server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } }`;
    await startNginx(t, { folder, port, http });
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello");
    assert.equal(testNginx(folder, `${folder}/nginx.conf`).isGood, true);
    assert.equal(testNginx(folder, `${folder}/none.conf`).isGood, false);
  });
});
