import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GranaryError } from "#services/errors/granary-error.ts";
import { moduleVersion } from "../../../test/support/manifests.ts";
import { importVersions } from "./import.ts";
import type { ImportProgress, ImportUse, Outcome } from "./import.ts";
import type { SourceVersion, Stranger } from "./source-versions.ts";

const version = (n: number): SourceVersion => ({
  kind: "version",
  id: moduleVersion("example.com/m", `v1.0.${n}`),
  files: { mod: `v1.0.${n}.mod` },
});
const stranger: Stranger = { kind: "stranger", path: "example.com/README", why: "foreign", reason: "" };
const error = new GranaryError("GRANARY_NO_UPSTREAM", { what: "x" });

async function* items(count: number): AsyncGenerator<SourceVersion | Stranger> {
  for (let n = 0; n < count; n++) yield await Promise.resolve(version(n));
  yield stranger;
}

const seen: ImportProgress[] = [];
function use(count: number, take: (n: number) => Promise<Outcome>, more: Partial<ImportUse> = {}): ImportUse {
  seen.length = 0;
  return {
    walk: () => items(count),
    take: ({ id }) => take(Number(id.version.split(".")[2])),
    jobs: 3,
    clock: { now: () => 0 },
    signal: new AbortController().signal,
    progress: (progress) => seen.push(progress),
    ...more,
  };
}

suite("an import", () => {
  test("counts what became of each version, and lists what is not kept", async () => {
    const outcomes: readonly Outcome[] = [
      { kind: "imported", bytes: 10 },
      { kind: "kept" },
      { kind: "unproven", error, bytes: 3 },
      { kind: "rejected", refusal: { why: "torn" }, bytes: 0 },
      { kind: "rejected", refusal: { why: "failed", error }, bytes: 4 },
    ];
    const report = await importVersions(use(5, (n) => Promise.resolve(outcomes[n] ?? { kind: "kept" })));
    const { found, imported, kept, unproven, rejected, bytes } = report;
    assert.deepEqual(
      { found, imported, kept, unproven, rejected, bytes },
      { found: 5, imported: 1, kept: 1, unproven: 1, rejected: 3, bytes: 17 },
    );
    assert.deepEqual(report.unprovenList, [{ what: "example.com/m@v1.0.2", why: "failed", error }]);
    assert.deepEqual(
      report.rejectedList.map(({ what, why }) => `${what} ${why}`),
      ["example.com/README foreign", "example.com/m@v1.0.3 torn", "example.com/m@v1.0.4 failed"],
    );
    assert.deepEqual(seen.at(-1), { done: 5, total: 5, bytes: 17, rejected: 3, ms: 0 });
  });

  test("has no more versions under way than it may, however many there are", async () => {
    let [running, most] = [0, 0];
    const take = async (): Promise<Outcome> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return { kind: "kept" };
    };
    assert.equal((await importVersions(use(50, take))).kept, 50);
    assert.equal(most, 3);
  });

  test("ends what is under way when it is told to stop, and begins nothing", async () => {
    const stop = new AbortController();
    const taken: number[] = [];
    const take = (n: number): Promise<Outcome> => {
      taken.push(n);
      if (n === 4) stop.abort();
      return Promise.resolve({ kind: "kept" });
    };
    const report = await importVersions(use(50, take, { signal: stop.signal }));
    assert.ok(report.wasInterrupted && report.kept === taken.length && taken.length < 10);
  });

  test("ends with what says nothing about a version", async () => {
    const full = new Error("no space left");
    const begun: number[] = [];
    const take = async (n: number): Promise<Outcome> => {
      begun.push(n);
      await Promise.resolve();
      if (n === 1) throw full;
      return { kind: "kept" };
    };
    await assert.rejects(importVersions(use(1_000, take)), full);
    assert.ok(begun.length < 100, "no others were begun");
  });
});
