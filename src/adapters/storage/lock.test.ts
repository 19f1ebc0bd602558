import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { StoreLocked } from "#services/store/errors.ts";
import { storageKey } from "#services/store/ports.ts";
import { openDiskStorage } from "./disk.ts";
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

test("a lock that a living process took itself is held", () =>
  withRoot(async (root) => {
    const script = `
      import { lockStore } from ${JSON.stringify(new URL("lock.ts", import.meta.url).href)};
      await lockStore(process.argv[1]);
      console.log("mine");
      setTimeout(() => {}, 60000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script, root], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
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

for (const [what, text] of [
  ["nothing", ""],
  ["zeros, as a power cut leaves them,", "\0\0\0\0"],
  ["no number", "nobody"],
  ["a living process of an earlier boot", `${process.ppid} 00000000-0000-0000-0000-000000000000`],
] as const)
  test(`a lock file that holds ${what} holds nobody back`, () =>
    withRoot(async (root) => {
      await writeFile(join(root, "granary.lock"), text);
      await (
        await lockStore(root)
      )();
    }));

test("of 20 who start at once over a dead lock one has the store", () =>
  withRoot(async (root) => {
    const script = `
      import { lockStore } from ${JSON.stringify(new URL("lock.ts", import.meta.url).href)};
      await lockStore(process.argv[1]).then(() => console.log("mine"), (error) => console.log(error.name));
      setTimeout(() => {}, 60000);`;
    await writeFile(join(root, "granary.lock"), "999999999");
    const starts = Array.from({ length: 20 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", script, root], { stdio: ["ignore", "pipe", "inherit"] }),
    );
    const said = await Promise.all(starts.map(async (start) => String((await once(start.stdout, "data"))[0]).trim()));
    for (const start of starts) start.kill("SIGKILL");
    assert.equal(said.filter((word) => word === "mine").length, 1);
    assert.equal(said.filter((word) => word === "StoreLocked").length, 19);
    assert.deepEqual(await readdir(join(root, "tmp")), []);
  }));

test("the lock is no object", () =>
  withRoot(async (root) => {
    const storage = await openDiskStorage(root, { fsync: "never" });
    await lockStore(root);
    assert.deepEqual(await Array.fromAsync(storage.list("")), []);
    await assert.rejects(storage.remove(storageKey("granary.lock")), RangeError);
  }));
