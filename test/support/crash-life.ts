// One life of a process in a scene: it kills itself at the step it was told. A step is a call that reaches the disk below
// the store. It is run as a bundle (crash-runner.ts), beside that of the thread that checks zips.
import { readFileSync, writeSync } from "node:fs";
import type { Life } from "./crash-runner.ts";
import { scenes } from "./crash-scenes.ts";
import { watchDisk } from "./disk-shim.ts";

await run(JSON.parse(readFileSync(0, "utf8")) as Life);

async function run(life: Life): Promise<void> {
  const say = (line: string): void => void writeSync(1, `${line}\n`);
  const { dies } = life;
  let [step, isCounting] = [0, life.counts === "all"];
  const mine = new Map<number, number>();
  const die = (what: string): void => {
    say(`dies ${dies?.when ?? ""} step ${dies?.step ?? 0}, ${what}`);
    process.kill(process.pid, "SIGKILL");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  await watchDisk(life.place.root, {
    before: (call) => {
      if (!isCounting || !call.changes || isUnsafe(call.path)) return;
      mine.set(call.step, ++step);
      if (step === dies?.step && dies.when === "before") die(`${call.name} ${call.path}`);
    },
    after: (call) => {
      if (dies?.when === "after" && mine.get(call.step) === dies.step) die(`${call.name} ${call.path}`);
      mine.delete(call.step);
    },
  });
  await scenes[life.scene]({
    place: life.place,
    args: life.args ?? [],
    verifyEntry: new URL("verify.js", import.meta.url),
    say,
    begin: () => (isCounting = true),
  });
  say(`lived ${step}`);
  process.exit(0);
}

/** Events are not promised to last, and are written when their time has come, not at a step. */
function isUnsafe(path: string): boolean {
  return path.startsWith("state/events.jsonl") || path === "state";
}
