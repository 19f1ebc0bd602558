import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { tlsProber } from "#adapters/system/tls-probe.ts";
import { systemNames } from "#adapters/system/system-names.ts";
import { byWeight } from "#services/findings/finding.ts";
import { egressProxy } from "../../../test/support/loopback.ts";
import { authorities, tlsWorlds } from "../../../test/support/tls-worlds.ts";
import { issue } from "../../../test/support/x509.ts";
import { readPem } from "./certificate.ts";
import { exportRoots } from "./export-root.ts";
import type { TrustStore } from "./ports.ts";
import { examineTls } from "./tls-exam.ts";
import type { TlsUse } from "./tls-exam.ts";

const by = authorities();
const never = new AbortController().signal;

function trusting(roots: readonly string[], publicRoots: readonly string[] = []): TrustStore {
  return {
    goRoots: () => Promise.resolve(roots.map((pem, i) => ({ place: `root ${i}`, pem }))),
    publicRoots: () => publicRoots,
    family: () => Promise.resolve("debian"),
  };
}

function use(options: Partial<TlsUse> = {}): TlsUse {
  return {
    prober: tlsProber(),
    names: systemNames(),
    trust: trusting([by.root.pem]),
    clock: { now: () => Date.now() },
    announce: () => undefined,
    timeoutMs: 30_000,
    ...options,
  };
}

suite("examineTls() of a server with", () => {
  for (const world of tlsWorlds)
    test(world.name, { timeout: 120_000 }, async (t) => {
      const port = await world.start(t, by);
      const timeoutMs = world.code === "TLS_SILENT" ? 1_000 : 30_000;
      const { report, findings } = await examineTls({ host: "localhost", port }, use({ timeoutMs }), never);
      const [first] = byWeight(findings).filter(({ severity }) => severity !== "info");
      assert.equal(first?.code, world.code, JSON.stringify({ ...report, chain: [] }));
      if (world.go === undefined) assert.equal(report.goError, undefined);
      else assert.match(report.goError ?? "", world.go);
      if (world.openssl !== undefined) assert.equal(report.opensslError, world.openssl);
      const last = report.steps.find(({ answer }) => answer === false);
      assert.equal(last === undefined, world.code === undefined, JSON.stringify(report.steps));
    });
});

suite("examineTls() also", () => {
  const world = (name: string) => tlsWorlds.find((one) => one.name === name) ?? assert.fail(name);
  const examined = async (port: number, options: Partial<TlsUse>, target: object = {}) => {
    const { report, findings } = await examineTls({ host: "localhost", port, ...target }, use(options), never);
    return { report, codes: findings.map(({ code }) => code), findings };
  };

  test("finds the clock where an expired certificate is good by the server's Date", async (t) => {
    const port = await world("good").start(t, by);
    const early = { now: () => Date.now() - 40 * 86_400_000 };
    const late = { now: () => Date.now() + 100 * 86_400_000 };
    assert.deepEqual((await examined(port, { clock: early })).codes.slice(0, 1), ["TLS_CLOCK_WRONG"]);
    assert.deepEqual((await examined(port, { clock: late })).codes.slice(0, 1), ["TLS_CLOCK_WRONG"]);
  });

  test("finds a machine without authorities where the world's would do", async (t) => {
    const port = await world("good").start(t, by);
    const { codes, report } = await examined(port, { trust: trusting([], [by.root.pem]) });
    assert.equal(codes[0], "TLS_NO_ROOTS");
    assert.equal(report.roots.count, 0);
  });

  test("tells that only this machine trusts a server", async (t) => {
    const port = await world("good").start(t, by);
    const { codes } = await examined(port, { trust: trusting([by.root.pem], [by.stranger.pem]) });
    assert.deepEqual(
      codes.filter((code) => code !== "TLS_NO_HTTP2"),
      ["TLS_STORES_DIFFER"],
    );
  });

  test("calls a private authority on a public host interception", async (t) => {
    const port = await world("good").start(t, by);
    const root = issue({ cn: "Corp Root", isCa: true });
    const certificate = issue({ cn: "proxy.golang.org", dns: ["proxy.golang.org"], by: root });
    const { codes } = await examined(
      port,
      {
        trust: trusting([root.pem], [by.stranger.pem]),
        prober: fixed([certificate.der, root.der]),
      },
      { servername: "proxy.golang.org" },
    );
    assert.deepEqual(codes, ["TLS_INTERCEPTED"]);
  });

  test("goes through a CONNECT proxy, and tells what it refuses", async (t) => {
    const port = await world("good").start(t, by);
    const open = await egressProxy(t, { ports: { localhost: port }, credentials: "me:s3cret" });
    const withUser = open.url.replace("//", "//me:s3cret@");
    assert.deepEqual((await examined(port, {}, { proxy: withUser })).codes, ["TLS_STORES_DIFFER"]);
    assert.deepEqual(open.seen, [`CONNECT localhost:${port}`, `CONNECT localhost:${port}`]);
    const { codes, findings } = await examined(port, {}, { proxy: open.url });
    assert.deepEqual(codes, ["TCP_PROXY_REFUSED"]);
    assert.match(JSON.stringify(findings), /407/);
  });

  test("tells a refused connection and a name without address", async (t) => {
    const closed = await world("good").start(t, by);
    const nobody = { lookup: () => Promise.resolve({ failed: "ENOTFOUND" }) };
    const { codes, report } = await examined(closed, { names: nobody });
    assert.deepEqual([codes, report.goError], [["TCP_NO_ADDRESS"], "dial tcp: lookup localhost: no such host"]);
    assert.deepEqual((await examined(1, {})).codes, ["TCP_REFUSED"]);
  });

  test("holds a version against --min, and a name against --servername", async (t) => {
    const port = await world("TLS 1.1 only").start(t, by);
    assert.equal((await examined(port, {})).report.protocol, "TLSv1.1");
    const good = await world("good").start(t, by);
    const { codes } = await examined(good, {}, { servername: "other.example", min: "TLSv1.3" });
    assert.deepEqual(codes.slice(0, 1), ["TLS_DEFAULT_CERTIFICATE"]);
  });

  test("announces every connection before it is made", async (t) => {
    const port = await world("good").start(t, by);
    const calls: string[] = [];
    await examined(port, { announce: (call) => calls.push(call) });
    assert.deepEqual(calls, [
      "look up localhost (getaddrinfo)",
      `connect 127.0.0.1:${port} (TLS, SNI localhost)`,
      `connect 127.0.0.1:${port} (TLS, SNI localhost)`,
    ]);
  });

  test("exports who signed, and calls nothing trusted that is not", async (t) => {
    const port = await world("interception by issuer").start(t, by);
    const { report } = await examined(port, {});
    const roots = exportRoots(report);
    assert.deepEqual([roots?.certificates.length, roots?.isWhole, roots?.isTrusted], [1, true, false]);
    assert.match(roots?.pem ?? "", /^# O=Zscaler Inc\., CN=Zscaler Root CA\n# SHA-256 ([0-9A-F]{2}:){31}/);
    assert.equal(readPem(roots?.pem ?? "").length, 1);
    const good = await examined(await world("good").start(t, by), {});
    assert.deepEqual(
      exportRoots(good.report)?.certificates.map(({ subject }) => subject.commonName),
      ["Granary Test Issuing CA", "Granary Test Root"],
    );
  });
});

function fixed(chain: readonly Uint8Array[]): TlsUse["prober"] {
  const rest = { protocol: "TLSv1.3", cipher: "x", alpn: "h2", openssl: undefined };
  return {
    attempt: () => Promise.resolve({ tcpMs: 1, tlsMs: 1, outcome: { kind: "shaken", chain, ...rest } }),
    plainHttp: () => Promise.resolve(undefined),
  };
}
