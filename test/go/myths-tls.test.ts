// What documents claim of TLS, certificates and HTTP/2, tried with the real go (src/services/myths).
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createSecureServer } from "node:http2";
import type { SecureServerOptions } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { makeCertificate } from "../support/certificate.ts";
import { skipLoudly } from "../support/go.ts";
import { goVersions, hello, helloV1, mythRoom } from "../support/myth-room.ts";
import type { MythRoom } from "../support/myth-room.ts";

const download = ["mod", "download", helloV1];

type Answer = { readonly status: number; readonly location?: string } | "cancel" | "forward";
type Secure = {
  readonly url: string;
  /** Of its authority: for SSL_CERT_FILE. */
  readonly cert: string;
  /** `1.1 /path`, `2.0 /path` */
  readonly asked: string[];
};

/** An https front of the room's stub; undefined, and a loud skip, where there is no openssl. */
async function secure(
  t: TestContext,
  room: MythRoom,
  { answer = "forward", ...tls }: SecureServerOptions & { readonly answer?: Answer } = {},
): Promise<Secure | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "granary-myths-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const files = await makeCertificate(folder, "proxy.example", ["proxy.example"]);
  if (files === undefined) {
    skipLoudly(t, "no openssl");
    return undefined;
  }
  const asked: string[] = [];
  const pair = { cert: await readFile(files.cert), key: await readFile(files.key) };
  const server = createSecureServer({ allowHTTP1: true, ...pair, ...tls }, (request, response) => {
    asked.push(`${request.httpVersion} ${request.url}`);
    if (answer === "cancel" && "stream" in response && request.httpVersion === "2.0") response.stream.close(8);
    else if (typeof answer === "object") {
      response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location });
      response.end();
    } else
      void fetch(room.stub.url + request.url).then(async (found) => {
        response.writeHead(found.status);
        response.end(Buffer.from(await found.arrayBuffer()));
      });
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined).once("close", () => sockets.delete(socket)));
  });
  server.on("sessionError", () => undefined).on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, cert: files.cert, asked };
}

suite("myths of TLS", { concurrency: 4 }, () => {
  test("an unknown authority is named as such, and nothing but its certificate helps", async (t) => {
    for (const tool of await goVersions(t, ["1.19.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      const proxy = room && (await secure(t, room));
      if (room === undefined || proxy === undefined) return;
      const tries = [
        {},
        { GODEBUG: "tls13=1" },
        { GODEBUG: "x509ignoreCN=0" },
        { GOKEYS: proxy.cert },
        { GOINSECURE: "*" },
        { GONOSUMDB: "*", GOINSECURE: "*", GIT_SSL_NO_VERIFY: "1" },
      ];
      for (const env of tries) {
        const { code, output } = await room.go.run(download, { env: { GOPROXY: proxy.url, ...env } });
        assert.notEqual(code, 0);
        assert.match(output, /x509: certificate signed by unknown authority/, `${tool.version} ${JSON.stringify(env)}`);
      }
      assert.deepEqual(proxy.asked, []);
      await room.go.ok(download, { env: { GOPROXY: proxy.url, SSL_CERT_FILE: proxy.cert } });
    }
  });

  test("a certificate of another name and an old TLS version are told apart", async (t) => {
    const room = await mythRoom(t);
    const proxy = room && (await secure(t, room));
    const old =
      room && (await secure(t, room, { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }));
    if (room === undefined || proxy === undefined || old === undefined) return;
    const asAnother = proxy.url.replace("127.0.0.1", "localhost");
    const name = await room.go.run(download, { env: { GOPROXY: asAnother, SSL_CERT_FILE: proxy.cert } });
    assert.match(name.output, /x509: certificate is valid for proxy\.example, not localhost/);
    assert.doesNotMatch(name.output, /protocol version/);
    const version = await room.go.run(download, { env: { GOPROXY: old.url, SSL_CERT_FILE: old.cert } });
    assert.match(version.output, /tls: (?:.* )?protocol version/);
  });

  test("go has no client certificate to show", async (t) => {
    const room = await mythRoom(t);
    const proxy = room && (await secure(t, room, { requestCert: true, rejectUnauthorized: true }));
    if (room === undefined || proxy === undefined) return;
    const { code, output } = await room.go.run(download, { env: { GOPROXY: proxy.url, SSL_CERT_FILE: proxy.cert } });
    assert.notEqual(code, 0);
    assert.match(output, /tls: certificate required/);
    assert.deepEqual(proxy.asked, []);
  });

  test("from go 1.24 on a 4xx over https is asked twice, at once", async (t) => {
    for (const tool of await goVersions(t, ["1.19.13", "1.24.9", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      const proxy = room && (await secure(t, room, { answer: { status: 429 } }));
      if (room === undefined || proxy === undefined) return;
      await room.go.run(download, { env: { GOPROXY: proxy.url, SSL_CERT_FILE: proxy.cert } });
      assert.equal(proxy.asked.length, tool.version.startsWith("1.19.") ? 1 : 2, tool.version);
    }
  });

  test("a redirect from https to http is refused", async (t) => {
    const room = await mythRoom(t);
    const location = room && `${room.stub.url}/${hello}/@v/v1.0.0.info`;
    const proxy = room && (await secure(t, room, { answer: { status: 302, location: location ?? "" } }));
    if (room === undefined || proxy === undefined) return;
    const { output } = await room.go.run(download, { env: { GOPROXY: proxy.url, SSL_CERT_FILE: proxy.cert } });
    assert.match(output, /redirected from secure URL .* to insecure URL/);
    assert.deepEqual(room.seen, []);
  });

  test("a stream that the server cancels is read, not written, and http2client=0 is HTTP/1.1", async (t) => {
    const room = await mythRoom(t);
    const proxy = room && (await secure(t, room, { answer: "cancel" }));
    if (room === undefined || proxy === undefined) return;
    const env = { GOPROXY: proxy.url, SSL_CERT_FILE: proxy.cert };
    const h2 = await room.go.run(download, { env: { ...env, GODEBUG: "http2debug=2" } });
    assert.match(h2.output, /read RST_STREAM.*ErrCode=CANCEL/);
    assert.doesNotMatch(h2.output, /wrote RST_STREAM/);
    assert.ok(proxy.asked.every((line) => line.startsWith("2.0 ")) && proxy.asked.length > 0);
    proxy.asked.length = 0;
    await room.go.ok(download, { env: { ...env, GODEBUG: "http2client=0" } });
    assert.deepEqual([...new Set(proxy.asked.map((line) => line.slice(0, 3)))], ["1.1"]);
  });
});
