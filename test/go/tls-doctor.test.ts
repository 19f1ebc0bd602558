// What `granary tls` says that go says, and what the real go command says of the same server. SSL_CERT_FILE names the one
// authority that both trust.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { systemNames } from "#adapters/system/system-names.ts";
import { tlsProber } from "#adapters/system/tls-probe.ts";
import { trustStore } from "#adapters/system/trust-files.ts";
import { examineTls } from "#services/analysers/tls-exam.ts";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import { authorities, tlsWorlds } from "../support/tls-worlds.ts";

const by = authorities();

suite("go and granary tls meet a server with", () => {
  for (const world of tlsWorlds)
    test(world.name, { timeout: 300_000 }, async (t) => {
      const tool = await needsGo(t);
      if (tool === undefined) return;
      const port = await world.start(t, by);
      const client = await newGoClient(tool, { GOPROXY: `https://localhost:${port}` });
      atEnd(t, () => client.remove());
      const rootFile = join(client.home, "root.pem");
      await writeFile(rootFile, by.root.pem);
      const env = { SSL_CERT_FILE: rootFile, SSL_CERT_DIR: join(client.home, "none") };

      const said = await client.run(["mod", "download", "example.com/m@v1.0.0"], { env });
      const { report } = await examineTls(
        { host: "localhost", port },
        {
          prober: tlsProber(),
          names: systemNames(),
          trust: trustStore({ env, platform: "linux" }),
          clock: { now: () => Date.now() },
          announce: () => undefined,
          timeoutMs: world.code === "TLS_SILENT" ? 1_000 : 60_000,
        },
        t.signal,
      );
      assert.notEqual(said.code, 0);
      if (world.go === undefined) {
        assert.match(said.output, /404 Not Found/);
        assert.equal(report.goError, undefined);
        return;
      }
      assert.match(said.output, world.go);
      assert.match(report.goError ?? "", world.go);
      // Word for word, but for the moment and the ports.
      const plain = (text: string): string => text.replaceAll(/current time \S+/g, "").replaceAll('\\"', '"');
      if (/x509|remote error|tls: first|http:/.test(report.goError ?? ""))
        assert.ok(plain(said.output).includes(plain(report.goError ?? "")), `${said.output}\n${report.goError}`);
    });
});
