import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { storageKey } from "#services/store/ports.ts";
import { storageContract } from "../../../test/contract/storage.ts";
import { openPlainTree } from "./plain-tree.ts";

storageContract("plain tree", async () => {
  const root = await mkdtemp(join(tmpdir(), "granary-tree-"));
  const storage = await openPlainTree(root);
  return { storage, dispose: () => rm(root, { recursive: true, force: true }) };
});

suite("a plain tree", () => {
  const zip = storageKey("modules/example.com/a/@v/v1.0.0.zip");

  test("has what keys name below modules/ right below itself, and nothing else in the end", async () => {
    const root = await mkdtemp(join(tmpdir(), "granary-tree-"));
    try {
      const tree = await openPlainTree(root);
      await tree.create(zip, Buffer.from("bytes"));
      await tree.create(storageKey("state/sumdb/x/heads.json"), Buffer.from("{}"));
      assert.deepEqual((await readdir(root)).sort(), [".granary-export", "example.com"]);
      const keys: string[] = [];
      for await (const { key } of tree.list("modules/")) keys.push(key);
      assert.deepEqual(keys, [zip]);
      await tree.close();
      assert.deepEqual(await readdir(root), ["example.com"]);
      assert.equal(await readFile(join(root, "example.com/a/@v/v1.0.0.zip"), "utf8"), "bytes");
    } finally {
      await rm(root, { recursive: true });
    }
  });

  test("what a killed export left is gone with the next one; what another writes stays", async () => {
    const root = await mkdtemp(join(tmpdir(), "granary-tree-"));
    try {
      const temp = join(root, ".granary-export/tmp");
      await mkdir(temp, { recursive: true });
      // No process has a number this large (Linux: kernel.pid_max is at most 2^22).
      await writeFile(join(temp, "99999999-dead-0"), "half");
      await writeFile(join(temp, `${process.ppid}-alive-0`), "half");
      const tree = await openPlainTree(root);
      assert.deepEqual(await readdir(temp), [`${process.ppid}-alive-0`]);
      await tree.close();
      assert.deepEqual(await readdir(temp), [`${process.ppid}-alive-0`]);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
