// A node's process over a store in S3, for tests that put it to sleep: it signs a log, or keeps versions and falls asleep
// by itself before a call that it was told. What it does it says, a line at a time.
import { readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openRedis } from "#adapters/coordination/redis.ts";
import { steadyClock } from "#adapters/system/clock.ts";
import { SumLog } from "#services/sumlog/log.ts";
import { sequencer } from "#services/sumlog/sequencer.ts";
import { keepVersion, versionOf } from "./cluster-versions.ts";
import { keyOf, seeded, signer, textOf } from "./own-log-world.ts";
import { s3StorageOf } from "./s3-store.ts";

export type ClusterLife = {
  readonly server: { readonly endpoint: string; readonly accessKey: string; readonly secretKey: string };
  readonly bucket: string;
  /** Its own. */
  readonly folder: string;
} & (
  | {
      readonly role: "signer";
      readonly node: number;
      readonly forMs: number;
      /** Where turns are taken. */ readonly redis?: string;
    }
  | { readonly role: "keeper"; readonly rounds: readonly Round[] }
);

/** Which call it falls asleep before: the first one of this name for a key that ends so. */
export type Round = { readonly version: number; readonly call: string; readonly end: string };

const say = (line: string): void => void writeSync(1, `${line}\n`);
const life = JSON.parse(readFileSync(0, "utf8")) as ClusterLife;
const storage = await s3StorageOf(life.server, { bucket: life.bucket, folder: life.folder });
say("ready");
if (life.role === "signer") await sign(life);
else for (const round of life.rounds) await keep(round);
await storage.close();

async function sign({ node, forMs, redis }: Extract<ClusterLife, { readonly role: "signer" }>): Promise<void> {
  const random = seeded(node);
  const shared = { urls: [redis ?? ""], ca: undefined, prefix: "signers", node: String(node), leaseMs: 2_000 };
  const coordination = redis === undefined ? undefined : await openRedis({ ...shared, clock: steadyClock });
  const turn =
    coordination &&
    sequencer(signer.verifier.name, {
      turns: () => coordination.turns,
      clock: steadyClock,
      signal: new AbortController().signal,
    });
  const log = new SumLog({ signer, storage, giveWay: () => sleep(random() * 150), ...(turn && { turn }) });
  const until = performance.now() + forMs;
  for (let n = 0; performance.now() < until;) {
    // Some of the keys are the others' as well.
    const keys = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      random() < 0.2 ? Math.floor(random() * 40) : (node + 1) * 100_000 + n++,
    );
    const startedMs = performance.now();
    await Promise.all(
      keys.map(async (key) => {
        const number = await log.append(keyOf(key), textOf(key));
        const head = await log.head();
        say(`ack ${key} ${number} ${head.size} ${Math.round(performance.now() - startedMs)}`);
        say(`head ${Buffer.from(head.bytes).toString("base64")}`);
      }),
    );
    await sleep(random() * 60);
  }
  await coordination?.close();
}

async function keep(round: Round): Promise<void> {
  let isAwake = true;
  const sleepy = new Proxy(storage, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name === "list") return member.bind(target) as unknown;
      return async (...args: unknown[]) => {
        if (isAwake && name === round.call && String(args[0]).endsWith(round.end)) {
          isAwake = false;
          say(`asleep ${round.version}`);
          process.kill(process.pid, "SIGSTOP");
          await sleep(1); // the signal is on its way
        }
        return (await Reflect.apply(member, target, args)) as unknown;
      };
    },
  });
  const { kept, conflict } = await keepVersion(sleepy, { id: versionOf(round.version), packing: "theirs" });
  say(`kept ${round.version} ${kept.manifest.zip.sha256} ${String(conflict)} ${String(!isAwake)}`);
}
