import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";

import { writeModuleZip } from "#protocol/zip-write.ts";
import { blockBytes, VerifierFault } from "#services/proxy/ports.ts";
import { forgeZip } from "../../../test/fixtures/forge-zip.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { VerifyPool } from "./verify-pool.ts";
import type { VerifyPoolOptions } from "./verify-pool.ts";

const id = { path: "example.com/hello", version: "v1.2.3" };
const zip = writeModuleZip(id, [
  { name: "go.mod", content: Buffer.from("module example.com/hello\n\ngo 1.18\n") },
  { name: "x.go", content: Buffer.from("package hello\n") },
]);
const h1 = "h1:7j/oy+tJT9HyJfT59wTR69TstbCyNS5tKdi+c9Vh4H8=";

const folder = await mkdtemp(join(tmpdir(), "granary-verify-"));
after(() => rm(folder, { recursive: true, force: true }));

function pool(t: TestContext, options: Partial<VerifyPoolOptions> = {}): VerifyPool {
  const made = new VerifyPool(options);
  atEnd(t, () => made.close());
  return made;
}

function never(): AbortSignal {
  return new AbortController().signal;
}

/** A worker program written for one test. */
async function entry(name: string, program: string): Promise<URL> {
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, `import { parentPort } from "node:worker_threads";\n${isReady}${program}`);
  return new URL(`file://${file}`);
}

const isReady = `parentPort.postMessage("ready");\n`;
const answered = `{ ok: true, value: { h1: "done" } }`;

test("check() verifies a zip in a file and one in memory alike", async (t) => {
  const path = join(folder, "a.zip");
  await writeFile(path, zip);
  const verifier = pool(t);
  for (const where of [{ path }, { bytes: zip }]) {
    const found = await verifier.check(where, id, never());
    assert.deepEqual(found.report, { valid: true, problems: [], warnings: [], files: 2, uncompressedBytes: 48 });
    assert.equal(found.h1, h1);
    assert.equal(Buffer.from(found.goMod!).toString(), "module example.com/hello\n\ngo 1.18\n");
    assert.equal(found.size, zip.length);
    assert.equal(found.sha256, createHash("sha256").update(zip).digest("hex"));
    assert.deepEqual(Buffer.from(found.blocks).toString("hex"), found.sha256);
  }
});

test("check() leaves the caller's bytes alone, a view of a larger buffer too", async (t) => {
  const buffer = Buffer.concat([Buffer.alloc(100), zip, Buffer.alloc(100)]);
  const found = await pool(t).check({ bytes: buffer.subarray(100, 100 + zip.length) }, id, never());
  assert.equal(found.h1, h1);
  assert.ok(buffer.subarray(100, 100 + zip.length).equals(zip));
});

test("check() hashes every block of 64 KiB, the last one short", async (t) => {
  const big = writeModuleZip(id, [{ name: "noise", content: randomBytes(20 * blockBytes + 5) }]);
  const path = join(folder, "blocks.zip");
  await writeFile(path, big);
  const found = await pool(t).check({ path }, id, never());
  const want: Buffer[] = [];
  for (let at = 0; at < big.length; at += blockBytes) {
    want.push(
      createHash("sha256")
        .update(big.subarray(at, at + blockBytes))
        .digest(),
    );
  }
  assert.ok(Buffer.concat(want).equals(found.blocks));
});

test("check() reports bytes that are no zip, with their hash", async (t) => {
  const found = await pool(t).check({ bytes: Buffer.from("<html>") }, id, never());
  assert.equal(found.report.valid, false);
  assert.equal(found.report.problems[0]?.rule, "structure");
  assert.equal(found.h1, "");
  assert.equal(found.sha256, createHash("sha256").update("<html>").digest("hex"));
});

test("directories() names the directories of a zip", async (t) => {
  const bytes = writeModuleZip(id, [{ name: "cmd/x/main.go", content: Buffer.from("package main\n") }]);
  const found = await pool(t).directories({ bytes }, id, never());
  assert.deepEqual([...found].sort(), ["cmd", "cmd/x"]);
});

test("a hundred zips at once are checked by two threads", async (t) => {
  const verifier = pool(t, { maxWorkers: 2 });
  const all = Array.from({ length: 100 }, () => verifier.check({ bytes: zip }, id, never()));
  assert.equal(verifier.workers, 2);
  assert.deepEqual([...new Set((await Promise.all(all)).map((found) => found.h1))], [h1]);
});

test("no thread is started before it is needed, and an idle one is stopped", async (t) => {
  const verifier = pool(t, { idleMs: 1 });
  assert.equal(verifier.workers, 0);
  await verifier.check({ bytes: zip }, id, never());
  for (let alive = 1; alive > 0; alive = verifier.workers) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await verifier.check({ bytes: zip }, id, never())).h1, h1);
});

test("a job above the time limit fails and its thread is replaced", async (t) => {
  const program = `parentPort.on("message", (job) => {
    if (job.id.path === "stuck") for (;;);
    parentPort.postMessage(${answered});
  });`;
  const verifier = pool(t, { entry: await entry("stuck", program), maxWorkers: 1, jobLimitMs: 2_000 });
  const stuck = verifier.check({ bytes: zip }, { ...id, path: "stuck" }, never());
  const next = verifier.check({ bytes: zip }, id, never());
  await assert.rejects(stuck, { name: "VerifierFault", reason: "timeout" });
  assert.equal((await next).h1, "done");
});

test("a thread that dies fails its own job only", async (t) => {
  const program = `parentPort.on("message", (job) => {
    if (job.id.path === "throw") throw new Error("bug");
    if (job.id.path === "exit") process.exit(7);
    parentPort.postMessage(${answered});
  });`;
  const verifier = pool(t, { entry: await entry("dies", program), maxWorkers: 1 });
  for (const path of ["throw", "exit"]) {
    const dies = verifier.check({ bytes: zip }, { ...id, path }, never());
    const next = verifier.check({ bytes: zip }, id, never());
    await assert.rejects(dies, { name: "VerifierFault", reason: "crashed" });
    assert.equal((await next).h1, "done");
  }
});

test("a thread that outgrows its heap fails its own job only", async (t) => {
  const program = `parentPort.on("message", (job) => {
    const kept = [];
    if (job.id.path === "grow") for (;;) kept.push({ text: String(kept.length) });
    parentPort.postMessage(${answered});
  });`;
  const verifier = pool(t, { entry: await entry("grows", program), maxWorkers: 1, maxHeapMb: 32 });
  const grows = verifier.check({ bytes: zip }, { ...id, path: "grow" }, never());
  await assert.rejects(grows, { name: "VerifierFault", reason: "crashed" });
  assert.equal((await verifier.check({ bytes: zip }, id, never())).h1, "done");
});

test("an entry that cannot start fails each job and does not spin", async (t) => {
  const verifier = pool(t, { entry: new URL(`file://${folder}/nowhere.mjs`) });
  for (let i = 0; i < 2; i++) {
    const asked = verifier.check({ bytes: zip }, id, never());
    await assert.rejects(asked, { name: "VerifierFault", reason: "unable" });
  }
  assert.equal(verifier.workers, 0);
});

test("a file that cannot be read is this machine's fault, and says which call failed", async (t) => {
  const verifier = pool(t);
  const asked = verifier.check({ path: join(folder, "nowhere.zip") }, id, never());
  await assert.rejects(asked, { name: "VerifierFault", reason: "unable", cause: { code: "ENOENT" } });
  assert.equal((await verifier.check({ bytes: zip }, id, never())).h1, h1);
});

test("an aborted job gives its reason, whether it runs or waits", async (t) => {
  const verifier = pool(t, { entry: await entry("waits", `parentPort.on("message", () => {});`), maxWorkers: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const running = verifier.check({ bytes: zip }, id, first.signal);
  const waiting = verifier.check({ bytes: zip }, id, second.signal);
  second.abort(new RangeError("waiting"));
  await assert.rejects(waiting, RangeError);
  first.abort(new TypeError("running"));
  await assert.rejects(running, TypeError);
  assert.equal(verifier.workers, 0);
  await assert.rejects(verifier.check({ bytes: zip }, id, AbortSignal.abort(new TypeError("before"))), TypeError);
});

test("more waiting jobs than the queue holds are refused as busy", async (t) => {
  const program = `parentPort.on("message", () => {});`;
  const verifier = pool(t, { entry: await entry("busy", program), maxWorkers: 1, maxQueue: 1 });
  const kept = [0, 1].map(() => verifier.check({ bytes: zip }, id, never()));
  await assert.rejects(verifier.check({ bytes: zip }, id, never()), { name: "VerifierFault", reason: "busy" });
  const closed = kept.map((job) => assert.rejects(job, { name: "VerifierFault", reason: "closed" }));
  await verifier.close();
  await Promise.all(closed);
});

/** Peak resident bytes of a process that checks one zip. (maxRSS would begin with what its parent had.) */
async function peakMemory(path: string): Promise<number> {
  const program = `
    import { VerifyPool } from ${JSON.stringify(new URL("./verify-pool.ts", import.meta.url).href)};
    const pool = new VerifyPool({ maxWorkers: 1 });
    let peak = 0;
    const look = () => (peak = Math.max(peak, process.memoryUsage.rss()));
    const looking = setInterval(look, 2);
    const found = await pool.check({ path: ${JSON.stringify(path)} }, ${JSON.stringify(id)}, new AbortController().signal);
    clearInterval(looking);
    look();
    await pool.close();
    console.log(found.report.valid ? peak : "invalid");`;
  const script = join(folder, "peak.mjs");
  await writeFile(script, program);
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  return Number(stdout);
}

test("a zip of 100 MB, deflated or stored, is checked within 32 MB of memory", async () => {
  const small = join(folder, "small.zip");
  await writeFile(small, zip);
  const usual = await peakMemory(small);
  const content = randomBytes(1_000_000);
  const huge = Buffer.concat(Array.from({ length: 100 }, () => content));
  const name = "example.com/hello@v1.2.3/noise";
  const part = Buffer.alloc(4 * 1024 * 1024);
  const zips = [
    [{ name, content: huge, method: 8, data: deflateRawSync(huge, { level: 0 }) }],
    [{ name, content: huge, method: 0 }],
    Array.from({ length: 100 }, (_, i) => ({ name: `${name}${i}`, content: part })),
  ];
  for (const entries of zips) {
    const path = join(folder, "huge.zip");
    await writeFile(path, forgeZip(entries));
    const peak = await peakMemory(path);
    assert.ok(peak - usual < 32 * 1024 * 1024, `${usual} for a small zip, ${peak} for a huge one`);
  }
});

test("a closed pool refuses jobs", async (t) => {
  const verifier = pool(t);
  await verifier.close();
  await assert.rejects(verifier.check({ bytes: zip }, id, never()), VerifierFault);
});
