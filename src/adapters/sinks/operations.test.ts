import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { GranaryEvent, Operation } from "#services/events/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { OperationsFile } from "./operations.ts";

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-operations-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

function operation(time: string, more: Partial<Operation> = {}): Operation {
  return { time, client: "10.0.0.1", method: "GET", path: "/latest", status: 200, bytes: 188, ms: 1.5, ...more };
}

const silent = { emit: () => undefined };

test("a file per day, one line per operation", async (t) => {
  const dir = join(await newFolder(t), "made");
  const log = new OperationsFile({ dir, events: silent });
  const all = [
    operation("2026-11-21T23:59:59.999Z", { subject: "CN=alice" }),
    operation("2026-11-22T00:00:00.000Z", { status: 403 }),
    operation("2026-11-22T00:00:00.001Z", { cut: true }),
  ];
  for (const each of all) log.operation(each);
  await log.flush();
  assert.deepEqual((await readdir(dir)).sort(), ["operations-2026-11-21.jsonl", "operations-2026-11-22.jsonl"]);
  const second = await readFile(join(dir, "operations-2026-11-22.jsonl"), "utf8");
  assert.deepEqual(
    second
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Operation),
    all.slice(1),
  );
});

test("a day goes on in further files, also after a restart, and the oldest go when all are too large", async (t) => {
  const dir = await newFolder(t);
  const line = Buffer.byteLength(`${JSON.stringify(operation("2026-11-21T00:00:00.000Z"))}\n`);
  const limits = { maxFileBytes: 2 * line, maxFolderBytes: 5 * line };
  for (let n = 0; n < 12; n++) {
    const log = new OperationsFile({ dir, events: silent, ...limits });
    log.operation(operation(`2026-11-21T00:00:00.${String(n).padStart(3, "0")}Z`));
    await log.flush();
  }
  const names = (await readdir(dir)).sort();
  assert.ok(names.includes("operations-2026-11-21.5.jsonl"), names.join());
  assert.ok(!names.includes("operations-2026-11-21.jsonl"), names.join());
  let bytes = 0;
  for (const name of names) bytes += (await readFile(join(dir, name))).length;
  assert.ok(bytes <= limits.maxFolderBytes + limits.maxFileBytes, String(bytes));
});

test("files of somebody else stay", async (t) => {
  const dir = await newFolder(t);
  await writeFile(join(dir, "access.log"), "x".repeat(1000));
  const log = new OperationsFile({ dir, events: silent, process: 7, maxFileBytes: 1, maxFolderBytes: 1 });
  for (let n = 0; n < 3; n++) {
    log.operation(operation("2026-11-21T00:00:00.000Z"));
    await log.flush();
  }
  assert.deepEqual((await readdir(dir)).sort(), ["access.log", "operations-2026-11-21-p7.2.jsonl"]);
});

test("a disk that takes nothing: counted, said once, and told when it is over", async (t) => {
  const dir = join(await newFolder(t), "logs");
  await writeFile(dir, "a file, no directory");
  const told: GranaryEvent[] = [];
  const log = new OperationsFile({ dir, events: { emit: (event) => told.push(event) } });
  for (let n = 0; n < 3; n++) {
    log.operation(operation("2026-11-21T00:00:00.000Z"));
    await log.flush();
  }
  assert.equal(log.lost, 3);
  assert.deepEqual(
    told.map(({ name }) => name),
    ["operations.lost"],
  );
  await rm(dir);
  log.operation(operation("2026-11-21T00:00:01.000Z"));
  await log.flush();
  assert.deepEqual(told.at(-1), { name: "operations.resumed", dir, lost: 3 });
  assert.equal(log.lost, 0);
  const text = await readFile(join(dir, "operations-2026-11-21.jsonl"), "utf8");
  assert.equal(text.trim().split("\n").length, 1);
});
