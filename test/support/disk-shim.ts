// What a process does to a directory, call by call: every call of node:fs/promises and of its file handles on something
// below a root is shown to an observer before it happens, which may let it pass, make it fail, or end the process; and
// once more when it has happened. Works on every platform; what threads do with blocking calls is not seen.
import { constants } from "node:fs";
import fs from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { relative, resolve, sep } from "node:path";

export type DiskCall = {
  /** Counted from 1, over all calls of all files. */
  readonly step: number;
  /** As the system call: `open`, `write`, `sync`, `link` … */
  readonly name: string;
  /** Below the root; of a handle's call, what was opened. */
  readonly path: string;
  /** The second path of `link`, `rename` and `copyFile`. */
  readonly to?: string;
  /** Which open file a handle's call is about: no two have the same. */
  readonly file?: number;
  /** It changes something on disk. */
  readonly changes: boolean;
  readonly args: readonly unknown[];
};

export type DiskObserver = {
  /** What it throws is the call's failure; the call is not made, a `close` aside. */
  before?(call: DiskCall): void | Promise<void>;
  /** What it throws is the failure of a call that was made. */
  after?(call: DiskCall, result: unknown): void | Promise<void>;
};

/** Calls by path that change something, and those that do not. `open` is one or the other. */
const changing = ["link", "rename", "unlink", "mkdir", "rmdir", "rm", "writeFile", "appendFile", "truncate", "utimes"];
const more = ["copyFile", "symlink", "chmod", "cp"];
const looking = ["lstat", "stat", "readdir", "readFile", "opendir", "access", "realpath"];
const onHandles = {
  changes: ["write", "writev", "writeFile", "appendFile", "truncate", "utimes", "chmod", "sync", "datasync"],
  looks: ["read", "readFile", "stat", "close"],
};

type Call = (this: unknown, ...args: unknown[]) => Promise<unknown>;
type Calls = Record<string, Call>;

/** Shows everything done below `root` to the observer until the function it resolves to is called. */
export async function watchDisk(root: string, observer: DiskObserver): Promise<() => void> {
  const base = resolve(root);
  const files = new WeakMap<object, { readonly path: string; readonly file: number }>();
  let [steps, opened] = [0, 0];

  const below = (path: unknown): string | undefined => {
    if (typeof path !== "string") return undefined;
    const whole = resolve(path);
    return whole === base || whole.startsWith(base + sep) ? relative(base, whole) : undefined;
  };
  const shown = async (call: Omit<DiskCall, "step">, make: () => Promise<unknown>): Promise<unknown> => {
    const numbered = { step: ++steps, ...call };
    try {
      await observer.before?.(numbered);
    } catch (error) {
      if (call.name === "close") await make().catch(() => undefined); // a close that fails has closed
      throw error;
    }
    const result = await make();
    await observer.after?.(numbered, result);
    return result;
  };

  const calls = fs as unknown as Calls;
  const prototype = (await handlePrototype()) as Calls;
  const [realCalls, realMethods] = [{ ...calls }, { ...methodsOf(prototype) }];
  for (const name of ["open", ...changing, ...more, ...looking]) {
    const real = realCalls[name];
    if (real === undefined) continue;
    calls[name] = async function (...args) {
      const path = below(args[0]);
      if (path === undefined) return await real.apply(this, args);
      const changes = name === "open" ? isForWriting(args[1]) : !looking.includes(name);
      const to = below(args[1]);
      const call = { name, path, ...(to !== undefined && { to }), changes, args };
      if (name !== "open") return await shown(call, () => real.apply(this, args));
      const file = ++opened;
      return await shown({ ...call, file }, async () => {
        const handle = (await real.apply(this, args)) as object;
        files.set(handle, { path, file });
        return handle;
      });
    };
  }
  for (const name of [...onHandles.changes, ...onHandles.looks]) {
    const real = realMethods[name];
    if (real === undefined) continue;
    prototype[name] = async function (...args) {
      const known = files.get(this as object);
      if (known === undefined) return await real.apply(this, args);
      const changes = onHandles.changes.includes(name);
      return await shown({ name, ...known, changes, args }, () => real.apply(this, args));
    };
  }
  syncBuiltinESMExports();
  return () => {
    Object.assign(calls, realCalls);
    Object.assign(prototype, realMethods);
    syncBuiltinESMExports();
  };
}

/** An error as the operating system's. */
export function systemError(code: string, { name, path }: Pick<DiskCall, "name" | "path">): Error {
  return Object.assign(new Error(`${code}: made up, ${name} '${path}'`), { code, syscall: name, path });
}

function isForWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & (constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT)) !== 0;
  return typeof flags === "string" && flags !== "r";
}

async function handlePrototype(): Promise<object> {
  const handle: FileHandle = await fs.open(process.execPath, "r");
  await handle.close();
  return Object.getPrototypeOf(handle) as object;
}

function methodsOf(prototype: Calls): Calls {
  const names = [...onHandles.changes, ...onHandles.looks];
  return Object.fromEntries(names.flatMap((name) => (prototype[name] ? [[name, prototype[name]]] : [])));
}
