// What `granary simulate` asks is what a real go asks: the same paths in the same order with the same headers, by several
// versions; and where one fails, so does the other.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { always, at, startHttpWorld, tagged } from "../support/http-world.ts";
import type { HttpWorld, Misbehaviour } from "../support/http-world.ts";
import { listen } from "../support/loopback.ts";
import { makeModule } from "../support/modules.ts";
import { obtainGo } from "../support/toolchains.ts";

const what = `${tagged.path}@${tagged.version}`;

/** Everything a server can see of a request. */
function seen({ method, url, rawHeaders, headers }: IncomingMessage): string {
  const names = rawHeaders.filter((_, i) => i % 2 === 0).join(" ");
  return `${method} ${url} ${names} ${headers["user-agent"]} ${headers["accept-encoding"]}`;
}

/** Tiles may come in any order, and only we ask for the newest head. */
function comparable(lines: readonly string[]): string[] {
  return lines.filter((line) => !/\/tile\/|\/latest /.test(line));
}

async function recorded(t: TestContext, world: HttpWorld): Promise<{ readonly url: string; take: () => string[] }> {
  const lines: string[] = [];
  const serve = world.listener();
  const server = createServer((request, response) => {
    lines.push(seen(request));
    serve(request, response);
  });
  return { url: `http://127.0.0.1:${await listen(t, server)}`, take: () => lines.splice(0) };
}

suite("the same requests", () => {
  for (const version of ["machine", "1.19.13", "1.24.9", "1.27.3"])
    test(version, async (t) => {
      const tool = version === "machine" ? await needsGo(t) : await obtainGo(version);
      if (tool === undefined) return;
      if (typeof tool === "string") {
        skipLoudly(t, tool);
        return;
      }
      const world = await startHttpWorld(t);
      const proxy = await recorded(t, world);
      const go = await newGoClient(tool, { GOPROXY: proxy.url, GOSUMDB: world.database.verifierKey });
      atEnd(t, () => go.remove());
      await go.ok(["mod", "download", what]);
      const download = comparable(proxy.take());
      await go.ok(["list", "-m", "-versions", tagged.path]);
      const [list = ""] = proxy.take();

      const simulation = await world.simulate(proxy.url, { go: tool.version });
      assert.equal(simulation.outcome, "proven");
      assert.deepEqual(comparable(proxy.take()), [list, ...download]);
    });
});

const forged = makeModule({
  ...tagged,
  files: { "go.mod": "module example.com/hello\n\ngo 1.19\n", "evil.go": "package hello\n" },
});

const worlds: readonly (readonly [name: string, misbehave: Misbehaviour])[] = [
  ["all is well", () => false],
  ["403", always(403)],
  ["404", always(404)],
  ["410 for the zip", at(".zip", (response) => void response.writeHead(410).end())],
  ["500 for go.mod", at(".mod", (response) => void response.writeHead(500).end())],
  ["204 for .info", at(".info", (response) => void response.writeHead(204).end())],
  ["a log-in page", always(200, "<html>", { "content-type": "text/html" })],
  ["an .info of another version", at(".info", (response) => void response.end(`{"Version":"v1.2.0"}`))],
  ["another zip", at(".zip", (response) => void response.end(fixtureZip(forged)))],
  ["another go.mod", at(".mod", (response) => void response.end("module example.com/hello\n"))],
  ["no zip at all", at(".zip", (response) => void response.end("PK"))],
  [
    "a zip that breaks off",
    at(".zip", (response) => {
      response.writeHead(200, { "content-length": 5000 }).write("PK\u0003\u0004", () => response.socket?.end());
    }),
  ],
  ["a redirect without Location", at(".mod", (response) => void response.writeHead(302).end())],
  [
    "a redirect in a circle",
    at(".mod", (response, { url = "" }) => void response.writeHead(307, { location: url }).end()),
  ],
  ["403 for /supported", at("/supported", (response) => void response.writeHead(403).end())],
  ["404 for lookups", at("@v1.0.0", (response) => void response.writeHead(404).end())],
  ["no list, and a list is not needed", at("/list", (response) => void response.writeHead(403).end())],
  [
    "a page for the list",
    at("/list", (response) => void response.setHeader("content-type", "text/html").end("<html>")),
  ],
  ["an empty list, which is not needed", at("/list", (response) => void response.end())],
];

suite("the same outcome", () => {
  for (const [name, misbehave] of worlds)
    for (const separator of ["", ",", "|"])
      test(`${name}${separator === "" ? "" : `, then ${separator} and a good proxy`}`, async (t) => {
        const tool = await needsGo(t);
        if (tool === undefined) return;
        await compareOutcomes(t, tool, { misbehave, separator });
      });
});

async function compareOutcomes(
  t: TestContext,
  tool: GoTool,
  { misbehave, separator }: { readonly misbehave: Misbehaviour; readonly separator: string },
): Promise<void> {
  const world = await startHttpWorld(t);
  const bad = await world.proxy(misbehave);
  const list = separator === "" ? bad.url : `${bad.url}${separator}${(await world.proxy()).url}`;
  const go = await newGoClient(tool, { GOPROXY: list, GOSUMDB: world.database.verifierKey });
  atEnd(t, () => go.remove());
  const real = await go.run(["mod", "download", what]);
  const simulation = await world.simulate(list, { go: tool.version });
  const codes = simulation.findings.map(({ code }) => code).join(" ");
  assert.equal(simulation.outcome === "failed", real.code !== 0, `${real.output}\n${codes}`);
}
