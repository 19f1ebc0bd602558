// Our own answer to what graph-go.ts asks go.

import { BuildList } from "../../src/protocol/buildlist.ts";
import type { SelectedModule } from "../../src/protocol/buildlist.ts";
import { parseGoMod } from "../../src/protocol/gomod.ts";
import { parseGoWork } from "../../src/protocol/gowork.ts";
import type { GraphOutcome } from "./graph-go.ts";
import type { GraphCase } from "./graph-random.ts";

export type OurOutcome = GraphOutcome & { readonly failed: number };

export function ourAnswer({ files, modules }: GraphCase): OurOutcome {
  const list = new BuildList(mainOf(files));
  for (let wanted = list.wanted(); wanted.length > 0; wanted = list.wanted())
    for (const source of wanted) {
      const text = source.version === "" ? files[fileOf(source.path)] : modules[`${source.path}@${source.version}`];
      list.give(source, text === undefined ? undefined : parseGoMod(text, { lax: true }));
    }
  const zips = list.downloads().flatMap(({ source }) => (source === undefined ? [] : [text(source)]));
  return {
    graph: list.asked().map(text).sort(),
    all: list.all().map(line),
    zips: [...new Set(zips)].sort(),
    failed: list.failed.length,
  };
}

function mainOf(files: GraphCase["files"]): ConstructorParameters<typeof BuildList>[0] {
  const work = files["go.work"];
  if (work === undefined) return parseGoMod(files["go.mod"] ?? "");
  const { use, replace } = parseGoWork(work);
  return { mains: use.map((folder) => parseGoMod(files[fileOf(folder)] ?? "")), replace };
}

/** `./local1` → `local1/go.mod` */
function fileOf(folder: string): string {
  return `${folder.replace(/^\.\//, "")}/go.mod`;
}

function text({ path, version }: { readonly path: string; readonly version: string }): string {
  return `${path}@${version}`;
}

/** As `go list -m` writes it. A directory's name was lost on the way: go.mod has it. */
function line(module: SelectedModule): string {
  const { source } = module;
  if (source === undefined) return `${text(module)} => DIR`;
  return source.path === module.path && source.version === module.version
    ? text(module)
    : `${text(module)} => ${text(source)}`;
}

/**
 * Directories are spelled by go.mod or go.work: only that there is one is compared. A version that replaces itself is
 * one for go; for us it is not replaced.
 */
export function comparable({ graph, all, zips }: GraphOutcome): GraphOutcome {
  return { graph, all: all.map((each) => each.replace(/ => \.\/.*/, " => DIR").replace(/^(.+) => \1$/, "$1")), zips };
}
