// What is known of a version from outside the cache: the lines of go.sum files, and a checksum database's record.

import { parseGoSum } from "#protocol/gosum.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { SumsAnswer } from "./ports.ts";

export type GoSumText = { readonly file: string; readonly text: string };

/** One line of a go.sum. */
export type NotedHash = { readonly hash: string; readonly file: string; readonly line: number };

export type Noted = { readonly zip: readonly NotedHash[]; readonly mod: readonly NotedHash[] };

/** go.sum files by version. */
export type GoSums = ReadonlyMap<string, Noted>;

export type Known = { readonly noted: Noted; readonly recorded: SumsAnswer };

const toolchain = "golang.org/toolchain";
const nothing: Noted = { zip: [], mod: [] };

/** Only `h1:` lines count, as in go; lines that it would stop at are left out. */
export function indexGoSums(texts: readonly GoSumText[]): GoSums {
  const index = new Map<string, { zip: NotedHash[]; mod: NotedHash[] }>();
  for (const { file, text } of texts)
    for (const { line, id, file: part, hash } of parseGoSum(text).lines) {
      if (!hash.startsWith("h1:")) continue;
      const name = formatModuleVersion(id);
      const noted = index.get(name) ?? { zip: [], mod: [] };
      noted[part].push({ hash, file, line });
      index.set(name, noted);
    }
  return index;
}

/** go.sum has no say about toolchains (cmd/go modfetch.checkModSum). */
export function notedOf(goSums: GoSums, id: ModuleVersion): Noted {
  return id.path === toolchain ? nothing : (goSums.get(formatModuleVersion(id)) ?? nothing);
}

/** The hash that decides: the database's, else that of a go.sum. */
export function truthOf({ noted, recorded }: Known, part: "zip" | "mod"): string | undefined {
  return (recorded.kind === "recorded" ? recorded.sums[part] : undefined) ?? noted[part][0]?.hash;
}
