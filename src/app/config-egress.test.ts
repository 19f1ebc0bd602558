import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../../test/support/at-end.ts";
import { parseHosts, proxiesOf } from "./config-egress.ts";
import { displayValue, loadConfig, reloadConfig } from "./config.ts";
import type { Config, Machine } from "./config.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";

type World = { readonly env?: Record<string, string>; readonly files?: Record<string, string> };

function load({ env = {}, files = {} }: World): Promise<Config> {
  const machine: Machine = {
    env,
    platform: "linux",
    home: "/home/dev",
    readFile: (path) => Promise.resolve(files[path]),
  };
  const config = files["/c.yaml"] === undefined ? undefined : "/c.yaml";
  return loadConfig({ flags: { values: {}, config }, machine });
}

const yaml = (text: string, more: Record<string, string> = {}): World => ({ files: { "/c.yaml": text, ...more } });

test("without a word the machine's proxies are used, either case, the empty one unset", async () => {
  const env = {
    HTTPS_PROXY: "",
    https_proxy: "proxy:3128",
    HTTP_PROXY: "http://a",
    http_proxy: "http://b",
    no_proxy: "x",
  };
  const config = await load({ env });
  assert.equal(config.egress, "env");
  assert.deepEqual(proxiesOf(config.egress, config.source.machine), { http: "http://a", https: "proxy:3128", no: "x" });
});

test("direct and a named proxy look at no variable", async () => {
  const env = { HTTPS_PROXY: "http://other:1", NO_PROXY: "*" };
  const direct = await load({ env: { ...env, GRANARY_EGRESS: "direct" } });
  assert.deepEqual(proxiesOf(direct.egress, direct.source.machine), {});
  const named = await load({ env: { ...env, GRANARY_EGRESS: "http://proxy:3128" } });
  assert.deepEqual(proxiesOf(named.egress, named.source.machine), {
    http: "http://proxy:3128",
    https: "http://proxy:3128",
  });
});

test("a proxy's credentials come from a file or a variable, and are shown nowhere", async () => {
  const secret = "http://me:s3cret@proxy:3128";
  const fromFile = await load(yaml("egress: file:/s\n", { "/s": `${secret}\n` }));
  const fromEnv = await load({ env: { GRANARY_EGRESS: "env:PROXY", PROXY: secret } });
  const plain = await load(yaml(`egress: ${secret}\n`));
  for (const config of [fromFile, fromEnv, plain]) {
    assert.equal(config.egress, secret);
    assert.doesNotMatch(displayValue(config, "egress"), /s3cret/);
  }
  assert.deepEqual(fromFile.warnings, []);
  assert.deepEqual(plain.warnings, [{ kind: "plain-secret", key: "egress", origin: "file /c.yaml:1" }]);
});

for (const bad of ["proxy:3128", "socks5://proxy:1080", "http://", "Direct", "http://u:s3cret@proxy:99999", "file:"])
  test(`egress ${bad} is refused`, async () => {
    await assert.rejects(load({ env: { GRANARY_EGRESS: bad } }), (error: Error & { code?: string }) => {
      assert.equal(error.code, "GRANARY_BAD_CONFIG");
      assert.doesNotMatch(JSON.stringify(error) + error.message, /s3cret/);
      return true;
    });
  });

test("a reference to what is no proxy, or to nothing, is refused without showing it", async () => {
  const bad = load(yaml("egress: file:/s\n", { "/s": "socks5://me:s3cret@proxy" }));
  await assert.rejects(bad, (error: Error & { code?: string; fields?: unknown }) => {
    assert.equal(error.code, "GRANARY_BAD_CONFIG");
    assert.doesNotMatch(JSON.stringify(error.fields) + error.message, /s3cret/);
    return true;
  });
  await assert.rejects(load(yaml("egress: env:NOT_THERE\n")), { code: "GRANARY_SECRET_UNREADABLE" });
});

test("a proxy of the machine that cannot be used is an error, not a way around it", async () => {
  await assert.rejects(load({ env: { HTTPS_PROXY: "socks5://me:s3cret@proxy" } }), { code: "GRANARY_BAD_CONFIG" });
  await load({ env: { HTTPS_PROXY: "socks5://proxy", GRANARY_EGRESS: "direct" } });
});

test("egressStrict refuses to start until somebody said how connections leave", async () => {
  await assert.rejects(load(yaml("egressStrict: on\n")), { code: "GRANARY_EGRESS_UNSET" });
  for (const egress of ["direct", "env", "http://proxy:3128"])
    assert.equal((await load(yaml(`egressStrict: on\negress: ${egress}\n`))).egress, egress);
});

test("hosts are a mapping in the file and a list in the variable", async () => {
  const inFile = await load(yaml("hosts:\n  goproxy.corp.example: 10.0.0.1,10.0.0.2\n  v6.example: [fd00::1]\n"));
  const want = new Map([
    ["goproxy.corp.example", ["10.0.0.1", "10.0.0.2"]],
    ["v6.example", ["fd00::1"]],
  ]);
  assert.deepEqual(parseHosts(inFile.values.hosts), want);
  const env = { GRANARY_HOSTS: "goproxy.corp.example=10.0.0.1,10.0.0.2; V6.example=fd00::1" };
  assert.deepEqual(parseHosts((await load({ env })).values.hosts), want);
  assert.deepEqual(parseHosts((await load({})).values.hosts), new Map());
});

for (const bad of ["up.example: nowhere", "up.example: 10.0.0.1:80", "10.0.0.1: 10.0.0.2", "up.example: ''"])
  test(`hosts ${bad} is refused`, async () => {
    await assert.rejects(load(yaml(`hosts:\n  ${bad}\n`)), { code: "GRANARY_BAD_CONFIG" });
  });

test("a client certificate needs its key, and both must be readable and belong together", async (t) => {
  const corp = "upstreams:\n  corp:\n    url: https://corp.example\n";
  await assert.rejects(load(yaml(`${corp}    clientCert: /c.pem\n`)), { code: "GRANARY_BAD_CONFIG" });
  await assert.rejects(load(yaml(`${corp}    clientKey: /c.key\n`)), { code: "GRANARY_BAD_CONFIG" });
  const folder = await mkdtemp(join(tmpdir(), "granary-pair-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const file = join(folder, "not.pem");
  await writeFile(file, "not PEM");
  for (const path of [file, join(folder, "none.pem")]) {
    const config = await load(yaml(`${corp}    clientCert: ${path}\n    clientKey: ${path}\n`));
    assert.throws(() => makeUpstreamClient(config), { code: "GRANARY_TLS_UNREADABLE" });
  }
});

test("an upstream's own egress is read like the common one, and a change needs a restart", async () => {
  const corp = (egress: string): string =>
    `upstreams:\n  corp:\n    url: https://corp.example\n    egress: ${egress}\n`;
  const files: Record<string, string> = { "/c.yaml": corp("file:/s"), "/s": "http://me:pw@proxy:1" };
  const before = await load({ files });
  assert.equal(before.upstreams.find(({ name }) => name === "corp")?.egress, "http://me:pw@proxy:1");
  files["/c.yaml"] = corp("direct");
  assert.equal((await reloadConfig(before)).verdict, "refused");
  await assert.rejects(load(yaml(corp("socks5://x"))), { code: "GRANARY_BAD_CONFIG" });
});
