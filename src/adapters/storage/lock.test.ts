import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { StoreLocked } from "#services/store/errors.ts";
import { lockStore } from "./lock.ts";

async function withRoot(work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "granary-lock-"));
  try {
    await work(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

test("a store that a living process holds is refused, and free again once it is given back", () =>
  withRoot(async (root) => {
    const holder = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    await writeFile(join(root, "granary.lock"), String(holder.pid));
    await assert.rejects(lockStore(root), (error) => error instanceof StoreLocked && error.holder === holder.pid);
    const ended = new Promise((done) => holder.once("exit", done));
    holder.kill("SIGKILL");
    await ended;
    await (
      await lockStore(root)
    )();
  }));

test("a lock that a dead process left is taken over", () =>
  withRoot(async (root) => {
    await writeFile(join(root, "granary.lock"), "999999999");
    const release = await lockStore(root);
    await release();
    await (
      await lockStore(root)
    )();
  }));

test("a lock file without a process id holds nobody back", () =>
  withRoot(async (root) => {
    await writeFile(join(root, "granary.lock"), "");
    await (
      await lockStore(root)
    )();
  }));
