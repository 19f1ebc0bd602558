// flock(2), as cmd/go's lockedfile takes it. Node has no call for it, and needs none: a lock belongs to the open file, not
// to the process, so a helper that is handed our descriptor takes it, ends, and we have it until we close the file.

import { spawn } from "node:child_process";
import { open, readFile, readdir, readlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { constants } from "node:fs";

export type LockHelper = {
  readonly program: string;
  readonly shared: readonly string[];
  readonly exclusive: readonly string[];
  /** Its exit code when somebody else holds the lock; 0 is taken, anything else says nothing. */
  readonly held: number;
};

/** Of our own scripts: one that cannot run ends with 1 or 2. */
const held = 75;

/** Programs that can take a lock on descriptor 3 without waiting. */
export const helpers: readonly LockHelper[] = [
  { program: "flock", shared: ["-s", "-n", "3"], exclusive: ["-x", "-n", "3"], held: 1 },
  { program: "perl", shared: perl("LOCK_SH"), exclusive: perl("LOCK_EX"), held },
  { program: "python3", shared: python("LOCK_SH"), exclusive: python("LOCK_EX"), held },
];

/** A program starts within milliseconds; a loaded machine takes longer. */
const helperMs = 20_000;

export type Flock = {
  /** Whether somebody else has the file open, or waits for its lock; undefined when the system does not tell. */
  isWantedByOthers(): Promise<boolean | undefined>;
  release(): Promise<void>;
};

/** Takes the lock of a file, which is made when it is not there; waits for nobody. Errors of opening it are thrown. */
export async function takeFlock(path: string, by = helpers): Promise<Flock | "held" | "no-locks"> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  const taken = await lockWith(file, "exclusive", by);
  if (taken !== true) {
    await file.close();
    return taken === false ? "held" : "no-locks";
  }
  return {
    isWantedByOthers: async () => await isOpenElsewhere(file, path),
    release: () => file.close(),
  };
}

/** Whether somebody holds the lock of a file; undefined when nothing here can tell. */
export async function isFlocked(path: string, by = helpers): Promise<boolean | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? false : undefined;
  }
  try {
    // For a moment, and one that disturbs nobody but whoever begins at that very moment, who waits for it.
    const taken = await lockWith(file, "shared", by);
    return taken === undefined ? undefined : !taken;
  } finally {
    await file.close();
  }
}

/** Undefined when nothing on this machine takes locks. */
async function lockWith(
  { fd }: FileHandle,
  how: "shared" | "exclusive",
  by: readonly LockHelper[],
): Promise<boolean | undefined> {
  for (const helper of by) {
    const code = await run(helper.program, helper[how], fd);
    if (code === 0 || code === helper.held) return code === 0;
  }
  return undefined;
}

function run(program: string, args: readonly string[], fd: number): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "ignore", fd], timeout: helperMs });
    child.once("error", () => resolve(-1));
    child.once("close", (code) => resolve(code ?? -1));
  });
}

function perl(lock: string): string[] {
  const code = `open(my $f, "+<&=", 3) or open($f, "<&=", 3) or exit 2; exit(flock($f, ${lock} | LOCK_NB) ? 0 : $!{EWOULDBLOCK} ? ${held} : 2)`;
  return ["-MErrno", "-MFcntl=:flock", "-e", code];
}

function python(lock: string): string[] {
  const code = `import fcntl,sys
try: fcntl.flock(3, fcntl.${lock} | fcntl.LOCK_NB)
except BlockingIOError: sys.exit(${held})
except OSError: sys.exit(2)`;
  return ["-c", code];
}

/** Processes whose files are looked at; more say nothing. */
const maxProcesses = 5_000;

/** By /proc/locks where it shows our own lock; else by what other processes have open. */
async function isOpenElsewhere(file: FileHandle, path: string): Promise<boolean | undefined> {
  const { ino } = await file.stat();
  const lines = (await readFile("/proc/locks", "utf8").catch(() => ""))
    .split("\n")
    .filter((line) => line.split(/\s+/).some((word) => word.endsWith(`:${ino}`)));
  if (lines.length > 0) return lines.length > 1;
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  if (processes.length === 0 || processes.length > maxProcesses) return undefined;
  for (const id of processes) {
    if (Number(id) === process.pid) continue;
    const descriptors = await readdir(`/proc/${id}/fd`).catch((error: unknown) => {
      // It has ended meanwhile, or it is somebody else's.
      return (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : undefined;
    });
    if (descriptors === undefined) return undefined;
    for (const descriptor of descriptors)
      if ((await readlink(`/proc/${id}/fd/${descriptor}`).catch(() => "")) === path) return true;
  }
  return false;
}
