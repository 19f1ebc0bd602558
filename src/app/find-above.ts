// The nearest file of a name: in the working directory or a folder above it, as go looks for go.mod.

import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

export async function findAbove(name: string, from = "."): Promise<string | undefined> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const file = join(folder, name);
    if (await isFile(file)) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

export async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
