import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { tlsProber } from "#adapters/system/tls-probe.ts";
import { systemNames } from "#adapters/system/system-names.ts";
import { byWeight } from "#services/findings/finding.ts";
import { egressProxy } from "../../../test/support/loopback.ts";
import { authorities, tlsWorlds } from "../../../test/support/tls-worlds.ts";
import type { Authorities } from "../../../test/support/tls-worlds.ts";
import { issue } from "../../../test/support/x509.ts";
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
