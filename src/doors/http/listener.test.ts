import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { listen } from "./listener.ts";

const limits = {
  connections: 10,
  connectionsPerAddress: 10,
  headerBytes: 8192,
  headersTimeoutMs: 50,
  requestTimeoutMs: 50,
  keepAliveMs: 1_000,
};

for (const http2 of [false, true])
  test(
    `a client that connects over TLS and keeps still is closed (http2: ${http2})`,
    { timeout: 60_000 },
    async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "granary-listener-"));
      t.after(() => rm(folder, { recursive: true }));
      const made = await makeCertificate(folder, "granary.test");
      if (made === undefined) {
        t.skip("LOUD: no openssl here, the TLS cases did not run");
        return;
      }
      const tls = { cert: await readFile(made.cert), key: await readFile(made.key), profile: "compat", http2 } as const;
      const listener = await listen({ host: "127.0.0.1", port: 0 }, { handler: () => undefined, limits, tls });
      t.after(() => listener.stop());
      const socket = connect(listener.port, "127.0.0.1");
      t.after(() => socket.destroy());
      socket.on("error", () => undefined);
      await new Promise((resolve) => socket.once("close", resolve));
      assert.equal(socket.destroyed, true);
    },
  );
