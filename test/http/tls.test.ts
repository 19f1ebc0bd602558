// TLS: who may speak, with which certificate, and HTTP/2 over it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import { atEnd } from "../support/at-end.ts";
import { makeCertificate } from "../support/certificate.ts";
import { skipLoudly } from "../support/go.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

type Secure = {
  readonly world: World;
  readonly folder: string;
  readonly ca: () => Promise<Buffer>;
  readonly port: number;
};

async function startSecure(t: TestContext, flags: readonly string[] = []): Promise<Secure | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "granary-tls-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const files = await makeCertificate(folder, "first");
  if (files === undefined) {
    skipLoudly(t, "no openssl");
    return undefined;
  }
  const { cert, key } = files;
  const world = await startWorld({ flags: [`--tls-cert=${cert}`, `--tls-key=${key}`, ...flags] });
  atEnd(t, () => world.close());
  assert.match(world.granary.url, /^https:/);
  return { world, folder, ca: () => readFile(cert), port: Number(new URL(world.granary.url).port) };
}

type Http2Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

function ask(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, ...headers });
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders = {};
    stream.on("response", (found) => (head = found));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => resolve({ status: Number(head[":status"]), headers: head, body: Buffer.concat(chunks) }));
    stream.end();
  });
}

test("HTTP/2 gives the same answers as HTTP/1.1, first and ready-made", async (t) => {
  const secure = await startSecure(t);
  if (secure === undefined) return;
  const { world } = secure;
  const session = connectHttp2(world.granary.url, { ca: await secure.ca() });
  atEnd(t, () => session.destroy());
  const base = "/example.com/hello/@v/v1.0.0";
  for (const round of ["first", "ready-made"])
    for (const ending of [".info", ".mod", ".zip"]) {
      const { status, headers, body } = await ask(session, base + ending);
      assert.equal(status, 200, `${round} ${ending}`);
      assert.equal(Number(headers["content-length"]), body.length);
      if (ending !== ".info") assert.deepEqual(body, Buffer.from(world.stub.bytes(base + ending)));
    }
  for (const path of ["/example.com/hello/@v/v9.9.9.info", "/example.com/Hello/@v/list"])
    for (let round = 0; round < 2; round++) assert.ok((await ask(session, path)).status >= 400, path);
  const etag = (await ask(session, `${base}.mod`)).headers.etag ?? "";
  assert.equal((await ask(session, `${base}.mod`, { "if-none-match": etag })).status, 304);
  const part = await ask(session, `${base}.zip`, { range: "bytes=0-3" });
  assert.deepEqual([part.status, part.body.toString()], [206, "PK\u0003\u0004"]);
  // Many at once on one connection.
  const many = await Promise.all(Array.from({ length: 100 }, () => ask(session, `${base}.zip`)));
  for (const { body } of many) assert.deepEqual(body, Buffer.from(world.stub.bytes(`${base}.zip`)));
});

test("an idle HTTP/2 connection does not hold up the end", async (t) => {
  const secure = await startSecure(t);
  if (secure === undefined) return;
  const session = connectHttp2(secure.world.granary.url, { ca: await secure.ca() });
  session.on("error", () => undefined);
  assert.equal((await ask(session, "/-/livez")).body.toString(), "ok\n");
  const closed = new Promise((resolve) => session.once("close", resolve));
  const { granary } = secure.world;
  granary.signal("SIGTERM");
  await closed;
  assert.equal(await granary.ended, 0);
  assert.doesNotMatch(granary.stderr(), /stop\.now/);
});

/** The version of TLS and the certificate's name, or the failure. */
function greet(port: number, options: { readonly maxVersion: "TLSv1.2" | "TLSv1.3" }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => {
      resolve(`${socket.getProtocol()} ${String(socket.getPeerCertificate().subject.CN)}`);
      socket.destroy();
    });
    socket.on("error", () => resolve("refused"));
  });
}

test("hardened: 1.3 only; a client of TLS 1.2 is refused", async (t) => {
  const secure = await startSecure(t, ["--tls-profile=hardened"]);
  if (secure === undefined) return;
  assert.equal(await greet(secure.port, { maxVersion: "TLSv1.2" }), "refused");
  assert.equal(await greet(secure.port, { maxVersion: "TLSv1.3" }), "TLSv1.3 first");
});

test("compat: 1.2 and 1.3; a new certificate is taken without a restart, a broken one is refused and the old stays", async (t) => {
  const secure = await startSecure(t, ["--http2=off"]);
  if (secure === undefined) return;
  const { port, folder, world } = secure;
  assert.equal(await greet(port, { maxVersion: "TLSv1.2" }), "TLSv1.2 first");
  assert.equal(await greet(port, { maxVersion: "TLSv1.3" }), "TLSv1.3 first");
  await makeCertificate(folder, "second");
  while ((await greet(port, { maxVersion: "TLSv1.3" })) !== "TLSv1.3 second")
    await new Promise((resolve) => setTimeout(resolve, 100));
  await writeFile(join(folder, "cert.pem"), "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
  while (!world.granary.stderr().includes("tls.refused")) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await greet(port, { maxVersion: "TLSv1.2" }), "TLSv1.2 second");
  // Still a server, and without HTTP/2 as told.
  const status = await new Promise((resolve, reject) => {
    const options = { rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] };
    get(`${world.granary.url}/-/livez`, options, (response) => {
      response.resume();
      resolve(`${response.statusCode} ${response.httpVersion}`);
    }).on("error", reject);
  });
  assert.equal(status, "200 1.1");
});
