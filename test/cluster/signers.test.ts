// Four processes sign one log on S3, and one of them is put to sleep again and again: no fork, nothing acknowledged is
// lost, and what is acknowledged is in a signed head by then.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { checkLog } from "#services/sumlog/fsck.ts";
import { SumLog } from "#services/sumlog/log.ts";
import { atEnd } from "../support/at-end.ts";
import type { ClusterLife } from "../support/cluster-life.ts";
import { isOneHistory, isWithoutDoubles, keyOf, signer, textOf, Told } from "../support/own-log-world.ts";
import { makeBucket, s3StorageOf } from "../support/s3-store.ts";
import { missingRedis, startRedis } from "../support/servers/redis.ts";
import { serverFolder } from "../support/servers/server.ts";
import { missingS3, s3Kinds, startS3 } from "../support/servers/s3.ts";

const forMs = process.env["LONG"] === undefined ? 8_000 : 60_000;
const nodes = [0, 1, 2, 3];

suite("signers of one log", () => {
  const ways = s3Kinds.flatMap((kind) => [false, true].map((takesTurns) => ({ kind, takesTurns })));
  for (const { kind, takesTurns } of ways) {
    const skip = missingS3(kind) ?? (takesTurns ? missingRedis() : undefined) ?? false;
    const how = takesTurns ? "in turns" : "each by itself";
    test(`do not fork it on ${kind}, ${how}`, { skip, timeout: 120_000 }, async (t) => {
      const server = await startS3(t, kind);
      const redis = takesTurns ? await startRedis(t) : undefined;
      await makeBucket(server, "log");
      const folder = await serverFolder(t, "signers");
      const { endpoint, accessKey, secretKey } = server;
      const told = new Told();
      const times: number[] = [];
      const children = nodes.map((node) => {
        const child = spawn(
          process.execPath,
          ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../support/cluster-life.ts")],
          { stdio: ["pipe", "pipe", "pipe"] },
        );
        const said = { text: "" };
        child.stderr.setEncoding("utf8").on("data", (text: string) => (said.text += text));
        atEnd(t, () => void child.kill("SIGKILL"));
        const place = { server: { endpoint, accessKey, secretKey }, bucket: "log", folder: join(folder, String(node)) };
        const life: ClusterLife = { ...place, role: "signer", node, forMs, ...(redis && { redis: redis.url }) };
        child.stdin.end(JSON.stringify(life));
        createInterface({ input: child.stdout }).on("line", (line) => {
          told.hear(line);
          // The first one is put to sleep: its times say nothing.
          if (line.startsWith("ack ") && node !== 0) times.push(Number(line.split(" ")[4]));
        });
        return { child, said, ended: once(child, "close") };
      });
      const sleeper = children[0]!.child;
      const isOver = Promise.all(children.slice(1).map(({ ended }) => ended));
      const running = { is: true };
      void isOver.then(() => (running.is = false));
      while (running.is) {
        await sleep(300 + Math.random() * 700);
        sleeper.kill("SIGSTOP");
        await sleep(500 + Math.random() * 2_000);
        sleeper.kill("SIGCONT");
      }
      for (const { child, said, ended } of children) {
        await ended;
        assert.equal(child.exitCode, 0, said.text);
      }
      const storage = await s3StorageOf(server, { bucket: "log", folder: join(folder, "auditor") });
      atEnd(t, () => storage.close());
      assert.deepEqual((await checkLog({ verifier: signer.verifier, storage })).problems, []);
      const log = new SumLog({ signer, storage });
      for (const [key, number] of told.acknowledged)
        assert.deepEqual(await log.find(keyOf(key)), { id: number, text: textOf(key) });
      await isOneHistory(log, told);
      await isWithoutDoubles(log, [...told.acknowledged.keys()]);
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? NaN;
      t.diagnostic(
        `${kind}, ${how}: ${told.acknowledged.size} records, ${told.heads.size} heads seen, 0 forks; ` +
          `asked → in a signed head: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`,
      );
      assert.ok(told.acknowledged.size > 25, `${told.acknowledged.size} records`);
    });
  }
});
