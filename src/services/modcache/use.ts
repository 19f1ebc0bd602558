// When a version was last used, as far as files can tell. Go writes it down nowhere; what remains are the times of its
// files. Each go command that needs a version reads its .ziphash or its .mod. File systems mounted `relatime` note a
// reading once a day, `noatime` ones never: then it is when the version was downloaded or extracted.

import type { Unit } from "./survey.ts";

export function usedMs({ files, tree }: Unit): number {
  const { info, mod, zip, ziphash } = files;
  const written = [info, mod, zip, ziphash, tree].map((facts) => facts?.modifiedMs ?? 0);
  const read = [info, mod, ziphash].map((facts) => facts?.accessedMs ?? 0);
  return Math.max(...written, ...read);
}

/** Something of it is there beside a lock. */
export function hasContent({ files, tree }: Unit): boolean {
  return tree !== undefined || Object.keys(files).some((file) => file !== "lock");
}
