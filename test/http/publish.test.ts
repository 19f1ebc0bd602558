// `PUT /<module>/@v/<version>.zip`: a private version from somebody who made it, checked like any other, in the own
// database, in the list at once; the same again is no news, other content never gets in, and what is refused leaves nothing.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { findSums, parseLookup } from "#protocol/record.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { forgeZip } from "../fixtures/forge-zip.ts";
import { atEnd } from "../support/at-end.ts";
import { gcUntilGone } from "../support/evict.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { runGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { ownName, ownWorld } from "../support/own-world.ts";
import type { OwnWorld } from "../support/own-world.ts";

type Files = Readonly<Record<string, string>>;
type Module = {
  readonly path: string;
  readonly files: Files;
  readonly zipOf: (version?: string, more?: Files, of?: string) => Uint8Array;
};

/** Each test publishes one of its own. */
function moduleOf(name: string): Module {
  const path = `corp.example/team/${name}`;
  const files = { "go.mod": `module ${path}\n`, "tool.go": "package tool\n" };
  const zipOf: Module["zipOf"] = (version = "v1.0.0", more = {}, of = path) =>
    fixtureZip(makeModule({ path: of, version, files: { ...files, ...more } }));
  return { path, files, zipOf };
}

type Answer = { readonly status: number; readonly text: string };
type Scene = {
  readonly world: OwnWorld;
  readonly url: string;
  /** One that the server knows already: it looks for new ones every two seconds. */
  readonly authorization: string;
  readonly put: (what: string, body: Uint8Array, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly get: (target: string) => Promise<Answer>;
};

async function tokenOf(world: OwnWorld, scope: "read" | "write"): Promise<string> {
  const { stdout, stderr } = await runGranary(["token", "add", `--scope=${scope}`, `--store=${world.store}`]);
  const [token] = /grn_\w+?_[\w-]+/.exec(stdout) ?? [];
  assert.ok(token !== undefined, stderr);
  return token;
}

async function open(world: OwnWorld, flags: readonly string[]): Promise<Scene> {
  const { url } = await world.start(flags);
  const authorization = `Bearer ${await tokenOf(world, "write")}`;
  const answered = async (response: Response): Promise<Answer> => ({
    status: response.status,
    text: await response.text(),
  });
  return {
    world,
    url,
    authorization,
    put: async (what, body, headers = {}) => {
      const at = `${url}/${what.replace("@", "/@v/")}.zip`;
      return await answered(await fetch(at, { method: "PUT", body, headers: { authorization, ...headers } }));
    },
    get: async (target) => await answered(await fetch(url + target)),
  };
}

/** One server for all that does not ask for workers. */
let at: Scene;
before(async () => (at = await open(await ownWorld(), [])));
after(() => at.world.close());

for (const flags of [[], ["--workers=2"]])
  test(`a published version is listed, served and recorded at once ${flags.join("")}`, async (t) => {
    const { path, files, zipOf } = moduleOf("listed");
    const mine = flags.length === 0 ? at : await open(await ownWorld(), flags);
    if (mine !== at) atEnd(t, () => mine.world.close());
    const { put, get, url } = mine;
    assert.equal((await get(`/${path}/@v/list`)).status, 404);
    assert.equal((await get(`/${path}/@v/v1.0.0.info`)).status, 404);
    const first = await put(`${path}@v1.0.0`, zipOf());
    assert.equal(first.status, 201, first.text);
    const told = JSON.parse(first.text) as Record<string, unknown>;
    assert.equal((await get(`/${path}/@v/list`)).text, "v1.0.0\n");
    assert.match((await get(`/${path}/@v/v1.0.0.info`)).text, /"Version":"v1.0.0","Time":"\d{4}-/);
    assert.equal((await get(`/${path}/@v/v1.0.0.mod`)).text, files["go.mod"]);
    const zip = await fetch(`${url}/${path}/@v/v1.0.0.zip`);
    assert.ok(Buffer.from(zipOf()).equals(Buffer.from(await zip.arrayBuffer())));
    const lookup = await get(`/sumdb/${ownName}/lookup/${path}@v1.0.0`);
    const sums = findSums(parseLookup(Buffer.from(lookup.text)).text, path, "v1.0.0");
    assert.deepEqual([sums.zip, sums.mod], [told["h1"], told["goModH1"]]);
  });

test("the same content again is 200, other content 409, and the version stays as it was", async () => {
  const { path, files, zipOf } = moduleOf("again");
  const { put, get } = at;
  assert.equal((await put(`${path}@v1.0.0`, zipOf())).status, 201);
  const again = await put(`${path}@v1.0.0`, zipOf());
  assert.deepEqual([again.status, (JSON.parse(again.text) as { isNew: boolean }).isNew], [200, false]);
  const other = await put(`${path}@v1.0.0`, zipOf("v1.0.0", { "more.go": "package tool\n" }));
  assert.equal(other.status, 409, other.text);
  assert.match(other.text, /^GRANARY_PUBLISH_CONFLICT: .*other content/);
  const mod = await put(`${path}@v1.0.0`, zipOf("v1.0.0", { "go.mod": `module ${path}\n\ngo 1.21\n` }));
  assert.equal(mod.status, 409, mod.text);
  assert.equal((await get(`/${path}/@v/v1.0.0.mod`)).text, files["go.mod"]);
});

test("at once by eight, one is new", async () => {
  const { path, zipOf } = moduleOf("eight");
  const { put } = at;
  const all = await Promise.all(Array.from({ length: 8 }, () => put(`${path}@v1.0.0`, zipOf())));
  assert.deepEqual(all.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 201]);
});

test("a key repeats its answer, and belongs to one upload", async () => {
  const { path, zipOf } = moduleOf("keys");
  const { put } = at;
  const key = { "idempotency-key": "3f0c" };
  for (let n = 0; n < 3; n++) assert.equal((await put(`${path}@v1.0.0`, zipOf(), key)).status, 201);
  assert.equal((await put(`${path}@v1.0.0`, zipOf())).status, 200);
  for (const [what, body] of [
    [`${path}@v1.1.0`, zipOf("v1.1.0")],
    [`${path}@v1.1.0`, zipOf("v1.1.0", { "x.go": "package tool\n" })],
  ] as const) {
    const reused = await put(what, body, key);
    assert.deepEqual([reused.status, reused.text.slice(0, 19)], [422, "GRANARY_PUBLISH_KEY"], reused.text);
  }
  assert.equal((await put(`${path}@v1.1.0`, zipOf("v1.1.0"), { "idempotency-key": "k".repeat(256) })).status, 400);
  assert.equal((await put(`${path}@v1.1.0`, zipOf("v1.1.0"), { "idempotency-key": "other" })).status, 201);
});

test("who may not, and what is no private module", async () => {
  const { path, zipOf } = moduleOf("strangers");
  const { put, get, url, world } = at;
  const target = `${url}/${path}/@v/v1.0.0.zip`;
  assert.equal((await fetch(target, { method: "PUT", body: zipOf() })).status, 401);
  const reader = await tokenOf(world, "read");
  for (const token of [reader, "wrong"]) {
    const refused = await put(`${path}@v1.0.0`, zipOf(), { authorization: `Bearer ${token}` });
    assert.equal(refused.status, 401, refused.text);
  }
  const open = await put("example.com/open@v1.0.0", zipOf("v1.0.0", {}, "example.com/open"));
  assert.deepEqual([open.status, open.text.slice(0, 22)], [403, "GRANARY_PUBLISH_PUBLIC"]);
  const wrong = await fetch(`${url}/${path}/@v/v1.0.0.mod`, { method: "PUT", body: "module x\n" });
  assert.equal(wrong.status, 405);
  assert.equal((await get(`/${path}/@v/list`)).status, 404);
});

suite("what is no module zip of that version", () => {
  const { path, files, zipOf } = moduleOf("odd");
  const odd = (version: string, entries: Readonly<Record<string, string>>): Uint8Array =>
    writeModuleZip(
      { path, version },
      Object.entries(entries).map(([name, text]) => ({ name, content: Buffer.from(text) })),
    );
  /** One name in it becomes another of the same length. */
  const renamed = (version: string, from: string, to: string): Uint8Array => {
    const zip = Buffer.from(odd(version, { ...files, "TOOL.gx": "x", [from]: "x" })).toString("latin1");
    return Buffer.from(zip.replaceAll(`/${from}`, `/${to}`), "latin1");
  };
  const broken: readonly (readonly [string, (version: string) => Uint8Array])[] = [
    ["no zip at all", () => Buffer.from("<html>captive portal</html>")],
    ["nothing", () => new Uint8Array()],
    ["half a zip", (version) => zipOf(version).subarray(0, 200)],
    ["a zip of another version", () => zipOf("v1.0.99")],
    ["a zip of another module", (version) => zipOf(version, {}, "corp.example/team/other")],
    ["a go.mod of another module", (version) => odd(version, { "go.mod": "module corp.example/team/other\n" })],
    ["a go.mod that is none", (version) => odd(version, { "go.mod": "moduel x\n", "a.go": "package a\n" })],
    ["no file", (version) => odd(version, {})],
    ["a way out", (version) => renamed(version, "aa/aaaa.go", "../aaaa.go")],
    ["two names that differ in case", (version) => renamed(version, "tooL.g_", "tooL.gx")],
    ["a name that Windows has not", (version) => renamed(version, "aux_.go", "aux.go.")],
    ["a second go.mod by case", (version) => renamed(version, "sub/go_mod", "sub/GO.MOD")],
  ];
  for (const [n, [name, body]] of broken.entries())
    test(name, async () => {
      const { put, get, world } = at;
      const version = `v1.${n}.0`;
      const refused = await put(`${path}@${version}`, body(version));
      assert.deepEqual([refused.status, refused.text.slice(0, 23)], [422, "GRANARY_PUBLISH_REFUSED"], refused.text);
      assert.ok(refused.text.trimEnd().split("\n").length <= 8 && !refused.text.includes("\n\n"));
      assert.equal((await get(`/${path}/@v/${version}.info`)).status, 404);
      assert.deepEqual(await readdir(join(world.store, "tmp")), []);
      const kept = await readdir(join(world.store, "modules"), { recursive: true }).catch(() => []);
      assert.deepEqual(
        kept.filter((file) => file.includes(`team/odd/@v/${version}`)),
        [],
      );
      // It is still free.
      assert.equal((await put(`${path}@${version}`, zipOf(version))).status, 201);
    });

  test("+incompatible with a go.mod", async () => {
    const version = "v2.0.0+incompatible";
    const refused = await at.put(`${path}@${version}`, zipOf(version));
    assert.deepEqual([refused.status, refused.text.slice(0, 23)], [422, "GRANARY_PUBLISH_REFUSED"], refused.text);
  });
});

test("an upload that breaks off leaves nothing, and the version free", async () => {
  const { path, zipOf } = moduleOf("broken");
  const { put, get, url, authorization, world } = at;
  async function* cut() {
    yield zipOf().subarray(0, 100);
    await new Promise((resolve) => setTimeout(resolve, 200));
    throw new Error("the cable is out");
  }
  const sent = fetch(`${url}/${path}/@v/v1.0.0.zip`, {
    method: "PUT",
    body: cut(),
    duplex: "half",
    headers: { authorization },
  });
  await assert.rejects(sent);
  assert.equal((await put(`${path}@v1.0.0`, zipOf())).status, 201);
  assert.deepEqual(await readdir(join(world.store, "tmp")), []);
  assert.equal((await get(`/${path}/@v/list`)).text, "v1.0.0\n");
});

test("a version that an upstream was seen with is not published with other content", async () => {
  const { zipOf } = moduleOf("seen");
  const { put, get } = at;
  const of = "corp.example/team/secret";
  assert.equal((await get(`/${of}/@v/v1.0.0.zip`)).status, 200);
  const other = await put(`${of}@v1.0.0`, zipOf("v1.0.0", { "go.mod": `module ${of}\n` }, of));
  assert.deepEqual([other.status, other.text.slice(0, 24)], [409, "GRANARY_PUBLISH_CONFLICT"], other.text);
});

test("tokens and names are in the events, secrets are not", async () => {
  const { path, zipOf } = moduleOf("events");
  const { put, world } = at;
  await put(`${path}@v1.0.0`, zipOf());
  let events = "";
  for (let n = 0; n < 50 && !events.includes("team/events"); n++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    events = await readFile(join(world.store, "state", "events.jsonl"), "utf8");
  }
  assert.match(
    events,
    /"name":"module.published","module":"corp.example\/team\/events","version":"v1.0.0","isNew":true/,
  );
  assert.doesNotMatch(events, /Bearer/);
});

test("an evicted version is not called kept when the same files come in another zip", async () => {
  const { path, files, zipOf } = moduleOf("repacked");
  const what = `${path}@v1.0.0`;
  assert.equal((await at.put(what, zipOf())).status, 201);
  await gcUntilGone(at.world.store, what, "--private");
  const entries = Object.entries(files).map(([name, content]) => ({
    name: `${what}/${name}`,
    content,
    method: 0 as const,
  }));
  const other = await at.put(what, forgeZip(entries));
  assert.equal(other.status, 409, other.text);
  assert.match(other.text, /sha256 [0-9a-f]{64}, evicted/);
  assert.equal((await at.put(what, zipOf())).status, 200);
  assert.equal((await at.get(`/${what.replace("@", "/@v/")}.zip`)).status, 200);
});
