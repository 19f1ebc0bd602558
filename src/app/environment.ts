// What go would see of this machine, for `granary env` and `granary doctor`: the process environment, the go env file,
// the installed go with its go.env, netrc. Runs nothing.

import { findGo } from "#adapters/system/go-installation.ts";
import { proxyRule } from "#adapters/upstream/no-proxy.ts";
import type { EnvironmentSeen } from "#doors/cli/services.ts";
import { maxNetrcBytes } from "#protocol/netrc.ts";
import { goEnvFileLocation } from "#services/environment/env-location.ts";
import type { ExplainPorts } from "#services/environment/explain.ts";
import { maxGoEnvChars } from "#services/environment/go-env-file.ts";
import { parseGoVersion } from "#services/environment/go-versions.ts";
import { valueOf } from "#services/environment/settings.ts";
import type { FileSeen, GoInstallation, Surroundings } from "#services/environment/surroundings.ts";
import type { Machine } from "./go-env.ts";

/** All that the commands of this area need: their rules are functions of it. */
export async function lookAround(machine: Machine): Promise<EnvironmentSeen> {
  return { surroundings: await readSurroundings(machine), ports: explainPorts };
}

/** Reads everything that decides what go does here. A file that cannot be read is said to be so. */
export async function readSurroundings(machine: Machine): Promise<Surroundings> {
  const { env, platform } = machine;
  const [userFile, netrc, go] = await Promise.all([readUserFile(machine), readNetrc(machine), readGo(machine)]);
  return { platform, process: env, userFile, netrc, go };
}

async function readUserFile(machine: Machine): Promise<FileSeen> {
  const location = goEnvFileLocation(machine.env, machine.platform);
  return location.kind === "file" ? await readSeen(location.path, machine, maxGoEnvChars) : location;
}

/** `$NETRC`, else `.netrc` in the home folder; on Windows `_netrc` comes first (cmd/go/internal/auth netrcPath). */
async function readNetrc(machine: Machine): Promise<FileSeen> {
  const { env, platform } = machine;
  const named = env["NETRC"] ?? "";
  if (named !== "") return await readSeen(named, machine, maxNetrcBytes);
  const home = env[platform === "win32" ? "USERPROFILE" : "HOME"] ?? "";
  if (home === "") return { kind: "nowhere", missing: platform === "win32" ? "USERPROFILE" : "HOME" };
  if (platform === "win32") {
    const underscored = await readSeen(`${home}\\_netrc`, machine, maxNetrcBytes);
    if (underscored.kind !== "absent") return underscored;
  }
  return await readSeen(`${home}${platform === "win32" ? "\\" : "/"}.netrc`, machine, maxNetrcBytes);
}

async function readGo(machine: Machine): Promise<GoInstallation | undefined> {
  const found = await findGo(machine.env);
  if (found === undefined) return undefined;
  const { goroot, release } = found;
  const file = await readSeen(`${goroot}/go.env`, machine, maxGoEnvChars);
  return { version: parseGoVersion(release), goroot, file };
}

async function readSeen(path: string, { readFile }: Machine, maxChars: number): Promise<FileSeen> {
  try {
    const text = await readFile(path);
    return text === undefined ? { kind: "absent", path } : { kind: "text", path, text: text.slice(0, maxChars) };
  } catch (error) {
    return { kind: "unreadable", path, reason: error instanceof Error ? error.message : String(error) };
  }
}

export const explainPorts: ExplainPorts = {
  viaOf: (text, settings) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const proxy = valueOf(settings, url?.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
    if (url === undefined || proxy === "") return undefined;
    // The rule alone is wanted: go speaks to kinds of proxies (SOCKS) that this program does not.
    const stand = "http://proxy.invalid";
    const rule = proxyRule({ http: stand, https: stand, no: valueOf(settings, "NO_PROXY") });
    return rule(url) === undefined ? undefined : proxy;
  },
};
