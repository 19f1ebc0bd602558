// A file system of a few megabytes for one test: tmpfs, mounted when we are root, and unmounted whatever happens.
import { spawnSync } from "node:child_process";
import { setTimeout as passed } from "node:timers/promises";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd } from "./at-end.ts";

export type SmallDisk = {
  readonly store: string;
  /** Writes a file that leaves so many bytes free; in place of the one before. */
  fillTo(freeBytes: number): Promise<void>;
  /** Removes that file. */
  makeRoom(): Promise<void>;
  remount(how: "ro" | "rw"): Promise<void>;
  /** Names in the store's tmp/. */
  leftovers(): string[];
};

/** Why no disk can be mounted here; undefined when one can. Only root may. */
export const noDisk: string | undefined = whyNot();

function whyNot(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "SKIPPED: only root on Linux can mount a tmpfs";
  const folder = mkdtempSync(join(tmpdir(), "granary-disk-"));
  const tried = run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
  if (tried === "") run("umount", folder);
  rmSync(folder, { recursive: true });
  return tried === "" ? undefined : `SKIPPED: no tmpfs can be mounted here: ${tried}`;
}

/** Mounts a disk of `bytes`; `inodes` bounds the files on it. */
export function smallDisk(
  t: TestContext,
  { bytes, inodes }: { readonly bytes: number; readonly inodes?: number },
): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "granary-disk-"));
  const options = [`size=${bytes}`, "mode=755", ...(inodes === undefined ? [] : [`nr_inodes=${inodes}`])];
  const mounted = run("mount", "-t", "tmpfs", "-o", options.join(","), "tmpfs", folder);
  if (mounted !== "") throw new Error(mounted);
  // The last to go: what uses the disk is registered later.
  atEnd(t, () => {
    // A file that is still open keeps a disk busy; lazily it goes when that file does.
    if (run("umount", folder) !== "") run("umount", "-l", folder);
    rmSync(folder, { recursive: true, force: true });
  });
  const filler = join(folder, "filler");
  return {
    store: join(folder, "store"),
    fillTo: async (freeBytes) => {
      // Grown or cut, never made anew: a server that looks in between would see all the room of an empty disk.
      const { bavail, bsize } = await statfs(folder);
      const more = bavail * bsize - freeBytes;
      const file = await open(filler, "a");
      try {
        if (more > 0) await file.appendFile(new Uint8Array(more));
        else await file.truncate(Math.max(0, (await file.stat()).size + more));
      } finally {
        await file.close();
      }
    },
    makeRoom: () => rm(filler, { force: true }),
    remount: async (how) => {
      // The index is open for writing until it was idle for a while.
      for (let tries = 1; ; tries++) {
        const said = run("mount", "-o", `remount,${how}`, folder);
        if (said === "") return;
        if (tries === 100 || !said.includes("busy")) throw new Error(said);
        await passed(200);
      }
    },
    leftovers: () => readdirSync(join(folder, "store", "tmp")),
  };
}

/** What the program complained of; empty when it did as told. */
export function run(program: string, ...args: readonly string[]): string {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 10_000 });
  return status === 0 ? "" : `${program}: ${error?.message ?? stderr}`;
}
