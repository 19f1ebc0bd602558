// The works of an ingest without a network, each measured in the process that does it.
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { VerifyPool } from "#adapters/system/verify-pool.ts";
import { legacyGoMod } from "#protocol/gomod.ts";
import { unescapePath } from "#protocol/path.ts";
import { checkModuleVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import type { VerifiedZip } from "#services/proxy/ports.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import type { Stage, Storage } from "#services/store/ports.ts";
import { listFiles } from "./corpus.ts";

export type Cost = {
  readonly zips: number;
  readonly bytes: number;
  /** Seconds. */
  readonly wall: number;
  readonly user: number;
  readonly system: number;
  /** The event loop's longest stall, in milliseconds. */
  readonly stallMs?: number;
};

export type WorkName = (typeof works)[number];

/**
 * `verify`: the checks alone. `keep`: stage, then both stages of the commit, with facts known before. `both`: what an
 * ingest does. `read`: every kept zip read once by a process that has just opened the store. `own`: the same by the
 * process that kept them. `loop`: one large zip, for the event loop's sake.
 */
export const works = ["verify", "keep", "both", "read", "own", "loop"] as const;

export type At = { readonly root: string; readonly folder: string; readonly threads: number };

type Zip = { readonly id: ModuleVersion; readonly path: string; readonly bytes: number };

/** The go command downloads this many at a time. */
const atOnce = 10;
/** What a socket gives at a time. */
const chunkBytes = 64 * 1024;
/** What an answer reads at a time (doors/http/send.ts). */
const pieceBytes = 1 << 20;
const largeBytes = 100_000_000;

const facts = {
  verifiedBy: "sumdb",
  records: [{ database: "sum.example.com", id: 1, treeSize: 2 }],
  origin: { upstream: "bench", url: "https://proxy.example.com/" },
  firstSeen: "2024-01-02T03:04:05.000Z",
} as const;

export async function runWork(name: WorkName, at: At): Promise<Cost> {
  const zips = name === "loop" ? [await largeZip(at.folder)] : await zipsOf(at.root);
  const pool = new VerifyPool({ maxWorkers: at.threads });
  const storage = await openDiskStorage(join(at.folder, "store"));
  const store = new ModuleStore(storage);
  const check = (zip: Zip, where = { path: zip.path } as ReturnType<Stage["locate"]>): Promise<VerifiedZip> =>
    pool.check(where, zip.id, new AbortController().signal);
  const ingest = async (zip: Zip): Promise<void> => keep(zip, { storage, store, check: (at) => check(zip, at) });
  try {
    switch (name) {
      case "verify":
        return await measured(zips, check);
      case "keep": {
        const known = new Map<Zip, VerifiedZip>();
        await each(zips, async (zip) => void known.set(zip, await check(zip)));
        return await measured(zips, (zip) => keep(zip, { storage, store, check: () => known.get(zip) }));
      }
      case "both":
      case "loop":
        return await measured(zips, ingest);
      case "read":
      case "own": {
        await each(zips, ingest);
        const reader = name === "own" ? store : new ModuleStore(await openDiskStorage(storage.root));
        return await measured(zips, (zip) => read(zip, reader));
      }
    }
  } finally {
    await store.close();
    await pool.close();
  }
}

async function zipsOf(root: string): Promise<Zip[]> {
  const zips: Zip[] = [];
  for (const file of (await listFiles(root)).sort()) {
    const [, path, version] = /^\/(.+)\/@v\/([^/]+)\.zip$/.exec(file) ?? [];
    if (path === undefined || version === undefined) continue;
    const id = checkModuleVersion(unescapePath(path), unescapeVersion(version));
    zips.push({ id, path: join(root, file), bytes: (await stat(join(root, file))).size });
  }
  return zips;
}

/** Half of it noise, half of it text: 100 MB of zip that are neither all copying nor all inflating. */
async function largeZip(folder: string): Promise<Zip> {
  const { writeFile } = await import("node:fs/promises");
  const id = checkModuleVersion("example.com/large", "v1.0.0");
  const files = Array.from({ length: 200 }, (_, i) => ({ name: `f${i}`, content: randomBytes(largeBytes / 200) }));
  const path = join(folder, "large.zip");
  await writeFile(path, writeModuleZip(id, files));
  return { id, path, bytes: (await stat(path)).size };
}

type Keeping = {
  readonly storage: Storage;
  readonly store: ModuleStore;
  readonly check: (where: ReturnType<Stage["locate"]>) => Promise<VerifiedZip> | VerifiedZip | undefined;
};

/** As services/proxy does it: the body into a stage, the check, then stage `mod` and stage `zip` of the commit. */
async function keep(zip: Zip, { storage, store, check }: Keeping): Promise<void> {
  const stage = await storage.stage(maxZipBytes);
  try {
    for await (const chunk of createReadStream(zip.path, { highWaterMark: chunkBytes }))
      await stage.write(chunk as Buffer);
    await stage.seal();
    const verified = await check(stage.locate());
    if (verified?.report.valid !== true) throw new Error(`${zip.path}: ${JSON.stringify(verified?.report)}`);
    const mod = verified.goMod ?? Buffer.from(legacyGoMod(zip.id.path));
    const info = await readFile(zip.path.replace(/zip$/, "info")).catch(() => Buffer.from("{}"));
    await store.keepMod({ id: zip.id, info, mod, facts });
    await store.keepZip({ id: zip.id, stage, zip: { ...verified, ...verified.report }, facts });
  } finally {
    await stage.discard();
  }
}

async function read(zip: Zip, store: ModuleStore): Promise<void> {
  const kept = await store.findZip(zip.id);
  if (kept === undefined) throw new Error(`${zip.path} is not kept`);
  const source = await kept.open();
  try {
    const piece = Buffer.allocUnsafeSlow(pieceBytes);
    for (let at = 0; at < source.size;) at += await source.read(at, piece);
  } finally {
    await source.close();
  }
}

async function measured(zips: readonly Zip[], work: (zip: Zip) => Promise<unknown>): Promise<Cost> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  const before = process.cpuUsage();
  await each(zips, work);
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - started) / 1e3;
  delay.disable();
  const bytes = zips.reduce((sum, zip) => sum + zip.bytes, 0);
  return { zips: zips.length, bytes, wall, user: user / 1e6, system: system / 1e6, stallMs: delay.max / 1e6 };
}

async function each(zips: readonly Zip[], work: (zip: Zip) => Promise<unknown>): Promise<void> {
  const left = zips.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const zip of left) await work(zip);
    }),
  );
}
