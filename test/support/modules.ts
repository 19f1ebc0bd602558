// Module versions that exist only in tests: made in code, or read from test/fixtures/modules/*.txtar.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseTxtar } from "./txtar.ts";

export type ModuleFixture = {
  /** As a developer writes it: `github.com/Azure/x`, not `github.com/!azure/x`. */
  readonly path: string;
  readonly version: string;
  /** RFC 3339. */
  readonly time: string;
  /** What `.info` says of where the version came from; absent when the upstream does not say. */
  readonly origin: Readonly<Record<string, string>> | undefined;
  /** Branches and short hashes that mean this version. */
  readonly queries: readonly string[];
  /** Name inside the module, content. Without a go.mod the upstream makes one up, as `go` does. */
  readonly files: ReadonlyMap<string, string>;
};

export type ModuleDraft = Pick<ModuleFixture, "path" | "version"> &
  Partial<Omit<ModuleFixture, "files">> & { readonly files?: Readonly<Record<string, string>> };

/** A module version made in code. Without files it holds a go.mod and one package. */
export function makeModule(draft: ModuleDraft): ModuleFixture {
  const { path, version } = draft;
  const files = draft.files ?? { "go.mod": `module ${path}\n\ngo 1.19\n`, "doc.go": `package ${packageName(path)}\n` };
  return {
    path,
    version,
    time: draft.time ?? "2024-01-02T03:04:05Z",
    origin: draft.origin,
    queries: draft.queries ?? [],
    files: new Map(Object.entries(files)),
  };
}

const fixtureFolder = join(import.meta.dirname, "../fixtures/modules");

/** All module versions of test/fixtures/modules. */
export function readModuleFixtures(folder: string = fixtureFolder): ModuleFixture[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".txtar"));
  return names.sort().map((name) => parseModuleFixture(readFileSync(join(folder, name), "utf8"), name));
}

/**
 * Reads one archive. The comment's first line is `path@version`; lines after it may be `time RFC3339`,
 * `origin KEY VALUE` and `query NAME`.
 */
export function parseModuleFixture(text: string, name: string): ModuleFixture {
  const { comment, files } = parseTxtar(text);
  const [first = "", ...settings] = comment.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const [path, version] = first.split("@");
  if (path === undefined || version === undefined) throw new Error(`${name}: the first line is not path@version`);
  const origin: Record<string, string> = {};
  const queries: string[] = [];
  let time: string | undefined;
  for (const line of settings) {
    const [key, value = "", rest = ""] = line.split(" ");
    if (key === "time") time = value;
    else if (key === "origin") origin[value] = rest;
    else if (key === "query") queries.push(value);
    else throw new Error(`${name}: unknown setting ${line}`);
  }
  return makeModule({
    path,
    version,
    ...(time === undefined ? {} : { time }),
    ...(Object.keys(origin).length === 0 ? {} : { origin }),
    queries,
    files: Object.fromEntries(files),
  });
}

/** The go.mod a proxy serves: the module's own, or the one `go` makes up (x/mod modfetch LegacyGoMod). */
export function goModOf(module: ModuleFixture): string {
  return module.files.get("go.mod") ?? `module ${module.path}\n`;
}

function packageName(path: string): string {
  const last =
    path
      .replace(/\/v\d+$/, "")
      .split("/")
      .at(-1) ?? "";
  return last.replace(/[^a-z0-9]/gi, "").toLowerCase() || "p";
}
