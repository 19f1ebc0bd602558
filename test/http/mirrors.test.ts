// `granary mirrors`: a cross-check decides by the checksum database and by nothing else; a probe tells a proxy from a page.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { main } from "../../src/app/main.ts";
import { machineProber, memoryProver } from "../../src/app/http-analysers.ts";
import { crosscheck } from "#services/mirrors/crosscheck.ts";
import type { Crosscheck } from "#services/mirrors/crosscheck.ts";
import { probeMirror } from "#services/mirrors/probe.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { columnsOf, terminalColumns } from "#doors/cli/text.ts";
import { atEnd } from "../support/at-end.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { always, at, machineOf, startHttpWorld, tagged } from "../support/http-world.ts";
import type { HttpWorld, Misbehaviour } from "../support/http-world.ts";
import { makeModule } from "../support/modules.ts";

const signal = new AbortController().signal;
const id = checkModuleVersion(tagged.path, tagged.version);
const forged = makeModule({
  ...tagged,
  files: { "go.mod": "module example.com/hello\n\ngo 1.19\n", "evil.go": "package hello\n" },
});
const forgedZip: Misbehaviour = at(".zip", (response) => void response.end(fixtureZip(forged)));

async function check(world: HttpWorld, mirrors: readonly Misbehaviour[], settings = {}): Promise<Crosscheck> {
  const proxies = await Promise.all(mirrors.map((misbehave) => world.proxy(misbehave)));
  const named = proxies.map(({ url }, at_) => ({ name: `m${at_ + 1}`, url }));
  return await crosscheck(id, named, {
    prober: await machineProber(machineOf()),
    prover: memoryProver,
    settings: {
      GOPROXY: "off",
      GOSUMDB: world.database.verifierKey,
      GONOSUMDB: "",
      GOPRIVATE: "",
      GONOPROXY: "",
      GOFLAGS: "",
      ...settings,
    },
    version: "0.0.0",
    signal,
    timeoutMs: 30_000,
  });
}

const honest: Misbehaviour = () => false;
const codes = ({ findings }: Crosscheck): string[] => findings.map(({ severity, code }) => `${severity} ${code}`);
const ruleOf = ({ rules }: Crosscheck, name: string, file: string) =>
  rules.find((each) => each.rule === name && each.file === file)?.verdict;

suite("crosscheck", () => {
  test("two that agree with the database are healthy", async (t) => {
    const seen = await check(await startHttpWorld(t), [honest, honest]);
    assert.equal(seen.verdict, "healthy");
    assert.deepEqual(codes(seen), []);
    assert.equal(seen.proof?.kind, "proven");
  });

  test("the database decides against a majority", async (t) => {
    const seen = await check(await startHttpWorld(t), [forgedZip, honest, forgedZip]);
    assert.equal(seen.verdict, "suspected");
    assert.deepEqual(codes(seen), ["fail MIRROR_POLLUTED"]);
    assert.equal(seen.findings[0]?.fields["names"], "m1, m3");
  });

  test("mirrors that all give the same wrong content are caught", async (t) => {
    const seen = await check(await startHttpWorld(t), [forgedZip, forgedZip]);
    assert.deepEqual([seen.verdict, codes(seen)], ["suspected", ["fail MIRROR_POLLUTED"]]);
  });

  test("without a database two contents are a fault of nobody in particular", async (t) => {
    const seen = await check(await startHttpWorld(t), [forgedZip, honest], { GOSUMDB: "off" });
    assert.equal(seen.verdict, "suspected");
    assert.deepEqual(codes(seen), ["fail MIRROR_DIFFERS"]);
  });

  test("without a database, the same twice proves nothing", async (t) => {
    assert.equal((await check(await startHttpWorld(t), [honest, honest], { GOSUMDB: "off" })).verdict, "undecided");
  });

  test("another ETag, another Origin, an older Last-Modified are hints", async (t) => {
    const stamped =
      (etag: string, date: string): Misbehaviour =>
      (_, response) => {
        response.setHeader("etag", etag).setHeader("last-modified", date);
        return false;
      };
    const mirrors = [stamped('"a"', "Sat, 21 Nov 2026 10:00:00 GMT"), stamped('"b"', "Sat, 21 Nov 2026 10:31:00 GMT")];
    const seen = await check(await startHttpWorld(t), mirrors);
    assert.equal(seen.verdict, "healthy");
    assert.deepEqual([ruleOf(seen, "etag", "mod"), ruleOf(seen, "modified", "mod")], ["hint", "hint"]);
    assert.ok(codes(seen).every((code) => code === "info MIRROR_BEHIND"));
  });

  test("half an hour apart is still together", async (t) => {
    const dated =
      (date: string): Misbehaviour =>
      (_, response) =>
        !response.setHeader("last-modified", date);
    const seen = await check(await startHttpWorld(t), [
      dated("Sat, 21 Nov 2026 10:00:00 GMT"),
      dated("Sat, 21 Nov 2026 10:30:00 GMT"),
    ]);
    assert.equal(ruleOf(seen, "modified", "zip"), "pass");
  });

  test("one that has it not, one that is gone", async (t) => {
    const seen = await check(await startHttpWorld(t), [honest, always(404)]);
    assert.equal(seen.verdict, "undecided");
    assert.deepEqual(codes(seen), ["warn MIRROR_STATUS_DIFFERS"]);
  });

  test("a private module is asked of nobody", async (t) => {
    const world = await startHttpWorld(t);
    const seen = await check(world, [honest, honest], { GOPRIVATE: "example.com" });
    assert.equal(seen.verdict, "private");
    assert.deepEqual(world.database.asked, []);
  });
});

test("a probe tells a proxy without the well-known module from a page and from silence", async (t) => {
  const world = await startHttpWorld(t);
  const use = { prober: await machineProber(machineOf()), version: "0.0.0", signal };
  const page = always(200, "<html>hello", { "content-type": "text/html" });
  assert.equal((await probeMirror((await world.proxy(page)).url, use)).failure, "HTML");
  assert.equal((await probeMirror((await world.proxy()).url, use)).failure, "404");
  assert.equal((await probeMirror("http://127.0.0.1:1", use)).failure, "refused");
  const busy = await world.proxy(always(429, "later\n", { "retry-after": "60" }));
  assert.equal((await probeMirror(busy.url, use)).isBusy, true);
  assert.equal(busy.asked.length, 1, "Retry-After is respected");
  const tired = await world.proxy((request, response) => {
    const isInfo = request.url?.endsWith("/rsc.io/quote/@v/v1.5.2.info") === true;
    response.writeHead(isInfo ? 200 : 429).end(isInfo ? '{"Version":"v1.5.2"}' : "later\n");
    return true;
  });
  const { isBusy, abilities } = await probeMirror(tired.url, use);
  assert.deepEqual([isBusy, abilities.zip, tired.asked.length], [true, "unknown", 2]);
});

test("on the command line: names, --record, exit codes", async (t) => {
  const world = await startHttpWorld(t);
  const [one, two] = [await world.proxy(), await world.proxy(forgedZip)];
  const data = await mkdtemp(join(tmpdir(), "granary-data-"));
  atEnd(t, () => rm(data, { recursive: true }));
  const run = async (...argv: string[]) => {
    const out = { code: -1, stdout: "", stderr: "" };
    const env = {
      LANG: "en_US.UTF-8",
      GOENV: "off",
      PATH: "",
      GOSUMDB: world.database.verifierKey,
      XDG_DATA_HOME: data,
    };
    out.code = await main(argv, {
      stdout: (text) => (out.stdout += text),
      stderr: (text) => (out.stderr += text),
      isTerminal: false,
      onStop: () => () => undefined,
      verifyEntry: new URL("../../bin/granary.ts", import.meta.url),
      machine: machineOf(env),
    });
    return out;
  };
  const checked = await run(
    "mirrors",
    "crosscheck",
    "example.com/hello@v1.0.0",
    "--mirrors",
    `${one.url},${two.url}`,
    "--record",
  );
  assert.equal(checked.code, 1, checked.stderr);
  const file = /Recorded in (\S+)/.exec(checked.stdout)?.[1] ?? "";
  const snapshot = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  assert.deepEqual([snapshot["schema"], snapshot["verdict"]], ["granary.crosscheck-snapshot/1", "suspected"]);
  const bad = await run("mirrors", "crosscheck", "example.com/hello@v1.0.0", "--mirrors", "goproxy.cm,aliyun");
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /goproxy\.cn/);
  const json = await run("simulate", "example.com/hello@v1.0.0", "--proxy", one.url, "--json");
  assert.equal(json.code, 0, json.stderr);
  assert.equal((JSON.parse(json.stdout) as { outcome: string }).outcome, "proven");
  for (const lang of ["en", "zh-CN"]) {
    const lines = [
      await run("simulate", "example.com/hello@v1.0.0", "--proxy", one.url, "--lang", lang),
      await run("trace", `${one.url}/example.com/hello/@v/list`, "--via", one.url, "--lang", lang),
      await run("mirrors", "list", "--lang", lang),
      await run("simulate", "--help", "--lang", lang),
      await run("mirrors", "crosscheck", "--help", "--lang", lang),
    ].flatMap(({ stdout }) => stdout.split("\n"));
    for (const text of lines) assert.ok(columnsOf(text) <= terminalColumns, text);
    assert.equal(/[\u4e00-\u9fff]/.test(lines[0] ?? ""), lang === "zh-CN");
  }
});
