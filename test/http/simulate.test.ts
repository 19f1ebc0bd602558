// `granary simulate` before broken proxies: each fault has its code, first in the report, and healthy worlds have none.
import assert from "node:assert/strict";
import { createServer as createSecureServer } from "node:https";
import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { Simulation } from "#services/analysers/http-simulation.ts";
import { fixLines } from "#services/findings/fix.ts";
import { atEnd } from "../support/at-end.ts";
import { makeCertificate } from "../support/certificate.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { always, at, startHttpWorld, tagged, tagless } from "../support/http-world.ts";
import type { HttpWorld, Misbehaviour } from "../support/http-world.ts";
import { egressProxy, listen } from "../support/loopback.ts";
import { makeModule } from "../support/modules.ts";

/** Codes by weight, `fail HTTP_REFUSED`, as found. */
function codes({ findings }: Simulation): string[] {
  return findings.map(({ severity, code }) => `${severity} ${code}`);
}

const html = { "content-type": "text/html; charset=utf-8" };
const page = "<!DOCTYPE html><title>Log in</title>";
const empty: Misbehaviour = at("/list", (response) => void response.writeHead(200).end());

suite("healthy", () => {
  test("one proxy, everything proven, in go's order", async (t) => {
    const world = await startHttpWorld(t);
    const { url, asked } = await world.proxy();
    const seen = await world.simulate(url);
    assert.equal(seen.outcome, "proven");
    assert.deepEqual(codes(seen), []);
    assert.deepEqual(
      seen.steps.map(({ name, walk }) => [name, walk.end]),
      ["list", "info", "mod", "supported", "lookup", "zip"].map((name) => [name, "ok"]),
    );
    assert.deepEqual([seen.mod?.verdict, seen.zip?.verdict], ["recorded", "recorded"]);
    assert.ok(asked.every((path) => !path.includes("?")));
    const [first] = seen.steps[0]?.walk.tries[0]?.fetch.exchanges ?? [];
    assert.deepEqual([first?.protocol, first?.address, first?.via], ["http/1.1", "127.0.0.1", undefined]);
    assert.ok((first?.phases.tcpMs ?? -1) >= 0 && (first?.phases.firstByteMs ?? -1) >= 0);
    assert.equal(first?.phases.dnsMs, undefined, "an address needs no DNS");
  });

  test("through an egress proxy, which forwards http", async (t) => {
    const world = await startHttpWorld(t);
    const { url } = await world.proxy();
    const forward = await egressProxy(t, { ports: {} });
    const seen = await world.simulate(url, { via: forward.url });
    assert.equal(forward.seen[0], `GET ${url}/example.com/hello/@v/list`);
    assert.equal(seen.steps[0]?.walk.tries[0]?.fetch.exchanges[0]?.via, new URL(forward.url).host);
  });

  test("no database asked: nobody vouches, and no finding fails", async (t) => {
    const world = await startHttpWorld(t);
    const seen = await world.simulate((await world.proxy()).url, { settings: { GOSUMDB: "off" } });
    assert.equal(seen.outcome, "unproven");
    assert.deepEqual(codes(seen), ["info HTTP_NOT_PROVEN"]);
    assert.deepEqual(world.database.asked, []);
  });

  test("a 404 of the first proxy leads on", async (t) => {
    const world = await startHttpWorld(t);
    const [first, second] = [await world.proxy(always(404)), await world.proxy()];
    const seen = await world.simulate(`${first.url},${second.url}`);
    assert.equal(seen.outcome, "proven");
    assert.deepEqual([...new Set(codes(seen))], ["info CHAIN_SEEN_FALLBACK"]);
  });

  test("a redirect elsewhere that works is worth knowing", async (t) => {
    const world = await startHttpWorld(t);
    const storage = await world.proxy();
    const { url } = await world.proxy(
      at(
        ".zip",
        (response, { url: path = "" }) => void response.writeHead(302, { location: storage.url + path }).end(),
      ),
    );
    const seen = await world.simulate(url);
    assert.equal(seen.outcome, "proven");
    assert.deepEqual(codes(seen), ["info HTTP_REDIRECT_AWAY"]);
    assert.equal(seen.steps.at(-1)?.walk.tries[0]?.fetch.exchanges.length, 2);
  });

  for (const [redirects, outcome] of [
    [9, "proven"],
    [10, "failed"],
  ] as const)
    test(`${redirects} redirects: ${outcome}`, async (t) => {
      const world = await startHttpWorld(t);
      let count = 0;
      const { url } = await world.proxy((request, response) => {
        if (request.url?.includes(".info") !== true || count === redirects) return false;
        count++;
        response.writeHead(302, { location: request.url }).end();
        return true;
      });
      assert.equal((await world.simulate(url)).outcome, outcome);
    });
});

type Case = readonly [name: string, misbehave: Misbehaviour, first: string, outcome?: Simulation["outcome"]];

/** One proxy alone. */
const broken: readonly Case[] = [
  ["a log-in page for everything", always(200, page, html), "fail HTTP_CAPTIVE_PORTAL"],
  ["a page that says it is text", always(200, page), "fail HTTP_CAPTIVE_PORTAL"],
  ["403", always(403), "fail HTTP_REFUSED"],
  ["401", always(401), "fail HTTP_REFUSED"],
  ["502", always(502), "fail HTTP_SERVER_ERROR"],
  ["204", always(204, ""), "fail HTTP_UNEXPECTED_STATUS"],
  ["everything absent", always(404), "fail CHAIN_SEEN_ABSENT"],
  ["an .info that is no JSON", at(".info", (response) => void response.end("v1.0.0")), "fail HTTP_BAD_INFO"],
  [
    "an .info of another version",
    at(".info", (response) => void response.end(`{"Version":"v1.2.0"}`)),
    "fail HTTP_BAD_INFO",
  ],
  ["a zip that is none", at(".zip", (response) => void response.end("PK")), "fail HTTP_BAD_ZIP"],
  [
    "another go.mod",
    at(".mod", (response) => void response.end("module example.com/hello\n")),
    "fail HTTP_WRONG_CONTENT",
  ],
  [
    "another zip",
    at(
      ".zip",
      (response) =>
        void response.end(
          fixtureZip(
            makeModule({ ...tagged, files: { "go.mod": "module example.com/hello\n", "evil.go": "package hello\n" } }),
          ),
        ),
    ),
    "fail HTTP_WRONG_CONTENT",
  ],
  [
    "a zip that breaks off",
    at(".zip", (response) => {
      response.writeHead(200, { "content-length": 5000 }).write("PK\u0003\u0004", () => response.socket?.end());
    }),
    "fail HTTP_TRUNCATED",
  ],
  [
    "a connection that is reset",
    at(".info", (response) => void response.socket?.resetAndDestroy()),
    "fail HTTP_UNREACHABLE",
  ],
  [
    "something that is no HTTP",
    at(".info", (response) => void response.socket?.end("SSH-2.0-x\r\n\r\n")),
    "fail HTTP_UNREACHABLE",
  ],
  [
    "redirects in a circle",
    (request, response) => response.writeHead(302, { location: request.url ?? "" }).end().writableEnded,
    "fail HTTP_REDIRECT_LOOP",
  ],
  ["a redirect to nowhere", always(302, ""), "fail HTTP_REDIRECT_LOST"],
  ["a redirect to a dead host", always(302, "", { location: "http://127.0.0.1:1/x" }), "fail HTTP_REDIRECT_BROKEN"],
  ["an empty list of a module with tags", empty, "fail HTTP_EMPTY_LIST", "proven"],
  [
    "no list, which this download does not need",
    at("/list", (response) => void response.writeHead(403).end()),
    "warn HTTP_REFUSED",
    "proven",
  ],
  ["403 for /supported", at("/supported", (response) => void response.writeHead(403).end()), "fail HTTP_SUMDB_STOP"],
  ["500 for lookups", at("@v1.0.0", (response) => void response.writeHead(500).end()), "fail HTTP_SUMDB_UNREACHABLE"],
  ["404 for lookups", at("@v1.0.0", (response) => void response.writeHead(404).end()), "fail HTTP_NO_RECORD"],
  [
    "an unsigned record",
    at("@v1.0.0", (response) => void response.end("1\nexample.com/hello v1.0.0 h1:x\n\n")),
    "fail HTTP_SUMDB_UNPROVEN",
  ],
];

suite("broken alone", () => {
  for (const [name, misbehave, first, outcome = "failed"] of broken)
    test(name, async (t) => {
      const world = await startHttpWorld(t);
      const { url } = await world.proxy(misbehave);
      const seen = await world.simulate(url);
      assert.equal(codes(seen)[0], first, codes(seen).join("\n"));
      assert.equal(seen.outcome, outcome);
    });

  test("nobody listens", async (t) => {
    const world = await startHttpWorld(t);
    const seen = await world.simulate("http://127.0.0.1:1");
    assert.deepEqual(codes(seen), ["fail HTTP_UNREACHABLE"]);
    assert.equal(seen.findings[0]?.fields["said"], "refused");
  });

  test("silence after the request is told apart from a dead host", async (t) => {
    const world = await startHttpWorld(t);
    const { url } = await world.proxy(at(".info", () => undefined));
    const seen = await world.simulate(url, { stepMs: 4_000 });
    assert.equal(codes(seen)[0], "fail HTTP_HANGS");
  });

  test("a filter for go's name", async (t) => {
    const world = await startHttpWorld(t);
    const { url } = await world.proxy((request, response) => {
      if (!/^(?:Go-http-client|GoCommand)/.test(request.headers["user-agent"] ?? "")) return false;
      response.writeHead(403).end();
      return true;
    });
    for (const go of ["1.21.13", "1.27.3"])
      assert.equal(codes(await world.simulate(url, { go }))[0], "fail HTTP_UA_FILTER");
  });

  test("a server that fails once is no filter", async (t) => {
    const world = await startHttpWorld(t);
    let count = 0;
    const { url } = await world.proxy(
      at(".info", (response) => void response.writeHead(count++ === 0 ? 503 : 200).end()),
    );
    assert.equal(codes(await world.simulate(url))[0], "fail HTTP_SERVER_ERROR");
  });

  test("credentials over plain http: nothing is sent", async (t) => {
    const world = await startHttpWorld(t);
    const { url, asked } = await world.proxy();
    const seen = await world.simulate(url.replace("//", "//u:secret@"));
    assert.equal(codes(seen)[0], "fail HTTP_PLAIN_CREDENTIALS");
    assert.deepEqual(asked, []);
    assert.doesNotMatch(JSON.stringify(seen.findings), /secret/);
  });

  test("an error page is not shown by go", async (t) => {
    const world = await startHttpWorld(t);
    const seen = await world.simulate((await world.proxy(always(404, page, html))).url);
    assert.deepEqual(codes(seen), ["fail CHAIN_SEEN_ABSENT", "info HTTP_HTML_ERROR"]);
  });

  test("a list that is empty by right is only worth a warning", async (t) => {
    const world = await startHttpWorld(t);
    const seen = await world.simulate((await world.proxy()).url, { what: tagless });
    assert.deepEqual(codes(seen), ["warn HTTP_EMPTY_LIST"]);
    assert.equal(seen.outcome, "proven");
  });
});

suite("along a list", () => {
  /** `first` misbehaves, the second is well. */
  async function pair(world: HttpWorld, first: Misbehaviour, separator: string): Promise<Simulation> {
    const [one, two] = [await world.proxy(first), await world.proxy()];
    return await world.simulate(`${one.url}${separator}${two.url}`);
  }

  for (const status of [403, 500, 502])
    test(`${status} before a comma ends the search, before | it does not`, async (t) => {
      const world = await startHttpWorld(t);
      const stopped = await pair(world, always(status), ",");
      assert.equal(codes(stopped)[0], "fail CHAIN_SEEN_STOP");
      assert.equal(stopped.outcome, "failed");
      const lines = (stopped.findings[0]?.fixes ?? []).flatMap((fix) => fixLines(fix, "bash"));
      // A refusal may be meant: nobody is told to go past it.
      if (status === 403) assert.deepEqual(lines, []);
      else assert.match(lines[0] ?? "", /^go env -w 'GOPROXY=http:\/\/127\.0\.0\.1:\d+\|http:/);
      const passed = await pair(world, always(status), "|");
      assert.equal(passed.outcome, "proven");
      assert.ok(
        codes(passed).every((code) => code.startsWith("warn ")),
        codes(passed).join("\n"),
      );
      assert.ok(codes(passed).includes("warn CHAIN_SEEN_FALLBACK"));
    });

  test("an empty list that another proxy fills", async (t) => {
    const world = await startHttpWorld(t);
    const one = await world.proxy(
      (request, response) =>
        empty(request, response) || (request.url?.endsWith(".info") === true && always(404)(request, response)),
    );
    const seen = await world.simulate(`${one.url},${(await world.proxy()).url}`);
    assert.equal(
      codes(seen).find((code) => code.endsWith("HTTP_EMPTY_LIST")),
      "fail HTTP_EMPTY_LIST",
    );
  });

  test("direct and off", async (t) => {
    const world = await startHttpWorld(t);
    const { url } = await world.proxy(always(404));
    assert.equal(codes(await world.simulate(`${url},direct`))[0], "warn CHAIN_SEEN_DIRECT");
    assert.equal(codes(await world.simulate(`${url},off`))[0], "fail CHAIN_SEEN_OFF");
  });

  test("a private module is asked of nobody", async (t) => {
    const world = await startHttpWorld(t);
    const { url, asked } = await world.proxy();
    const seen = await world.simulate(url, { settings: { GOPRIVATE: "example.com" } });
    assert.equal(seen.outcome, "private");
    assert.deepEqual(codes(seen), ["info CHAIN_SEEN_PRIVATE"]);
    assert.deepEqual([...asked, ...world.database.asked], []);
    assert.equal(
      (await world.simulate(url, { settings: { GOPRIVATE: "example.com", GONOPROXY: "none" } })).outcome,
      "unproven",
    );
  });
});

suite("egress proxies", () => {
  test("407 to CONNECT", async (t) => {
    const world = await startHttpWorld(t);
    const proxy = await egressProxy(t, { ports: {}, credentials: "u:p" });
    const seen = await world.simulate("https://goproxy.test", { via: proxy.url });
    assert.equal(codes(seen)[0], "fail HTTP_PROXY_AUTH");
    assert.deepEqual([...new Set(proxy.seen)], ["CONNECT goproxy.test:443"]);
  });

  test("403 to CONNECT", async (t) => {
    const world = await startHttpWorld(t);
    const proxy = await egressProxy(t, { ports: {} });
    assert.equal(codes(await world.simulate("https://goproxy.test", { via: proxy.url }))[0], "fail HTTP_PROXY_REFUSED");
  });

  test("407 to a forwarded request; HTTP_PROXY is for hosts beyond the loopback", async (t) => {
    const world = await startHttpWorld(t);
    const proxy = await egressProxy(t, { ports: {}, credentials: "u:p" });
    const env = { HTTP_PROXY: proxy.url };
    assert.equal(codes(await world.simulate("http://goproxy.test", { env }))[0], "fail HTTP_PROXY_AUTH");
    assert.equal((await world.simulate((await world.proxy()).url, { env })).outcome, "proven");
  });

  test("something that is no proxy", async (t) => {
    const world = await startHttpWorld(t);
    const { url } = await world.proxy();
    assert.equal(codes(await world.simulate("https://goproxy.test", { via: url }))[0], "fail HTTP_PROXY_REFUSED");
  });
});

test("credentials go to the first host alone", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-https-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const certificate = await makeCertificate(folder, "proxy", ["localhost"]);
  if (certificate === undefined) {
    t.skip("LOUD: no openssl here");
    return;
  }
  const world = await startHttpWorld(t);
  const tls = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const seen: string[] = [];
  const note = (name: string, { headers }: { headers: Record<string, unknown> }) =>
    void seen.push(`${name} ${String(headers["authorization"])}`);
  const storage = createSecureServer(tls, (request, response) => {
    note("storage", request);
    world.listener()(request, response);
  });
  const port = await listen(t, storage);
  const front = createSecureServer(tls, (request, response) => {
    note("front", request);
    if (request.url?.endsWith(".info") !== true) {
      world.listener()(request, response);
      return;
    }
    response.writeHead(302, { location: `https://localhost:${port}${request.url}` }).end();
  });
  const url = `https://u:p@127.0.0.1:${await listen(t, front)}`;
  const simulation = await world.simulate(url, { env: { SSL_CERT_FILE: certificate.cert } });
  assert.equal(simulation.outcome, "proven", codes(simulation).join("\n"));
  assert.deepEqual([...new Set(seen)], ["front Basic dTpw", "storage undefined"]);
  assert.doesNotMatch(JSON.stringify(simulation.findings), /u:p@|dTpw/);
});

test("over https: a redirect to http is refused, an unknown authority is no answer", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-https-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const certificate = await makeCertificate(folder, "proxy");
  if (certificate === undefined) {
    t.skip("LOUD: no openssl here");
    return;
  }
  const world = await startHttpWorld(t);
  const plainUrl = (await world.proxy()).url;
  const tls = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const down = at(".zip", (response, { url = "" }) => void response.writeHead(302, { location: plainUrl + url }).end());
  const url = `https://127.0.0.1:${await listen(t, createSecureServer(tls, world.listener(down)))}`;
  const env = { SSL_CERT_FILE: certificate.cert };
  const seen = await world.simulate(url, { env });
  assert.equal(codes(seen)[0], "fail HTTP_REDIRECT_INSECURE");
  const [first] = seen.steps[0]?.walk.tries[0]?.fetch.exchanges ?? [];
  assert.ok((first?.phases.tlsMs ?? 0) > 0);
  const stranger = await world.simulate(url);
  assert.equal(codes(stranger)[0], "fail HTTP_UNREACHABLE");
  assert.equal(stranger.findings[0]?.fields["said"], "tls");
});
