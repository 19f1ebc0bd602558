// A node falls asleep in the middle of keeping a version, for longer than any lease. Another keeps other bytes of that
// version meanwhile. The first one wakes and goes on: it overwrites nothing, and is told what is kept.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ModuleStore } from "#services/store/module-store.ts";
import type { Storage } from "#services/store/ports.ts";
import { versionKey } from "#services/store/layout.ts";
import { atEnd } from "../support/at-end.ts";
import type { ClusterLife, Round } from "../support/cluster-life.ts";
import { infoOf, keepVersion, versionOf, zipOf } from "../support/cluster-versions.ts";
import { zipBytes, zipFacts } from "../support/manifests.ts";
import { makeBucket, s3StorageOf } from "../support/s3-store.ts";
import { serverFolder } from "../support/servers/server.ts";
import { missingS3, s3Kinds, startS3 } from "../support/servers/s3.ts";

const points = [
  { call: "create", end: ".info" },
  { call: "create", end: ".mod" },
  { call: "create", end: ".mod.manifest" },
  { call: "create", end: ".zip" },
  { call: "create", end: ".zip.manifest" },
  { call: "replace", end: ".info" },
  { call: "replace", end: ".zip" },
] as const;
const rounds: readonly Round[] = Array.from({ length: 28 }, (_, version) => ({
  version,
  ...points[version % points.length]!,
}));

async function isStopped(pid: number): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if (/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    await sleep(10);
  }
  assert.fail("it does not fall asleep");
}

/** What anybody finds; throws when it is not what the manifests say. */
async function whole(storage: Storage, version: number): Promise<string> {
  const store = new ModuleStore(storage);
  const id = versionOf(version);
  const [mod, zip] = [await store.findMod(id), await store.findZip(id)];
  assert.ok(mod !== undefined && zip !== undefined, id.version);
  const { sha256 } = zipFacts(await zipBytes(zip));
  assert.equal(sha256, zip.manifest.zip.sha256);
  await store.close();
  return `${mod.manifest.info.sha256} ${sha256}`;
}

suite("a keeper that was asleep", () => {
  for (const kind of s3Kinds)
    test(`overwrites nothing on ${kind}`, { skip: missingS3(kind) ?? false, timeout: 120_000 }, async (t) => {
      const server = await startS3(t, kind);
      await makeBucket(server, "fenced");
      const folder = await serverFolder(t, "fencing");
      const storage = await s3StorageOf(server, { bucket: "fenced", folder: join(folder, "ours") });
      atEnd(t, () => storage.close());
      for (const { version, call } of rounds) {
        const id = versionOf(version);
        if (call !== "replace") continue;
        await storage.create(versionKey(id, "info"), infoOf(id, "broken"));
        await storage.create(versionKey(id, "zip"), zipOf(id, "broken"));
      }
      const child = spawn(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../support/cluster-life.ts")],
        { stdio: ["pipe", "pipe", "inherit"] },
      );
      atEnd(t, () => void child.kill("SIGKILL"));
      const { endpoint, accessKey, secretKey } = server;
      const place = { server: { endpoint, accessKey, secretKey }, bucket: "fenced", folder: join(folder, "theirs") };
      child.stdin.end(JSON.stringify({ ...place, role: "keeper", rounds } satisfies ClusterLife));
      const lost: string[] = [];
      const before = new Map<number, string>();
      let told = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [word, number, sha256, conflict, hasSlept] = line.split(" ");
        const version = Number(number);
        if (word === "asleep") {
          await isStopped(child.pid!);
          const { kept } = await keepVersion(storage, { id: versionOf(version), packing: "ours" });
          before.set(version, await whole(storage, version));
          assert.equal(before.get(version)?.split(" ")[1], kept.manifest.zip.sha256);
          child.kill("SIGCONT");
        }
        if (word !== "kept") continue;
        told++;
        assert.equal(hasSlept, "true", `round ${version}`);
        const after = await whole(storage, version);
        assert.equal(after, before.get(version), `round ${version}`);
        assert.equal(after.split(" ")[1], sha256, `round ${version}`);
        if (conflict === "true") lost.push(versionOf(version).version);
      }
      if (child.exitCode === null) await once(child, "exit");
      assert.equal(child.exitCode, 0);
      assert.equal(told, rounds.length);
      // Whoever has put its zip in its place before it fell asleep finds that zip committed by the other.
      const committedTheirs = rounds.filter(({ end }) => end === ".zip.manifest").length;
      assert.equal(lost.length, rounds.length - committedTheirs, lost.join(" "));
      t.diagnostic(
        `${told} rounds on ${kind}: ${lost.length} found the other's bytes, ${committedTheirs} their own; 0 overwrote`,
      );
    });
});
