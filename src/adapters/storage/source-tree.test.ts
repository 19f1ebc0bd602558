import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SourceTree } from "#services/store/ports.ts";
import { SourceUnreadable } from "#services/store/ports.ts";
import { unprivileged } from "../../../test/support/unprivileged.ts";
import { openSourceTree } from "./source-tree.ts";

let home = "";
let tree: SourceTree;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "granary-source-"));
  await mkdir(join(home, "in/sub"), { recursive: true });
  await writeFile(join(home, "secret"), "outside");
  await writeFile(join(home, "in/a"), Buffer.alloc(600_000, 1));
  await symlink("a", join(home, "in/inner"));
  await symlink("../secret", join(home, "in/outer"));
  await symlink("..", join(home, "in/up"));
  await symlink("sub", join(home, "in/folder"));
  await symlink("nowhere", join(home, "in/dangling"));
  execFileSync("mkfifo", [join(home, "in/pipe")]);
  await symlink("in", join(home, "by-another-name"));
  const opened = await openSourceTree(join(home, "by-another-name"));
  assert.ok(opened !== undefined);
  tree = opened;
});
after(() => rm(home, { recursive: true }));

async function read(path: string): Promise<Buffer | undefined> {
  const file = await tree.read(path);
  const pieces: Uint8Array[] = [];
  if (file !== undefined) for await (const piece of file.bytes) pieces.push(piece);
  return file && Buffer.concat(pieces);
}

suite("a foreign directory", () => {
  test("names its files and folders; links count when they lead to a file inside", async () => {
    const seen: string[] = [];
    for await (const { name, kind } of tree.names("")) seen.push(`${name} ${kind}`);
    assert.deepEqual(seen.sort(), [
      "a file",
      "dangling other",
      "folder other",
      "inner file",
      "outer other",
      "pipe other",
      "sub folder",
      "up other",
    ]);
    for await (const { name } of tree.names("nowhere")) assert.fail(name);
  });

  test("reads files whole, and nothing that is outside or no file", { timeout: 20_000 }, async () => {
    assert.equal((await read("a"))?.length, 600_000);
    assert.equal(await tree.size("inner"), 600_000);
    for (const path of ["outer", "up/secret", "dangling", "pipe", "sub", "nowhere", "a/b"]) {
      assert.equal(await read(path), undefined, path);
      assert.equal(await tree.size(path), undefined, path);
    }
  });

  test("a file that is not read may be closed", async () => {
    const file = await tree.read("a");
    await file?.close();
  });

  test("passes over one folder, by whatever name, and one that is not there yet", async () => {
    const namesWithout = async (except: string): Promise<string[]> => {
      const found = await openSourceTree(join(home, "in"), { except });
      assert.ok(found !== undefined);
      const names: string[] = [];
      for await (const { name } of found.names("")) names.push(name);
      return names;
    };
    const all = await namesWithout(join(home, "in/later"));
    assert.ok(all.includes("sub"));
    for (const except of ["in/sub", "by-another-name/sub", "in/sub/../sub"])
      assert.deepEqual(
        await namesWithout(join(home, except)),
        all.filter((name) => name !== "sub"),
        except,
      );
  });

  test("is told apart from none", async () => {
    assert.equal(await openSourceTree(join(home, "nowhere")), undefined);
    assert.equal(await openSourceTree(join(home, "secret")), undefined);
  });

  test("is told apart from one that cannot be read", async (t) => {
    await chmod(join(home, "in/sub"), 0);
    const refused = await unprivileged(home, () =>
      assert.rejects(async () => {
        for await (const { name } of tree.names("sub")) assert.fail(name);
      }, SourceUnreadable),
    );
    if (refused === undefined) t.skip("LOUD: root reads everything, and cannot become somebody else here");
  });
});
