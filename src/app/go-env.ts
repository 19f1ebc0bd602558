// What this machine's own go command is set to: process environment first, then the user's go env file
// (cmd/go/internal/cfg: an empty variable counts as unset; the file has no quotes, escapes or trimming).

import { posix, win32 } from "node:path";
import { goDefaultProxyList } from "#protocol/official.ts";

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

/** A go env file is a few lines; a larger one is none. */
const maxGoEnvChars = 1 << 20;

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

/** The lines `KEY=VALUE` of a go env file; the last of two wins, everything else is ignored as `go` does. */
export function parseGoEnv(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.slice(0, maxGoEnvChars).split("\n")) {
    const equals = line.indexOf("=");
    if (equals < 0 || !/^[A-Z]/.test(line)) continue;
    values.set(line.slice(0, equals), line.slice(equals + 1).replace(/\r$/, ""));
  }
  return values;
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
export function goEnvFile(machine: Machine): string | undefined {
  const chosen = machine.env["GOENV"] ?? "";
  if (chosen === "off") return undefined;
  if (chosen !== "") return chosen;
  const dir = userConfigDir(machine);
  return dir === undefined ? undefined : pathOf(machine).join(dir, "go", "env");
}

/** Go's os.UserConfigDir. */
function userConfigDir({ env, platform, home }: Machine): string | undefined {
  if (platform === "win32") return env["AppData"] ?? env["APPDATA"];
  if (home === "") return undefined;
  if (platform === "darwin") return posix.join(home, "Library/Application Support");
  const xdg = env["XDG_CONFIG_HOME"] ?? "";
  return xdg === "" ? posix.join(home, ".config") : xdg;
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
