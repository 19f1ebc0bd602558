// Which go is installed, without running it: the program on PATH, its GOROOT, the VERSION file and go.env in there. A
// run of `go env` takes tens of milliseconds and may switch toolchains; these are three small files.

import { access, constants, readFile, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

export type FoundGo = {
  readonly goroot: string;
  /** The first word of its VERSION file, as `go1.26.8`; "" when there is none. */
  readonly release: string;
};

/** The go command that a shell with this environment would start; undefined when there is none. */
export async function findGo(env: Readonly<Record<string, string | undefined>>): Promise<FoundGo | undefined> {
  const program = await firstOnPath(env["PATH"] ?? env["Path"] ?? "");
  if (program === undefined) return undefined;
  const own = dirname(dirname(program));
  const chosen = env["GOROOT"] ?? "";
  const goroot = chosen === "" ? own : chosen;
  return { goroot, release: await releaseIn(goroot) };
}

async function firstOnPath(path: string): Promise<string | undefined> {
  const names = process.platform === "win32" ? ["go.exe"] : ["go"];
  for (const folder of path.split(delimiter))
    for (const name of names) {
      if (folder === "") continue;
      const file = join(folder, name);
      try {
        await access(file, constants.X_OK);
        // GOROOT is above the program itself, not above a link to it.
        return await realpath(file);
      } catch {
        // Not here.
      }
    }
  return undefined;
}

/** A VERSION file has two lines. */
const maxVersionChars = 1 << 12;

async function releaseIn(goroot: string): Promise<string> {
  try {
    const text = await readFile(join(goroot, "VERSION"), "utf8");
    return /^\S+/.exec(text.slice(0, maxVersionChars))?.[0] ?? "";
  } catch {
    return "";
  }
}
