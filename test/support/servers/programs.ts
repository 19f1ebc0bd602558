// Where the real servers are that the cluster suite starts: on PATH, in a package's own folder, or in the folder that
// `scripts/cluster-servers.ts` fills. A server that is not there is said loudly by the test that needs it.
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Compiled servers, kept outside the checkout so that they are compiled once for many. */
export const serversFolder =
  process.env["GRANARY_SERVERS"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "granary-servers");

/** The path of a program; undefined when it is not on this machine. */
export function programPath(name: string, ...folders: readonly string[]): string | undefined {
  const all = [serversFolder, ...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", ...folders];
  return all.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
