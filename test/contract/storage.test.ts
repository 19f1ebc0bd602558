import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import fs, { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { after, beforeEach, suite, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { StoreFull, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { bytesOf, keysOf, pattern, stageOf, storageContract, textOf } from "./storage.ts";
import type { Opened } from "./storage.ts";

const a = storageKey("modules/example.com/a/@v/v1.0.0.mod");
const hello = bytesOf("hello");

const folders: string[] = [];
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-storage-"));
  folders.push(folder);
  return folder;
}
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function openDisk(): Promise<Opened> {
  const root = await newFolder();
  const again = () => openDiskStorage(root, { fsync: "never" });
  const storage = await again();
  return { storage, reopen: again, dispose: () => rm(root, { recursive: true, force: true }) };
}

test("a root is a root however it is spelt", { timeout: 10_000 }, async () => {
  const root = await newFolder();
  const fromHere = relative(process.cwd(), root);
  for (const [n, spelt] of [`${root}/`, `${root}/./x/..`, `./${fromHere}`, `./${fromHere}/`, fromHere].entries()) {
    const storage = await openDiskStorage(spelt, { fsync: "never" });
    const key = storageKey(`modules/example.com/m${n}/@v/v1.0.0.mod`);
    assert.equal(await storage.create(key, hello), "created", spelt);
    assert.equal(Buffer.compare((await storage.get(key, 100))?.bytes ?? Buffer.alloc(0), hello), 0, spelt);
  }
});

const nothing = () => Promise.resolve();
storageContract("memory", () => Promise.resolve({ storage: new MemoryStorage(), dispose: nothing }));
storageContract("disk", openDisk);
storageContract("faulty, nothing armed, over memory", () =>
  Promise.resolve({ storage: new FaultyStorage(new MemoryStorage()), dispose: nothing }),
);
storageContract("faulty, nothing armed, over disk", async () => {
  const disk = await openDisk();
  return { storage: new FaultyStorage(disk.storage), dispose: disk.dispose };
});

for (const [name, open] of [
  ["memory", () => Promise.resolve({ storage: new MemoryStorage(), dispose: nothing })],
  ["disk", openDisk],
] as const)
  test(`${name}: a folder and an object cannot have one name`, async () => {
    const { storage, dispose } = await open();
    await storage.create(storageKey("x/a"), hello);
    for (const below of ["x/a/b", "x/a/b/c"])
      await assert.rejects(storage.create(storageKey(below), hello), StoreUnavailable);
    await assert.rejects(storage.create(storageKey("x"), hello), StoreUnavailable);
    await assert.rejects(storage.replace(storageKey("x"), hello, undefined), StoreUnavailable);
    await dispose();
  });

suite("disk: opening", () => {
  test("a new store says its layout in granary.json", async () => {
    const root = join(await newFolder(), "deep", "store");
    await openDiskStorage(root);
    assert.deepEqual(JSON.parse(await readFile(join(root, "granary.json"), "utf8")), { layout: 2 });
    assert.deepEqual(await readdir(join(root, "tmp")), []);
  });

  test("a store of a newer layout is refused and left as it is", async () => {
    const root = await newFolder();
    await writeFile(join(root, "granary.json"), '{"layout":3}\n');
    await assert.rejects(
      openDiskStorage(root),
      (error) => error instanceof StoreTooNew && error.found === 3 && error.supported === 2,
    );
    assert.deepEqual(await readdir(root), ["granary.json"]);
  });

  for (const text of ["", "null", "layout", '{"layout":"1"}'])
    test(`a layout file that holds ${JSON.stringify(text)} is refused`, async () => {
      const root = await newFolder();
      await writeFile(join(root, "granary.json"), text);
      await assert.rejects(openDiskStorage(root), StoreUnwritable);
    });

  test("a root that everybody can write is refused", async () => {
    const root = await newFolder();
    await chmod(root, 0o777);
    await assert.rejects(
      openDiskStorage(root),
      (error) => error instanceof StoreUnwritable && /chmod/.test(error.message),
    );
  });

  test("a root that is a file is refused", async () => {
    const root = join(await newFolder(), "file");
    await writeFile(root, "");
    await assert.rejects(openDiskStorage(root), StoreUnwritable);
  });

  test("a temporary folder that is a symbolic link is refused", async () => {
    const root = await newFolder();
    await symlink(await newFolder(), join(root, "tmp"));
    await assert.rejects(openDiskStorage(root), StoreUnwritable);
  });

  test("temporary files of dead processes go, those of living ones stay", async () => {
    const root = await newFolder();
    const first = await openDiskStorage(root);
    const open = await stageOf(first, hello);
    const dead = await pidOfTheDead();
    await writeFile(join(root, "tmp", `${dead}-abc-0`), "left");
    await writeFile(join(root, "tmp", `${process.ppid}-abc-0`), "parent's");
    await writeFile(join(root, "tmp", `${process.pid}-abc-0`), "of an earlier process with our number");
    await openDiskStorage(root);
    const left = await readdir(join(root, "tmp"));
    assert.deepEqual(
      left.filter((name) => name.endsWith("-abc-0")),
      [`${process.ppid}-abc-0`],
    );
    assert.equal(await first.create(a, open), "created");
  });

  test("what lies beside the objects is neither listed nor reachable", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    await writeFile(join(root, "tmp", "1-x-y"), "temp");
    await writeFile(join(root, "granary.lock"), "1");
    assert.deepEqual(await keysOf(storage, ""), []);
    await assert.rejects(keysOf(storage, "tmp/"), RangeError);
    await assert.rejects(storage.get(storageKey("tmp/1-x-y"), 100), RangeError);
    await assert.rejects(storage.remove(storageKey("granary.json")), RangeError);
  });

  test("files with names that no key has do not stop a list", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    await storage.create(a, hello);
    await writeFile(join(root, "modules", "back\\slash"), "");
    await writeFile(join(root, "modules", "new\nline"), "");
    assert.deepEqual(await keysOf(storage, ""), [a]);
  });
});

suite("disk: what others do to it", () => {
  test("a planted symbolic link is never followed", async () => {
    const root = await newFolder();
    const secret = join(await newFolder(), "secret");
    await writeFile(secret, "secret");
    const storage = await openDiskStorage(root, { fsync: "never" });
    await mkdir(join(root, "modules"));
    await symlink(secret, join(root, "modules", "x"));
    const key = storageKey("modules/x");
    assert.equal(await storage.get(key, 100), undefined);
    assert.equal(await storage.open(key), undefined);
    assert.equal(await storage.stat(key), undefined);
    assert.deepEqual(await keysOf(storage, ""), []);
    await assert.rejects(storage.create(key, hello), StoreUnavailable);
    await assert.rejects(storage.replace(key, hello, undefined), StoreUnavailable);
    assert.equal(await readFile(secret, "utf8"), "secret");
  });

  test("nothing is written through a folder that is a symbolic link", async () => {
    const root = await newFolder();
    const elsewhere = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    await symlink(elsewhere, join(root, "modules"));
    await assert.rejects(storage.create(a, hello), StoreUnavailable);
    assert.deepEqual(await readdir(elsewhere), []);
  });

  test("folders that somebody removed are made again", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root);
    await storage.create(a, hello);
    await rm(join(root, "modules"), { recursive: true });
    assert.equal(await storage.create(a, hello), "created");
    await rm(join(root, "modules"), { recursive: true });
    assert.equal(await storage.replace(a, hello, undefined), "replaced");
    assert.equal(await textOf(storage, a), "hello");
  });

  test("a file changed in place has another token", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    await storage.create(a, hello);
    const { token } = (await storage.stat(a))!;
    await writeFile(join(root, a), "hellO");
    assert.notEqual((await storage.stat(a))!.token, token);
    assert.equal(await storage.replace(a, hello, token), "conflict");
  });

  test("no two objects have the same time, however coarse the clock: an inode number may come back", async (t) => {
    const root = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    const later = Date.now() + 60_000;
    t.mock.method(Date, "now", () => later);
    const times = new Set<bigint>();
    for (let n = 0; n < 100; n++) {
      await storage.create(storageKey(`k/${n}`), hello);
      const { mtimeNs } = await fs.stat(join(root, "k", String(n)), { bigint: true });
      assert.ok(Math.abs(Number(mtimeNs) / 1e6 - later) <= 2, "the time of the object is not the clock's");
      times.add(mtimeNs);
    }
    assert.equal(times.size, 100);
  });

  test("objects and folders are not writable by others", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    await storage.create(a, hello);
    for (const path of [a, "modules", "modules/example.com", "tmp"])
      assert.equal((await fs.stat(join(root, path))).mode & 0o022, 0, path);
  });
});

suite("disk: limits", () => {
  test("stages beyond the temporary bytes are StoreFull; discarding one makes room", async () => {
    const storage = await openDiskStorage(await newFolder(), { fsync: "never", maxTempBytes: 1000 });
    const [first, second] = [await storage.stage(1000), await storage.stage(1000)];
    await first.write(pattern(900));
    await assert.rejects(second.write(pattern(101)), StoreFull);
    await first.discard();
    await first.discard();
    await second.write(pattern(1000));
    await assert.rejects(first.write(hello));
    await second.discard();
    const third = await storage.stage(1000);
    await third.write(pattern(1000));
    await third.discard();
  });

  test("taken stages give their temporary bytes back", async () => {
    const storage = await openDiskStorage(await newFolder(), { fsync: "never", maxTempBytes: 1000 });
    for (let n = 0; n < 5; n++) await storage.create(storageKey(`k/${n}`), await stageOf(storage, pattern(900)));
    assert.equal((await keysOf(storage, "k/")).length, 5);
  });

  test("a manifest can be written while the temporary bytes are used up", async () => {
    const storage = await openDiskStorage(await newFolder(), { fsync: "never", maxTempBytes: 10 });
    const stage = await storage.stage(10);
    await stage.write(pattern(10));
    assert.equal(await storage.create(a, pattern(1000)), "created");
    await stage.discard();
  });

  test("more stages than allowed are refused; a discarded one makes room", async () => {
    const storage = await openDiskStorage(await newFolder(), { fsync: "never", maxStages: 2 });
    const [first, second] = [await storage.stage(1), await storage.stage(1)];
    await assert.rejects(storage.stage(1), StoreUnavailable);
    await first.discard();
    await (await storage.stage(1)).discard();
    await second.discard();
  });

  test("no temporary file is left by creates, conflicts and discards", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root, { fsync: "never" });
    await storage.create(a, hello);
    await storage.create(a, hello);
    await storage.replace(a, hello, "not the token");
    await storage.replace(a, hello, (await storage.stat(a))!.token);
    assert.equal(await storage.create(a, await stageOf(storage, hello)), "exists");
    const stage = await storage.stage(10);
    await stage.discard();
    assert.equal((await readdir(join(root, "tmp"))).length, 1, "only the stage that create refused");
  });
});

suite("disk: power cuts", () => {
  test("bytes are synced before they get their name, names before they are acknowledged", async () => {
    const { calls, result } = await spied(async (storage) => storage.create(a, hello));
    assert.equal(result, "created");
    assert.deepEqual(calls, [
      "sync temp",
      "mkdir modules",
      "sync .",
      "mkdir modules/example.com",
      "sync modules",
      "mkdir modules/example.com/a",
      "sync modules/example.com",
      "mkdir modules/example.com/a/@v",
      "sync modules/example.com/a",
      `link temp ${a}`,
      "unlink temp",
      "sync modules/example.com/a/@v",
    ]);
  });

  test("a staged object is synced when it is sealed, its name when it is created", async () => {
    const { calls } = await spied(async (storage) => storage.create(a, await stageOf(storage, hello)));
    const named = calls.indexOf(`link temp ${a}`);
    assert.ok(calls.indexOf("sync temp") >= 0 && calls.indexOf("sync temp") < named);
    assert.deepEqual(calls.slice(named), [`link temp ${a}`, "unlink temp", "sync modules/example.com/a/@v"]);
  });

  test("a replacement is synced, renamed, and its folder synced", async () => {
    const { calls } = await spied(
      async (storage) => storage.replace(a, hello, (await storage.stat(a))!.token),
      (storage) => storage.create(a, bytesOf("before")),
    );
    assert.deepEqual(calls, ["sync temp", `rename temp ${a}`, "sync modules/example.com/a/@v"]);
  });

  test("a removal is synced", async () => {
    const { calls } = await spied(
      (storage) => storage.remove(a),
      (storage) => storage.create(a, hello),
    );
    assert.deepEqual(calls, [`unlink ${a}`, "sync modules/example.com/a/@v"]);
  });

  test("a folder found by a new process is synced once more: its maker may have died before it did", async () => {
    const root = await newFolder();
    await (await openDiskStorage(root)).create(a, hello);
    const { calls } = await spied((storage) => storage.create(storageKey(`${a}.2`), hello), undefined, root);
    for (const folder of [".", "modules", "modules/example.com", "modules/example.com/a"])
      assert.ok(calls.includes(`sync ${folder}`), folder);
  });

  test("nobody is acknowledged before the folder's own name is durable", async () => {
    const { calls } = await spied((storage) =>
      Promise.all([storage.create(a, hello), storage.create(storageKey(`${a}.2`), hello)]),
    );
    const links = calls.flatMap((call, at) => (call.startsWith("link ") ? [at] : []));
    assert.equal(links.length, 2);
    for (const folder of [".", "modules", "modules/example.com", "modules/example.com/a"])
      assert.ok(calls.indexOf(`sync ${folder}`) < links[0]!, folder);
  });

  test("nobody sees a name before it is durable", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root);
    const prototype = await handlePrototype();
    const real = prototype.sync;
    let isSynced = false;
    const seen: boolean[] = [];
    const looks: Promise<unknown>[] = [];
    prototype.sync = async function (this: FileHandle) {
      const isFolder = (await this.stat()).isDirectory() && existsSync(join(root, a));
      if (isFolder && looks.length === 0) {
        const opening = storage.open(a).then(async (object) => {
          await object?.close();
          return object;
        });
        for (const look of [storage.get(a, 100), storage.stat(a), opening])
          looks.push(look.then((found) => seen.push(found !== undefined && isSynced)));
        // Whoever does not wait has looked by then.
        await passed(50);
      }
      await real.call(this);
      isSynced = isFolder;
    };
    try {
      assert.equal(await storage.create(a, hello), "created");
      await Promise.all(looks);
    } finally {
      prototype.sync = real;
    }
    assert.deepEqual(seen, [true, true, true]);
  });

  test("after a failed fsync of a folder nobody sees its names before another one has succeeded", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root);
    const prototype = await handlePrototype();
    const real = prototype.sync;
    let isBroken = true;
    const tries: string[] = [];
    prototype.sync = async function (this: FileHandle) {
      if ((await this.stat()).isDirectory() && existsSync(join(root, a))) {
        tries.push(isBroken ? "failed" : "done");
        if (isBroken) throw Object.assign(new Error("EIO"), { code: "EIO" });
      }
      await real.call(this);
    };
    try {
      await assert.rejects(storage.create(a, hello), StoreUnavailable);
      await assert.rejects(storage.get(a, 100), StoreUnavailable);
      await assert.rejects(storage.stat(a), StoreUnavailable);
      isBroken = false;
      assert.equal(await textOf(storage, a), "hello");
      assert.equal(await textOf(storage, a), "hello");
    } finally {
      prototype.sync = real;
    }
    assert.deepEqual(tries, ["failed", "failed", "failed", "done"]);
  });

  test("a failed fsync is a failure, and the stage is never used again", async () => {
    const root = await newFolder();
    const storage = await openDiskStorage(root);
    const stage = await storage.stage(10);
    await stage.write(hello);
    const prototype = await handlePrototype();
    const real = prototype.sync;
    prototype.sync = () => Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" }));
    try {
      await assert.rejects(stage.seal(), StoreUnavailable);
    } finally {
      prototype.sync = real;
    }
    await assert.rejects(stage.seal());
    await assert.rejects(storage.create(a, stage));
    await stage.discard();
    assert.equal(await storage.stat(a), undefined);
    assert.deepEqual(await readdir(join(root, "tmp")), []);
  });

  for (const [code, kind] of [
    ["ENOSPC", StoreFull],
    ["EDQUOT", StoreFull],
    ["EIO", StoreUnavailable],
  ] as const)
    test(`${code} while writing is ${kind.name}, and leaves nothing`, async () => {
      const root = await newFolder();
      const storage = await openDiskStorage(root);
      const prototype = await handlePrototype();
      const real = prototype.write;
      prototype.write = () => Promise.reject(Object.assign(new Error(code), { code }));
      try {
        await assert.rejects(storage.create(a, hello), (error) => error instanceof kind);
      } finally {
        prototype.write = real;
      }
      assert.deepEqual(await readdir(join(root, "tmp")), []);
      assert.equal(await storage.create(a, hello), "created");
    });

  for (const code of ["EIO", "EACCES", "EMFILE"])
    test(`${code} while opening is StoreUnavailable, never absence`, async (t) => {
      const storage = await openDiskStorage(await newFolder(), { fsync: "never" });
      await storage.create(a, hello);
      const fail = () => Promise.reject(Object.assign(new Error(code), { code }));
      t.mock.method(fs, "open", fail);
      t.mock.method(fs, "lstat", fail);
      t.mock.method(fs, "readdir", fail);
      t.mock.method(fs, "unlink", fail);
      syncBuiltinESMExports();
      try {
        await assert.rejects(storage.get(a, 100), StoreUnavailable);
        await assert.rejects(storage.open(a), StoreUnavailable);
        await assert.rejects(storage.stat(a), StoreUnavailable);
        await assert.rejects(storage.remove(a), StoreUnavailable);
        await assert.rejects(keysOf(storage, "modules/"), StoreUnavailable);
        await assert.rejects(storage.create(a, hello), StoreUnavailable);
      } finally {
        t.mock.restoreAll();
        syncBuiltinESMExports();
      }
      assert.equal(await textOf(storage, a), "hello");
    });
});

suite("disk: killed in the middle", () => {
  test("30 kills: every object is whole or absent, what was acknowledged is there, temporary files go", async () => {
    const root = await newFolder();
    await openDiskStorage(root);
    let acknowledged = 0;
    for (let round = 0; round < 30; round++) {
      const killed = await killWriter(root, round);
      const storage = await openDiskStorage(root);
      assert.deepEqual(await readdir(join(root, "tmp")), [], `round ${round}`);
      for (const key of killed) {
        const stored = await storage.get(storageKey(key), 1 << 20);
        assert.ok(stored !== undefined, `${key} was acknowledged and is gone`);
      }
      acknowledged += killed.length;
      for await (const { key } of storage.list(`round/${round}/`)) await isWhole(storage, key);
      const counter = await storage.get(storageKey("round/counter"), 100);
      if (counter !== undefined) assert.match(Buffer.from(counter.bytes).toString(), /^\d+ {20}$/);
    }
    assert.ok(acknowledged > 0, "no writer got anywhere");
  });
});

suite("faulty", () => {
  let storage: FaultyStorage;
  beforeEach(() => {
    storage = new FaultyStorage(new MemoryStorage());
  });

  test("a fault before the effect leaves no effect", async () => {
    storage.arm({ on: "create", does: { kind: "unavailable", when: "before" } });
    await assert.rejects(storage.create(a, hello), StoreUnavailable);
    assert.equal(await storage.create(a, hello), "created");
  });

  test("a fault after the effect leaves the effect", async () => {
    storage.arm({ on: "create", does: { kind: "full", when: "after" } });
    await assert.rejects(storage.create(a, hello), StoreFull);
    assert.equal(await textOf(storage, a), "hello");
  });

  test("a fault waits for its key, lets the first ones pass and strikes as often as told", async () => {
    await storage.create(a, hello);
    storage.arm({
      on: ["get", "stat"],
      key: /a\/@v/,
      skip: 1,
      times: 2,
      does: { kind: "unavailable", when: "before" },
    });
    assert.equal(await storage.get(storageKey("x"), 1), undefined);
    assert.equal(await textOf(storage, a), "hello");
    await assert.rejects(storage.stat(a), StoreUnavailable);
    await assert.rejects(textOf(storage, a), StoreUnavailable);
    assert.equal(await textOf(storage, a), "hello");
  });

  test("short reads and flipped bytes reach get and read", async () => {
    await storage.create(a, hello);
    storage.arm({ on: "get", does: { kind: "flip", at: 0 } }, { on: "read", does: { kind: "short", at: 2 } });
    assert.equal(await textOf(storage, a), "iello");
    const object = (await storage.open(a))!;
    assert.equal(await object.read(0, new Uint8Array(5)), 2);
    assert.equal(await textOf(storage, a), "hello");
  });

  test("a delayed call waits", async () => {
    let release = (): void => undefined;
    storage.arm({ on: "create", does: { kind: "delay", until: new Promise<void>((resolve) => (release = resolve)) } });
    const creating = storage.create(a, hello);
    assert.equal(await storage.stat(a), undefined);
    release();
    assert.equal(await creating, "created");
  });

  test("stages fail too, and heal() ends it all", async () => {
    storage.arm({ on: "seal", times: Infinity, does: { kind: "full", when: "before" } });
    const stage = await storage.stage(10);
    await stage.write(hello);
    await assert.rejects(stage.seal(), StoreFull);
    storage.heal();
    await stage.seal();
    assert.equal(await storage.create(a, stage), "created");
    assert.deepEqual(storage.calls, ["stage stage", "write stage", "seal stage", "seal stage", `create ${a}`]);
  });
});

type Handle = { sync: FileHandle["sync"]; write: FileHandle["write"] };

async function handlePrototype(): Promise<Handle> {
  const handle = await fs.open(tmpdir(), "r");
  await handle.close();
  return Object.getPrototypeOf(handle) as Handle;
}

/** Runs `work` on a disk storage and tells, in order, every call that decides what a power cut leaves. */
async function spied<T>(
  work: (storage: Awaited<ReturnType<typeof openDiskStorage>>) => Promise<T>,
  before?: (storage: Awaited<ReturnType<typeof openDiskStorage>>) => Promise<unknown>,
  place?: string,
): Promise<{ readonly calls: readonly string[]; readonly result: T }> {
  const root = place ?? (await newFolder());
  const storage = await openDiskStorage(root);
  await before?.(storage);
  const calls: string[] = [];
  const nameOf = (path: unknown): string => {
    const name = String(path).slice(root.length + 1);
    return name.startsWith("tmp/") ? "temp" : name === "" ? "." : name;
  };
  const paths = new Map<number, string>();
  const prototype = await handlePrototype();
  const real = { open: fs.open, mkdir: fs.mkdir, link: fs.link, rename: fs.rename, unlink: fs.unlink };
  const realSync = prototype.sync;
  prototype.sync = async function (this: FileHandle) {
    await realSync.call(this);
    calls.push(`sync ${paths.get(this.fd) ?? "?"}`);
  };
  const open = async (...args: Parameters<typeof fs.open>) => {
    const handle = await real.open(...args);
    paths.set(handle.fd, nameOf(args[0]));
    return handle;
  };
  const told = (name: "mkdir" | "link" | "rename" | "unlink", count: number) =>
    async function (...args: unknown[]) {
      const result = await (real[name] as (...all: unknown[]) => Promise<unknown>)(...args);
      calls.push([name, ...args.slice(0, count).map(nameOf)].join(" "));
      return result;
    };
  const spies = {
    open,
    mkdir: told("mkdir", 1),
    link: told("link", 2),
    rename: told("rename", 2),
    unlink: told("unlink", 1),
  };
  Object.assign(fs, spies);
  syncBuiltinESMExports();
  try {
    return { result: await work(storage), calls };
  } finally {
    Object.assign(fs, real);
    syncBuiltinESMExports();
    prototype.sync = realSync;
  }
}

/** The body of a key tells its own length and repeats its own name: a torn or mixed one shows. */
const writer = `
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { storageKey } from "#services/store/ports.ts";
const [root, round] = process.argv.slice(1);
const storage = await openDiskStorage(root);
for (let n = 0; ; n++) {
  const key = storageKey("round/" + round + "/" + (n % 5) + "/" + n);
  const body = Buffer.from((key + "\\n").repeat(3000));
  if (n % 2) await storage.create(key, body);
  else {
    const stage = await storage.stage(body.length);
    for (let at = 0; at < body.length; at += 8192) await stage.write(body.subarray(at, at + 8192));
    await stage.seal();
    await storage.create(key, stage);
  }
  process.stdout.write(key + "\\n");
  const counter = storageKey("round/counter");
  await storage.replace(counter, Buffer.from(n + " ".repeat(20)), (await storage.stat(counter))?.token);
}
`;

/** Lets a writer run, kills it at a moment of chance, and tells what it had acknowledged. */
async function killWriter(root: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", writer, root, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    // After some lines, at a different point of the loop each round.
    if (said.split("\n").length > 1 + (round % 6)) setTimeout(() => child.kill("SIGKILL"), (round * 7) % 11);
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, "SIGKILL"], "the writer ended by itself");
  return said.split("\n").slice(0, -1);
}

async function isWhole(
  storage: { get: Awaited<ReturnType<typeof openDiskStorage>>["get"] },
  key: ReturnType<typeof storageKey>,
): Promise<void> {
  const stored = await storage.get(key, 1 << 20);
  assert.equal(Buffer.from(stored?.bytes ?? []).toString(), `${key}\n`.repeat(3000), `${basename(key)} is torn`);
}

async function pidOfTheDead(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid!;
}
