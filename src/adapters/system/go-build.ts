// How the go command on this machine was built: with cgo it may ask libc for names, without it never does.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { askGoEnv } from "./go-command.ts";

const versionMs = 10_000;
/** A dozen lines. */
const maxBytes = 64 * 1024;

export type GoBuild = { readonly version: string; readonly hasCgo: boolean };

/** Undefined when there is no go. */
export async function askGoBuild(env: Readonly<Record<string, string | undefined>>): Promise<GoBuild | undefined> {
  const said = await askGoEnv(["GOROOT", "GOVERSION"], env);
  const { GOROOT: root = "", GOVERSION: version = "" } = said ?? {};
  if (root === "") return undefined;
  const binary = join(root, "bin", "go");
  const text = await new Promise<string>((resolve) => {
    const options = { env: { ...env, GOTOOLCHAIN: "local" }, timeout: versionMs, maxBuffer: maxBytes };
    execFile(binary, ["version", "-m", binary], options, (_, stdout) => resolve(stdout));
  });
  // Before Go 1.18 nothing is said of the build; those came with cgo.
  return { version, hasCgo: !/CGO_ENABLED=0\b/.test(text) };
}
