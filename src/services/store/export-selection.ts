// What of a store is exported: everything, versions by name, modules by pattern, what a go.sum names.

import { parseGoSum } from "#protocol/gosum.ts";
import { matchPrefixPatterns } from "#protocol/pattern.ts";
import { checkModuleVersion, formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { parsePath } from "#protocol/path.ts";

/** `mod`: `.info` and go.mod only, as for modules that a build reads and does not compile. */
export type Wanted = "mod" | "zip";

export class Selection {
  readonly #patterns: string[] = [];
  /** By `path@version`; false until it was met. */
  readonly #named = new Map<string, { readonly wanted: Wanted; isMet: boolean }>();
  #isAll = true;

  /** `path@version`, or GOPRIVATE patterns of module paths. Throws ProtocolError for neither. */
  add(text: string): void {
    this.#isAll = false;
    const at = text.lastIndexOf("@");
    if (at > 0) this.#name(checkModuleVersion(text.slice(0, at), text.slice(at + 1)), "zip");
    else {
      // A pattern without any sign is a path, and a wrong one is a mistake, not a pattern that matches nothing.
      if (!/[*?[,]/.test(text)) parsePath(text);
      this.#patterns.push(text);
    }
  }

  /** Every version that a go.sum names; with its zip when the zip has a line. Returns the lines that go would refuse. */
  addGoSum(text: string): readonly { readonly line: number; readonly reason: string }[] {
    this.#isAll = false;
    const { lines, malformed } = parseGoSum(text);
    for (const { id, file } of lines) this.#name(id, file);
    return malformed;
  }

  /** What to export of a kept version; undefined for nothing. */
  take(id: ModuleVersion): Wanted | undefined {
    const named = this.#named.get(formatModuleVersion(id));
    if (named?.wanted === "mod") named.isMet = true;
    if (this.#isAll || this.#patterns.some((pattern) => matchPrefixPatterns(pattern, id.path))) return "zip";
    return named?.wanted;
  }

  /** The zip of a version is kept as well. */
  metZip(id: ModuleVersion): void {
    const named = this.#named.get(formatModuleVersion(id));
    if (named !== undefined) named.isMet = true;
  }

  /** Versions that were named and are not kept, or not with the zip they were named with. */
  missing(): string[] {
    return [...this.#named].flatMap(([what, { isMet }]) => (isMet ? [] : [what])).sort();
  }

  #name(id: ModuleVersion, wanted: Wanted): void {
    const what = formatModuleVersion(id);
    if (wanted === "zip" || !this.#named.has(what)) this.#named.set(what, { wanted, isMet: false });
  }
}
