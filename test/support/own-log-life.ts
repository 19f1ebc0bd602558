// One life of a process that appends to an own log on disk: it says what was acknowledged and which heads it has seen, and
// kills itself at the step of its work that it was told. A step is a call that changes something on disk.
import fs from "node:fs/promises";
import { readFileSync, writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { HeadFile } from "#adapters/system/head-file.ts";
import { SumLog } from "#services/sumlog/log.ts";
import { keyOf, seeded, signer, textOf } from "./own-log-world.ts";
import type { Life } from "./own-log-world.ts";

const life = JSON.parse(readFileSync(0, "utf8")) as Life;
const random = seeded(life.stallSeed ?? 0);
let step = 0;
let isCounting = life.counts === "all";

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function die(name: string): void {
  say(`dies ${life.dies?.when ?? ""} step ${step}, ${name}`);
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

type Call = (...args: unknown[]) => Promise<unknown>;

function counted(name: string, call: Call): Call {
  return async function (this: unknown, ...args: unknown[]) {
    if (!isCounting) return await call.apply(this, args);
    const mine = ++step;
    const path = args.findLast((each) => typeof each === "string" && each.includes("/")) as string | undefined;
    const what = `${name} ${path ?? ""}`;
    // Asleep on the way to a commit, as long as others may go on in the meantime.
    if (life.stallSeed !== undefined && what.includes("commits/") && random() < 0.2)
      await new Promise((later) => setTimeout(later, random() * 400));
    if (mine === life.dies?.step && life.dies.when === "before") die(what);
    const result = await call.apply(this, args);
    if (mine === life.dies?.step && life.dies.when === "after") die(what);
    return result;
  };
}

/** Every way in which the disk and the remembered head are changed, named as the system calls are. */
async function countSteps(): Promise<void> {
  const handle = await fs.open(process.execPath, "r");
  const prototype = Object.getPrototypeOf(handle) as Record<string, Call>;
  await handle.close();
  for (const name of ["write", "writeFile", "sync", "utimes"]) prototype[name] = counted(name, prototype[name]!);
  const calls = fs as unknown as Record<string, Call>;
  for (const name of ["link", "rename", "unlink", "mkdir"]) calls[name] = counted(name, calls[name]!);
  const open = calls["open"]!;
  const create = counted("open", open);
  calls["open"] = (...args) => (args[1] === "wx" ? create(...args) : open(...args));
  syncBuiltinESMExports();
}

await countSteps();
const storage = await openDiskStorage(life.root);
const log = new SumLog({ signer, storage, memory: new HeadFile(life.keyFile) });
await log.head();
isCounting = true;
say("ready");
for (const batch of life.batches) {
  await Promise.all(
    batch.map(async (n) => {
      const number = await log.append(keyOf(n), textOf(n));
      say(`ack ${n} ${number} ${log.size ?? 0}`);
    }),
  );
  say(`head ${Buffer.from((await log.head()).bytes).toString("base64")}`);
}
say(`lived ${step}`);
