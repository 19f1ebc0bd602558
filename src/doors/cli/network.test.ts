// `granary tls` and `granary dns` as people and scripts meet them: within 80 columns, in both languages, as JSON.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { fakeDns } from "../../../test/support/dns-server.ts";
import { runHere } from "../../../test/support/run-here.ts";
import { authorities, tlsWorlds } from "../../../test/support/tls-worlds.ts";
import { readHostPort } from "./network.ts";
import { columnsOf } from "./text.ts";

const by = authorities();

suite("granary tls", () => {
  for (const world of tlsWorlds.filter(({ code }) => code !== "TLS_SILENT"))
    for (const lang of ["en", "zh-CN"])
      test(`shows ${world.name} in ${lang}`, { timeout: 120_000 }, async (t) => {
        const port = await world.start(t, by);
        const { code, stdout, stderr } = await runHere([
          "tls",
          `localhost:${port}`,
          "--lang",
          lang,
          "--timeout",
          "20s",
        ]);
        // Even the healthy one is signed by an authority that this machine does not know.
        assert.equal(code, 1, stdout + stderr);
        assert.match(stdout, / ✗ /);
        assert.match(stdout, new RegExp(`localhost:${port}`));
        for (const line of stdout.split("\n"))
          assert.ok(columnsOf(line) <= 80 || /docs\/|granary tls/.test(line), line);
        assert.equal(/\p{Script=Han}/u.test(stdout), lang === "zh-CN");
        assert.equal(stderr, "");
      });

  test("--json has the chain, the walk and the findings; --verbose says every call", async (t) => {
    const port = await (tlsWorlds[0]?.start(t, by) ?? assert.fail());
    const { stdout, stderr } = await runHere(["tls", `localhost:${port}`, "--json", "--verbose"]);
    const json = JSON.parse(stdout) as {
      schema: string;
      chain: { sha256: string }[];
      steps: object[];
      findings: { code: string }[];
    };
    assert.equal(json.schema, "granary.tls/1");
    assert.equal(json.chain.length, 2);
    assert.match(json.chain[0]?.sha256 ?? "", /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
    assert.equal(json.findings[0]?.code, "TLS_UNKNOWN_AUTHORITY");
    assert.match(stderr, /^→ look up localhost .*\n→ connect 127\.0\.0\.1:\d+ \(TLS, SNI localhost\)\n/);
  });

  test("export-root writes PEM beside a warning, and never over a file", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "granary-root-"));
    atEnd(t, () => rmSync(dir, { recursive: true }));
    const port = await (tlsWorlds.find(({ name }) => name === "unknown authority")?.start(t, by) ?? assert.fail());
    const out = join(dir, "root.pem");
    const first = await runHere(["tls", "export-root", `localhost:${port}`, "--out", out]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /Compare the SHA-256/);
    assert.match(readFileSync(out, "utf8"), /^# CN=Stranger Root\n# SHA-256 /);
    const again = await runHere(["tls", "export-root", `localhost:${port}`, "--out", out]);
    assert.match(again.stderr, /GRANARY_FILE_EXISTS/);
    const shown = await runHere(["tls", "export-root", `localhost:${port}`]);
    assert.equal(shown.stdout, readFileSync(out, "utf8"));
    assert.match(shown.stderr, /SHA-256/);
  });

  test("refuses what is no place, no version and no time", async () => {
    for (const args of [
      ["a b"],
      ["host:99999"],
      ["host", "--min", "2"],
      ["host", "--timeout", "soon"],
      ["host", "--proxy", "socks5://x"],
    ])
      assert.equal((await runHere(["tls", ...args])).code, 2, args.join(" "));
  });
});

suite("granary dns", () => {
  test("compare shows the servers beside each other", async (t) => {
    const good = await fakeDns(t, () => ({ a: ["127.0.0.1"], ttl: 77 }));
    const bad = await fakeDns(t, () => ({ code: 3 }));
    const servers = `127.0.0.1:${good.port},127.0.0.1:${bad.port}`;
    for (const lang of ["en", "zh-CN"]) {
      const { code, stdout } = await runHere([
        "dns",
        "compare",
        "corp.test",
        "--servers",
        servers,
        "--port",
        "0",
        "--lang",
        lang,
      ]);
      assert.equal(code, 1);
      assert.match(stdout, /77 s/);
      assert.match(stdout, /NXDOMAIN/);
      assert.match(stdout, /DNS_NXDOMAIN_SPLIT, DNS_BOGON|DNS_BOGON/);
      for (const line of stdout.split("\n")) assert.ok(columnsOf(line) <= 80, line);
    }
    const json = await runHere(["dns", "compare", "corp.test", "--servers", servers, "--port", "0", "--json"]);
    assert.equal((JSON.parse(json.stdout) as { schema: string }).schema, "granary.dns-compare/1");
  });

  test("flush shows and does not run", async () => {
    const { code, stdout } = await runHere(["dns", "flush"]);
    assert.equal(code, 0);
    assert.match(stdout, /go keeps none/);
  });

  test("refuses what is no name and no server", async () => {
    for (const args of [
      ["which", "a b"],
      ["which", "10.0.0.1"],
      ["compare", "a.test", "--servers", "dns.corp"],
      ["compare", "a.test", "--doh", "http://x"],
      ["compare", "a.test", "--port", "x"],
    ])
      assert.equal((await runHere(["dns", ...args])).code, 2, args.join(" "));
  });
});

const places = [
  ["goproxy.cn", "goproxy.cn", 443],
  ["goproxy.cn:8443", "goproxy.cn", 8443],
  ["https://goproxy.cn/path?x", "goproxy.cn", 443],
  ["http://10.0.0.1", "10.0.0.1", 80],
  ["[::1]:8443", "::1", 8443],
  ["fd00::1", "fd00::1", 443],
] as const;
for (const [text, host, port] of places)
  test(`readHostPort(${text})`, () => assert.deepEqual(readHostPort(text), { host, port }));
