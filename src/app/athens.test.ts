import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { readAthens } from "./athens-config.ts";
import { athensKeys, isVariableOnly } from "./athens-keys.ts";
import type { AthensKey } from "./athens-keys.ts";
import { applyRules } from "./athens-rules.ts";
import { startAsAthens } from "./athens.ts";
import { Translation } from "./athens-translation.ts";
import type { Machine } from "./go-env.ts";

const file = "/etc/athens/config.toml";
const netrc = "machine git.corp.example login ci password s3cret\nmachine localhost login a password b\n";

function machineOf(env: Readonly<Record<string, string>>, toml?: string): Machine {
  const files: Readonly<Record<string, string | undefined>> = { [file]: toml, "/run/netrc": netrc, "/run/empty": "" };
  return { env, platform: "linux", home: "/home/a", readFile: (path) => Promise.resolve(files[path]) };
}

async function translate(env: Readonly<Record<string, string>>, toml?: string, lang: Lang = "en") {
  const machine = machineOf(env, toml);
  const words = await readAthens(undefined, { machine, lang });
  const translation = new Translation(words, lang);
  await applyRules(translation, machine);
  translation.finish();
  const settings = Object.fromEntries(
    translation.entries.map(({ key, value }) => [key, typeof value === "string" ? value : value.join(" ")]),
  );
  return { words, rows: translation.rows, settings, entries: translation.entries };
}

function rowOf({ rows }: Awaited<ReturnType<typeof translate>>, key: string) {
  const found = rows.filter((row) => row.key === key);
  assert.equal(found.length, 1, `${key}: ${JSON.stringify(rows)}`);
  return found[0];
}

const fixed: Readonly<Record<string, string>> = {
  ...{ Port: ":3000", PORT: "3000", LogLevel: "info", LogFormat: "json", CloudRuntime: "none" },
  ...{ NetworkMode: "strict", DownloadMode: "sync", StorageType: "s3", SingleFlightType: "redis" },
  ...{ SumDBs: "https://sum.golang.org", GoBinaryEnvVars: "GOPROXY=direct", NETRCPath: "/run/netrc" },
  ...{ "SingleFlight.Redis.Endpoint": "127.0.0.1:6379", "Storage.Minio.Endpoint": "minio:9000" },
  ...{ "Storage.S3.Endpoint": "s3.example", "Storage.S3.Bucket": "mods", "Storage.S3.Region": "us-east-1" },
  ...{ ATHENS_REDIS_CONNECTION_STRING: "redis://redis:6379/0", "Index.MySQL.Params": "a=b", GithubToken: "" },
};

function valueOf({ path, form }: AthensKey): string {
  const own = fixed[path];
  if (own !== undefined) return own;
  return { text: "x", list: "a.example/*", variables: "A=b", whole: "7", yes: "true", fraction: "0.5", pairs: "a=b" }[
    form
  ];
}

/** A config.toml with these keys. */
function tomlOf(keys: readonly AthensKey[]): string {
  const literal = (key: AthensKey): string => {
    const value = valueOf(key);
    if (key.form === "list" || key.form === "variables") return `[${JSON.stringify(value)}]`;
    if (key.form === "pairs") return `{ a = "b" }`;
    return key.form === "text" ? JSON.stringify(value) : value;
  };
  const tables = Map.groupBy(keys, ({ path }) => path.split(".").slice(0, -1).join("."));
  return [...tables]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([table, those]) => {
      const lines = those.map((key) => `${key.path.split(".").at(-1) ?? ""} = ${literal(key)}`);
      return [...(table === "" ? [] : [`[${table}]`]), ...lines].join("\n");
    })
    .join("\n");
}

// ---- none is lost ----

const inFiles = athensKeys.filter((key) => !isVariableOnly(key));

test("every key of a config.toml has a row, in whatever company, and none is unknown", async () => {
  const some = fc.subarray([...inFiles]);
  const types = fc.constantFrom("memory", "disk", "redis", "s3", "minio", "mongo", "gcp", "azureblob", "external");
  const locks = fc.constantFrom("memory", "redis", "redis-sentinel", "etcd", "gcp", "azureblob");
  await fc.assert(
    fc.asyncProperty(some, types, locks, async (keys, type, lock) => {
      const needed = keys.filter(({ path }) => path !== "StorageType" && path !== "SingleFlightType");
      const always = inFiles.filter(({ path }) => /^Storage\.(Disk|S3|Minio)\.(RootPath|Bucket|Endpoint)$/.test(path));
      const toml = tomlOf([...new Set([...needed, ...always])]);
      const done = await translate({}, `StorageType = "${type}"\nSingleFlightType = "${lock}"\n${toml}`);
      assert.deepEqual(
        done.rows.filter(({ kind }) => kind === "unknown"),
        [],
      );
      for (const said of done.words.said.values()) {
        const rows = done.rows.filter(({ key }) => key === said.key.path || key.startsWith(`${said.key.path} `));
        assert.ok(rows.length > 0, said.key.path);
      }
      assert.ok(done.words.said.size >= needed.length);
    }),
    { numRuns: 150 },
  );
});

for (const key of athensKeys) {
  if (key.env === undefined) continue;
  const name = key.env;
  test(`${name} is taken from the environment, and said so`, async () => {
    const env = { ATHENS_STORAGE_TYPE: "disk", ATHENS_DISK_STORAGE_ROOT: "/d", [name]: valueOf(key) };
    if (name === "ATHENS_STORAGE_TYPE") env[name] = "redis";
    const done = await translate(env);
    const rows = done.rows.filter((row) => row.key === name || row.key.startsWith(`${name} `));
    if (valueOf(key) === "") {
      assert.equal(rows[0]?.kind, "ignored");
      return;
    }
    assert.ok(rows.length > 0, JSON.stringify(done.rows));
    for (const row of rows) {
      assert.equal(row.origin, `env ${name}`);
      assert.notEqual(row.kind, "unknown");
      if (row.kind === "ignored") assert.notEqual(row.reason, "empty");
    }
  });
}

test("a variable of several keys has the rows of what became of it, and none that it is ignored", async () => {
  const env = { ATHENS_SINGLE_FLIGHT_TYPE: "redis", ATHENS_REDIS_ENDPOINT: "r:6379", ATHENS_REDIS_PASSWORD: "p" };
  const done = await translate({ ...env, ATHENS_REDIS_LOCK_TTL: "900" });
  assert.equal(rowOf(done, "ATHENS_REDIS_PASSWORD")?.kind, "mapped");
  const ttl = rowOf(done, "ATHENS_REDIS_LOCK_TTL");
  assert.match(ttl?.kind === "ignored" ? ttl.reason : "", /cluster\.lease/);
});

test("every row is told in Chinese as well", async () => {
  const done = await translate({}, tomlOf(inFiles), "zh-CN");
  for (const row of done.rows) if (row.kind === "ignored") assert.match(row.reason, /[\u4e00-\u9fff]/, row.key);
});

test("docs/athens.md names every key", async () => {
  const text = await readFile(new URL("../../docs/athens.md", import.meta.url), "utf8");
  for (const { path } of athensKeys) assert.ok(text.includes(path.split(".").at(-1) ?? path), path);
});

// ---- what each becomes ----

type Case = readonly [name: string, env: Readonly<Record<string, string>>, settings: Readonly<Record<string, string>>];

const cases: readonly Case[] = [
  ["nothing said", {}, { listen: "0.0.0.0:3000" }],
  ["a bare port", { ATHENS_PORT: "8080" }, { listen: "0.0.0.0:8080" }],
  ["a port with a colon", { ATHENS_PORT: ":8080" }, { listen: "0.0.0.0:8080" }],
  ["an address", { ATHENS_PORT: "127.0.0.1:8080" }, { listen: "127.0.0.1:8080" }],
  ["PORT", { PORT: "9000" }, { listen: "0.0.0.0:9000" }],
  ["ATHENS_PORT before PORT", { PORT: "9000", ATHENS_PORT: "9001" }, { listen: "0.0.0.0:9001" }],
  ["what Kubernetes leaves behind", { ATHENS_PORT: "tcp://10.0.0.1:80" }, { listen: "0.0.0.0:3000" }],
  ["TLS", { ATHENS_TLSCERT_FILE: "/c", ATHENS_TLSKEY_FILE: "/k" }, { "tls.cert": "/c", "tls.key": "/k" }],
  ["seconds to drain", { ATHENS_SHUTDOWN_TIMEOUT: "5" }, { "limits.drain": "5s" }],
  ["no time to drain", { ATHENS_SHUTDOWN_TIMEOUT: "0" }, { "limits.drain": "0" }],
  ["a stash beyond our bound", { ATHENS_STASH_TIMEOUT: "9999" }, { "direct.timeout": "600s" }],
  ["runs beyond our bound", { ATHENS_GOGET_WORKERS: "500" }, { "direct.jobs": "64" }],
  ["a folder for runs", { ATHENS_GOGET_DIR: "/big" }, { "direct.folder": "/big" }],
  ["levels of logrus", { ATHENS_LOG_LEVEL: "Fatal" }, { "log.level": "error" }],
  ["plain lines", { ATHENS_LOG_FORMAT: "plain" }, { "log.format": "text" }],
  ["a cloud", { ATHENS_LOG_FORMAT: "plain", ATHENS_CLOUD_RUNTIME: "GCP" }, { "log.format": "json" }],
  ["disk", { ATHENS_STORAGE_TYPE: "disk", ATHENS_DISK_STORAGE_ROOT: "/d/" }, { store: "/d/granary" }],
  ["memory", { ATHENS_STORAGE_TYPE: "memory" }, { store: "(temporary)" }],
  [
    "the guides' recipe",
    {
      ATHENS_DISK_CACHE_ROOT: "/var/cache/athens",
      ATHENS_STORAGE_TYPE: "redis",
      ATHENS_REDIS_CONNECTION_STRING: "redis://redis:6379/0",
    },
    { store: "/var/cache/athens", "redis.url": "redis://redis:6379/0" },
  ],
  [
    "MinIO",
    {
      ATHENS_STORAGE_TYPE: "minio",
      ATHENS_MINIO_ENDPOINT: "minio:9000",
      ATHENS_MINIO_BUCKET_NAME: "gomods",
      ATHENS_MINIO_ACCESS_KEY_ID: "k",
      ATHENS_MINIO_SECRET_ACCESS_KEY: "s",
    },
    {
      "s3.bucket": "gomods/granary",
      "s3.endpoint": "http://minio:9000",
      "s3.pathStyle": "on",
      "s3.accessKey": "env:ATHENS_MINIO_ACCESS_KEY_ID",
      "s3.secretKey": "env:ATHENS_MINIO_SECRET_ACCESS_KEY",
    },
  ],
  [
    "MinIO over TLS",
    {
      ATHENS_STORAGE_TYPE: "minio",
      ATHENS_MINIO_ENDPOINT: "minio:9000",
      ATHENS_MINIO_BUCKET_NAME: "gomods",
      ATHENS_MINIO_USE_SSL: "true",
    },
    { "s3.bucket": "gomods/granary", "s3.endpoint": "https://minio:9000", "s3.pathStyle": "on" },
  ],
  [
    "S3, its keys in the environment",
    { ATHENS_STORAGE_TYPE: "s3", ATHENS_S3_BUCKET_NAME: "b", AWS_REGION: "eu-x", AWS_ACCESS_KEY_ID: "k" },
    { "s3.bucket": "b/granary", "s3.region": "eu-x", "s3.pathStyle": "off" },
  ],
  [
    "locks of Redis",
    { ATHENS_SINGLE_FLIGHT_TYPE: "redis", ATHENS_REDIS_ENDPOINT: "r:6379", ATHENS_REDIS_PASSWORD: "a/b" },
    { "redis.url": "redis://:a%2Fb@r:6379" },
  ],
  [
    "a Redis as Athens' documents write it",
    { ATHENS_SINGLE_FLIGHT_TYPE: "redis", ATHENS_REDIS_ENDPOINT: "redis://u:p@127.0.0.1:6379/0?protocol=3" },
    { "redis.url": "redis://u:p@127.0.0.1:6379/0" },
  ],
  [
    "a Redis whose database is an option",
    { ATHENS_SINGLE_FLIGHT_TYPE: "redis", ATHENS_REDIS_ENDPOINT: "redis://r:6379?db=2", ATHENS_REDIS_PASSWORD: "p" },
    { "redis.url": "redis://:p@r:6379/2" },
  ],
  [
    "a Redis cluster",
    { ATHENS_SINGLE_FLIGHT_TYPE: "redis", ATHENS_REDIS_ENDPOINT: "r:1,r:2", ATHENS_REDIS_CLUSTER: "true" },
    { "redis.url": "redis://r:1 redis://r:2" },
  ],
  ["a lock that is none of ours", { ATHENS_SINGLE_FLIGHT_TYPE: "etcd", ATHENS_ETCD_ENDPOINTS: "e:1" }, {}],
  ["waiting", { ATHENS_DOWNLOAD_MODE: "sync" }, { onMiss: "fetch" }],
  ["async", { ATHENS_DOWNLOAD_MODE: "async" }, { onMiss: "fetch" }],
  ["nothing new", { ATHENS_DOWNLOAD_MODE: "none" }, { upstream: "off" }],
  ["offline", { ATHENS_NETWORK_MODE: "offline", ATHENS_DOWNLOAD_MODE: "sync" }, { upstream: "off", onMiss: "fetch" }],
  ["fallback", { ATHENS_NETWORK_MODE: "fallback" }, { mode: "resilient" }],
  [
    "redirects",
    { ATHENS_DOWNLOAD_MODE: "async_redirect", ATHENS_DOWNLOAD_URL: "https://p.example" },
    { onMiss: "redirect", upstream: "https://p.example" },
  ],
  [
    "redirects before a chain",
    {
      ATHENS_DOWNLOAD_MODE: "redirect",
      ATHENS_DOWNLOAD_URL: "https://p.example",
      ATHENS_GO_BINARY_ENV_VARS: "GOPROXY=https://q.example,direct",
    },
    { onMiss: "redirect", upstream: "https://p.example,https://q.example,direct" },
  ],
  ["Athens' own GOPROXY", { ATHENS_GO_BINARY_ENV_VARS: "GOPROXY=direct" }, {}],
  [
    "a chain",
    { ATHENS_GO_BINARY_ENV_VARS: "GOPROXY=https://a.example|direct" },
    { upstream: "https://a.example|direct" },
  ],
  [
    "private names, built directly",
    { ATHENS_GO_BINARY_ENV_VARS: "GOPRIVATE=a.example/*,b.example; GOPROXY=https://p.example" },
    { "direct.modules": "a.example/*,b.example", upstream: "https://p.example" },
  ],
  [
    "names without sums are built directly, as Athens' go does",
    { ATHENS_GONOSUM_PATTERNS: "a.example/*,b.example/*" },
    { "direct.modules": "a.example/*,b.example/*" },
  ],
  [
    "names without sums behind proxies only",
    { ATHENS_GONOSUM_PATTERNS: "a.example/*", ATHENS_GO_BINARY_ENV_VARS: "GOPROXY=https://p.example" },
    { private: "a.example/*", upstream: "https://p.example" },
  ],
  [
    "private names offline",
    { ATHENS_GONOSUM_PATTERNS: "a.example/*", ATHENS_NETWORK_MODE: "offline" },
    { private: "a.example/*", upstream: "off" },
  ],
  ["Go's database", { ATHENS_SUM_DBS: "https://sum.golang.org" }, { sumdb: "sum.golang.org" }],
  ["its mirror in China", { ATHENS_SUM_DBS: "https://sum.golang.google.cn" }, { sumdb: "sum.golang.google.cn" }],
  ["a key in GOSUMDB", { ATHENS_GO_BINARY_ENV_VARS: "GOSUMDB=s.example+1+a" }, { sumdb: "s.example+1+a" }],
  ["GOSUMDB=off turns nothing off", { ATHENS_GO_BINARY_ENV_VARS: "GOSUMDB=off" }, {}],
  ["a way out", { ATHENS_GO_BINARY_ENV_VARS: "HTTPS_PROXY=http://u:p@e:1" }, { egress: "http://u:p@e:1" }],
  ["a netrc", { ATHENS_NETRC_PATH: "/run/netrc" }, { "repositories.git.corp.example.netrc": "/run/netrc" }],
  ["a netrc of nobody", { ATHENS_NETRC_PATH: "/run/empty" }, {}],
  ["a token", { ATHENS_GITHUB_TOKEN: "t" }, { "repositories.github.com.password": "env:ATHENS_GITHUB_TOKEN" }],
];

for (const [name, env, settings] of cases) {
  test(`settings: ${name}`, async () => {
    const done = await translate(env);
    const { listen, ...rest } = done.settings;
    assert.deepEqual("listen" in settings ? done.settings : rest, settings);
    assert.ok(listen);
    assert.deepEqual(
      done.rows.filter(({ kind }) => kind === "refused" || kind === "unknown"),
      [],
    );
  });
}

const refusals: readonly (readonly [string, Readonly<Record<string, string>>, string, string])[] = [
  ["ATHENS_UNIX_SOCKET", { ATHENS_UNIX_SOCKET: "/s" }, "GRANARY_LISTEN", "127.0.0.1:1"],
  ["ATHENS_PATH_PREFIX", { ATHENS_PATH_PREFIX: "/go" }, "GRANARY_LISTEN", "127.0.0.1:1"],
  ["BASIC_AUTH_PASS", { BASIC_AUTH_USER: "u", BASIC_AUTH_PASS: "p" }, "GRANARY_PRIVATE_READERS", "tokens"],
  ["ATHENS_FILTER_FILE", { ATHENS_FILTER_FILE: "/f" }, "GRANARY_VALIDATE_COMMAND", "/bin/true"],
  ["ATHENS_PROXY_VALIDATOR", { ATHENS_PROXY_VALIDATOR: "http://v" }, "GRANARY_VALIDATE_COMMAND", "/bin/true"],
  ["ATHENS_DOWNLOAD_MODE", { ATHENS_DOWNLOAD_MODE: "file:/m.hcl" }, "GRANARY_ON_MISS", "fetch"],
  ["ATHENS_SUM_DBS", { ATHENS_SUM_DBS: "https://sums.corp.example" }, "GRANARY_SUMDB", "off"],
  ["ATHENS_STORAGE_TYPE", { ATHENS_STORAGE_TYPE: "mongo" }, "GRANARY_STORE", "/tmp/x"],
  ["ATHENS_STORAGE_TYPE", { ATHENS_STORAGE_TYPE: "gcp" }, "GRANARY_S3_BUCKET", "bucket"],
  ["ATHENS_STORAGE_TYPE", { ATHENS_STORAGE_TYPE: "external" }, "GRANARY_STORE", "/tmp/x"],
];

function start(env: Readonly<Record<string, string>>, toml?: string) {
  const io = { stdout: () => undefined, stderr: () => undefined, onStop: () => () => undefined };
  const machine = machineOf(env, toml);
  return startAsAthens({ peer: "athens" }, { values: {} }, { ...io, machine, verifyEntry: new URL(import.meta.url) });
}

for (const [key, env, ours, value] of refusals) {
  test(`${key}=${env[key] ?? ""} keeps it from starting until ${ours} says what to do instead`, async () => {
    const { report, serve } = await start(env);
    const refused = report.rows.filter(({ kind }) => kind === "refused").map((row) => row.key);
    assert.ok(refused.includes(key), JSON.stringify(report.rows));
    await assert.rejects(serve(), (error) => isGranaryError(error, "GRANARY_COMPAT_REFUSED"));
    const settled = (await start({ ...env, [ours]: value })).report.rows;
    assert.deepEqual(
      settled.filter(({ kind }) => kind === "refused"),
      [],
    );
    const row = settled.find((each) => each.key === key);
    assert.ok(row?.kind === "ignored" && row.reason.includes(ours), JSON.stringify(row));
  });
}

test("a password without a user closes nothing, as in Athens", async () => {
  const done = await translate({ BASIC_AUTH_PASS: "p" });
  assert.equal(rowOf(done, "BASIC_AUTH_PASS")?.kind, "ignored");
});

// ---- reading ----

test("the environment comes before the file, and an empty text in it too", async () => {
  const toml = 'LogLevel = "debug"\nStorageType = "disk"\n[Storage.Disk]\nRootPath = "/a"\n';
  const { settings } = await translate({ ATHENS_LOG_LEVEL: "error", ATHENS_DISK_STORAGE_ROOT: "/b" }, toml);
  assert.equal(settings["log.level"], "error");
  assert.equal(settings["store"], "/b/granary");
  const emptied = await translate({ ATHENS_LOG_LEVEL: "" }, toml);
  assert.equal(emptied.settings["log.level"], undefined);
  assert.deepEqual(rowOf(emptied, "ATHENS_LOG_LEVEL"), {
    kind: "ignored",
    key: "ATHENS_LOG_LEVEL",
    origin: "env ATHENS_LOG_LEVEL",
    reason: "empty",
  });
});

test("an empty number or yes in the environment says nothing", async () => {
  const { settings } = await translate({ ATHENS_GOGET_WORKERS: "", ATHENS_MINIO_USE_SSL: "" }, "GoGetWorkers = 3\n");
  assert.equal(settings["direct.jobs"], "3");
});

test("each value bears the line it stands on, in any spelling of the key", async () => {
  const toml = '# x\nport = ":1"\n\n[ storage ]\n[storage."disk"]\n  rootpath = "/a"\n';
  const { rows, settings } = await translate({}, `storagetype = "disk"\n${toml}`);
  assert.deepEqual(settings, { listen: "0.0.0.0:1", store: "/a/granary" });
  assert.deepEqual(
    rows.map(({ origin }) => origin),
    [`file ${file}:3`, `file ${file}:7`, `file ${file}:1`],
  );
});

const unusable: readonly (readonly [string, string, string])[] = [
  ["a port that is none", 'Port = "a"', "Port"],
  ["a storage of nobody's", '\nStorageType = "floppy"', "StorageType"],
  ["disk without a folder", 'StorageType = "disk"', "StorageType"],
  ["a bucket without a name", 'StorageType = "s3"', "StorageType"],
  ["a number that is none", 'GoGetWorkers = "many"', "GoGetWorkers"],
  ["a yes that is none", 'EnablePprof = "maybe"', "EnablePprof"],
  ["a share beyond one", "TraceSamplingFraction = 2.0", "TraceSamplingFraction"],
  ["a variable without =", 'GoBinaryEnvVars = ["GOPROXY"]', "GoBinaryEnvVars"],
  ["a mode of nobody's", 'DownloadMode = "later"', "DownloadMode"],
  ["a redirect to nowhere", 'DownloadMode = "redirect"', "DownloadMode"],
  ["a network of nobody's", 'NetworkMode = "wild"', "NetworkMode"],
  ["a level of nobody's", 'LogLevel = "loud"', "LogLevel"],
  ["a format of nobody's", 'LogFormat = "xml"', "LogFormat"],
  ["a database over http", 'SumDBs = ["http://sum.golang.org"]', "SumDBs"],
  ["a lock of nobody's", 'SingleFlightType = "zookeeper"', "SingleFlightType"],
  [
    "a Redis that is no address",
    'SingleFlightType = "redis"\n[SingleFlight.Redis]\nEndpoint = "/sock"',
    "SingleFlight.Redis.Endpoint",
  ],
  ["two ways to github", 'GithubToken = "t"\nNETRCPath = "/run/netrc"', "NETRCPath"],
];

for (const [name, toml, key] of unusable) {
  test(`unusable: ${name}`, async () => {
    const line = toml.split("\n").findIndex((each) => each.startsWith(key.split(".").at(-1) ?? "")) + 1;
    await assert.rejects(translate({}, toml), (error) => {
      assert.ok(isGranaryError(error, "GRANARY_BAD_CONFIG"), String(error));
      assert.equal(error.fields.key, key);
      assert.equal(error.fields.origin, `file ${file}:${line}`);
      return true;
    });
  });
}

test("a file that is no TOML is named with its line", async () => {
  await assert.rejects(translate({}, 'Port = ":1"\n= 3\n'), (error) => {
    assert.ok(isGranaryError(error, "GRANARY_CONFIG_UNREADABLE"));
    assert.equal(error.fields.file, `${file}:2`);
    return true;
  });
});

test("a file that was named and is not there", async () => {
  const reading = readAthens("/nowhere.toml", { machine: machineOf({}), lang: "en" });
  await assert.rejects(reading, { code: "GRANARY_CONFIG_UNREADABLE" });
});

test("strange names are told with the nearest known one, and stop nothing", async () => {
  const done = await translate({ ATHENS_STORAG_TYPE: "disk" }, 'LogLevl = "x"\n[Storage.Floppy]\nDrive = "a"\n');
  assert.deepEqual(
    done.rows.filter(({ kind }) => kind === "unknown"),
    [
      { kind: "unknown", key: "LogLevl", origin: `file ${file}:1`, nearest: "LogLevel" },
      { kind: "unknown", key: "Storage.Floppy.Drive", origin: `file ${file}:3` },
      { kind: "unknown", key: "ATHENS_STORAG_TYPE", origin: "env ATHENS_STORAG_TYPE", nearest: "ATHENS_STORAGE_TYPE" },
    ],
  );
});

test("what Kubernetes sets for a Service called athens is no setting", async () => {
  const done = await translate({
    ATHENS_SERVICE_HOST: "10.0.0.1",
    ATHENS_PORT_80_TCP_ADDR: "x",
    ATHENS_PORT: "tcp://a:1",
  });
  assert.deepEqual(
    done.rows.map(({ kind }) => kind),
    ["mapped", "ignored", "ignored", "ignored"],
  );
});

test("no secret is shown", async () => {
  const toml = tomlOf(inFiles.filter(({ path }) => path !== "NETRCPath")).replaceAll('"x"', '"hush"');
  for (const type of ["s3", "minio", "disk"]) {
    const settings = toml.replace('StorageType = "s3"', `StorageType = "${type}"`);
    const { rows } = await translate({}, settings);
    for (const { path } of athensKeys.filter(({ isSecret }) => isSecret === true)) {
      const row = rows.find(({ key }) => key === path);
      if (row?.kind === "mapped") assert.doesNotMatch(row.value, /hush/, path);
    }
  }
  const { rows } = await translate({ ATHENS_REDIS_CONNECTION_STRING: "redis://u:hush@r:1" });
  assert.doesNotMatch(JSON.stringify(rows), /hush/);
});

test("what Granary itself is told comes before all of it", async () => {
  const { report } = await start({ ATHENS_PORT: "3001", GRANARY_LISTEN: "127.0.0.1:1" });
  const [row] = report.rows;
  assert.ok(row?.kind === "mapped");
  assert.equal(row.overriddenBy, "env GRANARY_LISTEN");
});
