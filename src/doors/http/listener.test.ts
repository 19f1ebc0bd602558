import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { atEnd } from "../../../test/support/at-end.ts";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { listen } from "./listener.ts";
import type { Listener } from "./listener.ts";
import type { Request, Response } from "./send.ts";

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
      atEnd(t, () => rm(folder, { recursive: true }));
      const made = await makeCertificate(folder, "granary.test");
      if (made === undefined) {
        t.skip("LOUD: no openssl here, the TLS cases did not run");
        return;
      }
      const tls = { cert: await readFile(made.cert), key: await readFile(made.key), profile: "compat", http2 } as const;
      const listener = await listen({ host: "127.0.0.1", port: 0 }, { handler: () => undefined, limits, tls });
      atEnd(t, () => listener.stop());
      const socket = connect(listener.port, "127.0.0.1");
      atEnd(t, () => socket.destroy());
      socket.on("error", () => undefined);
      await new Promise((resolve) => socket.once("close", resolve));
      assert.equal(socket.destroyed, true);
    },
  );

for (const [name, protocol, text] of [
  ["nothing over HTTP/1.1", "http/1.1", ""],
  ["half a header over HTTP/1.1", "http/1.1", "GET / HTTP/1.1\r\nHost: a\r\n"],
  ["nothing over HTTP/2", "h2", ""],
  ["half a preface over HTTP/2", "h2", "PRI * HT"],
  ["a preface over HTTP/2", "h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"],
] as const)
  test(`a client that shakes hands, sends ${name} and then waits is closed`, { timeout: 60_000 }, async (t) => {
    const listener = await listenSecurely(t);
    if (listener === undefined) return;
    const options = { host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: [protocol] };
    const socket = connectTls({ ...options, port: listener.port }, () => socket.write(text, "latin1"));
    atEnd(t, () => socket.destroy());
    socket.on("error", () => undefined).resume();
    await new Promise((resolve) => socket.once("close", resolve));
  });

test("an HTTP/2 session that idles is closed; one whose answer takes long is not", { timeout: 60_000 }, async (t) => {
  const listener = await listenSecurely(t, { ...limits, keepAliveMs: 200 });
  if (listener === undefined) return;
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
  atEnd(t, () => session.destroy());
  session.on("error", () => undefined);
  const closed = new Promise((resolve) => session.once("close", resolve));
  const stream = session.request({ ":path": "/" });
  let body = "";
  for await (const chunk of stream.setEncoding("utf8")) body += String(chunk);
  assert.equal(body, "late");
  await closed;
});

/** Answers after three times the idle limit of 200 ms. */
async function listenSecurely(t: TestContext, bounds = limits): Promise<Listener | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "granary-listener-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const made = await makeCertificate(folder, "granary.test");
  if (made === undefined) {
    t.skip("LOUD: no openssl here, the TLS cases did not run");
    return undefined;
  }
  const [cert, key] = [await readFile(made.cert), await readFile(made.key)];
  const handler = (_: Request, response: Response) => void setTimeout(() => response.end("late"), 600);
  const tls = { cert, key, profile: "compat", http2: true } as const;
  const listener = await listen({ host: "127.0.0.1", port: 0 }, { handler, limits: bounds, tls });
  atEnd(t, () => listener.stop());
  return listener;
}
