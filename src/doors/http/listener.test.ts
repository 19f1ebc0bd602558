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

/** A connection that is kept, with all that came on it. */
function keptConnection(t: TestContext, port: number): { ask: () => void; text: () => string; closed: Promise<void> } {
  const socket = connect(port, "127.0.0.1");
  atEnd(t, () => socket.destroy());
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { ask: () => void socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), text: () => text, closed };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test(
  "a drain answers what is asked on open connections, and closes each with its answer",
  { timeout: 60_000 },
  async (t) => {
    let release = (): void => undefined;
    let asked = 0;
    const handler = (_: Request, response: Response): void => {
      asked++;
      const answer = (): void => void response.writeHead(200, ["Content-Length", "2"]).end("ok");
      if (asked === 1) release = answer;
      else answer();
    };
    const bounds = { ...limits, requestTimeoutMs: 10_000, keepAliveMs: 60_000 };
    const listener = await listen({ host: "127.0.0.1", port: 0 }, { handler, limits: bounds, tls: undefined });
    atEnd(t, () => listener.stop());
    const [slow, kept, idle] = [0, 1, 2].map(() => keptConnection(t, listener.port));
    assert.ok(slow !== undefined && kept !== undefined && idle !== undefined);
    slow.ask();
    await until(() => asked === 1);
    for (const each of [kept, idle]) {
      each.ask();
      await until(() => each.text().includes("ok"));
      assert.match(each.text(), /Connection: keep-alive/);
    }
    const drained = listener.drain(30_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // A request that was on its way when the drain began.
    kept.ask();
    await kept.closed;
    assert.match(kept.text(), /Connection: keep-alive[^]*ok[^]*Connection: close[^]*ok/);
    await idle.closed;
    // Only what is not answered is open.
    await until(() => listener.connections() === 1);
    release();
    await slow.closed;
    assert.match(slow.text(), /Connection: close[^]*ok$/);
    await drained;
  },
);

test("a drain lets streams of HTTP/2 end, and tells the client to go elsewhere", { timeout: 60_000 }, async (t) => {
  const listener = await listenSecurely(t, { ...limits, keepAliveMs: 60_000 });
  if (listener === undefined) return;
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
  atEnd(t, () => session.destroy());
  session.on("error", () => undefined);
  const toldToGo = new Promise((resolve) => session.once("goaway", resolve));
  const stream = session.request({ ":path": "/" });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const drained = listener.drain(30_000);
  assert.equal(await toldToGo, 0);
  let body = "";
  for await (const chunk of stream.setEncoding("utf8")) body += String(chunk);
  assert.equal(body, "late");
  await drained;
});
