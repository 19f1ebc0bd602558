import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import fc from "fast-check";
import { goDefaultProxyList, officialProxyURL, sumdbName } from "#protocol/official.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { displayValue, loadConfig, reloadConfig } from "./config.ts";
import type { Config, Flags } from "./config.ts";
import { duration, formatDuration, formatSize, hostPort, parseDuration, parseSize } from "./config-kinds.ts";
import { settingKeys, settingOf, variableOf } from "./config-schema.ts";
import { parseGoEnv, userDataDir } from "./go-env.ts";
import type { Machine } from "./go-env.ts";
import { presetList } from "./presets.ts";

type World = {
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly platform?: string;
};

function machine({ env = {}, files = {}, platform = "linux" }: World): Machine {
  const home = platform === "win32" ? "C:\\Users\\dev" : "/home/dev";
  return { env, platform, home, readFile: (path) => Promise.resolve(files[path]) };
}

function load(world: World = {}, flags: Partial<Flags> = {}): Promise<Config> {
  return loadConfig({ flags: { values: {}, ...flags }, machine: machine(world) });
}

const file = (text: string): World => ({ files: { "/c.yaml": text } });
const withFile = { config: "/c.yaml" };

suite("configuration: where a value comes from", () => {
  test("flags win over the environment, that over the file, that over the default", async () => {
    const world = {
      env: { GRANARY_LISTEN: "127.0.0.1:2", GRANARY_MODE: "go" },
      ...file("listen: 127.0.0.1:3\nmode: resilient\nlog:\n  level: debug\n"),
    };
    const config = await load(world, { ...withFile, values: { listen: "127.0.0.1:1" } });
    assert.deepEqual(config.values.listen, { host: "127.0.0.1", port: 1 });
    assert.equal(config.origins.listen, "flag --listen");
    assert.equal(config.values.mode, "go");
    assert.equal(config.origins.mode, "env GRANARY_MODE");
    assert.equal(config.values["log.level"], "debug");
    assert.equal(config.origins["log.level"], "file /c.yaml:4");
    assert.equal(config.values["log.format"], "text");
    assert.equal(config.origins["log.format"], "default");
  });

  test("without any word of ours the defaults are the documented ones", async () => {
    const { values, origins } = await load();
    assert.equal(values.store, "/home/dev/.local/share/granary");
    assert.equal(values.upstream, presetList);
    assert.equal(origins.upstream, "default");
    assert.deepEqual(values.sumdb, [sumdbName]);
    assert.equal(values["proxy.timeout.read"], 30_000);
    assert.equal(values["cache.enabled"], true);
    assert.equal(values["freshness.info"], 300_000);
    assert.equal(values["freshness.largeFrom"], 10_000_000);
    assert.equal(values["limits.headerBytes"], 16_384);
  });

  test("every default is acceptable to its own setting", async () => {
    const config = await load();
    for (const key of settingKeys) assert.notEqual(config.values[key], undefined, key);
    assert.equal(new Set(settingKeys.map(variableOf)).size, settingKeys.length);
  });

  test("the machine's GOPROXY and GOPRIVATE are taken, the variable before the go env file", async () => {
    const goenv = "GOPROXY=https://file.example\nGOPRIVATE=git.example/*\n";
    const files = { "/home/dev/.config/go/env": goenv };
    const both = await load({ env: { GOPROXY: "https://env.example,direct" }, files });
    assert.equal(both.values.upstream, "https://env.example,direct");
    assert.equal(both.origins.upstream, "GOPROXY (environment)");
    assert.equal(both.values.private, "git.example/*");
    assert.equal(both.origins.private, "GOPRIVATE (go env file)");
    const onlyFile = await load({ env: { GOPROXY: "" }, files });
    assert.equal(onlyFile.values.upstream, "https://file.example");
    assert.equal(onlyFile.origins.upstream, "GOPROXY (go env file)");
  });

  test("a GOPROXY equal to Go's default counts as no choice", async () => {
    const config = await load({ env: { GOPROXY: goDefaultProxyList } });
    assert.equal(config.values.upstream, presetList);
    assert.ok(presetList.startsWith(officialProxyURL));
  });

  test("GOENV names another file, and off disables it", async () => {
    const files = {
      "/x/env": "GOPROXY=https://x.example\n",
      "/home/dev/.config/go/env": "GOPROXY=https://home.example\n",
    };
    assert.equal((await load({ env: { GOENV: "/x/env" }, files })).values.upstream, "https://x.example");
    assert.equal((await load({ env: { GOENV: "off" }, files })).values.upstream, presetList);
  });

  test("the go env file is read as go reads it: no trimming, no quotes, the last one wins", () => {
    const values = parseGoEnv(" GOPROXY=a\nexport GOPROXY=b\nGOPROXY = c\nGOPRIVATE=x\nGOPRIVATE=y=z\n#GOSUMDB=d\n");
    assert.deepEqual(
      [...values],
      [
        ["GOPROXY ", " c"],
        ["GOPRIVATE", "y=z"],
      ],
    );
  });

  test("each platform has its data directory", () => {
    const cases = [
      [{ platform: "linux", env: { XDG_DATA_HOME: "/data" } }, "/data"],
      [{ platform: "linux", env: { XDG_DATA_HOME: "relative" } }, "/home/dev/.local/share"],
      [{ platform: "darwin" }, "/home/dev/Library/Application Support"],
      [{ platform: "win32", env: { LocalAppData: "D:\\Local" } }, "D:\\Local"],
      [{ platform: "win32" }, "C:\\Users\\dev\\AppData\\Local"],
    ] as const;
    for (const [world, want] of cases) assert.equal(userDataDir(machine(world)), want);
  });

  test("the locale chooses the language unless somebody said otherwise", async () => {
    assert.equal((await load({ env: { LANG: "zh_CN.UTF-8" } })).values.lang, "zh-CN");
    assert.equal((await load({ env: { LANG: "zh_CN.UTF-8", LC_ALL: "C" } })).values.lang, "en");
    assert.equal((await load({ env: { LANG: "zh_CN.UTF-8" } }, { values: { lang: "en" } })).values.lang, "en");
  });
});

suite("configuration: files", () => {
  test("a profile is laid over the file, value by value", async () => {
    const files = { "/c.yaml": "mode: go\nlisten: 127.0.0.1:1\n", "/c.prod.yaml": "listen: 127.0.0.1:2\n" };
    const config = await load({ files }, { ...withFile, profile: "prod" });
    assert.equal(config.values.listen.port, 2);
    assert.equal(config.origins.listen, "file /c.prod.yaml:1");
    assert.equal(config.values.mode, "go");
  });

  test("a profile needs a plain name and a file", async () => {
    await assert.rejects(load(file(""), { ...withFile, profile: "../x" }), { code: "GRANARY_BAD_FLAG" });
    await assert.rejects(load({}, { profile: "prod" }), { code: "GRANARY_BAD_FLAG" });
    await assert.rejects(load(file(""), { ...withFile, profile: "absent" }), { code: "GRANARY_CONFIG_UNREADABLE" });
  });

  test("${NAME} is the variable's value, $${ a plain ${, and a missing variable an error", async () => {
    const text = "store: ${DIR}/kept\nprivate: $${X}.example\n";
    const config = await load({ env: { DIR: "/srv" }, ...file(text) }, withFile);
    assert.equal(config.values.store, "/srv/kept");
    assert.equal(config.values.private, "${X}.example");
    await assert.rejects(load(file(text), withFile), {
      code: "GRANARY_CONFIG_VARIABLE",
      fields: { origin: "file /c.yaml:1", key: "store", variable: "DIR" },
    });
  });

  test("unknown keys and variables are errors that know the nearest spelling", async () => {
    await assert.rejects(load(file("listne: x\n"), withFile), {
      code: "GRANARY_UNKNOWN_SETTING",
      fields: { origin: "file /c.yaml:1", key: "listne", nearest: "listen" },
    });
    await assert.rejects(load(file("log:\n  levle: x\n"), withFile), {
      fields: { origin: "file /c.yaml:2", key: "log.levle", nearest: "log.level" },
    });
    await assert.rejects(load({ env: { GRANARY_LISTNE: "x" } }), { code: "GRANARY_UNKNOWN_SETTING" });
    await load({ env: { GRANARY_BENCH_GOPROXY: "/x" } });
  });

  test("the same key in a file twice, an alias, a list of maps and broken YAML are refused", async () => {
    const bad = [
      "mode: go\nmode: go\n",
      "mode: [\n",
      "- a\n",
      "store: &a x\nprivate: *a\n",
      "sumdb: [{a: b}]\n",
      "just text\n",
    ];
    for (const text of bad)
      await assert.rejects(load(file(text), withFile), { code: "GRANARY_CONFIG_UNREADABLE" }, text);
    assert.equal((await load(file("# nothing\n"), withFile)).values.mode, "resilient");
  });

  test("a missing file is a clear error", async () => {
    await assert.rejects(load({}, withFile), {
      code: "GRANARY_CONFIG_UNREADABLE",
      fields: { file: "/c.yaml", reason: "no such file" },
    });
  });

  for (const name of ["minimal", "china", "private"])
    test(`examples/${name}.yaml is a valid configuration without warnings`, async () => {
      const text = await readFile(new URL(`../../examples/${name}.yaml`, import.meta.url), "utf8");
      const world = {
        env: { CORP_PROXY: "https://goproxy.corp.example" },
        files: { "/c.yaml": text, "/run/secrets/corp-proxy": "Basic x\n" },
      };
      const config = await load(world, withFile);
      assert.deepEqual(config.warnings, []);
    });
});

suite("configuration: bad values", () => {
  const bad = [
    ["listen", "8080"],
    ["listen", "127.0.0.1:99999"],
    ["mode", "fast"],
    ["upstream", "ftp://x.example"],
    ["upstream", "https://a.example;direct"],
    ["upstream", "https://a.example，direct"],
    ["upstream", ","],
    ["sumdb", "https://sum.example"],
    ["private", "a.example, b.example"],
    ["private", "https://a.example"],
    ["workers", "-1"],
    ["workers", "1.5"],
    ["cache.bytes", "lots"],
    ["freshness.info", "30"],
    ["freshness.info", "30 parsecs"],
    ["proxy.timeout.read", "0"],
    ["tls.http2", "maybe"],
    ["store", "a\u0000b"],
  ] as const;
  for (const [key, value] of bad)
    test(`${key} refuses ${JSON.stringify(value)} on the command line, in the environment and in a file`, async () => {
      const yaml = key.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      await assert.rejects(load({ env: { [variableOf(key)]: value } }), { code: "GRANARY_BAD_CONFIG" });
      await assert.rejects(load(file(JSON.stringify(yaml)), withFile), { code: "GRANARY_BAD_CONFIG" });
      if (settingOf(key).flag !== undefined)
        await assert.rejects(load({}, { values: { [key]: value } }), { code: "GRANARY_BAD_FLAG" });
    });

  test("a certificate needs its key, and off stands alone", async () => {
    await assert.rejects(load({}, { values: { "tls.cert": "/c.pem" } }), { code: "GRANARY_BAD_CONFIG" });
    await assert.rejects(load({}, { values: { sumdb: [sumdbName, "off"] } }), { code: "GRANARY_BAD_FLAG" });
    assert.deepEqual((await load({}, { values: { sumdb: ["off"] } })).values.sumdb, ["off"]);
  });

  test("GRANARY_SUMDB takes several databases between semicolons", async () => {
    const config = await load({ env: { GRANARY_SUMDB: `${sumdbName} ; ${sumdbName} https://sum.example` } });
    assert.deepEqual(config.values.sumdb, [sumdbName, `${sumdbName} https://sum.example`]);
  });
});

suite("configuration: upstreams and secrets", () => {
  const section = (value: string): string =>
    `upstreams:\n  corp:\n    url: https://corp.example\n    headers:\n      Authorization: ${value}\n`;

  test("a named upstream carries what the operator says of it", async () => {
    const text =
      "upstreams:\n  corp:\n    url: https://corp.example\n    private: git.example/*\n    absent: [403, 451]\n    authoritative: yes\n    redirectCidrs: [10.0.0.0/8]\n  official:\n    authoritative: off\n";
    const { upstreams } = await load(file(text), withFile);
    assert.deepEqual(
      upstreams.find(({ name }) => name === "corp"),
      {
        name: "corp",
        url: "https://corp.example",
        private: "git.example/*",
        absent: [403, 451],
        authoritative: true,
        redirectCidrs: ["10.0.0.0/8"],
      },
    );
    assert.equal(upstreams.find(({ name }) => name === "official")?.authoritative, false);
  });

  test("secrets come from files and variables; a plain one is warned of", async () => {
    const files = { "/s": "Bearer one\n" };
    const fromFile = await load({ files: { ...files, "/c.yaml": section("file:/s") } }, withFile);
    assert.equal(fromFile.upstreams.find(({ name }) => name === "corp")?.headers?.["Authorization"], "Bearer one");
    assert.deepEqual(fromFile.warnings, []);
    const plain = await load(file(section("Bearer two")), withFile);
    assert.deepEqual(plain.warnings, [
      { kind: "plain-secret", key: "upstreams.corp.headers.Authorization", origin: "file /c.yaml:5" },
    ]);
    await assert.rejects(load(file(section("env:ABSENT")), withFile), { code: "GRANARY_SECRET_UNREADABLE" });
    const torn = load({ files: { "/s": "Bearer a\nX-Other: b\n", "/c.yaml": section("file:/s") } }, withFile);
    await assert.rejects(torn, { code: "GRANARY_BAD_CONFIG" });
  });

  const bad = [
    "corp:\n    urll: https://x.example",
    "corp:\n    private: git.example",
    "corp:\n    url: nonsense",
    "corp:\n    url: https://x.example\n    absent: [200]",
    "corp:\n    url: https://x.example\n    redirectCidrs: [10.0.0.0/99]",
  ];
  for (const text of bad)
    test(`refuses ${JSON.stringify(text)}`, async () => {
      await assert.rejects(load(file(`upstreams:\n  ${text}\n`), withFile), {
        code: /^GRANARY_(BAD_CONFIG|UNKNOWN_SETTING)$/,
      });
    });

  test("userinfo and query values of URLs are masked when shown and when refused", async () => {
    const config = await load({}, { values: { upstream: "https://user:secret@a.example?token=secret,direct" } });
    assert.equal(displayValue(config, "upstream"), "https://xxxxx@a.example?token=xxxxx,direct");
    await assert.rejects(load({}, { values: { upstream: "ftp://user:secret@a.example" } }), {
      fields: { flag: "--upstream", value: "ftp://xxxxx@a.example", accepted: settingOf("upstream").kind.accepted.en },
    });
  });

  for (const [url, shown] of [
    ["redis://granary:s3c/ret@redis.example:6379", "redis://xxxxx@redis.example:6379"],
    ["rediss//granary:s3cret@redis.example:6379", "rediss//xxxxx@redis.example:6379"],
    ["redis://granary:s3c#r@t@redis.example:6379", "redis://xxxxx@redis.example:6379"],
  ] as const)
    test(`a URL that is none because of its password is refused without it: ${url}`, async () => {
      await assert.rejects(load({ env: { GRANARY_REDIS_URL: url } }), (error) => {
        assert.ok(isGranaryError(error, "GRANARY_BAD_CONFIG"));
        assert.equal(error.fields.value, shown);
        return true;
      });
    });

  test("a secret that stands in the settings is not shown; where it stands is", async () => {
    const config = await load({ env: { GRANARY_S3_SECRET_KEY: "s3cret" } });
    assert.equal(displayValue(config, "s3.secretKey"), "xxxxx");
    const other = await load({ env: { GRANARY_S3_SECRET_KEY: "file:/run/secrets/s3" } });
    assert.equal(displayValue(other, "s3.secretKey"), "file:/run/secrets/s3");
  });
});

suite("configuration: secrets of what nodes share", () => {
  const open = {
    "s3.secretKey": "s3cret",
    "redis.url": "redis://:s3cret@cache.example:6379",
    "postgres.url": "postgres://granary:s3cret@db.example/granary",
  };
  const keys = ["s3.secretKey", "redis.url", "postgres.url"] as const;

  test("in the open they are warned of, and never shown", async () => {
    const config = await load({}, { values: open });
    assert.deepEqual(config.warnings.map(({ key }) => key).sort(), [...keys].sort());
    for (const key of keys) assert.doesNotMatch(displayValue(config, key), /s3cret/);
    assert.equal(displayValue(config, "redis.url"), "redis://xxxxx@cache.example:6379");
  });

  test("references, and URLs without a password, are neither", async () => {
    const values = { "s3.secretKey": "file:/run/s3", "redis.url": "redis://cache:6379", "postgres.url": "env:PG" };
    const config = await load({}, { values });
    assert.deepEqual(config.warnings, []);
    assert.deepEqual(
      keys.map((key) => displayValue(config, key)),
      Object.values(values),
    );
  });
});

suite("configuration: reload", () => {
  test("a changed file applies whole, or is refused whole with the reason", async () => {
    const files: Record<string, string> = { "/c.yaml": "mode: go\n" };
    const first = await load({ files }, withFile);
    assert.equal((await reloadConfig(first)).verdict, "unchanged");
    files["/c.yaml"] = "mode: resilient\nfreshness:\n  list: 5m\n";
    const applied = await reloadConfig(first);
    assert.ok(applied.verdict === "applied");
    assert.deepEqual(applied.changed, ["mode", "freshness.list"]);
    assert.equal(applied.config.values["freshness.list"], 300_000);
    files["/c.yaml"] = "mode: nonsense\nfreshness:\n  list: 5m\n";
    const refused = await reloadConfig(first);
    assert.ok(refused.verdict === "refused");
    assert.equal(refused.reason.code, "GRANARY_BAD_CONFIG");
    files["/c.yaml"] = "listen: 127.0.0.1:1\nmode: resilient\n";
    const restart = await reloadConfig(first);
    assert.ok(restart.verdict === "refused");
    assert.deepEqual(restart.reason.fields, { keys: ["listen"] });
  });

  test("an upstream's details apply at once, its headers with a restart", async () => {
    const corp = "upstreams:\n  corp:\n    url: https://corp.example\n";
    const files: Record<string, string> = { "/c.yaml": corp };
    const first = await load({ files }, withFile);
    files["/c.yaml"] = `${corp}    absent: [403]\n`;
    const applied = await reloadConfig(first);
    assert.ok(applied.verdict === "applied");
    assert.deepEqual(applied.changed, ["upstreams"]);
    files["/c.yaml"] = `${corp}    headers: { Authorization: x }\n`;
    assert.equal((await reloadConfig(first)).verdict, "refused");
  });
});

suite("kinds of values", () => {
  test("durations and sizes read what they write", () => {
    fc.assert(fc.property(fc.nat(10 ** 9), (ms) => parseDuration(formatDuration(ms)) === ms));
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), (bytes) => parseSize(formatSize(bytes)) === bytes));
  });

  test("durations and sizes need their unit spelt as usual", () => {
    assert.equal(parseDuration("1h30m"), 5_400_000);
    assert.equal(parseSize("64MiB"), 67_108_864);
    assert.equal(parseSize("1.5 GB"), 1_500_000_000);
    assert.equal(parseSize("4096"), 4096);
    for (const bad of ["", "30", "-1s", "1 s", "s", "1y"]) assert.ok(Number.isNaN(parseDuration(bad)), bad);
    for (const bad of ["", "-1", "1XB", "0.3", "MiB", "1e3"]) assert.ok(Number.isNaN(parseSize(bad)), bad);
    assert.ok(!duration(1000, 2000).schema.safeParse("3s").success);
  });

  test("an address is a host and a port", () => {
    const cases = [
      ["127.0.0.1:0", "127.0.0.1:0"],
      ["[::1]:8080", "[::1]:8080"],
      ["localhost:80", "localhost:80"],
      [":8080", "[::]:8080"],
    ] as const;
    for (const [text, want] of cases) assert.equal(hostPort.format(hostPort.schema.parse(text)), want);
    for (const bad of ["8080", "a:b", "a:70000", "::1:80", "a b:80"])
      assert.ok(!hostPort.schema.safeParse(bad).success, bad);
  });
});
