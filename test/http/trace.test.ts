// `granary trace`: hops, phases, two ways side by side; HTTP/2 beside HTTP/1.1 against servers that break one of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { constants, createSecureServer } from "node:http2";
import type { Http2SecureServer, ServerHttp2Stream } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { compareProtocols } from "#services/analysers/http-protocols.ts";
import type { Comparison } from "#services/analysers/http-protocols.ts";
import { trace } from "#services/analysers/http-trace.ts";
import { machineProber } from "../../src/app/http-analysers.ts";
import { atEnd } from "../support/at-end.ts";
import { makeCertificate } from "../support/certificate.ts";
import { machineOf } from "../support/http-world.ts";
import { egressProxy, listen } from "../support/loopback.ts";

const signal = new AbortController().signal;

suite("trace", () => {
  test("redirects are hops, and the slow one is the bottleneck", async (t) => {
    const storage = createServer((_, response) => void setTimeout(() => response.end("goods"), 400));
    const to = `http://127.0.0.1:${await listen(t, storage)}/goods`;
    const front = createServer((_, response) => void response.writeHead(302, { location: to, age: "5" }).end());
    const url = `http://127.0.0.1:${await listen(t, front)}/x`;
    const path = await trace(url, "direct", { prober: await machineProber(machineOf()), go: "1.26.8", signal });
    assert.deepEqual(
      path.fetch.exchanges.map(({ status }) => status),
      [302, 200],
    );
    assert.deepEqual([path.bottleneck?.hop, path.bottleneck?.phase], [1, "firstByteMs"]);
    assert.ok((path.bottleneck?.ms ?? 0) >= 390);
    assert.deepEqual(path.findings, []);
  });

  test("the same URL directly and through a CONNECT proxy", async (t) => {
    const tls = await certificateOf(t);
    if (tls === undefined) return;
    const port = await listen(
      t,
      createTlsServer(tls, (_, response) => void response.end("hello")),
    );
    const proxy = await egressProxy(t, { ports: { "127.0.0.1": port } });
    const prober = await machineProber(machineOf({ SSL_CERT_FILE: tls.file }), proxy.url);
    const use = { prober, go: "1.26.8", signal };
    const url = `https://127.0.0.1:${port}/`;
    const [direct, relayed] = [await trace(url, "direct", use), await trace(url, "usual", use)];
    assert.equal(direct.fetch.exchanges[0]?.phases.tunnelMs, undefined);
    assert.ok((relayed.fetch.exchanges[0]?.phases.tunnelMs ?? 0) > 0);
    assert.equal(relayed.fetch.exchanges[0]?.via, new URL(proxy.url).host);
    assert.deepEqual(proxy.seen, [`CONNECT 127.0.0.1:${port}`]);
  });

  test("nobody there", async () => {
    const use = { prober: await machineProber(machineOf()), go: "1.26.8", signal };
    const { findings } = await trace("http://127.0.0.1:1/", "direct", use);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["HTTP_UNREACHABLE"],
    );
  });

  test("being told to stop is the only thing that throws", async (t) => {
    const server = createServer(() => undefined);
    const url = `http://127.0.0.1:${await listen(t, server)}/`;
    const stop = new AbortController();
    server.once("request", () => stop.abort(new Error("enough")));
    const use = { prober: await machineProber(machineOf()), go: "1.26.8", signal: stop.signal };
    await assert.rejects(trace(url, "direct", use), /enough/);
  });
});

type Tls = { readonly cert: Buffer; readonly key: Buffer; readonly file: string };

async function certificateOf(t: TestContext): Promise<Tls | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "granary-h2-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const made = await makeCertificate(folder, "proxy");
  if (made === undefined) t.skip("LOUD: no openssl here");
  return made && { cert: readFileSync(made.cert), key: readFileSync(made.key), file: made.cert };
}

type Serve = { readonly stream?: (stream: ServerHttp2Stream, nth: number) => void; readonly http1?: number };

/** Compares against a server of both protocols; `stream` answers over HTTP/2, `http1` is the status over HTTP/1.1. */
async function compare(
  t: TestContext,
  { stream, http1 = 200 }: Serve,
): Promise<{ seen: Comparison; asked: number } | undefined> {
  const tls = await certificateOf(t);
  if (tls === undefined) return undefined;
  let asked = 0;
  const server: Http2SecureServer = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
    asked++;
    if (request.httpVersion === "2.0" && stream !== undefined) stream(request.stream, asked);
    else response.writeHead(http1, { "retry-after": "60" }).end("v1.0.0\n");
  });
  server.on("sessionError", () => undefined);
  const url = `https://127.0.0.1:${await listen(t, server)}/list`;
  const prober = await machineProber(machineOf({ SSL_CERT_FILE: tls.file }));
  const seen = await compareProtocols(url, { prober, version: "0.0.0", signal, timeoutMs: 30_000 });
  return { seen, asked };
}

suite("HTTP/2 beside HTTP/1.1", () => {
  test("both work", async (t) => {
    const got = await compare(t, {});
    if (got === undefined) return;
    const { seen, asked } = got;
    assert.equal(seen.findings.filter(({ severity }) => severity === "fail").length, 0);
    assert.deepEqual([seen.h2?.burst.answered, seen.http1?.burst.answered, seen.h2?.resets], [20, 20, 0]);
    assert.equal(asked, 51, "one to see what is offered, then five and twenty of each");
  });

  test("every stream is reset", async (t) => {
    const got = await compare(t, { stream: (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR) });
    if (got === undefined) return;
    const [finding] = got.seen.findings;
    assert.deepEqual(
      [got.seen.verdict, finding?.code, finding?.fields["said"]],
      ["h2-broken", "HTTP_H2_BROKEN", "INTERNAL_ERROR"],
    );
    assert.deepEqual(finding?.fixes, [{ kind: "export", values: { GODEBUG: "http2client=0" } }]);
    assert.equal(got.seen.h2?.burst.asked, 0, "what fails five times is not asked twenty times more");
  });

  test("GOAWAY instead of an answer", async (t) => {
    const got = await compare(t, {
      stream: (stream) => {
        stream.on("error", () => undefined);
        stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0);
        stream.session?.destroy();
      },
    });
    if (got === undefined) return;
    assert.deepEqual(
      got.seen.findings.map(({ code }) => code),
      ["HTTP_H2_BROKEN"],
    );
    assert.match(String(got.seen.h2?.rounds[0]?.fault?.kind), /^(going-away|closed)$/);
  });

  test("a connection that is dropped", async (t) => {
    const got = await compare(t, { stream: (stream) => stream.session?.destroy() });
    if (got === undefined) return;
    assert.deepEqual(
      got.seen.findings.map(({ code }) => code),
      ["HTTP_H2_BROKEN"],
    );
  });

  test("every fourth stream is reset", async (t) => {
    const got = await compare(t, {
      stream: (stream, nth) => {
        if (nth % 4 === 0) {
          stream.close(constants.NGHTTP2_REFUSED_STREAM);
          return;
        }
        stream.respond({ ":status": 200 });
        stream.end("v1.0.0\n");
      },
    });
    if (got === undefined) return;
    assert.deepEqual(
      got.seen.findings.map(({ code }) => code),
      ["HTTP_H2_RESETS"],
    );
    assert.ok((got.seen.h2?.resets ?? 0) >= 5);
  });

  test("silence over HTTP/2 ends at the time limit, and is told as such", async (t) => {
    const tls = await certificateOf(t);
    if (tls === undefined) return;
    const port = await listen(
      t,
      createSecureServer(tls, () => undefined),
    );
    const prober = await machineProber(machineOf({ SSL_CERT_FILE: tls.file }));
    const userAgent = { "http/1.1": "x", h2: "x" };
    const ask = {
      url: `https://127.0.0.1:${port}/`,
      userAgent,
      route: "direct",
      maxBytes: 10,
      timeoutMs: 3_000,
      signal,
    } as const;
    const { fault, protocol } = await prober.get(ask);
    assert.deepEqual([protocol, fault?.kind, fault?.during], ["h2", "timeout", "answer"]);
  });

  test("a server that asks to be left alone is", async (t) => {
    const got = await compare(t, { http1: 429 });
    if (got === undefined) return;
    assert.equal(got.seen.verdict, "busy");
    assert.ok(got.asked <= 2, `${got.asked} requests`);
  });

  test("no HTTP/2 on offer, and no TLS", async (t) => {
    const tls = await certificateOf(t);
    if (tls === undefined) return;
    const port = await listen(
      t,
      createTlsServer(tls, (_, response) => void response.end("hello")),
    );
    const use = { prober: await machineProber(machineOf({ SSL_CERT_FILE: tls.file })), version: "0.0.0", signal };
    const seen = await compareProtocols(`https://127.0.0.1:${port}/`, use);
    assert.deepEqual([seen.verdict, seen.findings[0]?.code], ["none", "HTTP_NO_H2"]);
    assert.equal((await compareProtocols("http://127.0.0.1:1/", use)).verdict, "plain");
  });
});
