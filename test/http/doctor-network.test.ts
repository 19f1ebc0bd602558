// `granary doctor`, whole, in front of broken hosts: what is wrong is told first, whatever else follows from it.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { codesOf, openDoctorRoom } from "../support/doctor-room.ts";
import type { DoctorRoom, Told } from "../support/doctor-room.ts";
import { always, at, startHttpWorld } from "../support/http-world.ts";
import type { HttpWorld, Misbehaviour } from "../support/http-world.ts";
import { egressProxy } from "../support/loopback.ts";
import { authorities, tlsWorlds } from "../support/tls-worlds.ts";

type Scene = { readonly room: DoctorRoom; readonly world: HttpWorld; readonly env: Readonly<Record<string, string>> };

async function open(t: TestContext): Promise<Scene> {
  const [room, world] = [await openDoctorRoom(t), await startHttpWorld(t)];
  return { room, world, env: { GOSUMDB: world.database.verifierKey } };
}

const ask = async ({ room, env }: Scene, more: Readonly<Record<string, string>>, args: readonly string[] = []) =>
  await room.doctor({ ...env, ...more }, ["--module=example.com/hello@v1.0.0", ...args]);

function firstIs(told: Told, code: string): void {
  assert.equal(told.report.findings[0]?.code, code, codesOf(told).join("\n"));
  assert.equal(told.code, told.report.findings[0].severity === "fail" ? 1 : 0);
  assert.deepEqual(
    told.report.checks.filter(({ skipped }) => skipped === "broken" || skipped === "cut"),
    [],
  );
}

function nothingFails(told: Told): void {
  assert.deepEqual(
    codesOf(told).filter((code) => code.startsWith("fail")),
    [],
    told.text,
  );
  assert.equal(told.code, 0);
}

const page = "<!DOCTYPE html><title>Log in</title>";
const html = { "content-type": "text/html; charset=utf-8" };

const broken: readonly (readonly [string, Misbehaviour, string])[] = [
  ["a captive portal", always(200, page, html), "HTTP_CAPTIVE_PORTAL"],
  ["403 for everything", always(403), "HTTP_REFUSED"],
  ["502 for everything", always(502), "HTTP_SERVER_ERROR"],
  ["404 for everything", always(404), "CHAIN_SEEN_ABSENT"],
  ["an .info that is no JSON", at(".info", (response) => void response.end("v1.0.0")), "HTTP_BAD_INFO"],
  ["an empty list of a module with tags", at("/list", (response) => void response.end()), "HTTP_EMPTY_LIST"],
  [
    "another go.mod than the recorded one",
    at(".mod", (response) => void response.end("module example.com/hello\n")),
    "HTTP_WRONG_CONTENT",
  ],
  ["a zip that is none", at(".zip", (response) => void response.end("PK")), "HTTP_BAD_ZIP"],
  [
    "a zip that breaks off",
    at(".zip", (response) => {
      response.writeHead(200, { "content-length": 5000 }).write("PK");
      setTimeout(() => response.socket?.destroy(), 20);
    }),
    "HTTP_TRUNCATED",
  ],
  [
    "a redirect that never ends",
    (request, response) => (response.writeHead(302, { location: request.url ?? "/" }).end(), true),
    "HTTP_REDIRECT_LOOP",
  ],
  ["resets", at(".info", (response) => void response.socket?.resetAndDestroy()), "HTTP_UNREACHABLE"],
  [
    "403 for the checksum database",
    at("/supported", (response) => void response.writeHead(403).end()),
    "HTTP_SUMDB_STOP",
  ],
  ["500 for lookups", at("@v1.0.0", (response) => void response.writeHead(500).end()), "HTTP_SUMDB_UNREACHABLE"],
  [
    "a filter for go's name",
    (request, response) => {
      if (!/^(?:Go-http-client|GoCommand)/.test(request.headers["user-agent"] ?? "")) return false;
      response.writeHead(403).end();
      return true;
    },
    "HTTP_UA_FILTER",
  ],
];

suite("a broken proxy comes first", () => {
  for (const [name, misbehave, code] of broken)
    test(name, async (t) => {
      const scene = await open(t);
      const { url } = await scene.world.proxy(misbehave);
      firstIs(await ask(scene, { GOPROXY: url }), code);
    });

  test("nobody listens", async (t) => {
    const scene = await open(t);
    firstIs(await ask(scene, { GOPROXY: "http://127.0.0.1:1" }), "HTTP_UNREACHABLE");
  });

  test("nobody listens, and a comma keeps go from direct", async (t) => {
    const scene = await open(t);
    const told = await ask(scene, { GOPROXY: "http://127.0.0.1:1,direct" });
    firstIs(told, "CHAIN_SEEN_STOP");
    // It stands in the environment: go env -w would be shadowed.
    assert.match(told.text, /export GOPROXY='http:\/\/127\.0\.0\.1:1\|direct'/);
    assert.doesNotMatch(told.text, /go env -w/);
  });

  test("a comma behind a proxy that fails, before one that would do", async (t) => {
    const scene = await open(t);
    const [bad, good] = [await scene.world.proxy(always(503)), await scene.world.proxy()];
    firstIs(await ask(scene, { GOPROXY: `${bad.url},${good.url}` }), "CHAIN_SEEN_STOP");
  });

  test("a mirror whose zip is not the recorded one, behind a good one", async (t) => {
    const scene = await open(t);
    const [good, bad] = [
      await scene.world.proxy(),
      await scene.world.proxy(at(".zip", (response) => void response.end("PK"))),
    ];
    const told = await ask(scene, { GOPROXY: `${good.url},${bad.url}` });
    assert.ok(
      codesOf(told).some((code) => code.startsWith("fail MIRROR_")),
      codesOf(told).join("\n"),
    );
  });

  test("direct, and a checksum database that nobody reaches", async (t) => {
    const scene = await open(t);
    const gosumdb = `${scene.env["GOSUMDB"] ?? ""} http://127.0.0.1:1`;
    firstIs(await ask(scene, { GOPROXY: "direct", GOSUMDB: gosumdb }), "HTTP_SUMDB_UNREACHABLE");
  });

  test("an egress proxy that wants credentials", async (t) => {
    const scene = await open(t);
    const egress = await egressProxy(t, { ports: {}, credentials: "user:secret" });
    const told = await ask(scene, { GOPROXY: "http://goproxy.test", HTTP_PROXY: egress.url });
    firstIs(told, "HTTP_PROXY_AUTH");
  });
});

const by = authorities();

suite("a broken TLS server comes first", () => {
  // Silence takes go's ten seconds, and doctor's eight; http-probe and tls tests have it.
  for (const world of tlsWorlds.filter(({ code }) => code !== "TLS_SILENT" && code !== undefined))
    test(world.name, async (t) => {
      const scene = await open(t);
      const port = await world.start(t, by);
      await scene.room.write({ "root.pem": by.root.pem });
      const told = await ask(scene, {
        GOPROXY: `https://localhost:${port}`,
        SSL_CERT_FILE: `${scene.room.home}/root.pem`,
        SSL_CERT_DIR: `${scene.room.home}/none`,
      });
      firstIs(told, world.code ?? "");
    });
});

suite("nothing fails in front of healthy hosts", () => {
  test("one proxy", async (t) => {
    const scene = await open(t);
    nothingFails(await ask(scene, { GOPROXY: (await scene.world.proxy()).url }));
  });
  test("a proxy that does not have it, and one that does", async (t) => {
    const scene = await open(t);
    const [empty, full] = [await scene.world.proxy(always(404)), await scene.world.proxy()];
    nothingFails(await ask(scene, { GOPROXY: `${empty.url},${full.url}` }));
  });
  test("a proxy that is down before a pipe", async (t) => {
    const scene = await open(t);
    nothingFails(await ask(scene, { GOPROXY: `http://127.0.0.1:1|${(await scene.world.proxy()).url}` }));
  });
  test("a second proxy that is down behind a pipe, https too", async (t) => {
    const scene = await open(t);
    nothingFails(await ask(scene, { GOPROXY: `${(await scene.world.proxy()).url}|https://127.0.0.1:1,direct` }));
  });
  test("behind a SOCKS proxy, which go speaks and these probes do not", async (t) => {
    const scene = await open(t);
    nothingFails(await ask(scene, { GOPROXY: "https://goproxy.example", HTTPS_PROXY: "socks5://127.0.0.1:1" }));
  });
  test("two proxies that agree", async (t) => {
    const scene = await open(t);
    const [one, other] = [await scene.world.proxy(), await scene.world.proxy()];
    nothingFails(await ask(scene, { GOPROXY: `${one.url},${other.url}` }));
  });
  test("a private module, which no proxy is asked for", async (t) => {
    const scene = await open(t);
    const { url, asked } = await scene.world.proxy();
    nothingFails(await ask(scene, { GOPROXY: url, GOPRIVATE: "example.com" }));
    assert.deepEqual(
      asked.filter((path) => path.includes("example.com")),
      [],
    );
  });
  test("offline, and nobody is asked", async (t) => {
    const scene = await open(t);
    const { url, asked } = await scene.world.proxy();
    nothingFails(await ask(scene, { GOPROXY: url }, ["--offline"]));
    assert.deepEqual(asked, []);
  });
});

test("what is asked was announced", async (t) => {
  const scene = await open(t);
  const { url, asked } = await scene.world.proxy();
  const told = await ask(scene, { GOPROXY: url });
  const announced = (JSON.parse(told.text) as { checks: { announced: string[] }[] }).checks.flatMap(
    (check) => check.announced,
  );
  for (const path of asked)
    assert.ok(
      announced.some((what) => what === `GET ${url}${path}`),
      `${path}\n${announced.join("\n")}`,
    );
});

test("silent hops are told within the budget, and no report says that all is well", async (t) => {
  const scene = await open(t);
  const silent: Misbehaviour = () => true;
  const [one, two] = [await scene.world.proxy(silent), await scene.world.proxy(silent)];
  const told = await ask(scene, { GOPROXY: `${one.url}|${two.url}` }, ["chain", "requests", "--timeout=6s"]);
  assert.equal(told.code, 1, told.text);
  assert.ok(codesOf(told).includes("fail HTTP_HANGS"), codesOf(told).join("\n"));
});
