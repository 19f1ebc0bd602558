// The upstream lies. Nothing of it is kept, the client is told what and why, and an honest upstream beside it serves.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import type { Fault } from "../support/faults.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { makeModule, readModuleFixtures } from "../support/modules.ts";
import { startUpstreams, startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const base = "/example.com/hello/@v/v1.0.0";
const lookup = /^\/sumdb\/[^/]+\/lookup\/example\.com\/hello@v1\.0\.0$/;
const edit = (change: (body: Buffer) => Buffer): Fault => ({ kind: "edit", edit: (body) => change(Buffer.from(body)) });
const replaced = (from: string, to: string): Fault => edit((body) => Buffer.from(body.toString().replace(from, to)));

/** A byte somewhere in the middle. */
const flipped = edit((body) => {
  const at = Math.floor(body.length / 2);
  body[at] = (body[at] ?? 0) ^ 1;
  return body;
});

/** A good zip of the right module, with other content. */
const otherZip = async (): Promise<Fault> => {
  const files = { "go.mod": "module example.com/hello\n", "evil.go": "package hello\n" };
  const { stub } = await startUpstreams([makeModule({ path: "example.com/hello", version: "v1.0.0", files })]);
  const body = stub.bytes(`${base}.zip`);
  await stub.close();
  return { kind: "bytes", body };
};

type Lie = {
  readonly name: string;
  readonly where: string | RegExp;
  readonly fault: Fault | (() => Promise<Fault>);
  readonly says: RegExp;
};

const lies: readonly Lie[] = [
  { name: "a zip with other content", where: `${base}.zip`, fault: otherZip, says: /GRANARY_SUMDB_MISMATCH/ },
  {
    name: "a zip with a flipped byte",
    where: `${base}.zip`,
    fault: flipped,
    says: /GRANARY_(BAD_MODULE|SUMDB_MISMATCH)/,
  },
  {
    name: "a page instead of a zip",
    where: `${base}.zip`,
    fault: { kind: "html" },
    says: /GRANARY_UPSTREAM_FAILED.*[^]*web page/,
  },
  {
    name: "another go.mod",
    where: `${base}.mod`,
    fault: replaced("go 1.19", "go 1.18"),
    says: /GRANARY_SUMDB_MISMATCH/,
  },
  { name: "an .info of another version", where: `${base}.info`, fault: replaced("v1.0.0", "v1.1.0"), says: /GRANARY_/ },
  { name: "a page instead of an .info", where: `${base}.info`, fault: { kind: "html" }, says: /GRANARY_/ },
  {
    name: "a record with other hashes",
    where: lookup,
    fault: edit((body) => Buffer.from(body.toString().replace(/(v1\.0\.0 h1:)./, "$1/"))),
    says: /GRANARY_SUMDB_/,
  },
  {
    name: "a record without the version's lines",
    where: lookup,
    fault: replaced("example.com/hello v1.0.0 ", "example.com/other v1.0.0 "),
    says: /GRANARY_SUMDB_/,
  },
  { name: "tiles with a flipped byte", where: /\/tile\/8\//, fault: flipped, says: /GRANARY_SUMDB_/ },
  {
    name: "a tree head of another size",
    where: lookup,
    fault: edit((body) => Buffer.from(body.toString().replace(/(tree\n)(\d+)/, "$19$2"))),
    says: /GRANARY_SUMDB_/,
  },
  {
    name: "a tree head nobody signed",
    where: lookup,
    fault: edit((body) => Buffer.from(body.toString().replace(/\n\u2014 .*\n$/s, "\n\u2014 nobody AAAAAAAAAAAA\n"))),
    says: /GRANARY_SUMDB_/,
  },
];

for (const { name, where, fault, says } of lies) {
  test(`${name} is refused, told, and not kept`, async (t) => {
    const tool = await needsGo(t);
    if (tool === undefined) return;
    const world = await startWorld({});
    atEnd(t, () => world.close());
    world.stub.fault(where, typeof fault === "function" ? await fault() : fault);
    const { code, output } = await download(tool, world);
    assert.notEqual(code, 0);
    assert.match(output, says);
    assert.ok(!existsSync(kept(world, "zip")), "the zip was kept");
    if (where !== `${base}.zip`) assert.ok(!existsSync(kept(world, "mod")), "the go.mod was kept");
  });
}

for (const { name, where, fault } of lies.filter(({ where }) => typeof where === "string")) {
  test(`${name} from one upstream does not block the version: the next one serves it`, async (t) => {
    const tool = await needsGo(t);
    if (tool === undefined) return;
    const liar = await startUpstreams();
    atEnd(t, () => liar.stub.close());
    const world = await startWorld({ before: liar.stub.url });
    atEnd(t, () => world.close());
    liar.stub.fault(where, typeof fault === "function" ? await fault() : fault);
    const { code, output } = await download(tool, world);
    assert.equal(code, 0, output);
    assert.ok(existsSync(kept(world, "zip")));
  });
}

async function download(
  tool: GoTool,
  world: World,
  id = "example.com/hello@v1.0.0",
): Promise<{ code: number; output: string }> {
  const go = await newGoClient(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb });
  try {
    return await go.run(["mod", "download", id]);
  } finally {
    await go.remove();
  }
}

function kept(world: World, ext: string): string {
  return join(world.granary.store, `modules/example.com/hello/@v/v1.0.0.${ext}`);
}

test("a second log under the same key is a fork: refused, told, and what was kept is still served", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), "granary-lies-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const store = join(folder, "store");
  const modules = readModuleFixtures();
  const world = await startWorld({ store, modules });
  atEnd(t, () => world.close());
  assert.equal((await download(tool, world)).code, 0);
  await world.granary.stop();

  const forked = await startWorld({ store, modules: [...modules].reverse() });
  atEnd(t, () => forked.close());
  const { code, output } = await download(tool, forked, "example.com/multi/v2@v2.1.0");
  assert.notEqual(code, 0);
  assert.match(output, /GRANARY_SUMDB_FORK/);
  assert.ok(!existsSync(join(store, "modules/example.com/multi/v2/@v/v2.1.0.mod")), "the go.mod was kept");
  const again = await download(tool, forked);
  assert.equal(again.code, 0, again.output);
});
