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
