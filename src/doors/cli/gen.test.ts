// `granary gen nginx` with a nginx that is played: what is written when, and with which exit code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram } from "./program.ts";
import type { CliServices, GenTools, NginxVerdict } from "./services.ts";

type Ran = { code: number; stdout: string; stderr: string; readonly written: Record<string, string> };

async function gen(args: readonly string[], verdict?: NginxVerdict, listed: readonly string[] = []): Promise<Ran> {
  const ran: Ran = { code: -1, stdout: "", stderr: "", written: {} };
  const tools: GenTools = {
    readNodes: () => Promise.resolve(listed),
    write: (file, text) => Promise.resolve(void (ran.written[file] = text)),
    testNginx: () => Promise.resolve(verdict),
  };
  const io = {
    stdout: (text: string) => void (ran.stdout += text),
    stderr: (text: string) => void (ran.stderr += text),
    lang: "en" as const,
    isTerminal: false,
    isUtf8: true,
    shell: "bash" as const,
  };
  const services: Partial<CliServices> = { gen: () => Promise.resolve(tools) };
  ran.code = await runProgram(["gen", "nginx", ...args], {
    io,
    services: services as CliServices,
    settingFlags: [],
    version: "1.2.3",
  });
  return ran;
}

const one = ["--node", "10.0.0.1:8080"];
const tls = ["--tls-cert", "/c.pem", "--tls-key", "/k.pem"];

test("it is printed, and plain HTTP is said", async () => {
  const { code, stdout, stderr } = await gen(one);
  assert.equal(code, 0);
  assert.match(stdout, /server 10\.0\.0\.1:8080 max_fails/);
  assert.match(stdout, /listen 80;/);
  assert.match(stderr, /Plain HTTP/);
  assert.equal((await gen([...one, ...tls])).stderr, "");
});

test("what nginx refuses is not written; what nobody could check is, and is said", async () => {
  const out = [...one, ...tls, "--test", "--out", "/etc/x.conf"];
  const refused = await gen(out, { isGood: false, version: "1.22.1", said: "[emerg] no\nsecond" });
  assert.equal(refused.code, 1);
  assert.deepEqual(refused.written, {});
  assert.match(refused.stderr, /refuses it[^]*\[emerg\] no\nsecond\n$/);
  const absent = await gen(out);
  assert.equal(absent.code, 3);
  assert.deepEqual(Object.keys(absent.written), ["/etc/x.conf"]);
  assert.match(absent.stderr, /no nginx on PATH/);
  const good = await gen(out, { isGood: true, version: "1.22.1", said: "" });
  assert.equal(good.code, 0);
  assert.match(good.stderr, /nginx 1\.22\.1 takes it[^]*Written: \/etc\/x\.conf/);
});

test("options decide what is in it", async () => {
  const text = async (...args: readonly string[]) => (await gen([...one, ...tls, ...args])).stdout;
  assert.match(await text(), /listen 443 ssl http2;[^]*ssl_protocols TLSv1\.3;/);
  assert.match(await text("--tls", "compat"), /ssl_protocols TLSv1\.2 TLSv1\.3;\n\s+ssl_ciphers ECDHE/);
  assert.match(await text("--nginx", "1.28"), /listen 443 ssl;\n\s+http2 on;/);
  assert.match(await text("--nginx", "1.25.0"), /ssl http2;/);
  assert.doesNotMatch(await text("--no-http2", "--nginx", "1.28"), /http2/);
  assert.match(await text("--listen", "127.0.0.1:8443"), /listen 127\.0\.0\.1:8443 ssl/);
  assert.match(await text("--cache", "/c", "--cache-size", "1GB"), /keys_zone=granary_cache:10m max_size=1g/);
  assert.doesNotMatch(await text(), /proxy_cache/);
  const listed = await gen(["--nodes", "/nodes"], undefined, ["a:1", "b:2"]);
  assert.match(listed.stdout, /server a:1 [^]*server b:2 /);
  const https = ["--node", "https://a:1", "--node-ca", "/ca.pem", "--server-name", "go.example.com"];
  assert.match(
    (await gen(https)).stdout,
    /proxy_ssl_verify on;[^]*proxy_ssl_name go\.example\.com;[^]*https:\/\/granary/,
  );
});

for (const [why, args] of [
  ["no node", []],
  ["a certificate without a key", [...one, "--tls-cert", "/c.pem"]],
  ["an https node without authorities", ["--node", "https://a:1"]],
  ["nodes of both kinds", [...one, "--node", "https://a:1", "--node-ca", "/ca.pem"]],
  ["authorities for plain nodes", [...one, "--node-ca", "/ca.pem"]],
  ["another directive in a name", [...one, "--server-name", "a; return 200"]],
  ["another directive in a path", [...one, ...tls, "--cache", '/c" max_size=1']],
  ["a variable in a path", [...one, "--tls-cert", "/$host", "--tls-key", "/k"]],
  ["a line break in an address", [...one, "--listen", "80\n}"]],
  ["a profile that is none", [...one, ...tls, "--tls", "weak"]],
] as const)
  test(`refused as usage: ${why}`, async () => {
    const { code, stdout, stderr } = await gen(args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /GRANARY_BAD_(FLAG|USAGE)/);
  });
