// One child, bounded: its time, what it says, the disk it fills, the memory its whole group holds. When a bound is
// passed, or nobody waits any more, the group is killed as one.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export type ChildLimits = {
  readonly timeoutMs: number;
  /** Of the sandbox's folder. */
  readonly maxBytes: number;
  /** Resident, of all processes of the group together; Linux only, 0 for none. */
  readonly maxMemoryBytes: number;
};

export type ChildOptions = ChildLimits & {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whose size is looked at. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

export type ChildEnd =
  | { readonly kind: "ended"; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "stopped"; readonly because: Stopped }
  /** There is no such program. */
  | { readonly kind: "missing" };

export type Stopped = "timeout" | "disk" | "memory" | "output" | "aborted";

/** Ten thousand versions are 200 KiB; the text of an error is some lines. */
const maxOutputBytes = 8 << 20;
/** How often folder and memory are looked at. */
const lookMs = 250;
/** A folder with more files than this is too large, whatever they hold. */
const maxFiles = 500_000;

/** Runs `program` without a shell. `stop` ends it with a reason from outside. */
export function runChild(program: string, args: readonly string[], options: ChildOptions): Promise<ChildEnd> {
  const { cwd, env, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      windowsHide: true,
    });
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[], bytes: 0 };
    let stopped: Stopped | undefined;
    let isMissing = false;
    const stop = (because: Stopped): void => {
      stopped ??= because;
      killGroup(child);
    };
    const timer = setTimeout(() => stop("timeout"), options.timeoutMs);
    const aborted = (): void => stop("aborted");
    const over = new AbortController();
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) stop("aborted");
    void watch(child, { ...options, stop, over: over.signal });
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (chunk: Buffer) => {
        said.bytes += chunk.length;
        if (said.bytes > maxOutputBytes) stop("output");
        else said[name].push(chunk);
      });
    child.once("error", (error: NodeJS.ErrnoException) => {
      isMissing = error.code === "ENOENT" || error.code === "EACCES";
      said.stderr.push(Buffer.from(error.message));
      if (child.pid === undefined) end(-1);
    });
    // Whatever it started and did not wait for ends with it.
    child.once("exit", () => killGroup(child));
    child.once("close", (code) => end(code ?? -1));
    const end = (code: number): void => {
      clearTimeout(timer);
      over.abort();
      signal.removeEventListener("abort", aborted);
      const text = (name: "stdout" | "stderr"): string => Buffer.concat(said[name]).toString("utf8");
      if (stopped !== undefined) resolve({ kind: "stopped", because: stopped });
      else if (isMissing) resolve({ kind: "missing" });
      else resolve({ kind: "ended", code, stdout: text("stdout"), stderr: text("stderr") });
    };
  });
}

/** The whole group: git's helpers are children of children. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH" && (error as NodeJS.ErrnoException).code !== "EPERM")
      throw error;
  }
}

type Watching = ChildOptions & { readonly stop: (because: Stopped) => void; readonly over: AbortSignal };

async function watch(child: ChildProcess, { folder, maxBytes, maxMemoryBytes, stop, over }: Watching): Promise<void> {
  const isOver = (): boolean => over.aborted;
  while (!isOver()) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lookMs);
      over.addEventListener(
        "abort",
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    if (isOver()) return;
    if ((await folderBytes(folder, maxBytes)) > maxBytes) stop("disk");
    else if (maxMemoryBytes > 0 && child.pid !== undefined && (await treeBytes(child.pid)) > maxMemoryBytes)
      stop("memory");
  }
}

/** What a folder holds; counting ends once it is more than `enough`. */
export async function folderBytes(folder: string, enough: number): Promise<number> {
  let bytes = 0;
  let files = 0;
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined && bytes <= enough; at = folders.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0; // gone meanwhile
      if (++files > maxFiles) return Infinity;
    }
  }
  return bytes;
}

/** Resident bytes of a process and all below it, as /proc has it; 0 where there is none. */
async function treeBytes(pid: number): Promise<number> {
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const [, pages = "0"] = (await read("statm")).split(" ");
  const children = (await read(`task/${pid}/children`)).split(" ").filter((each) => /^\d+$/.test(each));
  // Threads of go start programs too: their children are listed with them.
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  for (const thread of threads)
    if (thread !== String(pid))
      children.push(...(await read(`task/${thread}/children`)).split(" ").filter((each) => /^\d+$/.test(each)));
  const below = await Promise.all(children.map((each) => treeBytes(Number(each))));
  return below.reduce((sum, bytes) => sum + bytes, Number(pages) * pageBytes);
}

/** Of Linux on the machines we know; on others the bound is a looser one. */
const pageBytes = 4096;
