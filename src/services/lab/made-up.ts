// Module versions that exist nowhere else, one after the other, so that every request for one is a cold one. Each is on
// record in a checksum database of the lab's own: what serves them can verify them as it verifies real ones.

import { createHash } from "node:crypto";
import { hash1, hashGoMod } from "#protocol/dirhash.ts";
import { escapePath } from "#protocol/path.ts";
import { checkModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import type { DatabaseAnswer, TestDatabase } from "./sumdb-server.ts";

export type MadeUpFile = {
  /** Below a proxy's base URL. */
  readonly target: string;
  /** Whether these bytes are the file's. */
  isRight(body: Uint8Array): boolean;
};

/** Reserved for documentation (RFC 2606): nobody publishes below it. */
const host = "drill.example";
const version = "v1.0.0";
/** In this order, so that a proxy's three ways into the cold are taken equally often. */
const kinds = ["info", "mod", "zip"] as const;

export class MadeUpModules {
  readonly #database: TestDatabase;
  readonly #files = new Map<string, { readonly contentType: string; readonly bytes: Uint8Array }>();
  #made = 0;

  constructor(database: TestDatabase) {
    this.#database = database;
  }

  /** Makes one more module and names one of its files: `.info`, `.mod`, `.zip` in turn. */
  async next(): Promise<MadeUpFile> {
    const at = this.#made;
    const { path } = await this.version();
    const target = `/${escapePath(path)}/@v/${version}.${kinds[at % kinds.length] ?? "info"}`;
    return { target, isRight: (body) => this.isRight(target, body) };
  }

  /** Whether these are the bytes of a request target. */
  isRight(target: string, body: Uint8Array): boolean {
    const file = this.#files.get(target);
    return file !== undefined && Buffer.compare(body, file.bytes) === 0;
  }

  /** Makes one more module, of one version. */
  async version(): Promise<ModuleVersion> {
    const at = this.#made++;
    const id = checkModuleVersion(`${host}/m${at}`, version);
    const goMod = Buffer.from(`module ${id.path}\n\ngo 1.21\n`);
    const files = [
      { name: "go.mod", content: goMod },
      { name: "doc.go", content: Buffer.from(`// Package m${at} is of a drill.\npackage m${at}\n`) },
    ];
    const hashes = files.map(({ name, content }) => ({
      name: `${id.path}@${version}/${name}`,
      sha256: createHash("sha256").update(content).digest("hex"),
    }));
    await this.#database.addModule(id, { zip: hash1(hashes), mod: hashGoMod(goMod) });
    const info = Buffer.from(JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
    const base = `/${escapePath(id.path)}/@v/${version}`;
    this.#files.set(`${base}.info`, { contentType: "application/json", bytes: info });
    this.#files.set(`${base}.mod`, { contentType: "text/plain; charset=utf-8", bytes: goMod });
    this.#files.set(`${base}.zip`, { contentType: "application/zip", bytes: writeModuleZip(id, files) });
    return id;
  }

  /** What an upstream with all of them answers: their files, the database below `/sumdb/`, 404 for the rest. */
  async answer(target: string): Promise<DatabaseAnswer> {
    const prefix = `/sumdb/${this.#database.name}/`;
    if (target.startsWith(prefix)) return await this.#database.answer(target.slice(prefix.length - 1));
    const file = this.#files.get(target);
    if (file !== undefined) return { status: 200, ...file };
    return { status: 404, contentType: "text/plain; charset=utf-8", bytes: Buffer.from("not found\n") };
  }
}
