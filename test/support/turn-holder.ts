// A node that takes a turn and holds it, as a process of its own that a test can stop and wake: it says what it finds.
// Arguments: URL of Redis, name of the turn, lease in ms.
import { openRedis } from "#adapters/coordination/redis.ts";
import { steadyClock } from "#adapters/system/clock.ts";

const [url = "", name = "", leaseMs = "1000"] = process.argv.slice(2);
const node = await openRedis({
  urls: [url],
  ca: undefined,
  prefix: "granary",
  node: "holder",
  leaseMs: Number(leaseMs),
  clock: steadyClock,
});
const turn = await node.turns.take(name);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`taken ${turn?.fence}`);
// What a job does between two steps: it never acts on a turn that is not its own.
let last = performance.now();
for (;;) {
  const isLost = turn?.lost.aborted !== false;
  const now = performance.now();
  if (isLost) {
    say(`lost after ${Math.round(now - last)}`);
    break;
  }
  say(`acted ${Math.round(now - last)}`);
  last = now;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
await node.close();
