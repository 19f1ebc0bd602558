// The lines of `/sum/…` are those that a real go writes into go.sum, before and after it fetched the zips.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import { startWorld } from "../support/world.ts";

const modules = ["example.com/hello@v1.0.0", "example.com/multi/v2@v2.1.0", "example.com/Upper/Case@v1.0.0-RC1"];

test("the lines of /sum are the lines of go.sum", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await startWorld({});
  atEnd(t, () => world.close());
  const lines = async (): Promise<string[]> => {
    const texts = modules.map(async (module) => {
      const [path = "", version = ""] = module.replace(/[A-Z]/g, (letter) => `%21${letter.toLowerCase()}`).split("@");
      const answer = await fetch(`${world.granary.url}/sum/${path}/@v/${version}`);
      assert.equal(answer.status, 200, module);
      return await answer.text();
    });
    return (await Promise.all(texts)).flatMap((text) => text.trimEnd().split("\n")).sort();
  };
  const before = await lines();
  assert.equal(world.stub.requests(/\.zip$/), 0, "no zip is fetched for its line");

  const client = await newGoClient(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb });
  atEnd(t, () => client.remove());
  const work = join(client.home, "work");
  await writeFile(join(work, "go.mod"), "module corp.example/app\n\ngo 1.20\n");
  await client.ok(["get", ...modules]);
  const written = (await readFile(join(work, "go.sum"), "utf8")).trimEnd().split("\n");
  const wanted = written.filter((line) =>
    modules.some((module) => line.replace("/go.mod h1:", " h1:").startsWith(`${module.replace("@", " ")} `)),
  );
  assert.deepEqual(before, wanted.sort());
  assert.deepEqual(await lines(), before);
});
