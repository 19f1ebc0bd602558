// What a GOPROXY server answers for a set of module versions, ready-made: path below the base, answer.
import { createHash } from "node:crypto";
import { textAnswer } from "./faults.ts";
import type { StubAnswer } from "./faults.ts";
import { goModOf } from "./modules.ts";
import type { ModuleFixture } from "./modules.ts";
import { fixtureZip } from "./fixture-zip.ts";

const pseudo = /-(?:0\.|[^+]*\.0\.)?\d{14}-[0-9a-f]{12}(?:\+incompatible)?$/;

export class ModuleTable {
  readonly #versions = new Map<string, Map<string, ModuleFixture>>();
  readonly #zips = new Map<string, Uint8Array>();

  constructor(modules: readonly ModuleFixture[]) {
    for (const module of modules) this.add(module);
  }

  add(module: ModuleFixture): void {
    const versions = this.#versions.get(module.path) ?? new Map<string, ModuleFixture>();
    versions.set(module.version, module);
    this.#versions.set(module.path, versions);
    this.#zips.delete(`${module.path}@${module.version}`);
  }

  remove(path: string, version: string): void {
    const versions = this.#versions.get(path);
    versions?.delete(version);
    if (versions?.size === 0) this.#versions.delete(path);
  }

  /** The answer for a decoded request path, or undefined when there is none (404). */
  answer(path: string): StubAnswer | undefined {
    const latest = /^\/(.+)\/@latest$/.exec(path);
    if (latest !== null) return this.#latest(latest[1] ?? "");
    const [, escaped = "", file = ""] = /^\/(.+)\/@v\/([^/]+)$/.exec(path) ?? [];
    const versions = this.#versions.get(unescape(escaped) ?? "");
    if (versions === undefined) return undefined;
    if (file === "list")
      return textAnswer(
        200,
        listed(versions)
          .map((version) => `${version}\n`)
          .join(""),
      );
    const [, name = "", ext] = /^(.+)\.(info|mod|zip)$/.exec(file) ?? [];
    const wanted = unescape(name) ?? "";
    if (ext === "info") return infoAnswer(versions.get(wanted) ?? queried(versions, wanted));
    const module = versions.get(wanted);
    if (module === undefined) return undefined;
    return ext === "mod" ? textAnswer(200, goModOf(module)) : this.#zip(module);
  }

  #latest(escaped: string): StubAnswer | undefined {
    const versions = this.#versions.get(unescape(escaped) ?? "");
    if (versions === undefined) return undefined;
    const release = listed(versions).filter((version) => !version.includes("-"));
    const newest = release.at(-1) ?? listed(versions).at(-1) ?? [...versions.keys()].sort().at(-1) ?? "";
    return infoAnswer(versions.get(newest));
  }

  #zip(module: ModuleFixture): StubAnswer {
    const id = `${module.path}@${module.version}`;
    const body = this.#zips.get(id) ?? fixtureZip(module);
    this.#zips.set(id, body);
    const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
    return { status: 200, headers: { "content-type": "application/zip", "accept-ranges": "bytes", etag }, body };
  }
}

/** Tagged versions, oldest first (numbers compared as numbers; enough for fixtures). */
function listed(versions: ReadonlyMap<string, ModuleFixture>): string[] {
  const tags = [...versions.keys()].filter((version) => !pseudo.test(version));
  return tags.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function queried(versions: ReadonlyMap<string, ModuleFixture>, query: string): ModuleFixture | undefined {
  return [...versions.values()].find(({ queries }) => queries.includes(query));
}

function infoAnswer(module: ModuleFixture | undefined): StubAnswer | undefined {
  if (module === undefined) return undefined;
  const { version, time, origin } = module;
  const info = { Version: version, Time: time, ...(origin === undefined ? {} : { Origin: origin }) };
  return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(info)) };
}

/** Undoes case escaping (`!a` is `A`); undefined for text that is not escaped. */
function unescape(text: string): string | undefined {
  if (/[A-Z]|!(?![a-z])/.test(text)) return undefined;
  return text.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
