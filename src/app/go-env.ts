// What this machine's own go command is set to: process environment first, then the user's go env file
// (cmd/go/internal/cfg: an empty variable counts as unset; the file has no quotes, escapes or trimming).

import { posix, win32 } from "node:path";
import { goDefaultProxyList } from "#protocol/official.ts";
import { goEnvFileLocation } from "#services/environment/env-location.ts";
import { parseGoEnvFile, valuesOf } from "#services/environment/go-env-file.ts";

/** The machine, as far as settings depend on it. */
export type Machine = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `process.platform` */
  readonly platform: string;
  /** The user's home directory. */
  readonly home: string;
  /** A file's text, or undefined when there is none; other failures throw. */
  readonly readFile: (path: string) => Promise<string | undefined>;
};

export type GoSetting = { readonly value: string; readonly origin: string };

/** The value of `name` on this machine, or undefined when nobody chose one. */
export async function readGoEnv(name: string, machine: Machine): Promise<GoSetting | undefined> {
  const fromEnv = machine.env[name] ?? "";
  if (fromEnv !== "") return { value: fromEnv, origin: `${name} (environment)` };
  const file = goEnvFile(machine);
  const value = file === undefined ? "" : (parseGoEnv(await readGoEnvFile(file, machine)).get(name) ?? "");
  return value === "" ? undefined : { value, origin: `${name} (go env file)` };
}

/** The GOPROXY somebody chose here; Go's own default is no choice. */
export async function readGoProxy(machine: Machine): Promise<GoSetting | undefined> {
  const setting = await readGoEnv("GOPROXY", machine);
  return setting?.value === goDefaultProxyList ? undefined : setting;
}

/** The values of a go env file. A carriage return at the end is cut off: what people meant is clear enough for a server. */
export function parseGoEnv(text: string): ReadonlyMap<string, string> {
  const values = valuesOf(parseGoEnvFile(text));
  return new Map([...values].map(([name, { value }]) => [name, value.replace(/\r$/, "")]));
}

async function readGoEnvFile(file: string, machine: Machine): Promise<string> {
  try {
    return (await machine.readFile(file)) ?? "";
  } catch {
    // The go command goes on without a file it cannot read; so do we.
    return "";
  }
}

/** Where `go env -w` writes, as far as the environment tells; undefined for nowhere. */
export function goEnvFile({ env, platform, home }: Machine): string | undefined {
  const location = goEnvFileLocation({ ...env, HOME: home }, platform);
  return location.kind === "file" ? location.path : undefined;
}

/** Where this platform keeps a user's data. */
export function userDataDir(machine: Machine): string {
  const { env, platform, home } = machine;
  const path = pathOf(machine);
  if (platform === "win32") return env["LocalAppData"] ?? env["LOCALAPPDATA"] ?? path.join(home, "AppData", "Local");
  if (platform === "darwin") return path.join(home, "Library", "Application Support");
  const xdg = env["XDG_DATA_HOME"] ?? "";
  // The XDG base directory specification: a relative value is invalid and to be ignored.
  return path.isAbsolute(xdg) ? xdg : path.join(home, ".local", "share");
}

function pathOf(machine: Machine): typeof posix {
  return machine.platform === "win32" ? win32 : posix;
}
