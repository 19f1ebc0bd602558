// PostgreSQL killed, frozen, read-only, out of connections, at odds with others: the index says so soon, in words, and
// goes on when it is over; nothing that was counted is lost.
import assert from "node:assert/strict";
import { chmod, chown, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import pg from "pg";
import { openPostgresIndex, postgresUrlProblem } from "#adapters/database/postgres-index.ts";
import type { PostgresIndexOptions } from "#adapters/database/postgres-index.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { IndexUnavailable } from "#services/tending/ports.ts";
import type { StoreIndex } from "#services/tending/ports.ts";
import { Retained } from "#services/tending/retained.ts";
import { Tending } from "#services/tending/tending.ts";
import { Uses } from "#services/tending/uses.ts";
import { facts, named, used } from "../contract/store-index.ts";
import { atEnd } from "../support/at-end.ts";
import { makeCertificate } from "../support/certificate.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { arrivalFacts, keepZipBytes, moduleVersion, someBytes } from "../support/manifests.ts";
import { missingS3, startS3 } from "../support/servers/s3.ts";
import { makeBucket } from "../support/s3-store.ts";
import { freezePostgres, missingPostgres, startPostgres } from "../support/servers/postgres.ts";
import type { PostgresServer } from "../support/servers/postgres.ts";

const skip = missingPostgres() ?? false;

type Told = { readonly isUp: boolean; readonly reason: string };

async function room(t: TestContext, more: Partial<PostgresIndexOptions> = {}) {
  const server = await startPostgres(t);
  const told: Told[] = [];
  const index = await openPostgresIndex({
    url: server.url,
    ca: undefined,
    name: "one",
    onState: (state) => void told.push(state),
    ...more,
  });
  atEnd(t, () => index.close());
  return { server, index, told };
}

/** What an administrator says, also to a server that takes no writes. */
async function admin(server: PostgresServer, ...statements: readonly string[]): Promise<void> {
  const client = await connected(server);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function connected(server: PostgresServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url, options: "-c default_transaction_read_only=off" });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Until it does not reject any more. */
async function again<T>(work: () => Promise<T>, withinMs = 15_000): Promise<T> {
  for (const end = performance.now() + withinMs; ;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function failsWithin(ms: number, work: () => Promise<unknown>, kind: RegExp): Promise<void> {
  const begun = performance.now();
  await assert.rejects(work(), (error) => {
    assert.ok(error instanceof IndexUnavailable, String(error));
    assert.match(error.kind, kind, error.message);
    return true;
  });
  assert.ok(performance.now() - begun < ms, `took ${Math.round(performance.now() - begun)} ms`);
}

suite("PostgreSQL in trouble", { skip }, () => {
  test("dead at the first call, it is said once and soon; back, everything works", async (t) => {
    const { server, index, told } = await room(t);
    await server.kill();
    for (let n = 0; n < 3; n++) await failsWithin(1_000, () => index.totals(), /^away$/);
    assert.deepEqual(told, [{ isUp: false, reason: "PostgreSQL: nobody listens there (ECONNREFUSED)" }]);
    await server.start();
    await again(() => index.put([facts(0)], 1_000));
    assert.deepEqual(told.at(-1), { isUp: true, reason: "" });
    assert.equal((await index.totals()).versions, 1);
  });

  test("killed under idle connections, and back before anybody asks: nobody notices", async (t) => {
    const { server, index, told } = await room(t);
    await Promise.all([1, 2, 3, 4].map((n) => index.put([facts(n)], 1_000)));
    await server.kill();
    await server.start();
    assert.equal((await again(() => index.totals())).versions, 4);
    assert.deepEqual(told.filter(({ isUp }) => isUp).length, told.filter(({ isUp }) => !isUp).length);
  });

  test("frozen, calls end in time and close does too; thawed, they go on", async (t) => {
    const { server, index } = await room(t, { statementMs: 500 });
    await index.put([facts(0)], 1_000);
    const thaw = await freezePostgres(server);
    await failsWithin(8_000, () => index.used([used(0, 1)], 2_000), /^(away|busy)$/);
    const other = await openPostgresIndex({ url: server.url, ca: undefined, name: "two" });
    await failsWithin(8_000, () => other.isWhole(), /^away$/);
    const begun = performance.now();
    await other.close();
    assert.ok(performance.now() - begun < 3_000);
    thaw();
    await again(() => index.used([used(0, 1)], 3_000));
    assert.ok(((await index.find(named(0)))?.uses ?? 0) >= 1);
  });

  test("read-only: questions are answered, changes are refused in words, until it takes them again", async (t) => {
    const { server, index, told } = await room(t);
    await index.put([facts(0)], 1_000);
    const say = (value: string) =>
      admin(server, `ALTER SYSTEM SET default_transaction_read_only = ${value}`, "SELECT pg_reload_conf()");
    await say("on");
    await again(async () => {
      await assert.rejects(index.used([used(0, 1)], 2_000), {
        kind: "read-only",
        message: "PostgreSQL: it takes no writes (25006)",
      });
    });
    assert.equal((await index.find(named(0)))?.version, "v1.0.0");
    assert.equal(told.at(-1)?.isUp, false, "an answered question is no sign that it takes writes");
    await say("off");
    await again(() => index.used([used(0, 1)], 3_000));
    assert.equal(told.at(-1)?.isUp, true);
  });

  test("connections ended by an administrator at any moment: no crash, and what may be done twice is done", async (t) => {
    const { server, index } = await room(t);
    await index.put([facts(0)], 1_000);
    const client = await connected(server);
    atEnd(t, () => client.end());
    const over = new AbortController();
    const axe = (async () => {
      for (; !over.signal.aborted;) {
        await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'granary'");
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    })();
    let refused = 0;
    for (let n = 0; n < 150; n++) await again(() => index.put([facts(n)], 1_000)).catch(() => refused++);
    over.abort();
    await axe;
    assert.equal(refused, 0);
    assert.equal((await again(() => index.totals())).versions, 150);
  });

  test("a turn alone is told when its connection is ended, and another node may have it", async (t) => {
    const { server, index } = await room(t);
    await index.totals();
    let why: unknown;
    const work = async (lost: AbortSignal) => {
      await admin(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'granary'");
      if (!lost.aborted) await new Promise((resolve) => lost.addEventListener("abort", resolve, { once: true }));
      why = lost.reason;
    };
    await assert.rejects(async () => await index.alone?.("gc", work), IndexUnavailable);
    assert.match(String(why), /another node/);
    assert.equal(await again(async () => await index.alone?.("gc", () => Promise.resolve())), true);
  });

  test("a node that is paused loses its turn alone, and learns of it when it wakes", async (t) => {
    const { server, index } = await room(t);
    await index.totals();
    const paused = await openPostgresIndex({ url: server.url, ca: undefined, name: "paused", silentMs: 500 });
    atEnd(t, () => paused.close());
    const seen: unknown[] = [];
    const work = async (lost: AbortSignal) => {
      // Nothing of this process runs.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
      const late = AbortSignal.timeout(3_000);
      const either = AbortSignal.any([lost, late]);
      if (!either.aborted) await new Promise((resolve) => either.addEventListener("abort", resolve, { once: true }));
      seen.push(lost.aborted);
    };
    await assert.rejects(async () => await paused.alone?.("gc", work), IndexUnavailable);
    assert.deepEqual(seen, [true]);
    assert.equal(await again(async () => await paused.alone?.("gc", () => Promise.resolve())), true);
  });

  test("a turn alone that lasts is kept by its proofs, and its connection is as before", async (t) => {
    const { server } = await room(t);
    const index = await openPostgresIndex({ url: server.url, ca: undefined, name: "busy", silentMs: 6_000 });
    atEnd(t, () => index.close());
    const work = async (lost: AbortSignal) => {
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      assert.equal(lost.aborted, false);
    };
    assert.equal(await index.alone?.("gc", work), true);
  });

  test("more at a time than there are connections, all waiting for a lock: each ends in time, then all is well", async (t) => {
    const { server, index } = await room(t);
    await index.put([facts(0)], 1_000);
    const other = await connected(server);
    atEnd(t, () => other.end());
    await other.query("BEGIN");
    await other.query("LOCK TABLE granary.versions IN ACCESS EXCLUSIVE MODE");
    await Promise.all(Array.from({ length: 30 }, () => failsWithin(20_000, () => index.totals(), /^(busy|away)$/)));
    await other.query("ROLLBACK");
    await again(() => index.totals());
    const all = await Promise.all(Array.from({ length: 60 }, () => index.find(named(0))));
    assert.ok(
      all.every((one) => one !== undefined),
      "more at a time than connections is only a queue",
    );
  });

  test("a server with no connection left says so", async (t) => {
    const { server } = await room(t);
    await admin(server, "CREATE ROLE one LOGIN CONNECTION LIMIT 0");
    const index = await openPostgresIndex({ url: server.url.replace("admin", "one"), ca: undefined, name: "x" });
    atEnd(t, () => index.close());
    await failsWithin(3_000, () => index.totals(), /^away$/);
  });

  test("a deadlock with somebody else is undone, and done again", async (t) => {
    const { server, index } = await room(t);
    await index.put([facts(1), facts(2)], 1_000);
    const other = await connected(server);
    atEnd(t, () => other.end());
    const lock = (n: number) => other.query(`SELECT 1 FROM granary.versions WHERE version = 'v1.${n}.0' FOR UPDATE`);
    await other.query("SET deadlock_timeout = '30s'");
    await other.query("BEGIN");
    await lock(2);
    const counted = index.used([used(1, 1), used(2, 1)], 2_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await lock(1);
    await other.query("COMMIT");
    assert.deepEqual(await counted, []);
    assert.deepEqual([(await index.find(named(1)))?.uses, (await index.find(named(2)))?.uses], [1, 1]);
  });

  test("the rights of docs/postgres.md are enough, and fewer are refused in words", async (t) => {
    const { server } = await room(t);
    await admin(server, "CREATE ROLE granary LOGIN", "CREATE ROLE nobody LOGIN");
    const as = async (user: string): Promise<StoreIndex> => {
      const index = await openPostgresIndex({ url: server.url.replace("admin", user), ca: undefined, name: user });
      atEnd(t, () => index.close());
      return index;
    };
    await assert.rejects((await as("nobody")).totals(), { kind: "refused", message: /the user lacks a right/ });
    await admin(server, "CREATE SCHEMA granary AUTHORIZATION granary");
    const index = await as("granary");
    await index.put([facts(0)], 1_000);
    await index.endRebuild(await index.beginRebuild());
    await index.doubt();
    assert.equal(await index.alone?.("gc", () => Promise.resolve()), true);
    await assert.rejects((await as("nobody")).totals(), { kind: "refused" });
  });

  test("over TLS the certificate must be of an authority that is known", async (t) => {
    const { server } = await room(t);
    const made = await makeCertificate(server.folder, "postgres");
    if (made === undefined) {
      t.skip("no openssl on this machine");
      return;
    }
    const owner = await stat(join(server.folder, "d"));
    await chmod(made.key, 0o600);
    await chown(made.key, owner.uid, owner.gid);
    await chmod(made.cert, 0o644);
    await admin(
      server,
      `ALTER SYSTEM SET ssl_cert_file = '${made.cert}'`,
      `ALTER SYSTEM SET ssl_key_file = '${made.key}'`,
      "ALTER SYSTEM SET ssl = on",
    );
    await server.kill();
    await server.start();
    const url = `${server.url}?sslmode=verify-full`;
    const ca = await readFile(made.cert, "utf8");
    const [known, unknown] = [
      await openPostgresIndex({ url, ca, name: "tls" }),
      await openPostgresIndex({ url, ca: undefined, name: "tls" }),
    ];
    atEnd(t, () => Promise.all([known.close(), unknown.close()]));
    assert.equal((await known.totals()).versions, 0);
    await assert.rejects(unknown.totals(), { kind: "refused", message: /certificate is not trusted/ });
  });

  test("no password is in any error", async (t) => {
    const { server } = await room(t);
    const secret = "s3cr3t%2Fword";
    const at = `postgres://somebody:${secret}@127.0.0.1`;
    for (const url of [
      `${at}:${server.port}/postgres`,
      `${at}:1/postgres`,
      `${at}:${server.port}/postgres?sslmode=require`,
    ]) {
      const told: Told[] = [];
      const index = await openPostgresIndex({
        url,
        ca: undefined,
        name: "x",
        onState: (state) => void told.push(state),
      });
      const error = await index.totals().catch((thrown: unknown) => thrown);
      await index.close();
      assert.ok(error instanceof IndexUnavailable);
      assert.doesNotMatch(`${JSON.stringify([error, told])}${error.stack ?? ""}${String(error.cause)}`, /s3cr3t/);
      assert.ok(error.message.length < 250);
    }
    for (const bad of [
      "postgres://u:s3cr3t@",
      "http://u:s3cr3t@h/",
      "postgres://u:s3cr3t@h/d?sslmode=prefer",
      "postgres://u:s3cr3t@h/d?x=1",
      "postgres://u:s3cr3t%@h/d",
    ]) {
      assert.doesNotMatch(postgresUrlProblem(bad) ?? assert.fail(bad), /s3cr3t/);
      await assert.rejects(openPostgresIndex({ url: bad, ca: undefined, name: "x" }), { kind: "settings" });
    }
  });
});

suite("a store that is tended by an index in PostgreSQL", { skip }, () => {
  const zip = someBytes(1_000, 3);
  const versions = Array.from({ length: 5 }, (_, n) => moduleVersion("example.com/m", `v1.${n}.0`));

  async function tended(t: TestContext, index: StoreIndex) {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    for (const id of versions) {
      await store.keepMod({
        id,
        info: Buffer.from("{}"),
        mod: Buffer.from("module example.com/m\n"),
        facts: arrivalFacts,
      });
      await keepZipBytes(store, storage, { id, bytes: zip });
    }
    const uses = new Uses();
    const events: GranaryEvent[] = [];
    const stop = new AbortController();
    const tending = new Tending({
      storage,
      store,
      index,
      retained: new Retained(storage, systemClock),
      uses,
      clock: systemClock,
      events: { emit: (event) => void events.push(event) },
      rules: () => ({
        gc: { maxBytes: 1, unusedMs: undefined, order: "lru", takesPrivate: true },
        gcEveryMs: 0,
        scrubEveryMs: 0,
        scrubBytesPerSecond: 0,
      }),
      mayEvict: () => Promise.resolve(true),
      fetch: () => Promise.reject(new Error("nobody has it")),
      stop: stop.signal,
    });
    atEnd(t, () => stop.abort());
    return { tending, uses, events, store };
  }

  test("uses and arrivals wait for it while it is dead, and nothing leaves", async (t) => {
    const { server, index } = await room(t);
    const { tending, uses, events, store } = await tended(t, index);
    await server.kill();
    tending.start();
    for (let n = 0; n < 10; n++) {
      for (const { path, version } of versions) uses.asked(`${path}@${version}`, 1, 0);
      await assert.rejects(tending.flush(), IndexUnavailable);
    }
    for (const id of versions)
      assert.notEqual(await store.findZip(id), undefined, "nothing leaves by an index that cannot be asked");
    assert.deepEqual([...new Set(events.map(({ name }) => name))], ["tending.failed"]);
    await server.start();
    await again(() => tending.flush());
    for (const id of versions) assert.equal((await again(() => index.find(id)))?.uses, 10);
    await again(() => {
      assert.ok(events.some(({ name }) => name === "index.rebuilt"));
      return Promise.resolve();
    });
  });

  test("what is counted while connections are ended is there in the end", async (t) => {
    const { server, index } = await room(t);
    const { tending, uses } = await tended(t, index);
    const client = await connected(server);
    atEnd(t, () => client.end());
    await tending.flush();
    let ended = 0;
    for (let n = 0; n < 40; n++) {
      for (const { path, version } of versions) uses.asked(`${path}@${version}`, 1, 0);
      const flushed = tending.flush().catch(() => ended++);
      if (n % 4 === 0)
        await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'granary'");
      await flushed;
    }
    await again(() => tending.flush());
    for (const id of versions) {
      const counted = (await again(() => index.find(id)))?.uses ?? 0;
      assert.ok(counted >= 40 && counted <= 40 + ended, `${counted} of 40, ${ended} ended`);
    }
  });

  test("a server starts and answers without it, says so, and tends when it is back", async (t) => {
    const server = await startPostgres(t);
    await server.kill();
    const granary = await startGranary({ upstream: "off", flags: ["--postgres", server.url] });
    atEnd(t, () => granary.stop());
    assert.equal((await fetch(`${granary.url}/-/readyz`)).status, 200);
    const says = (what: RegExp) =>
      again(() => {
        assert.match(granary.stderr(), what);
        return Promise.resolve();
      });
    await says(/index\.away/);
    const page = await (await fetch(`${granary.url}/-/`)).text();
    assert.match(page, /nobody listens there/);
    await server.start();
    await says(/index\.back/);
    await again(async () => {
      const client = await connected(server);
      const { rows } = await client.query("SELECT whole FROM granary.stores").finally(() => client.end());
      assert.deepEqual(rows, [{ whole: true }]);
    });
    assert.doesNotMatch(await (await fetch(`${granary.url}/-/`)).text(), /nobody listens there/);
  });

  const noBucket = missingS3("versitygw") ?? false;
  test("commands use it, and take their turn", { skip: noBucket }, async (t) => {
    const s3 = await startS3(t, "versitygw");
    await makeBucket(s3, "go-modules");
    const { server, index } = await room(t, { name: `s3 ${s3.endpoint} go-modules` });
    const alone = {
      GRANARY_S3_BUCKET: "go-modules",
      GRANARY_S3_ENDPOINT: s3.endpoint,
      GRANARY_S3_ACCESS_KEY: s3.accessKey,
      GRANARY_S3_SECRET_KEY: s3.secretKey,
    };
    const env = { ...alone, GRANARY_POSTGRES_URL: server.url };
    const store = ["--store", join(server.folder, "store")];
    assert.equal((await runGranary(["store", "migrate", ...store], env)).code, 0);
    assert.equal(await index.isWhole(), true);
    const gc = ["store", "gc", "--max-size", "1GB", ...store];
    assert.equal((await runGranary(gc, env)).code, 0);
    await index.alone?.("gc", async () => {
      assert.match((await runGranary(gc, env)).stderr, /GRANARY_DONE_ELSEWHERE/);
    });
    assert.match((await runGranary(gc, alone)).stderr, /GRANARY_GC_SHARED/);
    assert.equal((await runGranary([...gc, "--own-uses-only"], alone)).code, 0);
  });
});
