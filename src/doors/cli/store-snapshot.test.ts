// What people and programs see of snapshots, with services that are played.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GranaryError } from "#services/errors/granary-error.ts";
import { runProgram } from "./program.ts";
import type { CliServices, DefragView, RestoreView, SnapshotView } from "./services.ts";
import { columnsOf, terminalColumns } from "./text.ts";

const settingFlags = ["store", "sumlog.key"].map((key) => ({
  key,
  flag: key === "store" ? "--store DIR" : "--sumlog-key FILE",
  about: "",
  initial: "",
  isList: false,
  group: "server",
}));

async function run(argv: readonly string[], services: Partial<CliServices>, lang: "en" | "zh-CN" = "en", tty = false) {
  const out = { code: -1, stdout: "", stderr: "" };
  const io = {
    stdout: (text: string) => void (out.stdout += text),
    stderr: (text: string) => void (out.stderr += text),
    lang,
    isTerminal: tty,
    isUtf8: true,
    shell: "bash" as const,
  };
  const context = { io, services: services as CliServices, settingFlags: settingFlags as never, version: "1.2.3" };
  out.code = await runProgram(["store", ...argv], context);
  return out;
}

const summary = {
  id: "20261128T120000417Z",
  at: "2026-11-28T12:00:00.417Z",
  files: 1_096,
  bytes: 12_900_000,
  versions: 207,
  findings: 0,
  logs: [{ name: "sum.corp.example", size: 1_005 }],
};
const taken: SnapshotView = {
  ...summary,
  dir: "/backup",
  store: "/srv",
  ms: 215,
  previous: "20261127T120000417Z",
  counts: { unchanged: 1_090, readFiles: 6, readBytes: 40_000, writtenFiles: 5, writtenBytes: 39_000 },
  found: [],
  pruned: undefined,
};
const restored: RestoreView = {
  snapshot: summary,
  dir: "/backup",
  store: "/srv",
  ms: 900,
  isDry: false,
  counts: { same: 3, restoredFiles: 1_093, restoredBytes: 12_800_000 },
  found: [],
  logs: [{ name: "sum.corp.example", is: "restore", size: 1_005, isForgotten: false, failure: undefined }],
};
const behind = new GranaryError("GRANARY_RESTORE_LOG_BEHIND", { database: "sum.corp.example", found: 3, signed: 10 });

suite("store snapshot", () => {
  test("hands over what was typed, and says what it holds", async () => {
    let seen: unknown;
    const storeSnapshot: CliServices["storeSnapshot"] = (request, flags, progress) => {
      seen = [request, flags.values];
      progress(taken.counts);
      return Promise.resolve(taken);
    };
    const argv = ["snapshot", "/backup", "--deep", "--keep", "30", "--store", "/srv"];
    const { code, stdout, stderr } = await run(argv, { storeSnapshot });
    assert.deepEqual(seen, [{ dir: "/backup", isDeep: true, keep: 30 }, { store: "/srv" }]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /20261128T120000417Z in \/backup\n.*207 versions, 1,096 files, 12\.9 MB\n/);
    assert.match(stdout, /sum\.corp\.example, 1,005 records/);
    assert.match((await run(argv, { storeSnapshot }, "en", true)).stderr, /6 files read, 40 kB; 1,090 unchanged/);
    assert.match((await run(argv, { storeSnapshot }, "zh-CN")).stdout, /207 个版本/);
  });

  test("findings and what could not be thinned out end it with 1", async () => {
    const found = [{ what: "modules/example.com/m/@v/v1.0.0", is: "missing", problem: "expected a, found b" }] as const;
    const bad = await run(["snapshot", "/backup"], { storeSnapshot: () => Promise.resolve({ ...taken, found }) });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^modules\/example\.com\/m\/@v\/v1\.0\.0 +left out +expected a, found b\n/);
    const pruned = { snapshots: ["20261127T120000417Z"], objects: 0, bytes: 0, problem: "snapshot x is damaged" };
    const kept = await run(["snapshot", "/backup"], { storeSnapshot: () => Promise.resolve({ ...taken, pruned }) });
    assert.equal(kept.code, 1);
    assert.match(kept.stdout, /snapshot x is damaged/);
  });

  test("as JSON there is JSON alone", async () => {
    const { stdout } = await run(["snapshot", "/backup", "--json"], { storeSnapshot: () => Promise.resolve(taken) });
    const json = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([json["schema"], json["id"], json["findings"]], ["granary.store.snapshot/1", summary.id, 0]);
  });

  for (const keep of ["0", "-1", "x", "100000"])
    test(`--keep ${keep} is bad usage`, async () => {
      const { code, stderr } = await run(["snapshot", "/backup", `--keep=${keep}`], {});
      assert.equal(code, 2);
      assert.match(stderr, /GRANARY_BAD_FLAG/);
    });

  test("without a folder it is bad usage", async () => {
    for (const command of ["snapshot", "snapshots", "restore"]) assert.equal((await run([command], {})).code, 2);
  });
});

suite("store snapshots", () => {
  test("a damaged one is a finding; foreign text is harmless", async () => {
    const listed = [summary, { id: "20261127T120000417Z", problem: "bad \u001b[31m" }];
    const { code, stdout } = await run(["snapshots", "/backup"], { storeSnapshots: () => Promise.resolve(listed) });
    assert.equal(code, 1);
    assert.ok(!stdout.includes("\u001b"));
    assert.match(stdout, /20261128T120000417Z +2026-11-28 12:00:00 +207 +1,096 +12\.9 MB +0/);
    for (const line of stdout.split("\n")) assert.ok(columnsOf(line) <= terminalColumns, line);
    assert.equal((await run(["snapshots", "/b"], { storeSnapshots: () => Promise.resolve([summary]) })).code, 0);
  });
});

suite("store restore", () => {
  test("hands over what was typed, and says what came back and what is next", async () => {
    let seen: unknown;
    const storeRestore: CliServices["storeRestore"] = (request) => {
      seen = request;
      return Promise.resolve(restored);
    };
    const argv = ["restore", "/backup", "--snapshot", summary.id, "--dry-run", "--replace-state"];
    const { code, stdout } = await run(argv, { storeRestore });
    assert.deepEqual(seen, { dir: "/backup", id: summary.id, isDry: true, replacesState: true });
    assert.equal(code, 0);
    assert.match(stdout, /1,093 files, 12\.8 MB in 900 ms; there already: 3/);
    assert.match(stdout, /Next: granary store verify/);
  });

  test("a log that was not restored says why, with its code, in both languages; exit 1", async () => {
    const logs = [{ name: "sum.corp.example", is: "behind", size: 3, isForgotten: false, failure: behind }] as const;
    const storeRestore = () => Promise.resolve({ ...restored, logs });
    const { code, stdout } = await run(["restore", "/backup"], { storeRestore });
    assert.equal(code, 1);
    assert.match(stdout, /sum\.corp\.example: not restored\n.*older than what its key has signed/);
    assert.match(stdout, /GRANARY_RESTORE_LOG_BEHIND/);
    assert.match((await run(["restore", "/backup"], { storeRestore }, "zh-CN")).stdout, /未恢复/);
    const json = JSON.parse((await run(["restore", "/backup", "--json"], { storeRestore })).stdout) as {
      logs: { code: string }[];
    };
    assert.equal(json.logs[0]?.code, "GRANARY_RESTORE_LOG_BEHIND");
  });

  test("other bytes are listed; a key that remembers nothing is warned of", async () => {
    const found = [{ what: "modules/example.com/m/@v/v1.0.0", is: "otherBytes", problem: ".zip" }] as const;
    const logs = restored.logs.map((log) => ({ ...log, isForgotten: true }));
    const view = { ...restored, found, logs };
    const { code, stdout } = await run(["restore", "/backup"], { storeRestore: () => Promise.resolve(view) });
    assert.equal(code, 1);
    assert.match(stdout, /other bytes are committed/);
    assert.match(stdout, /do not start the server/);
  });
});

test("store defrag says what it took, and what waits for a server to stop", async () => {
  const heap = { count: 2, bytes: 500 };
  const report: DefragView = {
    store: "/srv",
    isDry: true,
    uncommitted: { count: 0, bytes: 0 },
    waiting: heap,
    temps: heap,
    folders: 3,
    index: { before: 2_000_000, after: 1_000_000 },
  };
  let dry: unknown;
  const storeDefrag: CliServices["storeDefrag"] = (isDry) => {
    dry = isDry;
    return Promise.resolve(report);
  };
  const { code, stdout } = await run(["defrag", "--dry-run"], { storeDefrag });
  assert.deepEqual([code, dry], [0, true]);
  assert.match(stdout, /temporary files +2 files, 500 B\n.*3\n.*2 MB → 1 MB\nNothing was removed/);
  assert.match(stdout, /2 files of unfinished commits \(500 B\) stay/);
  assert.match((await run(["defrag"], { storeDefrag }, "zh-CN")).stdout, /空目录 +3/);
});
