// YAML as CI systems write it: mappings with their lines, anchors and `<<` followed, every scalar a text (1.20 stays
// 1.20). Bounded: aliases that unfold into more than a person writes are not followed further.

import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Document, Node } from "yaml";

export type YamlNode =
  | { readonly kind: "text"; readonly text: string; readonly line: number; readonly isBlock: boolean }
  | { readonly kind: "list"; readonly items: readonly YamlNode[]; readonly line: number }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, YamlNode>; readonly line: number };

/** The parser takes up to 15 µs for a character: three seconds for this much of the worst. CI files have some kB. */
const maxYamlChars = 1 << 18;
/** Large CI files have some thousand nodes. */
const maxNodes = 50_000;
/** Jobs, their variables, their scripts: five levels. Deeper ones are left out. */
const maxDepth = 24;
/** The parser goes down by recursion; more brackets in a row than a person writes are refused before it starts. */
const maxOpen = 200;

/** The first document; undefined for what is no YAML, or no mapping. Never throws. */
export function readYaml(source: string): YamlNode | undefined {
  const text = source.slice(0, maxYamlChars);
  if (nestsTooDeep(text)) return undefined;
  const lines = new LineCounter();
  let document: Document | undefined;
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      schema: "failsafe",
      logLevel: "silent",
      prettyErrors: false,
    });
    // GitLab puts `spec:` in a document of its own before the jobs.
    document = Array.isArray(documents) ? documents.at(-1) : undefined;
  } catch {
    return undefined;
  }
  if (document === undefined) return undefined;
  return new TreeReader(document, lines).read(document.contents, 0);
}

/** Flow brackets and block indentation both nest. */
function nestsTooDeep(text: string): boolean {
  let open = 0;
  let dashes = 0;
  for (const c of text) {
    if (c === "[" || c === "{") open += 1;
    else if ((c === "]" || c === "}") && open > 0) open -= 1;
    dashes = c === "-" || c === "?" || c === ":" ? dashes + 1 : c === " " || c === "\t" ? dashes : 0;
    if (open > maxOpen || dashes > maxOpen) return true;
  }
  return /^[ ]{400}/m.test(text);
}

class TreeReader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  #left = maxNodes;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  read(node: Node | null | undefined, depth: number): YamlNode | undefined {
    this.#left -= 1;
    if (node === null || node === undefined || depth > maxDepth || this.#left < 0) return undefined;
    const line = this.#lineOf(node);
    if (isAlias(node)) return this.read(node.resolve(this.#document), depth + 1);
    if (isScalar(node)) {
      const isBlock = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
      return { kind: "text", text: typeof node.value === "string" ? node.value : "", line, isBlock };
    }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item as Node | null, depth + 1));
      return { kind: "list", items: items.filter((item) => item !== undefined), line };
    }
    if (!isMap(node)) return undefined;
    const entries = new Map<string, YamlNode>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) && typeof key.value === "string" ? key.value : undefined;
      const read = this.read(value as Node | null, depth + 1);
      if (name === "<<") this.#merge(entries, read);
      else if (name !== undefined && read !== undefined) entries.set(name, read);
    }
    return { kind: "map", entries, line };
  }

  /** `<<: *base` and `<<: [*a, *b]`: what stands here wins, then the earlier one. */
  #merge(into: Map<string, YamlNode>, from: YamlNode | undefined): void {
    const sources = from?.kind === "list" ? from.items : from === undefined ? [] : [from];
    for (const source of sources)
      if (source.kind === "map") for (const [name, value] of source.entries) if (!into.has(name)) into.set(name, value);
  }

  #lineOf(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }
}

/** The value below a key of a mapping. */
export function childOf(node: YamlNode | undefined, ...path: readonly string[]): YamlNode | undefined {
  let here = node;
  for (const name of path) here = here?.kind === "map" ? here.entries.get(name) : undefined;
  return here;
}

export function entriesOf(node: YamlNode | undefined): readonly (readonly [string, YamlNode])[] {
  return node?.kind === "map" ? [...node.entries] : [];
}

export function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === "list" ? node.items : node === undefined ? [] : [node];
}

export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === "text" ? node.text : undefined;
}
