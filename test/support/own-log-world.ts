// What the crash suite of the own log shares with the processes that it kills, and what must be true after each death.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { HeadFile } from "#adapters/system/head-file.ts";
import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { generateKey, parseSignerKey } from "#protocol/note.ts";
import { checkTree, isEqualHash } from "#protocol/tlog.ts";
import { checkLog } from "#services/sumlog/fsck.ts";
import { SumLog } from "#services/sumlog/log.ts";

export const signer = parseSignerKey(generateKey("log.example", Buffer.alloc(32, 7)).signerKey);
export const keyOf = (n: number): string => `example.com/m${n}@v1.0.0`;
export const textOf = (n: number): string =>
  `example.com/m${n} v1.0.0 h1:${Buffer.alloc(32, n % 251).toString("base64")}\n`;

export type Life = {
  /** The store. */
  readonly root: string;
  /** Where the key would be: beside it the head is remembered. */
  readonly keyFile: string;
  /** Keys to append, a batch at a time. */
  readonly batches: readonly (readonly number[])[];
  /** The step at which it kills itself, counted from 1. */
  readonly dies?: { readonly step: number; readonly when: "before" | "after" };
  /** Steps of the opening count too, or only those of appending. */
  readonly counts: "all" | "appending";
  /** Falls asleep now and then before it touches a commit. */
  readonly stallSeed?: number;
};

/** Repeatable: the same seed gives the same numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What is known of a log beside what is kept: what its clients were told. */
export class Told {
  /** Key to number. */
  readonly acknowledged = new Map<number, number>();
  /** By size: every head that was seen, or was ever found signed on disk. */
  readonly heads = new Map<number, Checkpoint>();

  acknowledge(key: number, number: number): void {
    const before = this.acknowledged.get(key);
    assert.ok(before === undefined || before === number, `${keyOf(key)} was record ${before} and is ${number}`);
    this.acknowledged.set(key, number);
  }

  /** Throws when another head of its size was signed: a fork. */
  signed(note: Uint8Array): void {
    const head = openCheckpoint(note, signer.verifier);
    const before = this.heads.get(head.size);
    assert.ok(before === undefined || isEqualHash(before.root, head.root), `two heads of ${head.size} records`);
    this.heads.set(head.size, head);
  }

  hear(line: string): void {
    const [word, first = "", second = "", third = ""] = line.split(" ");
    if (word === "head") this.signed(Buffer.from(first, "base64"));
    if (word !== "ack") return;
    this.acknowledge(Number(first), Number(second));
    assert.ok(Number(second) < Number(third), `record ${second} was acknowledged under a head of ${third}`);
  }

  /** Every head on disk, whoever signed it and whether or not anybody was told. */
  async look({ root, keyFile }: Pick<Life, "root" | "keyFile">): Promise<void> {
    const folder = join(root, "state/sumlog/log.example/heads");
    for (const name of await readdir(folder).catch(() => []))
      await readFile(join(folder, name)).then(
        (note) => this.signed(note),
        (error: unknown) => assert.match(String(error), /ENOENT/), // an old one, cleared away
      );
    const remembered = await new HeadFile(keyFile).recall();
    if (remembered !== undefined) this.signed(remembered);
  }
}

export type Death = { readonly lines: readonly string[]; readonly signal: NodeJS.Signals | null };

/** Starts a process that lives so. `killAfterMs` kills it from outside, counted from when it was ready. */
export async function live(life: Life, killAfterMs?: number): Promise<Death> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "own-log-life.ts")],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  child.stdin.end(JSON.stringify(life));
  const output = { said: "", wrong: "" };
  let timer: NodeJS.Timeout | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.wrong += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.said += text;
    if (killAfterMs !== undefined && timer === undefined) timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  assert.ok(code === 0 || signal === "SIGKILL", `${code} ${signal}: ${output.wrong}`);
  // A line that its writer died in was not said.
  return { lines: output.said.split("\n").slice(0, -1), signal };
}

/** Reads the log as the next process will, and holds it against what was told. Returns the log. */
export async function reopen(place: Pick<Life, "root" | "keyFile">, told: Told): Promise<SumLog> {
  await told.look(place);
  const storage = await openDiskStorage(place.root, { fsync: "never" });
  const sound = await checkLog({ verifier: signer.verifier, storage });
  assert.deepEqual(sound.problems, [], "before anybody has repaired anything");
  const log = new SumLog({ signer, storage, memory: new HeadFile(place.keyFile) });
  for (const [key, number] of told.acknowledged) {
    const record = await log.find(keyOf(key));
    assert.deepEqual(record, { id: number, text: textOf(key) }, `${keyOf(key)} was acknowledged and is lost`);
  }
  await isOneHistory(log, told);
  return log;
}

/** Every head that anybody has seen is the beginning of the newest. */
export async function isOneHistory(log: SumLog, told: Told): Promise<void> {
  for (const old of told.heads.values()) {
    const { head, proof } = await log.prove(old.size);
    assert.ok(head.size >= old.size, `the log has ${head.size} records, and ${old.size} were signed`);
    if (head.size === old.size) assert.ok(isEqualHash(head.root, old.root), `a fork at ${old.size}`);
    else if (old.size > 0) checkTree(proof, head, old);
  }
}

/** Appends the keys again: each has one record, and there are no others. */
export async function isWithoutDoubles(log: SumLog, keys: readonly number[]): Promise<void> {
  const numbers = await Promise.all(keys.map((n) => log.append(keyOf(n), textOf(n))));
  const distinct = new Set(keys);
  assert.equal(new Set(numbers).size, distinct.size, "two keys have one record, or one key has two");
  assert.equal((await log.head()).size, distinct.size, "records that nobody asked for");
}
